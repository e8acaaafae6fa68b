"""The provider of Gemini, against a server that speaks the published format."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from antiphon.errors import (
    AuthenticationError,
    AuthorizationError,
    ConfigurationError,
    ConnectivityError,
    InvalidRequestError,
    RateLimitError,
    ServerError,
    ServiceError,
)
from antiphon.providers.google.provider import GoogleLLMProvider
from antiphon.providers.google.service import GoogleLLMService
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
from tests.providers.checkers.gemini import canonical, complaints
from tests.providers.llm_contract import (
    REQUESTS,
    WEATHER,
    Behaviour,
    LLMProviderContract,
    calls_of,
    collect,
    run,
    text_of,
    user,
)
from tests.providers.servers import gemini_server as server
from tests.providers.servers.scripted import Disconnect, Reply, ScriptedServer, Stall, serving

HI = LLMRequest(messages=(user("Hi"),))
SIGNATURE = base64.b64encode(b"signed").decode()

REPLIES = {
    Behaviour.SPEAK: server.speaking("The capital of Germany is Berlin."),
    Behaviour.CALL: server.calling(("get_weather", '{"city": "Berlin"}')),
    Behaviour.TELL_RESULT: server.speaking("It is sunny and 21 degrees."),
}


@asynccontextmanager
async def provider_on(
    *replies: Reply, include_thoughts: bool = False
) -> AsyncIterator[tuple[GoogleLLMProvider, ScriptedServer]]:
    async with serving(*replies) as scripted:
        provider = GoogleLLMProvider(
            model="gemini-3-flash",
            api_key="key",
            base_url=scripted.url,
            include_thoughts=include_thoughts,
        )
        try:
            yield provider, scripted
        finally:
            await provider.close()


def events_of(reply: Reply) -> list[LLMEvent]:
    async def main() -> list[LLMEvent]:
        async with provider_on(reply) as (provider, _):
            return await collect(provider, HI)

    return run(main())


class TestGoogleContract(LLMProviderContract):
    @asynccontextmanager
    async def provider(self, behaviour: Behaviour) -> AsyncIterator[LLMProvider]:
        async with provider_on(REPLIES[behaviour]) as (provider, scripted):
            yield provider
            for seen in scripted.seen:
                assert complaints(seen.body, signed=True) == []


def test_the_request_arrives_in_gemini_s_shape() -> None:
    """Path, key and body are Gemini's, options included, and its rules have nothing against it."""

    async def main() -> None:
        async with provider_on(server.speaking("Yes."), include_thoughts=True) as (p, scripted):
            named = {"type": "function", "function": {"name": WEATHER.name}}
            request = LLMRequest(
                messages=REQUESTS[Behaviour.TELL_RESULT].messages,
                system_instruction="Be Ada.",
                tools=(WEATHER,),
                tool_choice=named,
                temperature=0.5,
                max_tokens=50,
                extra={"top_p": 0.9, "seed": 3},
            )
            await collect(p, request)
            (seen,) = scripted.seen
            assert seen.path.endswith("/models/gemini-3-flash:streamGenerateContent?alt=sse")
            assert seen.headers["x-goog-api-key"] == "key"
            assert complaints(seen.body, signed=True) == []
            body = canonical(seen.body)
            assert body["systemInstruction"]["parts"] == [{"text": "Be Ada."}]
            assert body["toolConfig"] == {
                "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}
            }
            (declaration,) = body["tools"][0]["functionDeclarations"]
            assert declaration["parametersJsonSchema"] == WEATHER.parameters
            assert body["generationConfig"] == {
                "temperature": 0.5,
                "topP": 0.9,
                "maxOutputTokens": 50,
                "seed": 3,
                "thinkingConfig": {"includeThoughts": True},
            }

    run(main())


