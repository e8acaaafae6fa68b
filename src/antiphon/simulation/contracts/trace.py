"""What a part was sent and what came out of it, and laws about both.

A law looks at the trace of a whole run and says what is wrong with it, or None. `PROTOCOL_LAWS`
hold for whatever comes out of any part; users add their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from antiphon.frames.audio import InputAudioRawFrame, OutputAudioRawFrame
from antiphon.frames.base import DataFrame, Frame, SystemFrame, UninterruptibleFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.tools import (
    FunctionCallCancelFrame,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
)
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection


class Keepsake(UninterruptibleFrame, DataFrame):
    """Sent in between, of a type that no part knows: passes exactly once, whatever happens."""

    number: int


class Bell(SystemFrame):
    """The same for what is urgent."""

    number: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A frame that came out at one of the ends, `at` loop seconds."""

    at: float
    frame: Frame
    direction: FrameDirection


@dataclass
class Trace:
    """One run. `settled`: it came to rest by itself, before the end was sent."""

    sent: list[Frame] = field(default_factory=list)
    out: list[Entry] = field(default_factory=list)
    interruptions: list[float] = field(default_factory=list)
    settled: bool = False
    ended: bool = False

    def coming(self, direction: FrameDirection) -> Iterator[Frame]:
        """What came out in one direction, in order."""
        return (entry.frame for entry in self.out if entry.direction is direction)

    def made(self, *kinds: type[Frame]) -> list[Entry]:
        """What came out of these types and was not sent in."""
        sent = {id(frame) for frame in self.sent}
        return [
            entry
            for entry in self.out
            if isinstance(entry.frame, kinds or Frame) and id(entry.frame) not in sent
        ]


Law = Callable[[Trace], str | None]


def calls_are_in_order(trace: Trace) -> str | None:
    """A call's results follow its announcement, and nothing follows its end."""
    begun: set[str] = set()
    over: dict[str, str] = {}
    for frame in trace.coming(FrameDirection.DOWNSTREAM):
        if isinstance(frame, FunctionCallInProgressFrame):
            begun.add(frame.tool_call_id)
            over.pop(frame.tool_call_id, None)
        elif isinstance(frame, FunctionCallResultFrame | FunctionCallCancelFrame):
            call, kind = frame.tool_call_id, type(frame).__name__
            if call not in begun:
                return f"{kind} of the call {call!r}, which was never announced"
            if call in over:
                return f"{kind} of the call {call!r} after its {over[call]}"
            final = isinstance(frame, FunctionCallCancelFrame) or (
                frame.properties is None or frame.properties.is_final
            )
            if final:
                over[call] = kind
    return None


def turns_alternate(trace: Trace) -> str | None:
    """Turns of either side begin and end by turns; each that begins ends."""
    pairs: tuple[tuple[type[Frame], type[Frame]], ...] = (
        (UserStartedSpeakingFrame, UserStoppedSpeakingFrame),
        (BotStartedSpeakingFrame, BotStoppedSpeakingFrame),
    )
    for start, stop in pairs:
        if not trace.made(start):
            continue
        for direction in FrameDirection:
            opened = False
            for frame in trace.coming(direction):
                if isinstance(frame, start | stop):
                    begins = isinstance(frame, start)
                    if begins is opened:
                        return f"{type(frame).__name__} twice in a row"
                    opened = begins
            if opened and trace.settled:
                return f"{start.__name__} without {stop.__name__}: the turn never stops"
    return None


def utterances_are_whole(trace: Trace) -> str | None:
    """What ends has begun; without an interruption what begins ends before the next begins."""
    pairs: tuple[tuple[type[Frame], type[Frame]], ...] = (
        (TTSStartedFrame, TTSStoppedFrame),
        (LLMFullResponseStartFrame, LLMFullResponseEndFrame),
    )
    for start, stop in pairs:
        if not trace.made(start, stop):
            continue
        opened = 0
        for entry in trace.out:
            if entry.direction is not FrameDirection.DOWNSTREAM:
                continue
            if isinstance(entry.frame, start):
                if opened and not trace.interruptions:
                    return f"{start.__name__} twice in a row"
                opened += 1
            elif isinstance(entry.frame, stop):
                if not opened:
                    return f"{stop.__name__} of what never began"
                opened = 0
        if opened and trace.settled and not trace.interruptions:
            return f"{start.__name__} without {stop.__name__}"
    return None


def audio_is_whole(trace: Trace) -> str | None:
    """Audio ends with a sample."""
    for entry in trace.made(OutputAudioRawFrame, InputAudioRawFrame):
        frame = entry.frame
        assert isinstance(frame, OutputAudioRawFrame | InputAudioRawFrame)
        if len(frame.audio) % (2 * frame.num_channels):
            return f"{len(frame.audio)} bytes in {type(frame).__name__} end within a sample"
    return None


PROTOCOL_LAWS: tuple[Law, ...] = (
    calls_are_in_order,
    turns_alternate,
    utterances_are_whole,
    audio_is_whole,
)
