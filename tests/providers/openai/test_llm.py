"""The provider of OpenAI's chat completions, against a server that speaks the format."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from antiphon.errors import (
    ConfigurationError,
    ConnectivityError,
    QuotaError,
    RateLimitError,
    ServerError,
    UnknownNameError,
)
from antiphon.providers.openai.provider import OpenAILLMProvider
from antiphon.providers.openai.translation import CallAssembler, as_body
from antiphon.providers.openai.vendors import VENDORS, server_at, vendor
from antiphon.services.contracts import LLMRequest, TextDelta, ThoughtDelta, TokenUsage, ToolCall
from tests.providers.checkers.openai_chat import complaints
from tests.providers.llm_contract import WEATHER, collect, run, text_of, user
from tests.providers.sdk_contract import (
    KEY,
    SDKProviderContract,
    VendorServer,
    events_of,
    provider_on,
)
from tests.providers.servers import openai_server as server

VENDOR = VendorServer(
    name="openai",
    variables=("OPENAI_API_KEY",),
    make=partial(OpenAILLMProvider, model="test-model"),
    speaking=server.speaking,
    calling=lambda name, arguments: server.calling(("call_7", name, arguments)),
    refusing=server.refusing,
    begun=tuple(server.words("I am")),
    complaints=complaints,
    errors=(
        (server.refusing(429, "no money", "insufficient_quota"), QuotaError),
        (server.streaming(*server.words("I am"), server.DONE), ConnectivityError),
        (server.streaming(server.event({"error": {"message": "broke"}})), ServerError),
        (
            server.streaming(server.event({"error": {"message": "slow", "code": 429}})),
            RateLimitError,
        ),
    ),
)


class TestOpenAI(SDKProviderContract):
    vendor = VENDOR


def test_the_request_is_what_was_asked() -> None:
    """Persona, tools, limits, key and extras arrive at the server in OpenAI's shape."""

    async def main() -> None:
        async with provider_on(VENDOR, server.speaking("Yes.")) as (provider, scripted):
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
            assert seen.path == "/chat/completions"
            assert seen.headers["authorization"] == f"Bearer {KEY}"
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
        VENDOR,
        server.calling(
            ("a", "get_weather", '{"city": "Berlin"}'), ("b", "get_weather", '{"city": "Paris"}')
        ),
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
    assert events_of(VENDOR, reply) == [
        ToolCall("a", "f", '{"x":1}'),
        ToolCall("b", "g", '{"y":2}'),
    ]


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
    events = events_of(VENDOR, reply)
    assert text_of(events) == "Let me see."
    assert events[-1] == ToolCall("a", "f", "{}")


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_apart(key: str) -> None:
    """Reasoning that vendors put beside the content is a thought, never text."""
    reply = server.streaming(
        server.chunk({key: "Hmm."}), *server.words("Yes."), server.chunk({}, "stop"), server.DONE
    )
    assert events_of(VENDOR, reply) == [ThoughtDelta("Hmm."), TextDelta("Yes.")]


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
