"""Where the news of an asynchronous call stands when it came while the agent was speaking."""

from __future__ import annotations

import asyncio
import json

from antiphon.simulation.fakes.language_model import call
from tests.context.rig import Rig, converse
from tests.context.tool_rig import answering, rig_with

ANSWER = "This is a long answer about something else entirely."


def test_news_that_come_in_mid_answer_stand_behind_the_answer() -> None:
    """The answer was made without them; so the follow-up request ends with what is new."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(0.8)
        await rig.says("And something else?")
        await asyncio.sleep(20)

    script = [call("f"), ANSWER, "It is nice."]
    options = {"is_async": True, "cancel_on_interruption": False}
    rig = converse(rig_with(script, {"f": answering("nice", 2)}, options=options), play)
    sent = rig.provider.requests[-1].messages
    assert [m["role"] for m in sent[-3:]] == ["user", "assistant", "developer"]
    assert sent[-2]["content"] == ANSWER
    assert json.loads(sent[-1]["content"])["status"] == "finished"
    assert rig.of_role("assistant")[-1] == "It is nice."
