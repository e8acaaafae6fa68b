"""A conversation in the order and shape that every vendor takes. Pure.

`arranged` makes of any messages in OpenAI's chat shape a list in which

- a call's result stands right behind the message that asked for it, whatever came in between; calls
  of one message have their results in their order, and a call without one gets a note in its place
- a result whose call is not there is a developer message with what it says
- no call is repeated
- pictures and sound stand in the user's messages: those of others follow as the user's (a result's
  stay with it where the vendor takes them there)
- no message is empty

What somebody wrote for one provider (`provider_specific`) stays where it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from antiphon.providers.chat import PROVIDER_SPECIFIC, Message

BEGINS = "[The conversation begins.]"
GOES_ON = "[Please go on.]"
NO_RESULT = "There is no result."
FOLLOWS = "[It follows.]"

_DATA = re.compile(r"data:(?P<type>[^;,]+);base64,(?P<data>.*)", re.DOTALL)

Part = dict[str, Any]


class DataURL(msgspec.Struct, frozen=True):
    """What a data URL carries; `data` is base64."""

    type: str
    data: str


def data_url(url: str) -> DataURL | None:
    """What the URL carries, None if it only says where something is."""
    found = _DATA.fullmatch(url)
    return DataURL(found["type"], found["data"]) if found else None


def short_id(identity: str, *, limit: int) -> str:
    """The id of a call if it is short enough for the vendor, else one made from it."""
    if 0 < len(identity) <= limit:
        return identity
    return f"call_{hashlib.sha256(identity.encode()).hexdigest()[: limit - 5]}"


def left_out(part: Part) -> Part:
    """The note that stands for a part a vendor cannot take."""
    return {"type": "text", "text": f"[{part.get('type', 'something')} left out]"}


def arranged(
    messages: Sequence[Message], *, pictures_in_results: bool = False
) -> list[dict[str, Any]]:
    """The messages as this module's text says. Those that are given are left alone."""
    return _Arranging(messages, pictures_in_results=pictures_in_results).done()


class _Arranging:
    """One pass over the messages."""

    def __init__(self, messages: Sequence[Message], *, pictures_in_results: bool) -> None:
        self._messages = messages
        self._pictures_in_results = pictures_in_results
        self._results = {str(m.get("tool_call_id")): m for m in messages if m.get("role") == "tool"}
        self._called: set[str] = set()
        self._out: list[dict[str, Any]] = []
        asked = [call for message in messages for call in message.get("tool_calls") or ()]
        self._asked = {str(call.get("id")) for call in asked}

    def done(self) -> list[dict[str, Any]]:
        for message in self._messages:
            role = str(message.get("role"))
            if role == PROVIDER_SPECIFIC:
                self._out.append(dict(message))
            elif role != "tool":
                self._take(role, message)
            elif str(message.get("tool_call_id")) not in self._asked:
                self._take("developer", message)
        return self._out

    def _take(self, role: str, message: Message) -> None:
        parts = parts_of(message.get("content"))
        moved: list[Part] = []
        if role != "user":
            moved = [part for part in parts if part["type"] != "text"]
            parts = [part for part in parts if part["type"] == "text"]
        calls = self._fresh_calls(message)
        taken: dict[str, Any] = {"role": role, "content": _simplest(parts)}
        if "name" in message:
            taken["name"] = message["name"]
        if calls:
            taken |= {"content": _simplest(parts) or None, "tool_calls": calls}
        if parts or calls:
            self._out.append(taken)
        for call in calls:
            moved += self._answer(str(call["id"]))
        if moved:
            self._out.append({"role": "user", "content": moved})

    def _fresh_calls(self, message: Message) -> list[dict[str, Any]]:
        fresh = []
        for call in message.get("tool_calls") or ():
            if str(call.get("id")) not in self._called:
                self._called.add(str(call.get("id")))
                fresh.append(dict(call))
        return fresh

    def _answer(self, identity: str) -> list[Part]:
        """Writes the result of a call; returns its parts that have to stand elsewhere."""
        result = self._results.get(identity)
        parts = parts_of(result.get("content")) if result is not None else []
        moved: list[Part] = []
        if not self._pictures_in_results:
            moved = [part for part in parts if part["type"] != "text"]
            parts = [part for part in parts if part["type"] == "text"]
        if not parts:
            parts = [{"type": "text", "text": FOLLOWS if moved else NO_RESULT}]
        self._out.append(
            {"role": "tool", "tool_call_id": identity, "content": _simplest(parts)},
        )
        return moved


def parts_of(content: object) -> list[Part]:
    """The parts of a content, a text being one; empty ones are left out, refusals are text."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list | tuple):
        return []
    found = []
    for part in content:
        if not isinstance(part, dict):
            continue
        if part.get("type") == "refusal":
            part = {"type": "text", "text": part.get("refusal")}  # noqa: PLW2901 - as text
        if part.get("type") != "text" or str(part.get("text") or "").strip():
            found.append({"type": "something", **part})
    return found


def _simplest(parts: list[Part]) -> str | list[Part]:
    """One text where it is no more than that: some servers take nothing else."""
    if any(part["type"] != "text" for part in parts):
        return parts
    return "\n".join(part["text"] for part in parts)
