"""`check_serializer`: what everything must keep that makes messages of frames and frames of
messages.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from antiphon.errors import InvalidInputError
from antiphon.frames.audio import OutputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import CancelFrame, EndFrame, InterruptionFrame, StartFrame
from antiphon.simulation.contracts.suite import (
    ContractRule,
    Run,
    Suite,
    Violation,
    name_of,
    require,
)
from antiphon.simulation.contracts.trace import emptied, enlarged, samples
from antiphon.simulation.fakes.voice import speak
from antiphon.simulation.record.frame_text import describe_frame
from antiphon.transports.serializer import FrameSerializer, Wire

RATES = (8_000, 16_000, 24_000, 48_000)
"""The rates of a line, in Hz, that conversations are begun with."""
_CORRUPTIONS = 300


def check_serializer(
    factory: Callable[[], FrameSerializer],
    *,
    frames: Sequence[Frame] | None = None,
    messages: Sequence[Wire] = (),
    seeds: int | Iterable[int] = 10,
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    Args:
        factory: makes a new serializer for each run.
        frames: what must become messages; by default some sound. One for each thing that the
            protocol can say.
        messages: what the other side may send, as it comes over the line, in the order of a real
            conversation; each must be understood, though not each need give a frame.
        seeds: how many, or which.
        only: the case to repeat, as the error names it.

    """
    cases = SerializerCases(factory, list(frames or _sound()), list(messages))
    suite = Suite("check_serializer", name_of(factory), seeds, only)
    suite.case("answers", cases.answers)
    suite.case("every frame", cases.every_frame)
    suite.case("empty and huge", cases.empty_and_huge)
    suite.case("malformed", cases.malformed)
    suite.case("another conversation", cases.another_conversation)
    suite.case("ended", cases.ended)
    suite.case("side by side", cases.side_by_side)
    return suite.run()


def _sound() -> list[Frame]:
    return [OutputAudioRawFrame(speak("good morning", sample_rate=16_000), 16_000)]


class SerializerCases:
    """What is asked of a serializer. Awaits nothing: neither may it."""

    def __init__(
        self,
        factory: Callable[[], FrameSerializer],
        frames: list[Frame],
        messages: list[Wire],
    ) -> None:
        self._factory, self._frames, self._messages = factory, frames, messages

    async def answers(self, run: Run) -> None:
        """What the protocol can say is said, what it can hear is understood; at every rate."""
        for rate in RATES:
            self._converse(self._begun(rate))

    async def every_frame(self, run: Run) -> None:
        """Frames of all types are sent or ignored, and left as they are."""
        serializer = self._begun(16_000)
        frames = [*samples(), EndFrame(), CancelFrame(reason="gone")]
        run.rng.shuffle(frames)
        for frame in frames:
            before = describe_frame(frame)
            _sent(serializer, frame)
            require(ContractRule.VALUES, describe_frame(frame) == before, f"{before} was changed")
        self._converse(serializer)

    async def empty_and_huge(self, run: Run) -> None:
        """Frames without a sound or a text, and with very much of it."""
        serializer = self._begun(16_000)
        for frame in self._frames:
            for strange in (emptied(frame), enlarged(frame), frame):
                _sent(serializer, strange)
        for message in ("", b"", " " * 1_000_000, bytes(1_000_000), "[" * 10_000, "{}", b"\xff"):
            _refused(serializer, message)
        self._converse(serializer)

    async def malformed(self, run: Run) -> None:
        """Messages that are cut off or changed anywhere, and what was never one."""
        serializer, rng = self._begun(16_000), run.rng
        for message in self._messages:
            for bad in _corrupted(message, rng):
                _refused(serializer, bad)
        for _ in range(_CORRUPTIONS):
            _refused(serializer, rng.randbytes(rng.choice([1, 3, 40, 500])))
            _refused(serializer, "".join(chr(rng.randint(1, 0x2FF)) for _ in range(20)))
        self._converse(self._begun(16_000))
        self._converse(serializer)

    async def another_conversation(self, run: Run) -> None:
        """One that has served a conversation serves another as a new one would."""
        serializer = self._begun(8_000)
        self._converse(serializer)
        serializer.setup(StartFrame(audio_in_sample_rate=16_000, audio_out_sample_rate=16_000))
        fresh = self._begun(16_000)
        again, first = self._sent_kinds(serializer), self._sent_kinds(fresh)
        require(
            ContractRule.RECOVERS, again == first, "in a second conversation it says something else"
        )

    async def ended(self, run: Run) -> None:
        """Interruptions and ends at any time: it bears what is still sent afterwards."""
        serializer = self._begun(16_000)
        for frame in (*self._frames, *self._frames):
            cut = run.rng.choice([InterruptionFrame(), EndFrame(), CancelFrame(), None])
            if cut is not None:
                _sent(serializer, cut)
            _sent(serializer, frame)
        for message in self._messages:
            _understood(serializer, message)

    async def side_by_side(self, run: Run) -> None:
        """Two conversations know nothing of each other."""
        one, other = self._begun(16_000), self._begun(16_000)
        alone = self._sent_kinds(self._begun(16_000))
        for message in self._messages:
            _understood(other, message)
        require(ContractRule.PURE, self._sent_kinds(one) == alone, "two of them share a state")

    def _begun(self, rate: int) -> FrameSerializer:
        serializer = self._factory()
        serializer.setup(StartFrame(audio_in_sample_rate=rate, audio_out_sample_rate=rate))
        return serializer

    def _converse(self, serializer: FrameSerializer) -> None:
        for frame in self._frames:
            said = _sent(serializer, frame) is not None
            require(ContractRule.ANSWERS, said, f"{describe_frame(frame)} is not sent")
        frames = [_understood(serializer, message) for message in self._messages]
        given = not self._messages or any(frame is not None for frame in frames)
        require(ContractRule.ANSWERS, given, "none of the messages gives a frame")

    def _sent_kinds(self, serializer: FrameSerializer) -> list[tuple[type[Any], int]]:
        sent = [_sent(serializer, frame) for frame in self._frames]
        return [(type(data), len(data or "")) for data in sent]


