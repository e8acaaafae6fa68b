"""What every suite brings about: cancels, errors, empty and huge input, changes, sudden ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from antiphon.errors import ConnectivityError, ServerError
from antiphon.frames.text import TextFrame
from antiphon.frames.tools import FunctionCallResultFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.services.contracts import (
    AudioChunk,
    RealtimeEvent,
    RealtimeInput,
    RealtimeProvider,
    ResponseAudio,
    ResponseDone,
    ResponseStarted,
    ResponseStatus,
    SpeechAudio,
    ToolCall,
    ToolOutput,
    TTSCapabilities,
    TTSEvent,
)
from antiphon.simulation.contracts import (
    ContractError,
    ContractRule,
    check_output_sink,
    check_processor,
    check_realtime_provider,
    check_stop_strategy,
    check_tts_provider,
)
from antiphon.simulation.fakes.realtime import FakeRealtimeProvider
from antiphon.turns.facts import Fact, SpeechStarted, SpeechStopped, TranscriptReceived, TurnStopped
from antiphon.turns.opinions import EndTurn, Opinion, RunInference
from antiphon.turns.strategy import UserTurnStopStrategy

TEXTS = [TextFrame("one two"), TextFrame("three four")]


class Greedy(FrameProcessor):
    """Looks at the first letter of every text."""

    @handles(TextFrame)
    async def take(self, frame: TextFrame, direction: FrameDirection) -> None:
        await self.push_frame(TextFrame(frame.text[0].upper() + frame.text[1:]), direction)


class Curious(FrameProcessor):
    """Thinks that results are always dictionaries."""

    @handles(FunctionCallResultFrame)
    async def look(self, frame: FunctionCallResultFrame, direction: FrameDirection) -> None:
        frame.result.popitem()[1].upper()
        await self.push_frame(frame, direction)


class Slow(FrameProcessor):
    """Blocks for as long as a text is long."""

    @handles(TextFrame)
    async def take(self, frame: TextFrame, direction: FrameDirection) -> None:
        if len(frame.text) > 1_000:
            time.sleep(len(frame.text) / 1_000)  # noqa: ASYNC251 - the mistake
        await self.push_frame(frame, direction)


@pytest.mark.parametrize(
    ("part", "case", "rule"),
    [
        (Greedy, "empty and huge", ContractRule.EXCEPTIONS),
        (Curious, "every frame", ContractRule.EXCEPTIONS),
        (Slow, "empty and huge", ContractRule.BLOCKS),
    ],
)
def test_processors_meet_unusual_frames(
    part: type[FrameProcessor], case: str, rule: ContractRule
) -> None:
    """Frames that are empty, huge, or of another kind than expected are sent to every processor."""
    with pytest.raises(ContractError) as found:
        check_processor(part, frames=TEXTS, seeds=1, moments=5)
    assert (found.value.case, found.value.rule) == (case, rule)


class Proud(UserTurnStopStrategy):
    """Only ends turns whose beginning it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self._began = self._text = False

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case SpeechStarted():
                self._began = True
            case SpeechStopped():
                self.deadline = now + 0.3
            case TranscriptReceived(text=text, final=True) if text.strip():
                self._text = True
                self.deadline = now + 0.3
            case TurnStopped():
                self._began = self._text = False
                self.deadline = None
        return ()

    def tick(self, now: float) -> Sequence[Opinion]:
        self.deadline = None
        over = self._began and self._text
        return (RunInference("silence"), EndTurn("silence")) if over else ()


def test_strategies_are_put_in_place_in_the_middle_of_a_turn() -> None:
    """A change of strategies is met: who has not seen the turn begin must end it all the same."""
    closing = [(0.2, SpeechStopped(0.0, 0.2)), (0.3, TranscriptReceived("hello"))]
    with pytest.raises(ContractError) as found:
        check_stop_strategy(Proud, seeds=20, stops_with=closing)
    assert (found.value.case, found.value.rule) == ("late", ContractRule.ANSWERS)


class Stuck:
    """A voice whose connection hangs once a request has failed."""

    name = "stuck"
    capabilities = TTSCapabilities(sample_rate=16_000)

    def __init__(self, fails_at: int = 1_000) -> None:
        self._fails_at, self._out, self._broken = fails_at, 0, False

    async def connect(self) -> None:
        await self._call()

    async def _call(self) -> None:
        await asyncio.sleep(0.01)
        if self._broken:
            await asyncio.get_running_loop().create_future()
        self._out += 1
        if self._out > self._fails_at:
            self._broken = True
            raise ServerError("overloaded")

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        async for _ in text:
            await self._call()
            yield SpeechAudio(bytes(640))

    async def close(self) -> None:
        pass


def test_providers_are_used_again_after_a_failure() -> None:
    """What a failure leaves behind shows at the next call."""
    with pytest.raises(ContractError) as found:
        check_tts_provider(Stuck, seeds=1, failing=Stuck)
    assert (found.value.case, found.value.rule) == ("failing", ContractRule.ENDS)


