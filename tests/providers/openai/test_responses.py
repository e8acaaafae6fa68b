"""The provider of OpenAI's Responses API, against a server that speaks the published format."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from antiphon.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectivityError,
    InvalidRequestError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServiceError,
)
from antiphon.providers.openai.responses import OpenAIResponsesProvider
from antiphon.providers.openai.responses_translation import as_body, as_input
from antiphon.providers.openai.service import OpenAIResponsesLLMService
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
from tests.providers.checkers.openai_responses import complaints
from tests.providers.llm_contract import (
    REQUESTS,
    WEATHER,
    Behaviour,
    LLMProviderContract,
    called,
    collect,
    result,
    run,
    text_of,
    user,
)
from tests.providers.servers import openai_server
from tests.providers.servers import responses_server as server
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
) -> AsyncIterator[tuple[OpenAIResponsesProvider, ScriptedServer]]:
    async with serving(*replies) as scripted:
        provider = OpenAIResponsesProvider(
            model="test-model", api_key="key", base_url=f"{scripted.url}/v1"
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


class TestResponsesContract(LLMProviderContract):
    @asynccontextmanager
    async def provider(self, behaviour: Behaviour) -> AsyncIterator[LLMProvider]:
        async with provider_on(REPLIES[behaviour]) as (provider, scripted):
            yield provider
            for seen in scripted.seen:
                assert complaints(seen.body) == []


def test_the_request_arrives_in_the_api_s_shape() -> None:
    """Path, key and body are the API's; nothing is stored; its rules have nothing against it."""

    async def main() -> None:
        async with provider_on(REPLIES[Behaviour.TELL_RESULT]) as (provider, scripted):
            await collect(provider, REQUESTS[Behaviour.TELL_RESULT])
            (seen,) = scripted.seen
            assert seen.path == "/v1/responses"
            assert seen.headers["authorization"] == "Bearer key"
            assert (seen.body["stream"], seen.body["store"]) == (True, False)
            assert complaints(seen.body) == []

    run(main())


def test_words_thoughts_and_parallel_calls_keep_their_order() -> None:
    """Items of all kinds come out in the order of the stream, the usage last."""
    reply = server.streaming(
        *server.thinking("Hmm.", 0),
        *server.words("One moment.", 1),
        *server.use("a", "f", '{"x": 1}', 2),
        *server.use("b", "g", "{}", 3),
        server.ending(),
    )
    assert events_of(reply) == [
        ThoughtDelta("Hmm."),
        ThoughtSignature({"id": "rs_1", "encrypted_content": "gAAA"}),
        TextDelta("One"),
        TextDelta(" moment."),
        ToolCall("a", "f", '{"x": 1}'),
        ToolCall("b", "g", "{}"),
        TokenUsage(9, 4),
    ]


def test_an_answer_that_was_too_long_is_an_answer() -> None:
    """What was said until the limit is kept, with its usage."""
    ending = server.ending("incomplete", incomplete_details={"reason": "max_output_tokens"})
    events = events_of(server.streaming(*server.words("I am"), ending))
    assert text_of(events) == "I am"
    assert events[-1] == TokenUsage(9, 4)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (openai_server.refusing(400, "bad tool"), InvalidRequestError),
        (openai_server.refusing(401, "bad key"), AuthenticationError),
        (openai_server.refusing(429, "slow down"), RateLimitError),
        (openai_server.refusing(429, "no money", "insufficient_quota"), QuotaError),
        (openai_server.refusing(503, "overloaded"), ServerError),
        (server.streaming(server.failed("server_error", "oops")), ServerError),
        (server.streaming(server.failed("rate_limit_exceeded", "slow")), RateLimitError),
        (server.streaming(server.error("server_error", "broke")), ServerError),
        (server.streaming(server.error("insufficient_quota", "pay")), QuotaError),
        (server.streaming(b"event: response.x\ndata: {no\n\n"), ServerError),
        (server.streaming(*server.words("I am")[:3], Disconnect()), ConnectivityError),
        (server.streaming(*server.words("I am")), ConnectivityError),
    ],
)
def test_errors_are_mapped(reply: Reply, error: type[ServiceError]) -> None:
    """A status, an event, garbage and a broken stream are each our error, with the vendor."""
    with pytest.raises(error) as raised:
        events_of(reply)
    assert type(raised.value) is error
    assert "openai-responses" in str(raised.value)