def _sent(serializer: FrameSerializer, frame: Frame) -> Wire | None:
    """What is sent for a frame; one that cannot be is an `InvalidInputError`."""
    try:
        data: Any = serializer.serialize(frame)
    except InvalidInputError:
        return None
    if inspect.iscoroutine(data):
        data.close()
        raise Violation(ContractRule.VALUES, "serialize() is a coroutine: it must answer at once")
    if data is None or isinstance(data, bytes | str):
        return data
    raise Violation(ContractRule.VALUES, f"{describe_frame(frame)} gives a {type(data).__name__}")


def _understood(serializer: FrameSerializer, message: Wire) -> Frame | None:
    try:
        frame = serializer.deserialize(message)
    except InvalidInputError as error:
        raise Violation(
            ContractRule.ANSWERS, f"{_short(message)} is not understood: {error}"
        ) from error
    fits = frame is None or isinstance(frame, Frame)
    require(ContractRule.VALUES, fits, f"{_short(message)} gives a {type(frame).__name__}")
    return frame


def _refused(serializer: FrameSerializer, message: Wire) -> None:
    """A message that may be anything: a frame, nothing, or one clear error."""
    try:
        frame = serializer.deserialize(message)
    except InvalidInputError as error:
        require(
            ContractRule.VALUES, bool(str(error)), f"{_short(message)} is refused without a word"
        )
        return
    except Exception as error:
        what = f"{_short(message)} raises {error!r}, which is no InvalidInputError"
        raise Violation(ContractRule.EXCEPTIONS, what) from error
    fits = frame is None or isinstance(frame, Frame)
    require(ContractRule.VALUES, fits, f"{_short(message)} gives a {type(frame).__name__}")
    harmless = frame is None or not frame.lifecycle
    require(ContractRule.VALUES, harmless, f"{_short(message)} gives a {type(frame).__name__}")


def _corrupted(message: Wire, rng: random.Random) -> Iterable[Wire]:
    data = message.encode() if isinstance(message, str) else message
    for _ in range(_CORRUPTIONS):
        at = rng.randrange(len(data) + 1)
        changed = rng.choice(
            [
                data[:at],
                data[at:],
                data[:at] + rng.randbytes(1) + data[at + 1 :],
                data[:at] + rng.randbytes(3) + data[at:],
                data[:at] + data[:at] + data[at:],
            ]
        )
        yield changed.decode(errors="replace") if isinstance(message, str) else changed
    yield data if isinstance(message, str) else data.decode(errors="replace")
    if isinstance(message, str):
        yield from _other_values(message)


def _other_values(message: str) -> Iterable[str]:
    """Of a JSON message: each of its values is another one, or missing."""
    try:
        value = msgspec.json.decode(message)
    except msgspec.DecodeError:
        return
    others: tuple[Any, ...] = (None, 7, "text", [], {}, True, "\u00e9" * 50)
    for path in _paths(value):
        for other in others:
            yield msgspec.json.encode(_replaced(value, path, other)).decode()
        yield msgspec.json.encode(_replaced(value, path, _GONE)).decode()


_GONE: Any = object()


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else ()
    for key, inner in items:
        yield from _paths(inner, (*path, key))


def _replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    key, *rest = path
    copy = dict(value)
    if rest:
        copy[key] = _replaced(value[key], tuple(rest), other)
    elif other is _GONE:
        del copy[key]
    else:
        copy[key] = other
    return copy


def _short(message: Wire) -> str:
    text = repr(message)
    return text if len(text) <= 80 else f"{text[:60]}... ({len(message)} long)"
