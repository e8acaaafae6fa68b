"""The Anthropic provider, against a server that speaks the published format."""

from __future__ import annotations

from functools import partial

from antiphon.errors import (
    AuthenticationError,
    AuthorizationError,
    InvalidRequestError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from antiphon.providers.anthropic.provider import AnthropicLLMProvider
from antiphon.services.contracts import (
    TextDelta,
    ThoughtDelta,
    ThoughtSignature,
    TokenUsage,
    ToolCall,
)
from tests.providers.checkers.anthropic import complaints
from tests.providers.llm_contract import REQUESTS, Behaviour, collect, run
from tests.providers.sdk_contract import (
    KEY,
    SDKProviderContract,
    VendorServer,
    events_of,
    provider_on,
)
from tests.providers.servers import anthropic_server as server

VENDOR = VendorServer(
    name="anthropic",
    variables=("ANTHROPIC_API_KEY",),
    make=partial(AnthropicLLMProvider, model="test-model"),
    speaking=server.speaking,
    calling=lambda name, arguments: server.calling(("call_7", name, arguments)),
    refusing=lambda status, message: server.refusing(status, "some_error", message),
    begun=(server.START, *server.words("I am")[:3]),
    complaints=complaints,
    errors=(
        (
            server.refusing(400, "invalid_request_error", "Your credit balance is too low"),
            QuotaError,
        ),
        (server.refusing(401, "authentication_error", "bad key"), AuthenticationError),
        (server.refusing(402, "billing_error", "pay"), QuotaError),
        (server.refusing(403, "permission_error", "not you"), AuthorizationError),
        (server.refusing(413, "request_too_large", "too large"), InvalidRequestError),
        (server.refusing(529, "overloaded_error", "busy"), ServerError),
        (server.streaming(server.error("overloaded_error", "busy")), ServerError),
        (server.streaming(server.error("rate_limit_error", "slow")), RateLimitError),
    ),
)


class TestAnthropic(SDKProviderContract):
    vendor = VENDOR


def test_the_request_arrives_in_anthropic_s_shape() -> None:
    """Path, key and body are Anthropic's, and its rules have nothing against them."""

    async def main() -> None:
        async with provider_on(VENDOR, server.speaking("It is sunny.")) as (provider, scripted):
            await collect(provider, REQUESTS[Behaviour.TELL_RESULT])
            (seen,) = scripted.seen
            assert seen.path == "/v1/messages"
            assert seen.headers["authorization"] == f"Bearer {KEY}"
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
    assert events_of(VENDOR, reply) == [
        ThoughtDelta("Hmm."),
        ThoughtSignature("sig"),
        TextDelta("One"),
        TextDelta(" moment."),
        ToolCall("a", "f", '{"x": 1}'),
        ToolCall("b", "g", "{}"),
        TokenUsage(12, 7),
    ]