def test_nobody_listening_is_a_connectivity_error() -> None:
    """A refused connection says where nobody was."""

    async def main() -> None:
        async with serving() as scripted:
            url = scripted.url
        provider = OpenAIResponsesProvider(model="m", api_key="key", base_url=url)
        with pytest.raises(ConnectivityError, match=r"127\.0\.0\.1"):
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


def body_of(*messages: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return as_body(LLMRequest(messages=messages, **rest), model="m")


def test_messages_calls_and_results_are_items() -> None:
    """A message, its calls and their outputs are items in this order, wherever results stood."""
    items = as_input(
        [
            user("Weather?"),
            called("a", "get_weather", '{"city": "Rome"}') | {"content": "Let me see."},
            {"role": "developer", "content": "Hurry."},
            result("a", '"dry"'),
        ]
    )
    assert items == [
        {"type": "message", "role": "user", "content": "Weather?"},
        {"type": "message", "role": "assistant", "content": "Let me see."},
        {
            "type": "function_call",
            "call_id": "a",
            "name": "get_weather",
            "arguments": '{"city": "Rome"}',
        },
        {"type": "function_call_output", "call_id": "a", "output": '"dry"'},
        {"type": "message", "role": "developer", "content": "Hurry."},
    ]


def test_pictures_stay_in_results_and_sound_leaves_a_note() -> None:
    """A result may hold a picture here; sound has no place in this API."""
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}
    sound = {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}
    shown = {"type": "input_image", "image_url": "https://example.com/x.png", "detail": "auto"}
    items = as_input(
        [
            called("a", "look", "{}"),
            result("a", "") | {"content": [picture]},
            {"role": "user", "content": [picture, sound]},
        ]
    )
    assert items[1]["output"] == [shown]
    note = {"type": "input_text", "text": "[input_audio left out]"}
    assert items[2]["content"] == [shown, note]


def test_reasoning_goes_back_before_what_it_led_to() -> None:
    """Encrypted reasoning stands right before the assistant's next item, or is left out."""
    signature = {"id": "rs_1", "encrypted_content": "gAAA"}
    thought = {"type": "thought", "text": "Hmm.", "signature": signature}
    message = {"role": "provider_specific", "message": thought}
    items = as_input([user("Hi"), message, {"role": "assistant", "content": "Yes."}])
    assert items[1] == {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "Hmm."}],
        **signature,
    }
    assert len(as_input([user("Hi"), message, user("Hello?")])) == 2
    asked = as_body(HI, model="m", keep_reasoning=True)
    assert asked["include"] == ["reasoning.encrypted_content"]
    assert "include" not in body_of(user("Hi"))


def test_tools_choices_and_native_parts() -> None:
    """A named tool is one level higher than in chat; native tools and items pass as they are."""
    named = {"type": "function", "function": {"name": "get_weather"}}
    own = {"type": "web_search"}
    item = {"type": "message", "role": "user", "content": "native"}
    body = body_of(
        {"role": "provider_specific", "message": item},
        tools=(WEATHER,),
        tool_choice=named,
        max_tokens=5,
        extra={"custom_tools": [own], "top_p": 0.5},
    )
    assert body["tool_choice"] == {"type": "function", "name": "get_weather"}
    assert [tool["type"] for tool in body["tools"]] == ["function", "web_search"]
    assert body["input"] == [item]
    assert body["max_output_tokens"] == 5
    assert body["extra_body"] == {"top_p": 0.5}


def test_the_service_needs_a_model_and_keeps_keys_to_their_vendor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a model the error says so; a server of one's own does not get OpenAI's key."""
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    with pytest.raises(ConfigurationError, match="needs a model"):
        OpenAIResponsesLLMService()
    service = OpenAIResponsesLLMService(model="m", base_url="http://localhost:8080/v1")
    assert "secret" not in str(vars(service.provider))
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        OpenAIResponsesLLMService(model="m")
