"""What Anthropic's published rules have against a request to its messages."""

from __future__ import annotations

import itertools
import re
from typing import Any

from tests.providers.checkers.schemas import about_schema

NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
KEY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
PICTURES = {"image/jpeg", "image/png", "image/gif", "image/webp"}


def complaints(body: dict[str, Any]) -> list[str]:
    """What Anthropic's published rules have against a request; nothing where it is accepted."""
    found = [f"{key} is missing" for key in ("model", "max_tokens", "messages") if key not in body]
    messages = body.get("messages", [])
    if not messages or messages[0]["role"] != "user":
        found.append("the first message must be the user's")
    if messages and messages[-1]["role"] != "user":
        found.append("the last message must be the user's")
    for before, after in itertools.pairwise(messages):
        if before["role"] == after["role"]:
            found.append("roles must alternate")
    if any(m["role"] not in ("user", "assistant") for m in messages):
        found.append("roles are user and assistant")
    found += _about_blocks(messages)
    found += _about_calls(messages)
    uses = any(b["type"] == "tool_use" for m in messages for b in m["content"])
    if uses and not body.get("tools"):
        found.append("tools must be defined where tool_use blocks are")
    for tool in body.get("tools", []):
        if not NAME.fullmatch(tool["name"]):
            found.append(f"bad tool name {tool['name']!r}")
        if "input_schema" in tool:
            found += about_schema(tool["input_schema"])
            properties = tool["input_schema"].get("properties", {})
            found += [f"bad property {name!r}" for name in properties if not KEY.fullmatch(name)]
    return found


def _about_blocks(messages: list[dict[str, Any]]) -> list[str]:
    found = []
    for message in messages:
        if not message["content"]:
            found.append("content must not be empty")
        for part in message["content"]:
            if part["type"] == "text" and not part["text"].strip():
                found.append("text blocks must not be empty")
            if part["type"] == "tool_use" and not isinstance(part["input"], dict):
                found.append("input must be an object")
            if part["type"] == "tool_use" and not NAME.fullmatch(part["name"]):
                found.append(f"bad tool name {part['name']!r}")
            if part["type"] == "image":
                found += _about_picture(message["role"], part["source"])
            if part["type"] == "tool_result":
                if not part["content"]:
                    found.append("a result must not be empty")
                found += [
                    f"a result has a block {inner['type']!r}"
                    for inner in part["content"]
                    if inner["type"] not in {"text", "image", "document"}
                ]
            identity = part.get("id") or part.get("tool_use_id") or "x"
            if not re.fullmatch(r"[a-zA-Z0-9_-]+", identity):
                found.append(f"bad id {identity!r}")
    return found


def _about_picture(role: str, source: dict[str, Any]) -> list[str]:
    if role != "user":
        return ["pictures are the user's"]
    if source["type"] == "base64" and source["media_type"] not in PICTURES:
        return [f"a picture of type {source['media_type']!r}"]
    return []


def _about_calls(messages: list[dict[str, Any]]) -> list[str]:
    """Each tool_use has its tool_result at the beginning of the next message, and only there."""
    found = []
    awaited: list[str] = []
    called: list[str] = []
    for message in messages:
        kinds = [part["type"] for part in message["content"]]
        results = [p["tool_use_id"] for p in message["content"] if p["type"] == "tool_result"]
        if sorted(results) != sorted(awaited):
            found.append(f"results {results} for calls {awaited}")
        if "tool_result" in kinds[len(results) :]:
            found.append("tool_result blocks must come first")
        called += awaited
        awaited = [p["id"] for p in message["content"] if p["type"] == "tool_use"]
    if len(set(called)) < len(called):
        found.append("ids of calls must be unique")
    if awaited:
        found.append(f"no results for calls {awaited}")
    return found
