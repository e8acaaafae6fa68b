"""A conversation that is summarized as it grows, beside the talk.

python examples/tools/summarize.py
"""

from __future__ import annotations

import asyncio

from antiphon import (
    LLMAutoContextSummarizationConfig,
    LLMContext,
    LLMContextAggregatorPair,
    LLMContextSummaryConfig,
    LLMMessagesAppendFrame,
    LLMService,
    Pipeline,
    PipelineTask,
)
from antiphon.context.assistant_aggregator import LLMAssistantAggregatorParams
from antiphon.context.summarizer import ContextSummarizer
from antiphon.context.summary import SummaryAppliedEvent


async def talk(llm: LLMService, lines: list[str]) -> LLMContext:
    """Says the lines, 5 s apart, and returns what is left of the context."""
    context = LLMContext([{"role": "system", "content": "You are a travel agent. Be brief."}])
    config = LLMAutoContextSummarizationConfig(
        max_unsummarized_messages=6,
        summary_config=LLMContextSummaryConfig(min_messages_after_summary=2),
    )
    user, assistant = LLMContextAggregatorPair(
        context,
        assistant_params=LLMAssistantAggregatorParams(
            enable_auto_context_summarization=True, auto_context_summarization_config=config
        ),
    )

    @assistant.event_handler("on_summary_applied")
    async def applied(_: object, summarizer: ContextSummarizer, event: SummaryAppliedEvent) -> None:
        print(f"({event.summarized_message_count} messages were summarized)")

    task = PipelineTask(Pipeline([user, llm, assistant]))
    running = asyncio.get_running_loop().create_task(task.run())
    for line in lines:
        said = {"role": "user", "content": line}
        await task.queue_frame(LLMMessagesAppendFrame([said], run_llm=True))
        await asyncio.sleep(5)
    await task.stop_when_done()
    await running
    return context


if __name__ == "__main__":
    from antiphon.providers.select import llm_from_env

    wishes = ["I want to go to Rome.", "In May.", "For a week.", "With my dog.", "What did I say?"]
    for message in asyncio.run(talk(LLMService(llm_from_env().provider), wishes)).get_messages():
        print(message)
