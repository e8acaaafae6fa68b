"""The Anthropic provider, against a server that speaks the published format."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

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
)
from antiphon.providers.anthropic.provider import AnthropicLLMProvider
from antiphon.services.contracts import (
    LLMEvent,
    LLMProvider,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    ThoughtSignature,
    TokenUsage,
    ToolCall,
)
from tests.providers.checkers.anthropic import complaints
from tests.providers.llm_contract import (
    REQUESTS,
    Behaviour,
    LLMProviderContract,
    collect,
    run,
    text_of,
    user,
)
from tests.providers.servers import anthropic_server as server
from tests.providers.servers.scripted import Disconnect, Reply, ScriptedServer, Stall, serving

HI = LLMRequest(messages=(user("Hi"),))

REPLIES = {
    Behaviour.SPEAK: server.speaking("The capital of Germany is Berlin."),
    Behaviour.CALL: server.calling(("call_7", "get_weather", '{"city": "Berlin"}')),
    Behaviour.TELL_RESULT: server.speaking("It is sunny and 21 degrees."),
}


@asynccontextmanager
async def provider_on(
    *replies: Reply,
) -> AsyncIterator[tuple[AnthropicLLMProvider, ScriptedServer]]:
    async with serving(*replies) as scripted:
        provider = AnthropicLLMProvider(model="test-model", api_key="key", base_url=scripted.url)
        try:
            yield provider, scripted
        finally:
            await provider.close()


def events_of(reply: Reply) -> list[LLMEvent]:
    async def main() -> list[LLMEvent]:
        async with provider_on(reply) as (provider, _):
            return await collect(provider, HI)

    return run(main())


class TestAnthropicContract(LLMProviderContract):
    @asynccontextmanager
    async def provider(self, behaviour: Behaviour) -> AsyncIterator[LLMProvider]:
        async with provider_on(REPLIES[behaviour]) as (provider, scripted):
            yield provider
            for seen in scripted.seen:
                assert complaints(seen.body) == []


def test_the_request_arrives_in_anthropic_s_shape() -> None:
    """Path, key and body are Anthropic's, and its rules have nothing against them."""

    async def main() -> None:
        async with provider_on(REPLIES[Behaviour.TELL_RESULT]) as (provider, scripted):
            await collect(provider, REQUESTS[Behaviour.TELL_RESULT])
            (seen,) = scripted.seen
            assert seen.path == "/v1/messages"
            assert seen.headers["authorization"] == "Bearer key"
            assert seen.body["stream"] is True
            assert complaints(seen.body) == []

    run(main())


def test_words_thoughts_and_parallel_calls_keep_their_order() -> None:
    """Blocks of all kinds come out in the order of the stream, the usage last."""
    reply = server.streaming(
        *server.thinking("Hmm."),
        *server.words("One moment.", 1),
        *server.use("a", "f", '{"x": 1}', 2),
        *server.use("b", "g", "", 3),
        server.stopping("tool_use", 7),
        server.STOP,
    )
    assert events_of(reply) == [
        ThoughtDelta("Hmm."),
        ThoughtSignature("sig"),
        TextDelta("One"),
        TextDelta(" moment."),
        ToolCall("a", "f", '{"x": 1}'),
        ToolCall("b", "g", "{}"),
        TokenUsage(12, 7),
    ]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (server.refusing(400, "invalid_request_error", "bad"), InvalidRequestError),
        (
            server.refusing(400, "invalid_request_error", "Your credit balance is too low"),
            QuotaError,
        ),
        (server.refusing(401, "authentication_error", "bad key"), AuthenticationError),
        (server.refusing(402, "billing_error", "pay"), QuotaError),
        (server.refusing(403, "permission_error", "not you"), AuthorizationError),
        (server.refusing(413, "request_too_large", "too large"), InvalidRequestError),
        (server.refusing(429, "rate_limit_error", "slow down"), RateLimitError),
        (server.refusing(500, "api_error", "oops"), ServerError),
        (server.refusing(529, "overloaded_error", "busy"), ServerError),
        (server.streaming(server.error("overloaded_error", "busy")), ServerError),
        (server.streaming(server.error("rate_limit_error", "slow")), RateLimitError),
        (server.streaming(b"event: ping\ndata: {}\n\nevent: x\ndata: {no\n\n"), ServerError),
        (server.streaming(*server.words("I am"), Disconnect()), ConnectivityError),
        (server.streaming(*server.words("I am")), ConnectivityError),
    ],
)
def test_errors_are_mapped(reply: Reply, error: type[ServiceError]) -> None:
    """A status, an error event, garbage and a broken stream are each our error, with the vendor."""
    with pytest.raises(error) as raised:
        events_of(reply)
    assert type(raised.value) is error
    assert "anthropic" in str(raised.value)


def test_nobody_listening_is_a_connectivity_error() -> None:
    """A refused connection is a connectivity error, and asked once."""

    async def main() -> None:
        async with serving() as scripted:
            url = scripted.url
        provider = AnthropicLLMProvider(model="m", api_key="key", base_url=url)
        with pytest.raises(ConnectivityError, match="cannot be reached"):
            await collect(provider, HI)

    run(main())


def test_closing_the_iterator_closes_the_request() -> None:
    """The server sees the connection go as soon as the iterator is closed, and serving goes on."""

    async def main() -> None:
        reply = server.streaming(*server.words("I am going to")[:3], Stall())
        async with provider_on(reply, server.speaking("Yes.")) as (provider, scripted):
            async with aclosing(provider.complete(HI)) as events:
                assert await anext(events) == TextDelta("I")
                assert not scripted.left.is_set()
            await asyncio.wait_for(scripted.left.wait(), 60)
            assert text_of(await collect(provider, HI)) == "Yes."

    run(main())


def test_a_missing_key_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key the error says which variable to set."""
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY"):
        AnthropicLLMProvider(model="m")
    with pytest.raises(ConfigurationError, match="ANTHROPIC_API_KEY"):
        AnthropicLLMProvider.of(model="m", environment={})
