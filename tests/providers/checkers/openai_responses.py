"""What OpenAI's published rules have against a request to its Responses API."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from tests.providers.checkers.openai_chat import NAME, about_function

INPUT_PARTS = {"input_text": "text", "input_image": "image_url", "input_file": None}
FIELDS = {
    "message": {"type", "role", "content", "id", "status", "phase"},
    "function_call": {"type", "call_id", "name", "arguments", "id", "status"},
    "function_call_output": {"type", "call_id", "output", "id", "status"},
    "reasoning": {"type", "id", "summary", "encrypted_content", "status", "content"},
}


def complaints(body: dict[str, Any]) -> list[str]:
    """Every breach, one sentence each; nothing where the request is accepted."""
    items = body.get("input") or []
    found = [] if items else ["input must not be empty"]
    if isinstance(items, list):
        for item in items:
            found += _about_item(item)
        found += _about_calls(items)
        found += _about_reasoning(items)
    for tool in body.get("tools", []):
        if tool["type"] == "function":
            found += about_function(tool)
    if "tool_choice" in body and not body.get("tools"):
        found.append("tool_choice is only allowed with tools")
    found += [
        f"{key} belongs to chat completions" for key in ("messages", "max_tokens") if key in body
    ]
    try:
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        found.append(f"the body is not JSON: {error}")
    return found


def _about_item(item: dict[str, Any]) -> list[str]:
    kind = item.get("type", "message")
    if kind not in FIELDS:
        return [f"unknown item {kind!r}"]
    found = [f"unknown field {key!r} of {kind}" for key in item.keys() - FIELDS[kind]]
    if kind == "message":
        if item.get("role") not in {"user", "assistant", "system", "developer"}:
            found.append(f"unknown role {item.get('role')!r}")
        found += _about_content(item.get("content"), str(item.get("role")))
    if kind == "function_call":
        if not NAME.fullmatch(item["name"]) or not isinstance(item["arguments"], str):
            found.append(f"bad call {item}")
        if not 0 < len(item["call_id"]) <= 64:
            found.append("call_id must have 1 to 64 characters")
    if kind == "function_call_output":
        found += _about_content(item.get("output"), "tool")
    return found


def _about_content(content: object, role: str) -> list[str]:
    if isinstance(content, str):
        return []
    if not isinstance(content, list) or not content:
        return [f"content of {role} is missing or empty"]
    found = []
    for part in content:
        kind = part.get("type")
        if role == "assistant":
            if kind not in {"output_text", "refusal"}:
                found.append(f"the assistant has a part {kind!r}")
        elif kind not in INPUT_PARTS:
            found.append(f"{role} has a part {kind!r}")
        elif (field := INPUT_PARTS[kind]) and not isinstance(part.get(field), str):
            found.append(f"{kind} needs {field}")
    return found


def _about_calls(items: list[dict[str, Any]]) -> list[str]:
    """Each call has one output after it, and each output a call before it."""
    found = []
    called: list[str] = []
    answered: list[str] = []
    for item in items:
        if item.get("type") == "function_call":
            if item["call_id"] in called:
                found.append(f"two calls {item['call_id']!r}")
            called.append(item["call_id"])
        if item.get("type") == "function_call_output":
            if item["call_id"] not in called or item["call_id"] in answered:
                found.append(f"no tool call found for output {item['call_id']!r}")
            answered.append(item["call_id"])
    missing = [one for one in called if one not in answered]
    return found + [f"no tool output found for call {one!r}" for one in missing]


def _about_reasoning(items: list[dict[str, Any]]) -> list[str]:
    """Reasoning is followed by what the assistant did, and is sent back whole."""
    found = []
    for item, after in pairwise([*items, {}]):
        if item.get("type") != "reasoning":
            continue
        made = after.get("type") in {"function_call", "reasoning"}
        if not made and after.get("role") != "assistant":
            found.append("reasoning without the item that must follow it")
        if not isinstance(item.get("summary"), list) or not item.get("id"):
            found.append("reasoning needs an id and a summary")
    return found
