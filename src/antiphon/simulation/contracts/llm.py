"""`check_llm_provider`: what every language model must keep."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from antiphon.errors import ServiceError
from antiphon.services.contracts import (
    LLMEvent,
    LLMProvider,
    LLMRequest,
    TextDelta,
    TokenUsage,
    ToolCall,
    ToolSpec,
)
from antiphon.simulation.contracts.errors import Rule, Violation, require
from antiphon.simulation.contracts.streaming import Call, Kind, StreamSuite
from antiphon.simulation.contracts.suite import Run

WEATHER = ToolSpec(
    name="get_weather",
    description="Get the current weather in a city.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string", "description": "the city"}},
        "required": ["city"],
    },
)

_CALL = {"name": "get_weather", "arguments": '{"city": "Berlin"}'}
_RESULT = (
    {"role": "user", "content": "What is the weather in Berlin?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_7", "type": "function", "function": _CALL}],
    },
    {"role": "tool", "tool_call_id": "call_7", "content": '{"conditions": "sunny"}'},
)


def _says(text: str) -> tuple[dict[str, Any], ...]:
    return ({"role": "user", "content": text},)


REQUESTS = {
    "question": LLMRequest(messages=_says("What is the capital of Germany?")),
    "tool": LLMRequest(messages=_says("What is the weather in Berlin?"), tools=(WEATHER,)),
    "result": LLMRequest(messages=_RESULT, tools=(WEATHER,)),
    "instructed": LLMRequest(
        messages=_says("Hello."), system_instruction="Be brief.", temperature=0.0, max_tokens=50
    ),
    "huge": LLMRequest(messages=_says("Really? " * 5_000)),
}


def check_llm_provider(
    factory: Callable[[], LLMProvider],
    *,
    seeds: int | Iterable[int] = 10,
    requests: dict[str, LLMRequest] | None = None,
    failing: Callable[[int], LLMProvider] | None = None,
    held: Callable[[Any], int] | None = None,
    at_once: int = 2,
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    `requests`: what is asked, by name, in place of `REQUESTS`; the first must be answered.
    `at_once`: how many requests the provider must answer side by side; 1 for one at a time. The
    other arguments are as for `check_stt_provider`.
    """
    asked = requests or REQUESTS

    def ask(request: LLMRequest) -> Callable[[LLMProvider], Call]:
        return lambda provider: (provider.complete(request), None)

    def judge(provider: LLMProvider, events: list[Any], name: str) -> None:
        judge_answer(events, asked[name])

    inputs = {name: ask(request) for name, request in asked.items()}
    suite = LLMSuite("check_llm_provider", factory, Kind(inputs, judge), seeds, only, failing, held)
    suite.asked, suite.at_once = asked, at_once
    return suite.run()


class LLMSuite(StreamSuite[LLMProvider]):
    """The cases of streaming providers, with requests that stay as they were."""

    asked: dict[str, LLMRequest]
    at_once: int

    def cases(self) -> None:
        """Adds those of language models."""
        self.suite.case("no messages", self._no_messages)
        self.suite.case("request", self._request_is_left_alone)
        if self.at_once > 1:
            self.suite.case("at once", self._at_once)

    async def _no_messages(self, run: Run) -> None:
        provider = self.factory()
        await provider.connect()
        with contextlib.suppress(ServiceError):
            await collect(provider, LLMRequest(messages=()))
        await provider.close()

    async def _request_is_left_alone(self, run: Run) -> None:
        for name, request in self.asked.items():
            provider, before = self.factory(), msgspec.json.encode(request)
            await provider.connect()
            await collect(provider, request)
            await provider.close()
            same = msgspec.json.encode(request) == before
            require(Rule.VALUES, same, f"{name}: the request was changed")

    async def _at_once(self, run: Run) -> None:
        provider = self.factory()
        await provider.connect()
        request = self.asked[self.kind.plain]
        tasks = []
        for number in range(self.at_once):
            tasks.append(run.loop.create_task(collect(provider, request), name=f"client {number}"))
            await asyncio.sleep(run.rng.choice([0.0, 0.01, 0.4]))
        for task in tasks:
            judge_answer(await task, request)
        await provider.close()


async def collect(provider: LLMProvider, request: LLMRequest) -> list[LLMEvent]:
    """The whole answer."""
    return [event async for event in provider.complete(request)]


def judge_answer(events: list[Any], request: LLMRequest) -> None:
    """The events of one complete answer."""
    advertised = {tool.name for tool in request.tools}
    for event in events:
        require(Rule.VALUES, isinstance(event, LLMEvent), f"{event!r} is no LLMEvent")
        if isinstance(event, ToolCall):
            require(Rule.VALUES, event.name in advertised, f"{event!r}: there is no such tool")
            require(Rule.VALUES, bool(event.id), f"{event!r} has no id")
            require_object(event)
    usages = [at for at, event in enumerate(events) if isinstance(event, TokenUsage)]
    last = not usages or usages == [len(events) - 1]
    require(Rule.VALUES, last, "the usage comes once, as the last event")
    ids = [event.id for event in events if isinstance(event, ToolCall)]
    require(Rule.VALUES, len(ids) == len(set(ids)), f"two calls have one id: {ids}")
    said = any(isinstance(event, TextDelta | ToolCall) for event in events)
    require(Rule.ANSWERS, said, "neither text nor a call came")


def require_object(call: ToolCall) -> None:
    """The arguments of a call are a JSON object."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError as error:
        raise Violation(Rule.VALUES, f"{call!r}: the arguments are no JSON") from error
    require(Rule.VALUES, isinstance(arguments, dict), f"{call!r}: the arguments are no object")
