"""The OpenAI-compatible provider, against a server that speaks the published format."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from antiphon.errors import (
    AuthenticationError,
    AuthorizationError,
    ConfigurationError,
    ConnectivityError,
    InvalidRequestError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServiceError,
    UnknownNameError,
)
from antiphon.providers.openai.translation import CallAssembler, as_body
from antiphon.providers.openai.vendors import VENDORS, server_at, vendor
from antiphon.providers.openai_compatible import OpenAICompatibleProvider
from antiphon.services.contracts import (
    LLMEvent,
    LLMProvider,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    TokenUsage,
    ToolCall,
)
from tests.providers.llm_contract import (
    WEATHER,
    Behaviour,
    LLMProviderContract,
    collect,
    run,
    text_of,
    user,
)
from tests.providers.servers import openai_server as server
from tests.providers.servers.scripted import Disconnect, Reply, ScriptedServer, Stall, serving

HI = LLMRequest(messages=(user("Hi"),))

REPLIES = {
    Behaviour.SPEAK: server.speaking("The capital of Germany is Berlin."),
    Behaviour.CALL: server.calling(("call_7", "get_weather", '{"city": "Berlin"}')),
    Behaviour.TELL_RESULT: server.speaking("It is sunny and 21 degrees."),
}


def provider_at(scripted: ScriptedServer) -> OpenAICompatibleProvider:
    return OpenAICompatibleProvider(
        model="test-model", api_key="key", base_url=f"{scripted.url}/v1"
    )


@asynccontextmanager
async def provider_on(
    *replies: Reply,
) -> AsyncIterator[tuple[OpenAICompatibleProvider, ScriptedServer]]:
    async with serving(*replies) as scripted:
        provider = provider_at(scripted)
        try:
            yield provider, scripted
        finally:
            await provider.close()


def events_of(reply: Reply, request: LLMRequest = HI) -> list[LLMEvent]:
    async def main() -> list[LLMEvent]:
        async with provider_on(reply) as (provider, _):
            return await collect(provider, request)

    return run(main())


class TestOpenAIContract(LLMProviderContract):
    @asynccontextmanager
    async def provider(self, behaviour: Behaviour) -> AsyncIterator[LLMProvider]:
        async with provider_on(REPLIES[behaviour]) as (provider, _):
            yield provider


def test_the_request_is_what_was_asked() -> None:
    """Persona, tools, limits, key and extras arrive at the server in OpenAI's shape."""

    async def main() -> None:
        async with provider_on(server.speaking("Yes.")) as (provider, scripted):
            request = LLMRequest(
                messages=(user("Hi"), {"role": "developer", "content": "Hurry."}),
                system_instruction="Be Ada.",
                tools=(WEATHER,),
                tool_choice="auto",
                temperature=0.5,
                max_tokens=50,
                extra={"top_p": 0.9},
            )
            await collect(provider, request)
            (seen,) = scripted.seen
            assert seen.path == "/v1/chat/completions"
            assert seen.headers["authorization"] == "Bearer key"
            body = seen.body
            assert [m["role"] for m in body["messages"]] == ["system", "user", "developer"]
            assert body["tools"][0]["function"]["name"] == "get_weather"
            assert body["stream_options"] == {"include_usage": True}
            wanted = {
                "model": "test-model",
                "tool_choice": "auto",
                "temperature": 0.5,
                "max_completion_tokens": 50,
                "top_p": 0.9,
                "stream": True,
            }
            assert wanted.items() <= body.items()

    run(main())


def test_parallel_calls_are_assembled_from_fragments() -> None:
    """Two calls cut into small pieces come out whole, in order, before the usage."""
    events = events_of(
        server.calling(
            ("a", "get_weather", '{"city": "Berlin"}'), ("b", "get_weather", '{"city": "Paris"}')
        )
    )
    assert events == [
        ToolCall("a", "get_weather", '{"city": "Berlin"}'),
        ToolCall("b", "get_weather", '{"city": "Paris"}'),
        TokenUsage(20, 8),
    ]


