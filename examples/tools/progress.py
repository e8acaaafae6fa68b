"""A tool that tells how far it has come: intermediate results, each of which the model may mention.

python examples/tools/progress.py
"""

from __future__ import annotations

import asyncio

from antiphon import (
    FunctionCallParams,
    FunctionCallResultProperties,
    LLMContext,
    LLMContextAggregatorPair,
    LLMMessagesAppendFrame,
    LLMService,
    Pipeline,
    PipelineTask,
    tool_options,
)


@tool_options(is_async=True, cancel_on_interruption=False, timeout_secs=60)
async def book_table(params: FunctionCallParams, guests: int) -> None:  # noqa: D417 - the rest
    """Books a table in a restaurant by telephone.

    Args:
        guests: how many people will come

    """
    halfway = FunctionCallResultProperties(is_final=False)
    for news in ("The restaurant is being called.", "They are looking for a table."):
        await params.result_callback(news, properties=halfway)
        await asyncio.sleep(3)
    await params.result_callback({"booked": True, "guests": guests})


async def talk(llm: LLMService, line: str) -> LLMContext:
    """Says the line, waits for the end of the tool, and returns the context."""
    context = LLMContext(tools=[book_table])
    user, assistant = LLMContextAggregatorPair(context)
    task = PipelineTask(Pipeline([user, llm, assistant]))
    running = asyncio.get_running_loop().create_task(task.run())
    said = {"role": "user", "content": line}
    await task.queue_frame(LLMMessagesAppendFrame([said], run_llm=True))
    await asyncio.sleep(12)
    await task.stop_when_done()
    await running
    return context


if __name__ == "__main__":
    from antiphon.providers.select import llm_from_env

    conversation = talk(LLMService(llm_from_env().provider), "A table for 4 guests, please.")
    for message in asyncio.run(conversation).get_messages():
        print(message)
