"""Conversations with a model that speaks, over seeds: whatever the caller does and whatever fails,
the context is valid, says what was heard, and the model remembers the same.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from antiphon.context.validate import problems
from antiphon.simulation.calls.caller import Caller, ExpectationError
from antiphon.simulation.fakes.language_model import call
from antiphon.simulation.fakes.realtime import FakeRealtimeProvider, Reply
from antiphon.tools.schema import ToolsSchema
from tests.services.test_realtime import hold, weather

STORY = " ".join(f"word{n}" for n in range(25))
FAULTS: tuple[dict[str, Any], ...] = (
    {},
    {"loop": {"stall": 0.15, "every": 1.5}},
    {"realtime": {"delay": {"uniform": [0.0, 0.2]}, "chance": 0.1}},
)


def words(messages: list[dict[str, Any]]) -> int:
    """How many the agent said."""
    texts = [m.get("content") for m in messages if m["role"] == "assistant"]
    return sum(len(str(text).split()) for text in texts if text)


@pytest.mark.parametrize("seed", range(36))
def test_context_and_model_remember_what_was_heard(seed: int) -> None:
    """A caller who asks and cuts in at random, a model that calls and tells long stories."""
    rng = random.Random(f"a talk {seed}")

    def reply(conversation: list[dict[str, Any]]) -> Reply:
        draw, asked = rng.random(), conversation[-1]["role"] == "user"
        if draw < 0.25 and asked:
            return ["One moment", call("weather", city="Rome")]
        return STORY if draw < 0.7 else "Yes indeed."

    async def script(caller: Caller) -> None:
        for number in range(5):
            await caller.says(f"question number {number}")
            if rng.random() < 0.6:
                try:
                    await caller.interrupts("no wait", after=3.0 * rng.random(), within=4.0)
                except ExpectationError:
                    await caller.pauses(0.1)
            await caller.pauses(2.0 * rng.random())
        await caller.says("the last thing")
        await caller.expects_reply(within=6.0)

    provider = FakeRealtimeProvider(
        reply, answers_turns=bool(seed % 2), speed=rng.choice([1.2, 5.0, 50.0])
    )
    tools = ToolsSchema([weather])
    held = hold(provider, script, seed=seed, tools=tools, faults=FAULTS[seed % 3])
    messages = held.context.get_messages()
    assert problems(messages) == []
    assert held.errors == []
    said = [m["content"] for m in messages if m["role"] == "user"]
    assert said == [m["content"] for m in provider.conversation if m["role"] == "user"]
    assert str(said[-1]).endswith("the last thing")
    # A word in the middle of which the caller cut in may be one or the other.
    assert abs(words(messages) - words(provider.conversation)) <= len(provider.truncations)