def test_interleaved_fragments_go_to_their_calls() -> None:
    """Fragments of two calls that alternate are sorted by index."""
    reply = server.streaming(
        server.fragment(0, id="a", name="f", arguments=""),
        server.fragment(1, id="b", name="g", arguments=""),
        server.fragment(0, arguments='{"x":'),
        server.fragment(1, arguments='{"y":2}'),
        server.fragment(0, arguments="1}"),
        server.chunk({}, "tool_calls"),
        server.DONE,
    )
    assert events_of(reply) == [ToolCall("a", "f", '{"x":1}'), ToolCall("b", "g", '{"y":2}')]


def test_vendors_that_give_every_call_one_index() -> None:
    """Another id at the same index is another call, and a missing id is made up."""
    calls = CallAssembler()
    calls.add(0, "a", "f", "{}")
    calls.add(0, "b", "g", "{}")
    calls.add(None, None, "", None)
    assert [(call.id, call.name) for call in calls.take()] == [("a", "f"), ("b", "g")]
    calls.add(0, None, "h", "")
    (call,) = calls.take()
    assert call.id.startswith("call_")
    assert call.arguments == "{}"


def test_words_and_a_call_come_in_their_order() -> None:
    """Text before a call in one answer is streamed before it."""
    reply = server.streaming(
        *server.words("Let me see."),
        server.fragment(0, id="a", name="f", arguments="{}"),
        server.chunk({}, "tool_calls"),
        server.DONE,
    )
    events = events_of(reply)
    assert text_of(events) == "Let me see."
    assert events[-1] == ToolCall("a", "f", "{}")


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_apart(key: str) -> None:
    """Reasoning that vendors put beside the content is a thought, never text."""
    reply = server.streaming(
        server.chunk({key: "Hmm."}), *server.words("Yes."), server.chunk({}, "stop"), server.DONE
    )
    assert events_of(reply) == [ThoughtDelta("Hmm."), TextDelta("Yes.")]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (server.refusing(400, "bad tool"), InvalidRequestError),
        (server.refusing(401, "bad key"), AuthenticationError),
        (server.refusing(402, "pay"), QuotaError),
        (server.refusing(403, "not you"), AuthorizationError),
        (server.refusing(404, "no such model"), InvalidRequestError),
        (server.refusing(422, "what?"), InvalidRequestError),
        (server.refusing(429, "slow down"), RateLimitError),
        (server.refusing(429, "no money", "insufficient_quota"), QuotaError),
        (server.refusing(500, "oops"), ServerError),
        (server.refusing(503, "overloaded"), ServerError),
        (Reply(502, "<html>"), ServerError),
        (server.streaming(server.event({"error": {"message": "broke"}})), ServerError),
        (
            server.streaming(server.event({"error": {"message": "slow", "code": 429}})),
            RateLimitError,
        ),
        (server.streaming(b"data: {nonsense\n\n"), ServerError),
        (server.streaming(*server.words("I am"), Disconnect()), ConnectivityError),
        (server.streaming(*server.words("I am")), ConnectivityError),
        (server.streaming(*server.words("I am"), server.DONE), ConnectivityError),
    ],
)
def test_errors_are_mapped(reply: Reply, error: type[ServiceError]) -> None:
    """A status, an error event, garbage and a broken stream are each our error, with the vendor."""
    with pytest.raises(error) as raised:
        events_of(reply)
    assert type(raised.value) is error
    assert "openai" in str(raised.value)


def test_a_failed_request_is_sent_once() -> None:
    """The SDK's own retries are off: the service decides about those."""

    async def main() -> None:
        async with provider_on(server.refusing(500, "oops")) as (provider, scripted):
            with pytest.raises(ServerError):
                await collect(provider, HI)
            assert len(scripted.seen) == 1

    run(main())


