"""A slow tool, and a talk that goes on while it runs.

OPENAI_API_KEY=... python -m examples.tools.async_weather openai
ANTHROPIC_API_KEY=... python -m examples.tools.async_weather anthropic
python -m examples.tools.async_weather             with the model that ANTIPHON_LLM names

`is_async` lets the conversation go on, `cancel_on_interruption=False` lets the tool outlive what
the caller says meanwhile. The result comes as a developer message, and the model tells it.
"""

from __future__ import annotations

import asyncio
import os
import sys

from antiphon import (
    AnthropicLLMService,
    FunctionCallParams,
    LLMContext,
    LLMService,
    LLMSettings,
    OpenAILLMService,
    tool_options,
)
from examples.tools.typed import TypedCall, chosen_llm

PERSONA = LLMSettings(system_instruction="You are on the telephone. Be brief and friendly.")
LOOKUP_SECS = 5.0


@tool_options(is_async=True, cancel_on_interruption=False, timeout_secs=30)
async def get_weather(params: FunctionCallParams, city: str) -> None:
    """Looks up the weather of a city, which takes a while."""
    await asyncio.sleep(LOOKUP_SECS)
    await params.result_callback({"city": city, "conditions": "nice", "celsius": 24})


def llm_of(vendor: str) -> LLMService:
    """The vendor's service, its key and address from the environment."""
    if vendor == "openai":
        model = os.environ.get("OPENAI_MODEL", "gpt-5.4-mini")
        return OpenAILLMService(model=model, settings=PERSONA)
    if vendor == "anthropic":
        model = os.environ.get("ANTHROPIC_MODEL", "claude-haiku-5-5")
        base_url = os.environ.get("ANTHROPIC_BASE_URL")
        return AnthropicLLMService(model=model, base_url=base_url, settings=PERSONA)
    return chosen_llm()


async def talk(llm: LLMService) -> LLMContext:
    """Asks for the weather, and for something else while it is looked up."""
    context = LLMContext(tools=[get_weather])
    call = TypedCall(llm, context)
    await call.hold(
        "How is the weather in Rome?",
        0.4 * LOOKUP_SECS,
        "Meanwhile: what is the capital of France?",
        1.6 * LOOKUP_SECS,
    )
    return context


if __name__ == "__main__":
    asyncio.run(talk(llm_of(sys.argv[-1])))
