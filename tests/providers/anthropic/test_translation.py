"""Translation to Anthropic's messages, checked by its published rules."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.providers.anthropic.translation import MAX_TOKENS, as_body, as_messages
from antiphon.providers.arrangement import BEGINS, GOES_ON, NO_RESULT
from antiphon.services.contracts import LLMRequest
from tests.providers.checkers.anthropic import complaints
from tests.providers.llm_contract import WEATHER, called, result, user


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


def body_of(*messages: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return as_body(LLMRequest(messages=messages, **rest), model="m")


def test_the_system_text_is_a_field() -> None:
    """The instruction and leading system messages are the system text; later ones the user's."""
    body = body_of(
        {"role": "system", "content": "Be brief."},
        user("Hi"),
        {"role": "system", "content": "Be kind."},
        system_instruction="Be Ada.",
    )
    assert body["system"] == "Be Ada.\n\nBe brief."
    assert body["messages"] == [{"role": "user", "content": [text("Hi"), text("Be kind.")]}]
    assert body["max_tokens"] == MAX_TOKENS


def test_results_stand_next_to_their_calls() -> None:
    """Results move to the beginning of the message after the call, whatever came in between."""
    messages = as_messages(
        [
            user("Weather?"),
            called("a", "get_weather", '{"city": "Rome"}'),
            {"role": "developer", "content": "Hurry."},
            result("a", '"dry"'),
            user("Well?"),
        ]
    )
    assert messages[1]["content"] == [
        {"type": "tool_use", "id": "a", "name": "get_weather", "input": {"city": "Rome"}}
    ]
    assert [part["type"] for part in messages[2]["content"]] == ["tool_result", "text", "text"]


def test_what_is_missing_is_filled_in() -> None:
    """A talk that the assistant begins and ends, and a call without a result, are made legal."""
    messages = as_messages([{"role": "assistant", "content": "Hello! "}])
    assert messages == [
        {"role": "user", "content": [text(BEGINS)]},
        {"role": "assistant", "content": [text("Hello!")]},
        {"role": "user", "content": [text(GOES_ON)]},
    ]
    messages = as_messages([called("a", "f", "not json")])
    assert messages[1]["content"][0]["input"] == {}
    assert messages[2]["content"][0]["content"] == [text(NO_RESULT)]


def test_tools_and_choices() -> None:
    """Tools keep their schema; the choice is Anthropic's; calls without tools get stubs."""
    named = {"type": "function", "function": {"name": "get_weather"}}
    wanted = {
        "auto": {"type": "auto"},
        "none": {"type": "none"},
        "required": {"type": "any"},
        None: None,
    }
    for choice, translated in wanted.items():
        body = body_of(user("Hi"), tools=(WEATHER,), tool_choice=choice)
        assert body.get("tool_choice") == translated
    body = body_of(user("Hi"), tools=(WEATHER,), tool_choice=named)
    assert body["tool_choice"] == {"type": "tool", "name": "get_weather"}
    assert body["tools"][0]["input_schema"] == WEATHER.parameters
    stubbed = body_of(called("a", "f", "{}"), result("a", "1"))
    assert stubbed["tools"][0]["name"] == "f"
    assert stubbed["tool_choice"] == {"type": "none"}


def test_parts_are_translated() -> None:
    """Text and images are kept, by value or by address; what has no place leaves a note."""
    parts = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}},
        {"type": "input_audio", "input_audio": {}},
    ]
    (message,) = as_messages([{"role": "user", "content": parts}])
    assert message["content"][1]["source"] == {
        "type": "base64",
        "media_type": "image/png",
        "data": "AAAA",
    }
    assert message["content"][2]["source"] == {"type": "url", "url": "https://example.com/x.png"}
    assert message["content"][3] == text("[input_audio left out]")


def thought(words: str) -> dict[str, Any]:
    message = {"type": "thought", "text": words, "signature": "sig"}
    return {"role": "provider_specific", "message": message}


def test_thoughts_go_back_before_what_they_led_to() -> None:
    """A signed thought stands before the assistant's next words; one that led nowhere is left."""
    block = {"type": "thinking", "thinking": "Hmm.", "signature": "sig"}
    talk = [user("Hi"), thought("Hmm."), {"role": "assistant", "content": "Yes."}, user("Why?")]
    assert as_messages(talk)[1]["content"] == [block, text("Yes.")]
    assert as_messages([user("Hi"), thought("Hmm."), user("Why?")]) == [
        {"role": "user", "content": [text("Hi"), text("Why?")]}
    ]


def test_what_is_written_for_anthropic_arrives_as_it_is() -> None:
    """Native messages and tools pass unchanged; OpenAI's sampling options do not."""
    document = {"type": "document", "source": {"type": "url", "url": "https://example.com"}}
    native = {"role": "user", "content": [document]}
    body = body_of(
        {"role": "provider_specific", "message": native},
        extra={"custom_tools": [{"type": "own", "name": "o"}], "seed": 1, "top_k": 5},
    )
    assert body["messages"] == [{"role": "user", "content": [document]}]
    assert body["tools"] == [{"type": "own", "name": "o"}]
    assert body["extra_body"] == {"top_k": 5}


def test_temperature_is_within_anthropic_s_bounds() -> None:
    """OpenAI's scale ends at two, Anthropic's at one."""
    assert body_of(user("Hi"), temperature=1.7)["temperature"] == 1.0


@st.composite
def conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Valid conversations in OpenAI's shape: every call has one result after it."""
    words = st.sampled_from(["", " ", "Hi", "Fine. ", "{}"])
    messages: list[dict[str, Any]] = []
    owed: list[str] = []
    for number in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["user", "developer", "system", "assistant", "call", "tool"]))
        if kind == "call":
            ids = [f"c.{number}:{at}" for at in range(draw(st.integers(1, 3)))]
            calls = [called(identity, "f", '{"x": 1}')["tool_calls"][0] for identity in ids]
            messages.append(
                {"role": "assistant", "content": draw(words) or None, "tool_calls": calls}
            )
            owed += ids
        elif kind == "tool" and owed:
            at = draw(st.integers(0, len(owed) - 1))
            messages.append(result(owed.pop(at), draw(words)))
        elif kind != "tool":
            messages.append({"role": kind, "content": draw(words)})
    messages += [result(identity, "done") for identity in owed]
    return messages


@settings(max_examples=300, deadline=None)
@given(conversations())
def test_every_valid_conversation_is_accepted(messages: list[dict[str, Any]]) -> None:
    """Whatever the context holds, Anthropic's rules have nothing against the request."""
    before = copy.deepcopy(messages)
    body = as_body(LLMRequest(messages=tuple(messages)), model="m")
    assert complaints(body) == [], json.dumps(body["messages"], indent=1)
    assert messages == before
