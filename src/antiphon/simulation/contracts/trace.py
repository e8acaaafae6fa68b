"""What a part was sent and what came out of it, and laws about both.

A law looks at the trace of a whole run and says what is wrong with it, or None. `PROTOCOL_LAWS`
hold for whatever comes out of any part; users add their own.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from antiphon.errors import ErrorCategory
from antiphon.frames.audio import InputAudioRawFrame, OutputAudioRawFrame
from antiphon.frames.base import ControlFrame, DataFrame, Frame, SystemFrame, UninterruptibleFrame
from antiphon.frames.codec import standard_types
from antiphon.frames.lifecycle import EndRequestFrame
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
class PartTrace:
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


Law = Callable[[PartTrace], str | None]


def calls_are_in_order(trace: PartTrace) -> str | None:
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


def turns_alternate(trace: PartTrace) -> str | None:
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


def utterances_are_whole(trace: PartTrace) -> str | None:
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


def audio_is_whole(trace: PartTrace) -> str | None:
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


_BASES = (SystemFrame, DataFrame, ControlFrame)
HUGE = 5_000
"""How many times as long a long text is; sound is a tenth of that."""

_PLAIN: dict[Any, Any] = {
    str: "text",
    int: 16_000,
    float: 0.5,
    bool: True,
    bytes: bytes(640),
    Any: {"a": [1, "text"]},
    type(None): None,
    ErrorCategory: ErrorCategory.SERVER,
}


def samples() -> Iterator[Frame]:
    """A frame of every standard type that is no life-cycle frame, with something in each field."""
    for kind in standard_types().values():
        ends = kind.lifecycle or issubclass(kind, EndRequestFrame)
        if not ends and kind not in _BASES:
            yield sample(kind)


def sample(kind: type[Frame]) -> Frame:
    """A frame of a type, with something in each field that must be given."""
    hints = typing.get_type_hints(kind)
    values = {
        info.name: _value(hints[info.name])
        for info in msgspec.structs.fields(kind)
        if info.required
    }
    if "num_channels" in hints:
        values["num_channels"] = 1
    return kind(**values)


def emptied(frame: Frame) -> Frame:
    """The same without a text, without a sound."""
    return _changed(frame, lambda value: value[:0])


def enlarged(frame: Frame) -> Frame:
    """The same with a very long text or sound."""
    return _changed(frame, lambda v: v * (HUGE if isinstance(v, str) else HUGE // 10))


def _changed(frame: Frame, change: Any) -> Frame:
    fields = {"id": Frame().id}
    for info in msgspec.structs.fields(frame):
        value = getattr(frame, info.name)
        if info.name in {"text", "audio", "message", "messages"} and isinstance(value, str | bytes):
            fields[info.name] = change(value)
    return msgspec.structs.replace(frame, **fields)


def _value(hint: Any) -> Any:
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return _value(arguments[0])
    if origin is tuple:
        wanted = arguments[:1] if arguments[-1] is Ellipsis else arguments
        return tuple(_value(argument) for argument in wanted)
    if origin is list:
        return [{"role": "user", "content": "text"}]
    if origin is dict:
        return {"a": 1}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        infos, hints = msgspec.structs.fields(hint), typing.get_type_hints(hint)
        return hint(**{info.name: _value(hints[info.name]) for info in infos if info.required})
    return _a_function


def _a_function(messages: list[Any]) -> list[Any]:
    return messages
