"""Two tools called at once: one answer for both, or one for each.

python examples/tools/parallel_tools.py [ungrouped]
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
    Pipeline,
    PipelineTask,
)


async def get_weather(params: FunctionCallParams, city: str) -> None:
    """Looks up the weather of a city."""
    await asyncio.sleep(1)
    await params.result_callback({"city": city, "celsius": 24})


async def get_restaurant(params: FunctionCallParams, city: str) -> None:
    """Finds a restaurant in a city."""
    await asyncio.sleep(3)
    await params.result_callback({"city": city, "restaurant": "Da Enzo"})


async def talk(llm: LLMService, line: str) -> LLMContext:
    """Says the line, waits for the answers, and returns what has become of the context."""
    context = LLMContext(tools=[get_weather, get_restaurant])
    user, assistant = LLMContextAggregatorPair(context)
    task = PipelineTask(Pipeline([user, llm, assistant]))
    running = asyncio.get_running_loop().create_task(task.run())
    said = {"role": "user", "content": line}
    await task.queue_frame(LLMMessagesAppendFrame([said], run_llm=True))
    await asyncio.sleep(8)
    await task.stop_when_done()
    await running
    return context


if __name__ == "__main__":
    from antiphon.providers.select import llm_from_env

    grouped = "ungrouped" not in sys.argv
    service = LLMService(llm_from_env().provider, group_parallel_tools=grouped)
    question = "How is the weather in Rome, and where can I eat there?"
    for message in asyncio.run(talk(service, question)).get_messages():
        print(message)
