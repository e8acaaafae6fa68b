"""Figures of the embedded language model here: `python benchmarks/local_llm.py [THREADS]`.

Latency is wall time from the request; cost is CPU time of the process. Tool calls are judged by a
table of requests (right tool, right arguments) and one of talk in which no tool is meant. Takes two
to four minutes. Run it on a quiet machine.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from antiphon.providers.local.llm_provider import LocalLLMProvider
from antiphon.services.contracts import LLMRequest, TextDelta, TokenUsage, ToolCall, ToolSpec

PERSONA = "You are Ada, a helpful assistant."


def tool(name: str, description: str, **properties: dict[str, Any]) -> ToolSpec:
    """A tool all of whose properties are required."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return ToolSpec(name=name, description=description, parameters=parameters)


ROOMS = ["kitchen", "bedroom", "living room"]
TOOLS = (
    tool(
        "get_current_weather",
        "Get the current weather in a city.",
        location={"type": "string", "description": "The city, e.g. San Francisco"},
    ),
    tool("set_timer", "Set a timer.", minutes={"type": "integer", "minimum": 1}),
    tool(
        "get_restaurant_recommendation",
        "Recommend a restaurant.",
        location={"type": "string", "description": "The city"},
    ),
    tool(
        "turn_light",
        "Turn a light on or off.",
        room={"type": "string", "enum": ROOMS},
        on={"type": "boolean"},
    ),
)
REQUESTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("What's the weather in Berlin?", "get_current_weather", {"location": "Berlin"}),
    (
        "How is the weather in San Francisco today?",
        "get_current_weather",
        {"location": "San Francisco"},
    ),
    ("Is it raining in London?", "get_current_weather", {"location": "London"}),
    ("Will I need an umbrella in Paris?", "get_current_weather", {"location": "Paris"}),
    ("Tell me the temperature in Madrid.", "get_current_weather", {"location": "Madrid"}),
    ("what is the weather like in tokyo", "get_current_weather", {"location": "Tokyo"}),
    ("I'm going to Rome, how's the weather there?", "get_current_weather", {"location": "Rome"}),
    ("Set a timer for ten minutes.", "set_timer", {"minutes": 10}),
    ("Please set a timer for 5 minutes", "set_timer", {"minutes": 5}),
    ("Can you start a timer of twenty minutes?", "set_timer", {"minutes": 20}),
    ("Timer for three minutes please", "set_timer", {"minutes": 3}),
    ("Remind me in fifteen minutes.", "set_timer", {"minutes": 15}),
    ("Wake me in half an hour.", "set_timer", {"minutes": 30}),
    (
        "Can you recommend a restaurant in New York?",
        "get_restaurant_recommendation",
        {"location": "New York"},
    ),
    ("Where can I eat well in Lisbon?", "get_restaurant_recommendation", {"location": "Lisbon"}),
    (
        "I'm hungry and I'm in Vienna. Any ideas?",
        "get_restaurant_recommendation",
        {"location": "Vienna"},
    ),
    (
        "Find me a good place for dinner in Chicago.",
        "get_restaurant_recommendation",
        {"location": "Chicago"},
    ),
    ("I need a restaurant in Munich", "get_restaurant_recommendation", {"location": "Munich"}),
    ("Turn on the light in the kitchen.", "turn_light", {"room": "kitchen", "on": True}),
    ("Switch the bedroom light off, please.", "turn_light", {"room": "bedroom", "on": False}),
    ("Turn the living room light on.", "turn_light", {"room": "living room", "on": True}),
    ("It's too dark in the bedroom.", "turn_light", {"room": "bedroom", "on": True}),
    ("Turn off the kitchen light.", "turn_light", {"room": "kitchen", "on": False}),
    ("Lights off in the living room", "turn_light", {"room": "living room", "on": False}),
)
TALK = (
    "Hello!",
    "How are you?",
    "What is the capital of Germany?",
    "Tell me a joke.",
    "Who are you?",
    "Thank you very much.",
    "What can you do?",
    "I had a great day today.",
    "What is two plus two?",
    "My name is Anna.",
    "Do you like music?",
    "Goodbye!",
    "I love rainy weather.",
    "I was in Rome last year.",
    "We painted our kitchen yesterday.",
    "I had dinner with a friend.",
)


class Answered:
    """One answer with its times, in seconds from the request."""

    def __init__(self) -> None:
        self.text = ""
        self.call: ToolCall | None = None
        self.first = self.total = 0.0
        self.tokens = 0


async def ask(provider: LocalLLMProvider, text: str, tools: tuple[ToolSpec, ...]) -> Answered:
    """Asks one question out of any context."""
    request = LLMRequest(
        messages=({"role": "user", "content": text},), system_instruction=PERSONA, tools=tools
    )
    answered, start = Answered(), time.perf_counter()
    async for event in provider.complete(request):
        answered.first = answered.first or time.perf_counter() - start
        if isinstance(event, TextDelta):
            answered.text += event.text
        elif isinstance(event, ToolCall):
            answered.call = event
        elif isinstance(event, TokenUsage):
            answered.tokens = event.completion_tokens
    answered.total = time.perf_counter() - start
    return answered


def resident_mb() -> float:
    """Memory of this process (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def milliseconds(seconds: list[float]) -> str:
    """The median and the worst."""
    return f"{statistics.median(seconds) * 1e3:.0f} ms, worst {max(seconds) * 1e3:.0f}"


async def main(threads: int) -> None:
    """Loads, warms and asks."""
    provider = LocalLLMProvider(
        threads=threads,
        warm=LLMRequest(messages=(), system_instruction=PERSONA, tools=TOOLS),
    )
    start = time.perf_counter()
    await provider.connect()
    print(f"threads {threads}; load and warm-up {time.perf_counter() - start:.1f} s")

    right, totals, cpu = 0, [], time.process_time()
    for text, name, arguments in REQUESTS:
        answered = await ask(provider, text, TOOLS)
        totals.append(answered.total)
        call = answered.call
        if call is not None and (call.name, json.loads(call.arguments)) == (name, arguments):
            right += 1
        else:
            print(f"  wrong: {text} -> {call or answered.text}")
    cost = (time.process_time() - cpu) / len(REQUESTS)
    print(f"calls right {right}/{len(REQUESTS)}; {milliseconds(totals)}; {cost:.2f} cpu-s each")

    quiet, firsts, speeds = 0, [], []
    for text in TALK:
        answered = await ask(provider, text, TOOLS)
        if answered.call is None:
            quiet += 1
            firsts.append(answered.first)
            if answered.tokens > 8:
                speeds.append((answered.tokens - 2) / (answered.total - answered.first))
        else:
            print(f"  called: {text} -> {answered.call}")
    print(f"no call in talk {quiet}/{len(TALK)}; first word {milliseconds(firsts)}")
    print(f"{statistics.median(speeds):.1f} tokens/s; resident {resident_mb():.0f} MB")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
