"""Tools that change in mid-conversation, with and without a notice to the model.

python examples/tools/tool_changes.py [notices]

After the second turn of the caller the tool for orders gives way to the one for payments. With the
notices on, the model is told; with them off it only finds other tools in its next request.
"""

from __future__ import annotations

import asyncio
import sys

from antiphon import (
    FunctionCallParams,
    LLMContext,
    LLMContextAggregatorPair,
    LLMMessagesAppendFrame,
    LLMService,
    LLMSetToolsFrame,
    Pipeline,
    PipelineTask,
)


async def order(params: FunctionCallParams, dish: str) -> None:
    """Orders a dish."""
    await params.result_callback({"ordered": dish})


async def pay(params: FunctionCallParams, tip_percent: int = 10) -> None:
    """Pays the bill."""
    await params.result_callback({"paid": True, "tip_percent": tip_percent})


async def talk(llm: LLMService, lines: list[str], *, notices: bool) -> LLMContext:
    """Says the lines, 3 s apart; the tools change after the second."""
    context = LLMContext(tools=[order])
    user, assistant = LLMContextAggregatorPair(context, add_tool_change_messages=notices)
    task = PipelineTask(Pipeline([user, llm, assistant]))
    running = asyncio.get_running_loop().create_task(task.run())
    for turn, line in enumerate(lines, 1):
        said = {"role": "user", "content": line}
        await task.queue_frame(LLMMessagesAppendFrame([said], run_llm=True))
        await asyncio.sleep(3)
        if turn == 2:
            await task.queue_frame(LLMSetToolsFrame([pay]))
    await task.stop_when_done()
    await running
    return context


if __name__ == "__main__":
    from antiphon.providers.select import llm_from_env

    turns = ["Order me a soup.", "And order a salad.", "I would like to pay."]
    conversation = talk(LLMService(llm_from_env().provider), turns, notices="notices" in sys.argv)
    for message in asyncio.run(conversation).get_messages():
        print(message)
