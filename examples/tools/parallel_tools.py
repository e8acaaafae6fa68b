"""Two tools called at once: one answer for both, or one for each.

python -m examples.tools.parallel_tools              grouped: the model waits for the slower one
python -m examples.tools.parallel_tools ungrouped    each result is told when it comes
"""

from __future__ import annotations

import asyncio
import sys

from antiphon import FunctionCallParams, LLMContext, LLMService
from examples.tools.typed import TypedCall, chosen_llm


async def get_weather(params: FunctionCallParams, city: str) -> None:
    """Looks up the weather of a city."""
    await asyncio.sleep(1)
    await params.result_callback({"city": city, "celsius": 24})


async def get_restaurant(params: FunctionCallParams, city: str) -> None:
    """Finds a restaurant in a city."""
    await asyncio.sleep(3)
    await params.result_callback({"city": city, "restaurant": "Da Enzo"})


async def talk(llm: LLMService) -> LLMContext:
    """Asks for both. `LLMService(group_parallel_tools=...)` decides how often it is answered."""
    context = LLMContext(tools=[get_weather, get_restaurant])
    await TypedCall(llm, context).hold("How is the weather in Rome, and where can I eat?", 8.0)
    return context


if __name__ == "__main__":
    provider = chosen_llm().provider
    asyncio.run(talk(LLMService(provider, group_parallel_tools="ungrouped" not in sys.argv)))
