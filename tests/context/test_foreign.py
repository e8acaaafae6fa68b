"""Contexts that other frameworks wrote: understood, or refused at the door."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.validate import problems
from antiphon.errors import InvalidInputError
from antiphon.services.llm_request import request_of
from antiphon.settings import LLMSettings
from antiphon.tools.registry import FunctionRegistry


def asked(**function: Any) -> dict[str, Any]:
    """A call as an assistant's message."""
    return {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", **function}}]}


RESULT = {"role": "tool", "tool_call_id": "1", "content": "ok"}
CUSTOM = {"id": "1", "type": "custom", "custom": {"name": "f", "input": "do it"}}


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (asked(arguments={"a": [1]}), {"a": [1]}),
        (asked(arguments=""), {}),
        (asked(arguments=None), {}),
        (asked(), {}),
        ({"role": "assistant", "tool_calls": [CUSTOM]}, {"input": "do it"}),
    ],
)
def test_calls_of_others_are_understood(call: dict[str, Any], arguments: dict[str, Any]) -> None:
    """Arguments as an object, empty or missing, and custom calls are functions with JSON text."""
    context = LLMContext([call, RESULT])
    assert problems(context.messages) == []
    (message, _) = context.get_messages()
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == arguments
    request_of(
        context.snapshot(), provider="x", settings=LLMSettings(), registry=FunctionRegistry()
    )


def test_the_same_id_in_two_turns_is_two_calls() -> None:
    """Each keeps its result, under a name of its own."""
    first = {"role": "tool", "tool_call_id": "1", "content": "one"}
    second = {"role": "tool", "tool_call_id": "1", "content": "two"}
    context = LLMContext([asked(), first, asked(), second])
    assert problems(context.messages) == []
    assert [m["content"] for m in context.get_messages() if m["role"] == "tool"] == ["one", "two"]
    context.add_messages([asked(), {**RESULT, "content": "three"}])
    assert problems(context.messages) == []
    assert context.get_messages()[-1]["content"] == "three"


def test_an_empty_list_of_calls_is_none() -> None:
    """Vendors refuse one."""
    context = LLMContext([{"role": "assistant", "content": "x", "tool_calls": []}])
    assert context.get_messages() == [{"role": "assistant", "content": "x"}]


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (asked(arguments="{bad"), r"tool_calls\[0\].function.arguments"),
        (asked(arguments="[1]"), r"tool_calls\[0\].function.arguments"),
        (asked(name=""), r"tool_calls\[0\].function.name"),
        ({"role": "assistant", "tool_calls": [{"id": "1"}]}, r"tool_calls\[0\].function"),
        ({"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}, r"tool_calls\[0\].id"),
        ({"role": "assistant", "tool_calls": ["f"]}, r"tool_calls\[0\]"),
        ({"role": "assistant", "tool_calls": "f"}, "tool_calls"),
        ({"role": "user", "content": "x", "tool_calls": [CUSTOM]}, "tool_calls"),
        ({"role": "tool", "content": "x"}, "tool_call_id"),
        ({"role": "user", "content": [{"type": "text", "text": object()}]}, "content"),
    ],
)
def test_what_cannot_be_understood_is_refused_at_the_door(message: Any, field: str) -> None:
    """One error names the message and the field, and nothing has changed."""
    with pytest.raises(InvalidInputError, match=f"message 1: .*{field}"):
        LLMContext([{"role": "user", "content": "x"}, message])
    context = LLMContext([{"role": "user", "content": "x"}])
    with pytest.raises(InvalidInputError, match=f"message 0: .*{field}"):
        context.add_message(message)
    assert len(context.messages) == 1
