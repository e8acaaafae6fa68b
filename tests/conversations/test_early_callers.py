"""Whoever speaks early, or into a backlog, is heard as if on time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.lifecycle import StartFrame
from antiphon.frames.turns import VADUserStartedSpeakingFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.simulation.calls.caller import Caller
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from tests.conversations.calls import Agent

ORDER = "a table for four at eight please"
SEEDS = range(6)


async def orders(caller: Caller) -> None:
    """Speaks at once, and expects to be answered."""
    await caller.says(ORDER)
    await caller.expects_reply(within=8.0)


@pytest.mark.parametrize("segmented", [False, True])
@pytest.mark.parametrize("delay", [1.0, 2.4, 6.0])
@pytest.mark.parametrize("slow", ["stt", "tts", "llm"])
def test_a_caller_who_speaks_while_a_service_connects(
    slow: str, delay: float, segmented: bool
) -> None:
    """The whole sentence is heard, and answered."""
    parts: dict[str, Any] = {"stt": FakeSTTProvider(segmented=segmented)}
    match slow:
        case "stt":
            parts["stt"] = FakeSTTProvider(segmented=segmented, connect_delay=delay)
        case "tts":
            parts["tts"] = FakeTTSProvider(connect_delay=delay)
        case _:
            parts["llm"] = FakeLLMProvider(default="Fine, see you then.", connect_delay=delay)
    agent = Agent(**parts)
    agent.hold(orders)
    assert agent.turns == [ORDER]


class Stalls(FrameProcessor):
    """Stops for a second at one piece of audio, or while it starts."""

    def __init__(self, at: int, *, start_secs: float = 0.0) -> None:
        super().__init__()
        self._left, self._start_secs = at, start_secs
        self.speech: list[tuple[float, float]] = []
        """When speech was noticed, and when it had begun."""

    @handles(StartFrame)
    async def begin(self, frame: StartFrame, direction: FrameDirection) -> None:
        await asyncio.sleep(self._start_secs)

    @handles(InputAudioRawFrame)
    async def listen(self, frame: InputAudioRawFrame, direction: FrameDirection) -> None:
        self._left -= 1
        if self._left == 0:
            await asyncio.sleep(1.0)
        await self.push_frame(frame, direction)

    @handles(VADUserStartedSpeakingFrame)
    async def speaks(self, frame: VADUserStartedSpeakingFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        assert frame.timestamp is not None
        self.speech.append((self.clock.now(), frame.timestamp - frame.start_secs))


@pytest.mark.parametrize("segmented", [False, True])
@pytest.mark.parametrize("at", [5, 40, 60, 75, 90, 100])
def test_a_processor_that_stalls_costs_no_word(at: int, segmented: bool) -> None:
    """A second in mid-call is made up for."""
    for seed in SEEDS:
        agent = Agent(stt=FakeSTTProvider(segmented=segmented), before_stt=[Stalls(at)])
        agent.hold(orders, seed)
        assert agent.turns == [ORDER], seed


def test_speech_is_dated_when_it_was_said() -> None:
    """A backlog of 2.4 s shifts no beginning: the same as without one."""
    began = []
    for start_secs in (0.0, 2.4):
        stalls = Stalls(0, start_secs=start_secs)
        agent = Agent(before_stt=[stalls])
        agent.hold(orders)
        assert stalls.speech[0][0] >= start_secs
        began.append(round(stalls.speech[0][1], 2))
    assert began[0] == began[1]