def test_words_thoughts_and_parallel_calls_keep_their_order() -> None:
    """Parts of all kinds come out in order, calls with ids of their own, the last usage last."""
    reply = server.streaming(
        server.thinking("Hmm."),
        *server.words("One moment."),
        server.use("f", '{"x": 1}', signature=SIGNATURE),
        server.use("g", "{}"),
        server.ending(tokens=7),
    )
    events = events_of(reply)
    first, second = calls_of(events)
    assert first.id != second.id
    assert events == [
        ThoughtDelta("Hmm."),
        TextDelta("One"),
        TextDelta(" moment."),
        ThoughtSignature(SIGNATURE),
        ToolCall(first.id, "f", '{"x":1}'),
        ToolCall(second.id, "g", "{}"),
        TokenUsage(9, 7),
    ]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (server.refusing(400, "INVALID_ARGUMENT", "bad tool"), InvalidRequestError),
        (
            server.refusing(400, "INVALID_ARGUMENT", "API key not valid. Please pass one."),
            AuthenticationError,
        ),
        (server.refusing(403, "PERMISSION_DENIED", "not you"), AuthorizationError),
        (server.refusing(404, "NOT_FOUND", "no such model"), InvalidRequestError),
        (server.refusing(429, "RESOURCE_EXHAUSTED", "slow down"), RateLimitError),
        (server.refusing(500, "INTERNAL", "oops"), ServerError),
        (server.refusing(503, "UNAVAILABLE", "overloaded"), ServerError),
        (Reply(502, "<html>"), ServerError),
        (
            server.streaming(server.event({"error": {"code": 503, "message": "overloaded"}})),
            ServerError,
        ),
        (
            server.streaming(server.event({"promptFeedback": {"blockReason": "SAFETY"}})),
            InvalidRequestError,
        ),
        (server.streaming(b"data: {nonsense\r\n\r\n"), ServerError),
        (server.streaming(*server.words("I am"), Disconnect()), ConnectivityError),
        (server.streaming(*server.words("I am")), ConnectivityError),
    ],
)
def test_errors_are_mapped(reply: Reply, error: type[ServiceError]) -> None:
    """A status, an error in the stream, garbage and a broken stream are each our error."""
    with pytest.raises(error) as raised:
        events_of(reply)
    assert type(raised.value) is error
    assert "google" in str(raised.value)


def test_a_failed_request_is_sent_once() -> None:
    """The SDK's own retries are off: the service decides about those."""

    async def main() -> None:
        refusal = server.refusing(503, "UNAVAILABLE", "overloaded")
        async with provider_on(refusal, server.speaking("Yes.")) as (provider, scripted):
            with pytest.raises(ServerError):
                await collect(provider, HI)
            assert len(scripted.seen) == 1

    run(main())


def test_nobody_listening_is_a_connectivity_error() -> None:
    """A refused connection is one, at once."""

    async def main() -> None:
        async with serving() as scripted:
            url = scripted.url
        provider = GoogleLLMProvider(model="m", api_key="key", base_url=url)
        with pytest.raises(ConnectivityError, match="cannot be reached"):
            await collect(provider, HI)
        await provider.close()

    run(main())


def test_closing_the_iterator_closes_the_request() -> None:
    """The server sees the connection go as soon as the iterator is closed, and serving goes on."""

    async def main() -> None:
        reply = server.streaming(*server.words("I am going to"), Stall())
        async with provider_on(reply, server.speaking("Yes.")) as (provider, scripted):
            async with aclosing(provider.complete(HI)) as events:
                assert await anext(events) == TextDelta("I")
                assert not scripted.left.is_set()
            await asyncio.wait_for(scripted.left.wait(), 60)
            assert text_of(await collect(provider, HI)) == "Yes."

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


def test_options_that_google_does_not_have_are_named() -> None:
    """An unknown option is the request's fault, and nothing is sent."""

    async def main() -> None:
        async with provider_on() as (provider, scripted):
            with pytest.raises(InvalidRequestError, match="no_such_thing"):
                await collect(
                    provider, LLMRequest(messages=(user("Hi"),), extra={"no_such_thing": 1})
                )
            assert scripted.seen == []

    run(main())


def test_a_missing_key_or_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key the error says which variable to set; without a model, that it is missing."""
    for variable in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(ConfigurationError, match="GEMINI_API_KEY"):
        GoogleLLMProvider(model="m")
    with pytest.raises(ConfigurationError, match="needs a model"):
        GoogleLLMService(api_key="key")
    monkeypatch.setenv("GOOGLE_API_KEY", "key")
    assert GoogleLLMService(model="m").provider.model == "m"
