"""The provider of OpenAI's Responses API, against a server that speaks the published format."""

from __future__ import annotations

from functools import partial
from typing import Any

from antiphon.errors import QuotaError, RateLimitError, ServerError
from antiphon.providers.openai.responses_provider import OpenAIResponsesLLMProvider
from antiphon.providers.openai.responses_translation import as_body, as_input
from antiphon.services.contracts import (
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
    called,
    collect,
    result,
    run,
    text_of,
    user,
)
from tests.providers.sdk_contract import (
    HI,
    KEY,
    SDKProviderContract,
    VendorServer,
    events_of,
    provider_on,
)
from tests.providers.servers import openai_server
from tests.providers.servers import responses_server as server

VENDOR = VendorServer(
    name="openai-responses",
    variables=("OPENAI_API_KEY",),
    make=partial(OpenAIResponsesLLMProvider, model="test-model"),
    speaking=server.speaking,
    calling=lambda name, arguments: server.calling(("call_7", name, arguments)),
    refusing=openai_server.refusing,
    begun=server.streaming(*server.words("I am")[:3]).pieces,
    complaints=complaints,
    errors=(
        (openai_server.refusing(429, "no money", "insufficient_quota"), QuotaError),
        (server.streaming(server.failed("server_error", "oops")), ServerError),
        (server.streaming(server.failed("rate_limit_exceeded", "slow")), RateLimitError),
        (server.streaming(server.error("server_error", "broke")), ServerError),
        (server.streaming(server.error("insufficient_quota", "pay")), QuotaError),
    ),
)


class TestResponses(SDKProviderContract):
    vendor = VENDOR


def test_the_request_arrives_in_the_api_s_shape() -> None:
    """Path, key and body are the API's; nothing is stored; its rules have nothing against it."""

    async def main() -> None:
        async with provider_on(VENDOR, server.speaking("It is sunny.")) as (provider, scripted):
            await collect(provider, REQUESTS[Behaviour.TELL_RESULT])
            (seen,) = scripted.seen
            assert seen.path == "/responses"
            assert seen.headers["authorization"] == f"Bearer {KEY}"
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
    assert events_of(VENDOR, reply) == [
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
    events = events_of(VENDOR, server.streaming(*server.words("I am"), ending))
    assert text_of(events) == "I am"
    assert events[-1] == TokenUsage(9, 4)


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
