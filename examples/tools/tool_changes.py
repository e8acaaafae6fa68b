"""Tools that change in mid-conversation, with and without a notice to the model.

python -m examples.tools.tool_changes             the model only finds other tools in its requests
python -m examples.tools.tool_changes notices     a developer message says what has changed

A counter of the caller's turns drives it: when the second turn is over, ordering gives way to
paying; when the fourth is over, ordering comes back. Without notices a model that has said "I
cannot take payments" may well go on saying so, and one that has ordered twice may try again.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from antiphon import FunctionCallParams, LLMContext, LLMService, LLMSetToolsFrame, TurnStrategy
from examples.tools.typed import TypedCall, chosen_llm

LINES = ("A soup.", "And a salad.", "I would like to pay.", "Another soup?", "Is it ordered now?")


async def order(params: FunctionCallParams, dish: str) -> None:
    """Orders a dish."""
    await params.result_callback({"ordered": dish})


async def pay(params: FunctionCallParams, tip_percent: int = 10) -> None:
    """Pays the bill."""
    await params.result_callback({"paid": True, "tip_percent": tip_percent})


TOOLS_AFTER_TURN: dict[int, Any] = {2: [pay], 4: [order]}


async def talk(llm: LLMService, *, notices: bool) -> LLMContext:
    """Says the lines, 4 s apart."""
    context = LLMContext(tools=[order])
    call = TypedCall(llm, context, add_tool_change_messages=notices)
    turns = 0

    @call.user.event_handler("on_user_turn_stopped")
    async def count(user: object, by: TurnStrategy | None, message: object) -> None:
        nonlocal turns
        turns += 1
        if tools := TOOLS_AFTER_TURN.get(turns):
            print(f"  tools: from now on {[tool.__name__ for tool in tools]}")
            await call.task.queue_frame(LLMSetToolsFrame(tools))

    await call.hold(*(step for line in LINES for step in (line, 4.0)))
    for message in context.get_messages():
        if isinstance(message, dict) and message["role"] == "developer":
            print(f" notice: {message['content']}")
    return context


if __name__ == "__main__":
    asyncio.run(talk(chosen_llm(), notices="notices" in sys.argv))
