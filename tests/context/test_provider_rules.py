"""The same conversations through four providers' formats, checked against each one's rules."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.context.messages import (
    async_tool_text,
    audio_message,
    developer_message,
    image_message,
    tool_call_message,
    tool_message,
)
from antiphon.frames.llm import LLMMessagesAppendFrame, LLMRunFrame
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.providers.google import translation as google
from antiphon.providers.openai import responses
from antiphon.services.contracts import LLMRequest, ToolSpec
from antiphon.simulation.fakes.llm import call
from tests.context import provider_rules
from tests.context.provider_rules import PROVIDERS, breaches
from tests.context.rig import Rig, converse
from tests.context.tool_rig import answering, context_with

USER = {"role": "user", "content": "hello"}
HI = {"role": "assistant", "content": "hi"}
TOOL = ToolSpec(name="f", description="does f", parameters={"type": "object", "properties": {}})


def made(call_id: str) -> Any:
    return [tool_call_message(call_id, "f", {"a": 1}), tool_message(call_id, '{"t": 1}')]


CONVERSATIONS: dict[str, list[Any]] = {
    "nothing yet": [],
    "only a system message": [{"role": "system", "content": "s"}],
    "the assistant began": [HI, USER],
    "the assistant has the last word": [USER, HI],
    "a call at once": [*made("1")],
    "calls in a row": [USER, HI, *made("1"), *made("2"), USER],
    "an answer after a call": [USER, *made("1"), HI],
    "parallel calls in one message": [
        USER,
        {
            "role": "assistant",
            "content": "both",
            "tool_calls": [made("1")[0]["tool_calls"][0], made("2")[0]["tool_calls"][0]],
        },
        made("2")[1],
        made("1")[1],
    ],
    "system and developer messages in between": [
        {"role": "system", "content": "s"},
        {"role": "system", "content": "s"},
        USER,
        {"role": "developer", "content": "d"},
        *made("1"),
        {"role": "system", "content": "s"},
        HI,
        {"role": "developer", "content": "d"},
    ],
    "an asynchronous call": [
        USER,
        made("1")[0],
        tool_message("1", async_tool_text("1", "started")),
        HI,
        developer_message(async_tool_text("1", "finished", result="Grüße")),
    ],
    "pictures and sound": [
        image_message(b"jpeg", text="what is it?"),
        *made("1"),
        image_message(b"jpeg"),
        audio_message(b"\0\0", sample_rate=16_000),
    ],
    "thoughts": [
        USER,
        {
            "role": "provider_specific",
            "message": {"type": "thought", "text": "hm", "signature": "s"},
        },
        *made("1"),
    ],
    "ids of another vendor": [USER, *made("call:1/x y")],
    "an empty result": [USER, made("1")[0], tool_message("1", "")],
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_every_conversation_is_accepted_by_every_provider(name: str) -> None:
    """Whatever shape the conversation has, each provider's rules are met."""
    request = LLMRequest(messages=tuple(CONVERSATIONS[name]), tools=(TOOL,))
    expected = ["openai chat: there are no messages"] if name == "nothing yet" else []
    assert [breach for breach in breaches(request) if breach not in expected] == []


def test_a_scripted_conversation_through_all_four() -> None:
    """Calls of every kind, speech, edits and interruptions: each request fits each provider."""

    def make() -> Rig:
        script = [
            ["Let me see.", call("f"), call("g")],
            "Here it is.",
            [call("slow", city="Rome")],
            "Meanwhile.",
            "It is done.",
        ]
        rig = Rig(script, context=context_with("f", "g", "slow"))
        rig.llm.register_function("f", answering({"t": 1}))
        rig.llm.register_function("g", answering(None, 1))
        rig.llm.register_function("slow", answering("x", 4), is_async=True)
        return rig

    async def play(rig: Rig) -> None:
        await rig.send(TTSSpeakFrame("Welcome."))
        await rig.says("Hello.")
        await asyncio.sleep(3)
        await rig.send(LLMMessagesAppendFrame([{"role": "developer", "content": "d"}]))
        await rig.says("And the slow one?")
        await asyncio.sleep(1)
        await rig.send(LLMRunFrame())
        await asyncio.sleep(10)

    rig = converse(make, play)
    assert rig.inferences >= 5
    for request in rig.provider.requests:
        assert breaches(request) == []


BAD: dict[str, list[Any]] = {
    "openai chat": [
        {"messages": []},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [made("1")[0]]},
        {"messages": [made("1")[0], USER, made("1")[1]]},
        {"messages": [made("1")[1]]},
    ],
    "openai responses": [
        {"input": []},
        {"input": [{"type": "function_call", "call_id": "1", "arguments": "{}"}]},
        {"input": [{"type": "function_call_output", "call_id": "1", "output": "x"}]},
    ],
    "anthropic": [
        {"messages": []},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": " "}]}]},
    ],
    "gemini": [
        {"contents": []},
        {"contents": [{"role": "model", "parts": [{"text": "x"}]}]},
        {"contents": [{"role": "user", "parts": [{"functionCall": {"name": "f"}}]}]},
    ],
}
CHECKS = {
    "openai chat": provider_rules.openai_chat,
    "openai responses": provider_rules.openai_responses_api,
    "anthropic": provider_rules.anthropic,
    "gemini": provider_rules.gemini,
}


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_checkers_find_breaches(name: str) -> None:
    """A checker that accepted everything would prove nothing."""
    for body in BAD[name]:
        assert CHECKS[name](body), body


def test_what_gemini_is_sent() -> None:
    """System text, tools and sampling have their places; unknown schema words are left out."""
    parameters = {
        "type": "object",
        "properties": {"title": {"type": "string", "title": "T", "additionalProperties": False}},
        "required": ["title"],
    }
    request = LLMRequest(
        messages=({"role": "system", "content": "more"}, USER),
        system_instruction="Be brief.",
        tools=(ToolSpec(name="f", description="d", parameters=parameters),),
        tool_choice="required",
        temperature=0.5,
        max_tokens=10,
        extra={"top_k": 3},
    )
    schema = {
        "type": "object",
        "required": ["title"],
        "properties": {"title": {"type": "string"}},
    }
    declaration = {"name": "f", "description": "d", "parameters": schema}
    assert google.as_body(request) == {
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief.\n\nmore"}]},
        "tools": [{"functionDeclarations": [declaration]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 10, "topK": 3},
    }


def test_what_the_responses_api_is_sent() -> None:
    """Instructions, flat tools and the limit have their places."""
    choice = {"type": "function", "function": {"name": "f"}}
    request = LLMRequest(
        messages=(USER,),
        system_instruction="Be brief.",
        tools=(TOOL,),
        tool_choice=choice,
        max_tokens=10,
    )
    body = responses.as_body(request, model="m")
    assert body["instructions"] == "Be brief."
    assert body["tools"][0]["name"] == "f"
    assert body["tool_choice"] == {"type": "function", "name": "f"}
    assert body["max_output_tokens"] == 10
