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

import itertools
import json
import operator
from collections import deque
from collections.abc import Container, Iterator, Sequence
from typing import Any

import msgspec

from antiphon.context.messages import IN_PROGRESS, ROLES, LLMSpecificMessage, Message

_encoded = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
PART_TYPES = ("text", "image_url", "input_audio", "refusal", "file")


def problems(messages: Sequence[Message]) -> list[str]:
    """Every breach of the rules above, one sentence each; empty when the conversation is valid."""
    found = _order_problems(messages)
    for index, given in enumerate(messages):
        message = _transparent(given)
        if message is not None and (wrong := _content_problems(message)):
            found += [f"message {index} {problem}" for problem in wrong]
    return found


def _order_problems(messages: Sequence[Message]) -> list[str]:
    """Breaches of the rules about roles, calls and results."""
    found: list[str] = []
    seen: set[str] = set()
    due: set[str] = set()
    for index, given in enumerate(messages):
        message = _transparent(given)
        if message is None:
            if due:
                found.append(f"message {index} stands between calls and results {sorted(due)}.")
            continue
        role = message.get("role")
        if role == "tool":
            answered = message.get("tool_call_id")
            if answered not in due:
                found.append(
                    f"message {index} answers {answered!r}, which no call before it asked."
                )
            due.discard(str(answered))
            continue
        if role not in ROLES:
            found.append(f"message {index} has the role {role!r}.")
        if due:
            found.append(f"message {index} comes before the results of {sorted(due)}.")
            due = set()
        for call in message.get("tool_calls") or ():
            found += [f"message {index} {problem}" for problem in _call_problems(call, seen)]
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
        for value in message.values():
            if type(value) is str:
                value.encode()
            elif value is not None:
                _encoded(value).encode()
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
        if not isinstance(msgspec.json.decode(function.get("arguments", "")), dict):
            found.append(f"calls {function.get('name')!r} with arguments that are no JSON object.")
    except (msgspec.DecodeError, ValueError):
        found.append(f"calls {function.get('name')!r} with arguments that are not JSON.")
    return found


def _transparent(message: Message) -> dict[str, Any] | None:
    """The message, unless it is for one provider only (in a request such a one is a dict)."""
    if isinstance(message, LLMSpecificMessage) or message.get("role") == "provider_specific":
        return None
    return message


class Repair(msgspec.Struct, frozen=True):
    """A valid list, and what had to be done to make it so, one sentence each.

    `results` are those of earlier calls, by the calls' ids: they take the place of what stands
    there.
    """

    messages: tuple[Message, ...]
    done: tuple[str, ...] = ()
    results: dict[str, Message] = msgspec.field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """More happened than that the messages were taken."""
        return bool(self.done or self.results)


def repaired(messages: Sequence[Message], earlier: Container[str] = frozenset()) -> Repair:
    """Mends calls and results that were separated, and drops empty messages.

    `earlier` are the ids of the calls that the conversation has had before these messages. An id
    that comes again with a result of its own is given another name. Messages that need no change
    are the same objects in the result.
    """
    if all(_is_plain(message) for message in messages):
        return Repair(tuple(messages))
    mending = _Mending(messages, earlier)
    mending.mend()
    if not mending.done and not _order_problems(messages):
        return Repair(tuple(messages))
    done = mending.done
    if not done and not mending.results:
        done = ["moved results next to their calls"]
    return Repair(tuple(mending.kept), tuple(done), mending.results)


def _is_plain(message: Message) -> bool:
    """It has something to say, and nothing to do with calls."""
    if isinstance(message, LLMSpecificMessage):
        return True
    return (
        bool(message.get("content")) and message["role"] != "tool" and "tool_calls" not in message
    )


class _Mending:
    """One pass over messages that have to do with calls."""

    def __init__(self, messages: Sequence[Message], earlier: Container[str]) -> None:
        self._messages = messages
        self._earlier = earlier
        self._called: set[str] = set()
        self._slots: dict[str, deque[dict[str, Any] | None]] = {}
        self.kept: list[Message] = []
        self.done: list[str] = []
        self.results: dict[str, Message] = {}
        self._pair()

    def _pair(self) -> None:
        """Gives every call its result: of several results of one id the last, of several calls of
        one id each its own.
        """
        early: list[dict[str, Any]] = []
        for given in self._messages:
            message = _transparent(given)
            if message is None:
                continue
            for call in message.get("tool_calls") or ():
                self._slots.setdefault(str(call.get("id")), deque()).append(None)
            if message.get("role") == "tool" and not self._fill(message):
                early.append(message)
        for message in early:
            call_id = str(message.get("tool_call_id"))
            if call_id in self._earlier:
                self.results[call_id] = message
            elif not self._fill(message):
                self.done.append(f"dropped the result of the missing call {call_id!r}")

    def _fill(self, result: dict[str, Any]) -> bool:
        slots = self._slots.get(str(result.get("tool_call_id")))
        if slots is None:
            return False
        slots[slots.index(None) if None in slots else -1] = result
        return True

    def mend(self) -> None:
        for given in self._messages:
            message = _transparent(given)
            if message is None:
                self.kept.append(given)
            elif message.get("role") != "tool":
                self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        calls = message.get("tool_calls") or ()
        pairs = [pair for call in calls if (pair := self._fresh(call)) is not None]
        fresh = [call for call, _ in pairs]
        if not fresh and not message.get("content"):
            self.done.append(f"dropped an empty {message.get('role')} message")
            return
        if not all(map(operator.is_, fresh, calls)) or len(fresh) < len(calls):
            message = {key: value for key, value in message.items() if key != "tool_calls"}
            message |= {"tool_calls": fresh} if fresh else {}
        self.kept.append(message)
        self.kept += [result for _, result in pairs]

    def _fresh(self, call: dict[str, Any]) -> tuple[dict[str, Any], Message] | None:
        """The call under an id of its own, with its result; None if it is but a repetition."""
        call_id = str(call.get("id"))
        result = self._slots[call_id].popleft()
        if call_id in self._called or call_id in self._earlier:
            if result is None:
                self.done.append(f"dropped a repetition of the call {call_id!r}")
                return None
            fresh_id = next(i for i in _numbered(call_id) if self._is_free(i))
            self.done.append(f"renamed the second call {call_id!r} to {fresh_id!r}")
            call, result = {**call, "id": fresh_id}, {**result, "tool_call_id": fresh_id}
            call_id = fresh_id
        elif result is None:
            self.done.append(f"added a result for the unanswered call {call_id!r}")
            result = {"role": "tool", "tool_call_id": call_id, "content": IN_PROGRESS}
        self._called.add(call_id)
        return call, result

    def _is_free(self, call_id: str) -> bool:
        return not (call_id in self._called or call_id in self._earlier or call_id in self._slots)


def _numbered(call_id: str) -> Iterator[str]:
    return (f"{call_id}_{n}" for n in itertools.count(2))
