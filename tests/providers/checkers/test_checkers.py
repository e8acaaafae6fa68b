"""The checkers complain about what the vendors refuse."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.providers.checkers import anthropic, gemini, openai_chat, openai_responses
from tests.providers.checkers.schemas import about_schema

Body = dict[str, Any]
Spoil = Callable[[Body], object]

CALL = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHAT: Body = {
    "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
    ]
}
RESPONSES: Body = {
    "input": [
        {"type": "message", "role": "user", "content": "Hi"},
        {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "x"},
        {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "1"},
    ]
}
ANTHROPIC: Body = {
    "model": "m",
    "max_tokens": 1,
    "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "a",
                    "content": [{"type": "text", "text": "1"}],
                }
            ],
        },
    ],
}
GEMINI: Body = {
    "contents": [
        {"role": "user", "parts": [{"text": "Hi"}]},
        {
            "role": "model",
            "parts": [{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "x"}],
        },
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
    ]
}


def gemini_signed(body: Body) -> list[str]:
    return gemini.complaints(body, signed=True)


def put(place: str, index: int, **fields: Any) -> Spoil:
    return lambda body: body[place][index].update(fields)


def drop(place: str, index: int) -> Spoil:
    return lambda body: body[place].pop(index)


def swap(place: str) -> Spoil:
    return lambda body: body[place].reverse()


CASES: list[tuple[Callable[[Body], list[str]], Body, Spoil, str]] = [
    (openai_chat.complaints, CHAT, lambda b: b["messages"].clear(), "not be empty"),
    (openai_chat.complaints, CHAT, drop("messages", 2), "no tool messages"),
    (openai_chat.complaints, CHAT, drop("messages", 1), "must follow"),
    (openai_chat.complaints, CHAT, put("messages", 0, content=None), "no content"),
    (openai_chat.complaints, CHAT, put("messages", 0, role="model"), "unknown role"),
    (
        openai_chat.complaints,
        CHAT,
        put("messages", 2, content=[{"type": "image_url", "image_url": {"url": "data:image/"}}]),
        "a part of type 'image_url'",
    ),
    (openai_chat.complaints, CHAT, put("messages", 2, content=float("nan")), "not JSON"),
    (openai_chat.complaints, CHAT, lambda b: b.update(tool_choice="auto"), "with tools"),
    (openai_responses.complaints, RESPONSES, drop("input", 3), "no tool output"),
    (openai_responses.complaints, RESPONSES, drop("input", 2), "no tool call found"),
    (openai_responses.complaints, RESPONSES, swap("input"), "no tool call found"),
    (openai_responses.complaints, RESPONSES, put("input", 0, tool_calls=[]), "unknown field"),
    (openai_responses.complaints, RESPONSES, put("input", 0, role="tool"), "unknown role"),
    (
        openai_responses.complaints,
        RESPONSES,
        put("input", 0, content=[{"type": "text", "text": "Hi"}]),
        "a part 'text'",
    ),
    (
        openai_responses.complaints,
        RESPONSES,
        lambda b: b["input"].append(b["input"].pop(1)),
        "must follow",
    ),
    (anthropic.complaints, ANTHROPIC, drop("messages", 0), "first message"),
    (anthropic.complaints, ANTHROPIC, drop("messages", 1), "alternate"),
    (anthropic.complaints, ANTHROPIC, drop("messages", 2), "last message"),
    (anthropic.complaints, ANTHROPIC, put("messages", 0, content=[]), "not be empty"),
    (anthropic.complaints, ANTHROPIC, lambda b: b.pop("tools"), "tools must be defined"),
    (anthropic.complaints, ANTHROPIC, lambda b: b.pop("max_tokens"), "max_tokens is missing"),
    (gemini_signed, GEMINI, drop("contents", 0), "first turn"),
    (gemini_signed, GEMINI, drop("contents", 2), "0 responses right after 1"),
    (gemini_signed, GEMINI, drop("contents", 1), "1 responses right after 0"),
    (gemini_signed, GEMINI, put("contents", 0, role="developer"), "unknown role"),
    (gemini_signed, GEMINI, put("contents", 0, parts=[{"text": ""}]), "text must not be empty"),
    (
        gemini_signed,
        GEMINI,
        lambda b: b["contents"][1]["parts"][0].pop("thoughtSignature"),
        "thought_signature",
    ),
    (
        gemini_signed,
        GEMINI,
        lambda b: b["contents"][2]["parts"].append({"text": "Well?"}),
        "stand alone",
    ),
    (gemini_signed, GEMINI, lambda b: b.update(max_tokens=3), "unknown field"),
]


@pytest.mark.parametrize(("check", "body", "spoil", "complaint"), CASES)
def test_a_breach_is_named(
    check: Callable[[Body], list[str]], body: Body, spoil: Spoil, complaint: str
) -> None:
    """A good request passes; spoilt in one place, it is refused for that."""
    assert check(body) == []
    spoilt = copy.deepcopy(body)
    spoil(spoilt)
    assert any(complaint in found for found in check(spoilt)), check(spoilt)


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ({}, "of type object"),
        ({"type": "object", "properties": {"x": {"$ref": "#/$defs/X"}}}, "dangling $ref"),
        ({"type": "object", "properties": {"x": {"$ref": "http://x/y"}}}, "dangling $ref"),
        ({"type": "object", "anyOf": [{}]}, "anyOf at the root"),
        ({"type": "object", "properties": {"x": True}}, "True is no object"),
        ({"type": "object", "properties": {"x": {"type": "float"}}}, "no valid schema"),
        ({"type": "object", "properties": {"x": {"type": "array"}}}, "missing items"),
        ({"type": "object", "properties": {"x": {"nullable": True}}}, "nullable"),
        ({"type": "object", "required": ["x"]}, "required names"),
    ],
)
def test_a_bad_schema_is_named(schema: dict[str, Any], complaint: str) -> None:
    """What vendors refuse in a tool's schema is complained of; a good schema is not."""
    assert about_schema({"type": "object", "properties": {"x": {"type": "string"}}}) == []
    assert any(complaint in found for found in about_schema(schema)), about_schema(schema)


@pytest.mark.parametrize("name", ["a.b", "größe", "", "x" * 129])
def test_a_bad_name_is_named(name: str) -> None:
    """Every checker complains of a tool whose name its vendor does not take."""
    schema = {"type": "object", "properties": {}}
    function = {"name": name, "description": "", "parameters": schema}
    assert openai_chat.about_function(function)
    body = copy.deepcopy(ANTHROPIC)
    body["tools"].append({"name": name, "input_schema": schema})
    assert any("bad tool name" in found for found in anthropic.complaints(body))
