"""The provider of Gemini, against a server that speaks the published format."""

from __future__ import annotations

import base64
from functools import partial

import pytest

from antiphon.errors import AuthenticationError, InvalidRequestError, ServerError
from antiphon.providers.google.provider import GoogleLLMProvider
from antiphon.services.contracts import (
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
    calls_of,
    collect,
    run,
    user,
)
from tests.providers.sdk_contract import (
    KEY,
    SDKProviderContract,
    VendorServer,
    events_of,
    provider_on,
)
from tests.providers.servers import gemini_server as server

SIGNATURE = base64.b64encode(b"signed").decode()
OVERLOADED = server.event({"error": {"code": 503, "message": "overloaded"}})
BLOCKED = server.event({"promptFeedback": {"blockReason": "SAFETY"}})

VENDOR = VendorServer(
    name="google",
    variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    make=partial(GoogleLLMProvider, model="gemini-3-flash"),
    speaking=server.speaking,
    calling=lambda name, arguments: server.calling((name, arguments)),
    refusing=lambda status, message: server.refusing(status, "SOME_STATUS", message),
    begun=tuple(server.words("I am")),
    complaints=lambda body: complaints(body, signed=True),
    errors=(
        (
            server.refusing(400, "INVALID_ARGUMENT", "API key not valid. Please pass one."),
            AuthenticationError,
        ),
        (server.streaming(OVERLOADED), ServerError),
        (server.streaming(BLOCKED), InvalidRequestError),
    ),
)


class TestGoogle(SDKProviderContract):
    vendor = VENDOR


def test_the_request_arrives_in_gemini_s_shape() -> None:
    """Path, key and body are Gemini's, options included, and its rules have nothing against it."""

    async def main() -> None:
        async with provider_on(VENDOR, server.speaking("Yes."), include_thoughts=True) as made:
            p, scripted = made
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
            assert seen.headers["x-goog-api-key"] == KEY
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
    events = events_of(VENDOR, reply)
    first, second = calls_of(events)
    assert first.id != second.id
    assert events == [
        ThoughtDelta("Hmm."),
        TextDelta("One"),
        TextDelta(" moment."),
        ThoughtSignature({"tool_call_id": first.id, "thought_signature": SIGNATURE}),
        ToolCall(first.id, "f", '{"x":1}'),
        ToolCall(second.id, "g", "{}"),
        TokenUsage(9, 7),
    ]


def test_options_that_google_does_not_have_are_named() -> None:
    """An unknown option is the request's fault, and nothing is sent."""

    async def main() -> None:
        async with provider_on(VENDOR) as (provider, scripted):
            with pytest.raises(InvalidRequestError, match="no_such_thing"):
                await collect(
                    provider, LLMRequest(messages=(user("Hi"),), extra={"no_such_thing": 1})
                )
            assert scripted.seen == []

    run(main())
