"""A conversation that is summarized as it grows, beside the talk.

python -m examples.tools.summarize
"""

from __future__ import annotations

import asyncio

from antiphon import (
    ContextSummarizer,
    LLMAssistantAggregatorParams,
    LLMAutoContextSummarizationConfig,
    LLMContext,
    LLMContextSummaryConfig,
    LLMService,
    SummaryAppliedEvent,
)
from examples.tools.typed import TypedCall, chosen_llm

LINES = ("I want to go to Rome.", "In May.", "For a week.", "With my dog.", "What did I say?")


async def talk(llm: LLMService) -> LLMContext:
    """Says the lines, 5 s apart, and shows what is left of the context."""
    context = LLMContext([{"role": "system", "content": "You are a travel agent. Be brief."}])
    config = LLMAutoContextSummarizationConfig(
        max_unsummarized_messages=6,
        summary_config=LLMContextSummaryConfig(min_messages_after_summary=2),
    )
    params = LLMAssistantAggregatorParams(
        enable_auto_context_summarization=True, auto_context_summarization_config=config
    )
    call = TypedCall(llm, context, assistant_params=params)

    @call.assistant.event_handler("on_summary_applied")
    async def applied(_: object, summarizer: ContextSummarizer, event: SummaryAppliedEvent) -> None:
        print(f"summary: of {event.summarized_message_count} messages")

    await call.hold(*(step for line in LINES for step in (line, 5.0)))
    print("What is left of the context:")
    for message in context.get_messages():
        print(f"  {message}")
    return context


if __name__ == "__main__":
    asyncio.run(talk(chosen_llm()))