def test_nobody_listening_is_a_connectivity_error() -> None:
    """A refused connection says where nobody was."""

    async def main() -> None:
        async with serving() as scripted:
            provider = provider_at(scripted)
        with pytest.raises(ConnectivityError, match=r"127\.0\.0\.1"):
            await collect(provider, HI)

    run(main())


def test_closing_the_iterator_closes_the_request() -> None:
    """The server sees the connection go as soon as the iterator is closed."""

    async def main() -> None:
        reply = server.streaming(*server.words("I am going to"), Stall())
        async with provider_on(reply) as (provider, scripted):
            async with aclosing(provider.complete(HI)) as events:
                assert await anext(events) == TextDelta("I")
                assert not scripted.left.is_set()
            await asyncio.wait_for(scripted.left.wait(), 60)

    run(main())


def test_cancelling_the_reader_closes_the_request() -> None:
    """A task cancelled while it waits for the next word leaves no connection behind."""

    async def main() -> None:
        reply = server.streaming(*server.words("I am"), Stall())
        async with provider_on(reply) as (provider, scripted):
            heard = asyncio.Event()

            async def read() -> None:
                async with aclosing(provider.complete(HI)) as events:
                    async for _ in events:
                        heard.set()

            task = asyncio.ensure_future(read())
            await heard.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(scripted.left.wait(), 60)

    run(main())


def test_the_next_request_works_after_a_closed_one() -> None:
    """A provider serves on after an answer was cut off."""

    async def main() -> None:
        stalled = server.streaming(*server.words("I am"), Stall())
        async with provider_on(stalled, server.speaking("Yes.")) as (provider, _):
            async with aclosing(provider.complete(HI)) as events:
                await anext(events)
            assert text_of(await collect(provider, HI)) == "Yes."

    run(main())


def test_vendors_differ_as_their_rows_say() -> None:
    """Roles, the name of the limit and the usage option follow the vendor's row."""
    request = LLMRequest(messages=({"role": "developer", "content": "Hurry."},), max_tokens=5)
    mistral = as_body(request, model="m", vendor=vendor("mistral"))
    assert mistral["messages"][0]["role"] == "user"
    assert mistral["max_tokens"] == 5
    assert "stream_options" not in mistral
    assert as_body(request, model="m", vendor=vendor("openai"))["max_completion_tokens"] == 5


def test_what_is_written_for_the_vendor_arrives_as_it_is() -> None:
    """Native messages and tools pass unchanged, and thoughts are not sent back."""
    native = {"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}
    thought = {"type": "thought", "text": "Hmm.", "signature": None}
    request = LLMRequest(
        messages=tuple({"role": "provider_specific", "message": m} for m in (native, thought)),
        extra={"custom_tools": [{"type": "own"}], "top_p": 0.5},
    )
    body = as_body(request, model="m", vendor=vendor("openai"))
    assert body["messages"] == [native]
    assert body["tools"] == [{"type": "own"}]
    assert body["extra_body"] == {"top_p": 0.5}


def test_every_vendor_has_what_it_needs() -> None:
    """Rows have an address, and remote ones a key's variable that an error names."""
    for row in VENDORS.values():
        assert row.base_url.startswith("https://" if row.key_variable else "http://localhost")
        assert row.address({f"{row.name.upper()}_BASE_URL": "http://x"}) == "http://x"
        if row.key_variable:
            with pytest.raises(ConfigurationError, match=row.key_variable):
                row.key({})
    with pytest.raises(UnknownNameError, match="groq"):
        vendor("nobody")
    assert server_at("http://x/v1").key({}) == "none"


def test_extra_never_changes_the_request() -> None:
    """Translating a request leaves its messages as they are."""
    message: dict[str, Any] = {"role": "developer", "content": "x"}
    as_body(LLMRequest(messages=(message,)), model="m", vendor=vendor("groq"))
    assert json.dumps(message) == '{"role": "developer", "content": "x"}'
