"""When an agent is told that the caller has been silent too long."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.errors import ConnectivityError
from antiphon.frames.turns import EndUserTurnFrame
from antiphon.simulation.calls.caller import Caller
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.provider import Fail
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.vad import FakeTurnModel
from antiphon.turns.completion_strategies import deferred
from antiphon.turns.stop_strategies import (
    SpeechTimeoutUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from antiphon.turns.strategies import FilterIncompleteUserTurnStrategies, UserTurnStrategies
from tests.conversations.calls import COUNTING, Agent

IDLE = {"user_idle_timeout": 3.0}


def test_a_caller_who_never_speaks_is_idle() -> None:
    """From the start on."""
    agent = Agent(user=IDLE)
    agent.hold(lambda caller: asyncio.sleep(10))
    assert len(agent.idle) == 1


def test_nobody_is_idle_who_interrupts_at_length() -> None:
    """Longer than the timeout."""
    agent = Agent(user=IDLE, replies=COUNTING)

    async def script(caller: Caller) -> None:
        await caller.says("count please")
        await caller.interrupts("wait " * 20 + "stop", after=1.0)
        assert agent.idle == []
        await caller.expects_reply(within=5.0)

    agent.hold(script)


@pytest.mark.parametrize(
    "llm",
    [
        FakeLLMProvider(default="", faults=lambda n: Fail(ConnectivityError("down"))),
        FakeLLMProvider(default=""),
        FakeLLMProvider(default="Fine."),
    ],
    ids=["failed", "empty", "spoken"],
)
def test_after_an_answer_of_any_kind_the_time_runs(llm: FakeLLMProvider) -> None:
    """Failed, empty, or spoken."""
    agent = Agent(user=IDLE, llm=llm)

    async def script(caller: Caller) -> None:
        await caller.says("hello there")
        await asyncio.sleep(20)

    agent.hold(script)
    assert len(agent.idle) == 1


@pytest.mark.parametrize("coughs", [1, 2])
def test_a_cough_after_the_answer_starts_the_time_anew(coughs: int) -> None:
    """It fires again after each silence."""
    agent = Agent(user=IDLE)

    async def script(caller: Caller) -> None:
        await caller.says("hello there")
        await caller.expects_reply(within=5.0)
        for _ in range(coughs):
            await caller.mumbles(0.5)
            await asyncio.sleep(14)

    agent.hold(script)
    assert len(agent.idle) >= coughs


def test_a_first_turn_that_is_never_transcribed() -> None:
    """The turn ends, and the caller is idle."""
    agent = Agent(user=IDLE, stt=FakeSTTProvider(script=[""] * 9, answer_silence=False))

    async def script(caller: Caller) -> None:
        await caller.mumbles(0.5)
        await asyncio.sleep(20)

    agent.hold(script)
    assert agent.idle


# ---- how turns end ----------------------------------------------------------------------------


def test_a_plain_strategy_ends_what_a_deferred_one_asked_about() -> None:
    """The first asks the model early, the second ends the turn, long before the watchdog."""
    fast = TurnAnalyzerUserTurnStopStrategy(turn_analyzer=FakeTurnModel(default=1.0))
    plain = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=1.2)
    for seed in range(5):
        agent = Agent(strategies=UserTurnStrategies(stop=[deferred(fast), plain]))

        async def script(caller: Caller) -> None:
            await caller.says("hello there")
            await caller.expects_reply(within=5.0)

        agent.hold(script, seed)
        assert agent.turns == ["hello there"]
        by = [d.strategy for d in agent.decisions if d.kind.value == "turn stopped"]
        assert by == ["SpeechTimeoutUserTurnStopStrategy"]


def test_an_answer_to_a_request_in_the_instant_of_the_silence_is_spoken() -> None:
    """Whatever the order in which the model's service learns of them."""
    for seed in range(25):
        stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.0)
        agent = Agent(
            llm=FakeLLMProvider(default="✓ Fine then."),
            stt=FakeSTTProvider(latency=0.0, interim=True),
            strategies=FilterIncompleteUserTurnStrategies(stop=[stop]),
        )

        async def script(caller: Caller) -> None:
            await caller.says("hello there")
            await caller.expects_reply(within=3.0)

        agent.hold(script, seed)


@pytest.mark.parametrize("way", ["frame", "method"])
def test_a_turn_is_ended_without_running_the_model(way: str) -> None:
    """What was said stays in the context."""
    stop = SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=30.0)
    agent = Agent(strategies=UserTurnStrategies(stop=[stop]), user={"user_turn_stop_timeout": 60.0})

    async def script(caller: Caller) -> None:
        await caller.says("note this down")
        await asyncio.sleep(1)
        if way == "frame":
            await agent.task.queue_frame(EndUserTurnFrame())
        else:
            await agent.user.end_user_turn()
        await asyncio.sleep(3)

    agent.hold(script)
    assert agent.turns == ["note this down"]
    assert agent.llm_provider.calls == 0
    assert [m["role"] for m in agent.context.messages if isinstance(m, dict)] == ["user"]
