"""A slow tool, and a talk that goes on while it runs. Typed, so that it needs no microphone.

python examples/tools/async_weather.py             a model of this machine
ANTIPHON_LLM=openai/gpt-4.1 OPENAI_API_KEY=... python examples/tools/async_weather.py
ANTIPHON_LLM=anthropic/claude-sonnet-4-5 ANTHROPIC_API_KEY=... python
examples/tools/async_weather.py
"""

from __future__ import annotations

import asyncio
import sys

from antiphon import (
    FrameDirection,
    FrameProcessor,
    FunctionCallParams,
    LLMContext,
    LLMContextAggregatorPair,
    LLMFullResponseEndFrame,
    LLMMessagesAppendFrame,
    LLMService,
    LLMTextFrame,
    Pipeline,
    PipelineTask,
    handles,
    tool_options,
)


@tool_options(is_async=True, cancel_on_interruption=False, timeout_secs=30)
async def get_weather(params: FunctionCallParams, city: str) -> None:  # noqa: D417 - the rest
    """Looks up the weather, which takes a while.

    Args:
        city: the city

    """
    await asyncio.sleep(5)
    await params.result_callback({"city": city, "conditions": "nice", "celsius": 24})


class Printer(FrameProcessor):
    """Stands in for the voice: prints what would be spoken."""

    @handles(LLMTextFrame, LLMFullResponseEndFrame)
    async def show(
        self, frame: LLMTextFrame | LLMFullResponseEndFrame, direction: FrameDirection
    ) -> None:
        text = frame.text if isinstance(frame, LLMTextFrame) else "\n"
        print(text, end="", flush=True)
        await self.push_frame(frame, direction)


async def talk(llm: LLMService, lines: list[tuple[float, str]]) -> LLMContext:
    """Says each line after so many seconds; returns what has become of the context."""
    context = LLMContext(tools=[get_weather])
    user, assistant = LLMContextAggregatorPair(context)
    task = PipelineTask(Pipeline([user, llm, Printer(), assistant]))

    @llm.event_handler("on_function_calls_started")
    async def started(llm: LLMService, calls: list[object]) -> None:
        print("(looking it up)")

    running = asyncio.get_running_loop().create_task(task.run())
    for secs, line in lines:
        await asyncio.sleep(secs)
        print(f"> {line}")
        said = {"role": "user", "content": line}
        await task.queue_frame(LLMMessagesAppendFrame([said], run_llm=True))
    await asyncio.sleep(10)
    await task.stop_when_done()
    await running
    return context


if __name__ == "__main__":
    from antiphon.providers.select import llm_from_env

    chosen = llm_from_env()
    print(chosen.reason, file=sys.stderr)
    script = [(0.0, "How is the weather in Rome?"), (2.0, "And how are you?")]
    asyncio.run(talk(LLMService(chosen.provider), script))
