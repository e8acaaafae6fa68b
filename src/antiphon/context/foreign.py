"""Calls as other frameworks write them, in the one shape that the context keeps.

Understood are arguments as an object or empty, custom tool calls, and the older `function_call`.
What cannot be understood is one error at the door that names the field; never one on every later
turn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from antiphon.errors import InvalidInputError


def with_plain_calls(message: dict[str, Any]) -> dict[str, Any]:
    """The message with its calls, and the result's id, in the context's shape.

    Raises:
        InvalidInputError: they cannot be understood.

    """
    if message["role"] == "tool":
        call_id = message.get("tool_call_id")
        if not isinstance(call_id, str) or not call_id:
            raise InvalidInputError(f"tool_call_id is the id of a call, not {call_id!r:.100}")
        if message.get("content") is None:
            message["content"] = ""
        return message
    if "tool_calls" not in message:
        return message
    calls = message.pop("tool_calls")
    if calls is None or calls == []:
        return message
    if message["role"] != "assistant":
        raise InvalidInputError(f"tool_calls belong to the assistant, not to {message['role']!r}")
    if not isinstance(calls, list):
        raise InvalidInputError(f"tool_calls is a list of calls, not {calls!r:.100}")
    message["tool_calls"] = [_plain_call(call, f"tool_calls[{n}]") for n, call in enumerate(calls)]
    return message


def _plain_call(call: Any, where: str) -> dict[str, Any]:
    if not isinstance(call, Mapping):
        raise InvalidInputError(f"{where} is an object, not {call!r:.100}")
    call_id = call.get("id")
    if not isinstance(call_id, str) or not call_id:
        raise InvalidInputError(f"{where}.id is a text, not {call_id!r:.100}")
    function = call.get("function")
    if function is None and isinstance(call.get("custom"), Mapping):
        function = {**call["custom"], "arguments": {"input": call["custom"].get("input", "")}}
        function.pop("input", None)
        call = {key: value for key, value in call.items() if key != "custom"}
    if not isinstance(function, Mapping):
        raise InvalidInputError(f"{where}.function is an object, not {function!r:.100}")
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidInputError(f"{where}.function.name is a text, not {name!r:.100}")
    text = _arguments(function.get("arguments"), f"{where}.function.arguments")
    return {**call, "type": "function", "function": {**function, "arguments": text}}


def _arguments(given: Any, where: str) -> str:
    if given is None or given == "":
        return "{}"
    text = given
    if not isinstance(given, str):
        text = json.dumps(given, ensure_ascii=False, default=str)
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{where} is not JSON ({error}): {given!r:.100}") from error
    if not isinstance(value, dict):
        raise InvalidInputError(f"{where} is a JSON object, not {given!r:.100}")
    return str(text)
