"""Reading messages in OpenAI chat shape, for those who do not hand them to OpenAI.

Everything here is a pure function over the plain dicts of `LLMRequest.messages`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

ASYNC_TOOL = "async_tool"
"""The `type` of a message about an asynchronous tool call."""

PROVIDER_SPECIFIC = "provider_specific"
"""The role of a message that only this provider understands; it is under the key `message`."""

Message = Mapping[str, Any]


class AsyncToolNews(msgspec.Struct, frozen=True):
    """What a message says about an asynchronous call. `result` is None unless there is one."""

    tool_call_id: str
    status: str
    result: Any = None


class CallMade(msgspec.Struct, frozen=True):
    """A call that the assistant made. `arguments` is what its JSON says, or empty."""

    id: str
    name: str
    arguments: dict[str, Any]


def text_of(content: object) -> str:
    """The text of a message's content: a string, None, or a list of parts (others are skipped)."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [part.get("text", "") for part in content if isinstance(part, dict)]
    return " ".join(part for part in parts if isinstance(part, str) and part)


def json_or_text(text: str) -> Any:
    """What the text means as JSON, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def async_news(message: Message) -> AsyncToolNews | None:
    """What a developer (or tool) message says about an asynchronous call, if it is about one."""
    text = text_of(message.get("content"))
    if ASYNC_TOOL not in text:
        return None
    data = json_or_text(text)
    if not isinstance(data, dict) or data.get("type") != ASYNC_TOOL:
        return None
    identity, status = data.get("tool_call_id"), data.get("status")
    return AsyncToolNews(str(identity or ""), str(status or ""), data.get("result"))


def calls_of(message: Message) -> list[CallMade]:
    """The calls of an assistant message, none for any other."""
    made = []
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        arguments = function.get("arguments") or "{}"
        if isinstance(arguments, str):
            arguments = json_or_text(arguments)
        if not isinstance(arguments, dict):
            arguments = {}
        made.append(CallMade(str(call.get("id", "")), str(function.get("name", "")), arguments))
    return made


def calls_by_id(messages: Iterable[Message]) -> dict[str, CallMade]:
    """All calls of a conversation."""
    return {call.id: call for message in messages for call in calls_of(message)}
