"""Noise that stops the agent and brings no words: it goes on where it was held."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.simulation.calls.caller import Caller
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.turns.start_strategies import (
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
)
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies
from tests.conversations.calls import COUNTING, Agent, plain


def recovering() -> UserTurnStrategies:
    """Voice activity holds the agent, words interrupt it."""
    start = [VADUserTurnStartStrategy(recover=True), TranscriptionUserTurnStartStrategy()]
    return UserTurnStrategies(start=start, stop=[SpeechTimeoutUserTurnStopStrategy()])


async def first_sound(caller: Caller) -> float:
    """When the agent was first heard."""
    while caller.hearing.since is None:  # noqa: ASYNC110 - what a caller does
        await asyncio.sleep(0.005)
    return caller.hearing.since


def first_sound_at(seed: int) -> float:
    """When it is in a call without any noise."""
    at = 0.0

    async def script(caller: Caller) -> None:
        nonlocal at
        await caller.says("count please")
        at = await first_sound(caller)
        await asyncio.sleep(5)

    Agent(replies=COUNTING).hold(script, seed)
    return at


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("secs", [0.3, 1.2])
@pytest.mark.parametrize("offset", [-0.4, -0.16, -0.06, -0.02, 0.0, 0.3, 0.9])
def test_noise_costs_no_word_of_the_answer(offset: float, secs: float, *, answers: bool) -> None:
    """Before, at or after the first sound; whether the transcriber answers it or not."""
    for seed in range(2):
        at = first_sound_at(seed) + offset
        stt = FakeSTTProvider(answer_silence=answers)
        agent = Agent(replies=COUNTING, stt=stt, strategies=recovering())

        async def script(caller: Caller) -> None:
            await caller.says("count please")
            await asyncio.sleep(at - asyncio.get_running_loop().time())  # noqa: B023
            await caller.mumbles(secs)
            await asyncio.sleep(12)

        call = agent.hold(script, seed)
        assert call.heard == COUNTING
        assert plain(agent.said) == COUNTING
        assert agent.llm_provider.calls == 1


@pytest.mark.parametrize("interim", [True, False])
def test_a_true_interruption_is_silence_at_once_and_then_an_interruption(*, interim: bool) -> None:
    """The agent is silent as soon as the caller is noticed, and what it did not say is not said."""
    for seed in range(3):
        stt = FakeSTTProvider(interim=interim)
        agent = Agent(replies=COUNTING, stt=stt, strategies=recovering())

        async def script(caller: Caller) -> None:
            await caller.says("count please")
            began = await first_sound(caller) + 1.0
            await caller.interrupts("wait stop that now please", after=1.0)
            assert caller.hearing.until < began + 0.4
            await caller.expects_reply(within=5.0)

        agent.hold(script, seed)
        assert agent.turns == ["count please", "wait stop that now please"]
        assert agent.said.split()[:8] != COUNTING.split()


def test_without_recovery_a_cough_interrupts() -> None:
    """That is the default."""
    agent = Agent(
        replies=COUNTING,
        strategies=UserTurnStrategies(
            start=[VADUserTurnStartStrategy()],
            stop=[SpeechTimeoutUserTurnStopStrategy()],
        ),
    )

    async def script(caller: Caller) -> None:
        await caller.says("count please")
        await first_sound(caller)
        await asyncio.sleep(0.5)
        await caller.mumbles(0.4)
        await asyncio.sleep(9)

    assert agent.hold(script).heard != COUNTING
