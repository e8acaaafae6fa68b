"""What every language model provider promises, as tests that a provider's own tests inherit.

A subclass says how to get a provider that will behave in a given way (`Behaviour`): a scripted
server replies so, a rule or a model is asked so.
"""

from __future__ import annotations

import asyncio
import enum
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, TypeVar, cast

import msgspec

from antiphon.providers.local.tool_schema import fits
from antiphon.services.contracts import (
    LLMEvent,
    LLMProvider,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    TokenUsage,
    ToolCall,
    ToolSpec,
)

T = TypeVar("T")

WEATHER = ToolSpec(
    name="get_weather",
    description="Get the current weather in a city.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string", "description": "the city"}},
        "required": ["city"],
    },
)


class Behaviour(enum.Enum):
    """What the model is to do with the requests below."""

    SPEAK = enum.auto()
    CALL = enum.auto()
    TELL_RESULT = enum.auto()


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def called(identity: str, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    call = {"id": identity, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def result(identity: str, content: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": identity, "content": content}


REQUESTS = {
    Behaviour.SPEAK: LLMRequest(
        messages=(user("What is the capital of Germany?"),), system_instruction="Be brief."
    ),
    Behaviour.CALL: LLMRequest(
        messages=(user("What is the weather in Berlin?"),), tools=(WEATHER,)
    ),
    Behaviour.TELL_RESULT: LLMRequest(
        messages=(
            user("What is the weather in Berlin?"),
            called("call_7", "get_weather", '{"city": "Berlin"}'),
            result("call_7", '{"conditions": "sunny", "temperature": 21}'),
        ),
        tools=(WEATHER,),
    ),
}


def run(main: Coroutine[Any, Any, T], *, limit_secs: float = 60) -> T:
    """Runs on a real loop: sockets and threads know no virtual time."""
    return asyncio.run(asyncio.wait_for(main, limit_secs))


async def collect(provider: LLMProvider, request: LLMRequest) -> list[LLMEvent]:
    return [event async for event in provider.complete(request)]


def text_of(events: list[LLMEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def calls_of(events: list[LLMEvent]) -> list[ToolCall]:
    return [event for event in events if isinstance(event, ToolCall)]


def generator(provider: LLMProvider, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
    """The iterator, which every provider makes closable."""
    events = provider.complete(request)
    assert hasattr(events, "aclose")
    return cast("AsyncGenerator[LLMEvent, None]", events)


class LLMProviderContract(ABC):
    """Inherit, name the class `Test...`, and say what `provider` is."""

    @abstractmethod
    def provider(self, behaviour: Behaviour) -> AbstractAsyncContextManager[LLMProvider]:
        """A provider that will do so once, for the time of the block."""

    def _events(self, behaviour: Behaviour) -> list[LLMEvent]:
        async def main() -> list[LLMEvent]:
            async with self.provider(behaviour) as provider:
                await provider.connect()
                return await collect(provider, REQUESTS[behaviour])

        return run(main())

    def test_it_says_what_it_is(self) -> None:
        """A provider has a name and a model, both not empty."""

        async def main() -> None:
            async with self.provider(Behaviour.SPEAK) as provider:
                assert provider.name
                assert provider.model
                await collect(provider, REQUESTS[Behaviour.SPEAK])

        run(main())

    def test_it_streams_words(self) -> None:
        """An answer comes in several pieces that join to the text, and calls nothing."""
        events = self._events(Behaviour.SPEAK)
        pieces = [event for event in events if isinstance(event, TextDelta)]
        assert len(pieces) >= 2
        assert all(piece.text for piece in pieces)
        assert "Berlin" in text_of(events)
        assert calls_of(events) == []

    def test_it_counts_tokens_once_and_last(self) -> None:
        """The usage is the last event, once, with positive counts."""
        events = self._events(Behaviour.SPEAK)
        usages = [event for event in events if isinstance(event, TokenUsage)]
        assert len(usages) == 1
        assert events[-1] is usages[0]
        assert usages[0].prompt_tokens > 0
        assert usages[0].completion_tokens > 0

    def test_a_call_is_complete_and_valid(self) -> None:
        """A tool call has an id, an advertised name and arguments that satisfy the schema."""
        (call,) = calls_of(self._events(Behaviour.CALL))
        assert call.id
        assert call.name == WEATHER.name
        assert fits(json.loads(call.arguments), WEATHER.parameters)

    def test_a_result_is_told(self) -> None:
        """After a tool's result the model speaks of it and does not call again."""
        events = self._events(Behaviour.TELL_RESULT)
        assert "21" in text_of(events)
        assert calls_of(events) == []

    def test_the_request_is_left_alone(self) -> None:
        """A request is the same after it was answered."""
        before = msgspec.json.encode(REQUESTS[Behaviour.TELL_RESULT])
        self._events(Behaviour.TELL_RESULT)
        assert msgspec.json.encode(REQUESTS[Behaviour.TELL_RESULT]) == before

    def test_closing_early_is_quiet(self) -> None:
        """An iterator closed after its first event, or before it, raises nothing."""

        async def main() -> None:
            async with self.provider(Behaviour.SPEAK) as provider:
                unused = generator(provider, REQUESTS[Behaviour.SPEAK])
                await unused.aclose()
                async with aclosing(generator(provider, REQUESTS[Behaviour.SPEAK])) as events:
                    first = await anext(events)
                    assert isinstance(first, TextDelta | ThoughtDelta)

        run(main())

    def test_closing_the_provider_twice_is_quiet(self) -> None:
        """`close` is idempotent, and allowed before `connect`."""

        async def main() -> None:
            async with self.provider(Behaviour.SPEAK) as provider:
                await provider.close()
                await provider.close()

        run(main())
