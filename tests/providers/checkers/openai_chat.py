"""What OpenAI's published rules have against a request to chat completions."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.providers.checkers.schemas import about_schema

ROLES = {"system", "developer", "user", "assistant", "tool"}
PARTS = {
    "system": {"text"},
    "developer": {"text"},
    "user": {"text", "image_url", "input_audio", "file"},
    "assistant": {"text", "refusal"},
    "tool": {"text"},
}
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def complaints(body: dict[str, Any]) -> list[str]:
    """Every breach, one sentence each; nothing where the request is accepted."""
    messages = body.get("messages") or []
    found = [] if messages else ["messages must not be empty"]
    for message in messages:
        found += about_message(message)
    found += _about_calls(messages)
    for tool in body.get("tools", []):
        if tool["type"] == "function":
            found += about_function(tool["function"])
    if "tool_choice" in body and not body.get("tools"):
        found.append("tool_choice is only allowed with tools")
    try:
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        found.append(f"the body is not JSON: {error}")
    return found


def about_function(function: dict[str, Any]) -> list[str]:
    """Rules for a function that is advertised."""
    found = []
    if not NAME.fullmatch(function["name"]):
        found.append(f"bad function name {function['name']!r}")
    if len(function.get("description") or "") > 1_024:
        found.append("the description of a function has at most 1,024 characters")
    return found + about_schema(function["parameters"])


def about_message(message: dict[str, Any]) -> list[str]:
    """Rules for one message by itself."""
    role, content, calls = message.get("role"), message.get("content"), message.get("tool_calls")
    if role not in ROLES:
        return [f"unknown role {role!r}"]
    found = []
    if calls is not None and (role != "assistant" or not calls):
        found.append("tool_calls are the assistant's, and not empty")
    if content is None and not calls:
        found.append(f"a message of {role} has no content")
    if isinstance(content, list):
        if not content:
            found.append("content is an empty array")
        found += [
            f"a part of type {part.get('type')!r} in a message of {role}"
            for part in content
            if part.get("type") not in PARTS[str(role)]
        ]
        found += about_media(content)
    return found


def about_media(content: list[dict[str, Any]]) -> list[str]:
    """Rules for pictures and sound."""
    found = []
    for part in content:
        if part.get("type") == "image_url":
            url = part["image_url"]["url"]
            if not url.startswith(("https://", "http://", "data:image/")):
                found.append(f"bad picture {url[:30]!r}")
        if part.get("type") == "input_audio":
            audio = part["input_audio"]
            if audio.get("format") not in {"wav", "mp3"} or not audio.get("data"):
                found.append("sound has data, and a format that is wav or mp3")
    return found


def _about_calls(messages: list[dict[str, Any]]) -> list[str]:
    """An assistant message with calls is followed by one tool message for each of them."""
    found = []
    awaited: list[str] = []
    for message in messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in awaited:
                found.append("a tool message must follow the message with its call")
            else:
                awaited.remove(message["tool_call_id"])
            continue
        if awaited:
            found.append(f"no tool messages for {awaited}")
        awaited = []
        for call in message.get("tool_calls") or ():
            if not 0 < len(call["id"]) <= 40:
                found.append(f"the id {call['id']!r} must have 1 to 40 characters")
            if call.get("type") != "function" or not NAME.fullmatch(call["function"]["name"]):
                found.append(f"bad call {call}")
            if not isinstance(call["function"]["arguments"], str):
                found.append("arguments must be a string")
            if call["id"] in awaited:
                found.append(f"the id {call['id']!r} is there twice")
            awaited.append(call["id"])
    if awaited:
        found.append(f"no tool messages for {awaited}")
    return found
