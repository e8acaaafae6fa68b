"""What a valid conversation is (law 3), as a check and as a repair.

`problems` lists every breach of:

1. Every message has a known role, or is opaque to all but one provider.
2. An assistant message with tool calls is followed at once by one tool message for each of them, in
   any
   order, and by no other; no tool message stands anywhere else.
3. Tool call ids are unique in the conversation, their arguments are JSON objects.
4. No message is empty: it has text, parts or tool calls.
5. Everything can be sent: JSON without NaN, text that UTF-8 can carry.

The aggregators keep these by construction. An edit by the application may not (cutting off the
oldest ten messages easily separates a call from its result): `repaired` mends such a list and says
what it did.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from antiphon.context.messages import IN_PROGRESS, ROLES, LLMSpecificMessage, Message, tool_message

PART_TYPES = ("text", "image_url", "input_audio", "refusal", "file")


def problems(messages: Sequence[Message]) -> list[str]:
    """Every breach of the rules above, one sentence each; empty when the conversation is valid."""
    found = _order_problems(messages)
    for index, given in enumerate(messages):
        message = _transparent(given)
        if message is not None:
            found += [f"message {index} {problem}" for problem in _content_problems(message)]
    return found


def _order_problems(messages: Sequence[Message]) -> list[str]:
    """Breaches of the rules about roles, calls and results."""
    found: list[str] = []
    seen: set[str] = set()
    due: set[str] = set()
    for index, given in enumerate(messages):
        where = f"message {index}"
        message = _transparent(given)
        if message is None:
            if due:
                found.append(f"{where} stands between calls and their results {sorted(due)}.")
            continue
        role = message.get("role")
        if role not in ROLES:
            found.append(f"{where} has the role {role!r}.")
        if role == "tool":
            answered = message.get("tool_call_id")
            if answered not in due:
                found.append(f"{where} answers {answered!r}, which no call before it asked.")
            due.discard(str(answered))
            continue
        if due:
            found.append(f"{where} comes before the results of {sorted(due)}.")
        due = set()
        for call in message.get("tool_calls") or ():
            found += [f"{where} {problem}" for problem in _call_problems(call, seen)]
            due.add(str(call.get("id")))
    if due:
        found.append(f"The conversation ends without the results of {sorted(due)}.")
    return found


def _content_problems(message: dict[str, Any]) -> list[str]:
    found = []
    content = message.get("content")
    if not content and not message.get("tool_calls") and message.get("role") != "tool":
        found.append("is empty.")
    if message.get("role") == "tool" and not isinstance(content, str | list):
        found.append("is a tool message without content.")
    if isinstance(content, list):
        found += [
            f"has a part of type {part.get('type') if isinstance(part, dict) else part!r}."
            for part in content
            if not isinstance(part, dict) or part.get("type") not in PART_TYPES
        ]
    try:
        json.dumps(message, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        found.append(f"cannot be sent: {error}")
    return found


def _call_problems(call: dict[str, Any], seen: set[str]) -> list[str]:
    found = []
    call_id = str(call.get("id"))
    if call_id in seen:
        found.append(f"repeats the call id {call_id!r}.")
    seen.add(call_id)
    function = call.get("function", {})
    try:
        if not isinstance(json.loads(function.get("arguments", "")), dict):
            found.append(f"calls {function.get('name')!r} with arguments that are no JSON object.")
    except ValueError:
        found.append(f"calls {function.get('name')!r} with arguments that are not JSON.")
    return found


def _transparent(message: Message) -> dict[str, Any] | None:
    """The message, unless it is for one provider only (in a request such a one is a dict)."""
    if isinstance(message, LLMSpecificMessage) or message.get("role") == "provider_specific":
        return None
    return message


class Repair(msgspec.Struct, frozen=True):
    """A valid list, and what had to be done to make it so, one sentence each."""

    messages: tuple[Message, ...]
    done: tuple[str, ...]


def repaired(messages: Sequence[Message]) -> Repair:
    """Mends calls and results that were separated, and drops empty messages.

    Messages that need no change are the same objects in the result.
    """
    answers = {
        str(message.get("tool_call_id")): message
        for message in messages
        if not isinstance(message, LLMSpecificMessage) and message.get("role") == "tool"
    }
    done: list[str] = []
    kept: list[Message] = []
    called: set[str] = set()
    for message in messages:
        if isinstance(message, LLMSpecificMessage):
            kept.append(message)
            continue
        if message.get("role") == "tool":
            continue
        calls = message.get("tool_calls") or ()
        fresh = [call for call in calls if str(call.get("id")) not in called]
        if len(fresh) < len(calls):
            done.append("dropped a repeated call")
            message = {**message, "tool_calls": fresh}  # noqa: PLW2901 - the mended one
        if not fresh and not message.get("content"):
            done.append(f"dropped an empty {message.get('role')} message")
            continue
        kept.append(message)
        for call in fresh:
            call_id = str(call.get("id"))
            called.add(call_id)
            if call_id not in answers:
                done.append(f"added a result for the unanswered call {call_id!r}")
            kept.append(answers.get(call_id) or tool_message(call_id, IN_PROGRESS))
    done += [f"dropped the result of the missing call {i!r}" for i in answers if i not in called]
    if not done and not _order_problems(messages):
        return Repair(tuple(messages), ())
    done = done or ["moved results next to their calls"]
    return Repair(tuple(kept), tuple(done))
