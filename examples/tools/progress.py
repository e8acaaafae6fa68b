"""A tool that tells how far it has come: intermediate results, each of which the model may mention.

python -m examples.tools.progress
"""

from __future__ import annotations

import asyncio

from antiphon import (
    FunctionCallParams,
    FunctionCallResultProperties,
    LLMContext,
    LLMService,
    tool_options,
)
from examples.tools.typed import TypedCall, chosen_llm

NEWS = ("The restaurant is being called.", "They are looking for a table.")


@tool_options(is_async=True, cancel_on_interruption=False, timeout_secs=60)
async def book_table(params: FunctionCallParams, guests: int) -> None:
    """Books a table in a restaurant by telephone, for so many guests."""
    for news in NEWS:
        halfway = FunctionCallResultProperties(is_final=False)
        await params.result_callback(news, properties=halfway)
        await asyncio.sleep(3)
    await params.result_callback({"booked": True, "guests": guests})


async def talk(llm: LLMService) -> LLMContext:
    """Asks for a table, and listens until it is booked."""
    context = LLMContext(tools=[book_table])
    await TypedCall(llm, context).hold("A table for 4 guests, please.", 12.0)
    return context


if __name__ == "__main__":
    asyncio.run(talk(chosen_llm()))