class Wire:
    """A sink whose other side goes away, with an error of its library's."""

    def __init__(self, fails_at: int = 1_000) -> None:
        self._left = fails_at

    async def write(self, pcm: bytes) -> None:
        await asyncio.sleep(0.001)
        self._left -= 1
        if self._left < 0:
            raise LookupError("connection 7 is unknown")


class HonestWire(Wire):
    """The same, translated."""

    async def write(self, pcm: bytes) -> None:
        try:
            await super().write(pcm)
        except LookupError as error:
            raise ConnectivityError("the line is gone") from error


def test_sinks_fail_at_every_call() -> None:
    """Errors of a line must be ours or the system's, at whatever call they come."""
    with pytest.raises(ContractError) as found:
        check_output_sink(Wire, seeds=1, moments=5, failing=Wire)
    assert (found.value.case, found.value.rule) == ("sink failing", ContractRule.EXCEPTIONS)
    check_output_sink(HonestWire, seeds=1, moments=5, failing=HonestWire)


class Altered(FakeRealtimeProvider):
    """Takes and gives something else than the fake does."""

    def taken(self, item: RealtimeInput) -> None:
        """Looks at an input."""

    def given(self, event: RealtimeEvent) -> list[RealtimeEvent]:
        """What comes in place of an event."""
        return [event]

    async def converse(
        self, inputs: AsyncIterator[RealtimeInput]
    ) -> AsyncGenerator[RealtimeEvent, None]:
        async with aclosing(super().converse(Watched(inputs, self.taken))) as events:
            async for event in events:
                for one in self.given(event):
                    yield one


class Watched:
    """Inputs that somebody looks at. No generator: nobody need close it."""

    def __init__(
        self, inputs: AsyncIterator[RealtimeInput], look: Callable[[RealtimeInput], None]
    ) -> None:
        self._inputs, self._look = inputs, look

    def __aiter__(self) -> AsyncIterator[RealtimeInput]:
        return self

    async def __anext__(self) -> RealtimeInput:
        item = await anext(self._inputs)
        self._look(item)
        return item


def cancelled(event: RealtimeEvent) -> bool:
    """Whether it is the end of a response that was cancelled."""
    return isinstance(event, ResponseDone) and event.status is ResponseStatus.CANCELLED


class Chatty(Altered):
    """Goes on after a cancel: the sound under way is still sent."""

    def given(self, event: RealtimeEvent) -> list[RealtimeEvent]:
        return [event, ResponseAudio("item_1", bytes(640))] if cancelled(event) else [event]


class Forgetful(Altered):
    """Does not say that a response was cancelled."""

    def given(self, event: RealtimeEvent) -> list[RealtimeEvent]:
        return [] if cancelled(event) else [event]


class Doubling(Altered):
    """Begins a response twice."""

    def given(self, event: RealtimeEvent) -> list[RealtimeEvent]:
        return [event, event] if isinstance(event, ResponseStarted) else [event]


class Careless(Altered):
    """Takes whatever is said to be sound for sound."""

    def taken(self, item: RealtimeInput) -> None:
        if isinstance(item, AudioChunk) and not item.pcm:
            raise ZeroDivisionError("no samples")


class Strict(Altered):
    """An output of a call it does not know ends the conversation."""

    def taken(self, item: RealtimeInput) -> None:
        if isinstance(item, ToolOutput) and not item.tool_call_id.startswith("call_"):
            raise KeyError(item.tool_call_id)


class Deaf(FakeRealtimeProvider):
    """Goes on when the inputs have ended."""

    async def converse(
        self, inputs: AsyncIterator[RealtimeInput]
    ) -> AsyncGenerator[RealtimeEvent, None]:
        async with aclosing(super().converse(inputs)) as events:
            async for event in events:
                yield event
        await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    ("part", "rules"),
    [
        (Chatty, {ContractRule.VALUES}),
        (Forgetful, {ContractRule.ANSWERS, ContractRule.ENDS, ContractRule.SEAM}),
        (Deaf, {ContractRule.ENDS}),
        (Careless, {ContractRule.SEAM}),
        (Strict, {ContractRule.SEAM}),
        (Doubling, {ContractRule.VALUES}),
    ],
)
def test_broken_models_that_speak_are_found(
    part: Callable[..., RealtimeProvider], rules: set[ContractRule]
) -> None:
    """Each way to hold a conversation badly is found as what it is, with one seed."""
    with pytest.raises(ContractError) as found:
        check_realtime_provider(lambda: part(default="Hello there, you."), seeds=1)
    assert found.value.rule in rules


def test_calls_without_arguments_are_found() -> None:
    """A call whose arguments are no object is found."""

    def reply(conversation: list[dict[str, Any]]) -> ToolCall:
        return ToolCall("", "get_weather", "[]")

    with pytest.raises(ContractError, match="the arguments are no object"):
        check_realtime_provider(lambda: FakeRealtimeProvider(reply), seeds=1)
