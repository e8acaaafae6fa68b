"""A conversation in the order and shape that every vendor takes. Pure.

`arranged` makes of any messages in OpenAI's chat shape a list in which

- a call's result stands right behind the message that asked for it, whatever came in between; calls
  of one message have their results in their order, and a call without one gets a note in its place
- a result whose call is not there is a developer message with what it says
- every call has an id of its own: an id that comes again, with a result of its own, gets another;
  a call that is only repeated is left out
- calls are functions with arguments as text, whoever wrote them
- parts are `text`, `image_url`, `input_audio` or `file`, whatever their writer called them
- pictures and sound stand in the user's messages: those of others follow as the user's (a result's
  stay with it where the vendor takes them there)
- no message is empty

What was written for one provider (`provider_specific`) stays where it is.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from antiphon.providers.chat import PROVIDER_SPECIFIC, Message

BEGINS = "[The conversation begins.]"
GOES_ON = "[Please go on.]"
NO_RESULT = "There is no result."
FOLLOWS = "[It follows.]"

_DATA = re.compile(r"data:(?P<type>[^;,]+)(?:;[^;,]+)*;base64,(?P<data>.*)", re.DOTALL)
_MIME: Final = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}

Part = dict[str, Any]


class DataURL(msgspec.Struct, frozen=True):
    """What a data URL carries; `data` is base64."""

    type: str
    data: str


def data_url(url: str) -> DataURL | None:
    """What the URL carries, None if it only says where something is."""
    found = _DATA.fullmatch(url)
    if not found:
        return None
    kind = found["type"].strip().lower()
    return DataURL(_MIME.get(kind, kind), found["data"])


def short_id(identity: str, *, limit: int, pattern: str = r".+") -> str:
    """The id of a call if the vendor takes it, else one made from it: always the same one, and
    another for another id.
    """
    if len(identity) <= limit and re.fullmatch(pattern, identity, re.DOTALL):
        return identity
    return f"call_{hashlib.sha256(identity.encode()).hexdigest()[: min(limit, 64) - 5]}"


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
        self._results: dict[str, list[tuple[int, Message]]] = defaultdict(list)
        self._calls: dict[str, list[int]] = defaultdict(list)
        for at, message in enumerate(messages):
            if message.get("role") == "tool":
                self._results[str(message.get("tool_call_id"))].append((at, message))
            for call in message.get("tool_calls") or ():
                self._calls[str(call.get("id"))].append(at)
        self._answered: set[int] = set()
        self._ids: set[str] = set()
        self._out: list[dict[str, Any]] = []

    def done(self) -> list[dict[str, Any]]:
        for at, message in enumerate(self._messages):
            role = str(message.get("role"))
            if role == PROVIDER_SPECIFIC:
                self._out.append(dict(message))
            elif role != "tool":
                self._take(role, message, at)
            elif str(message.get("tool_call_id")) not in self._calls:
                self._take("developer", message, at)
        return self._out

    def _take(self, role: str, message: Message, at: int) -> None:
        parts = parts_of(message.get("content"))
        moved: list[Part] = []
        if role != "user":
            moved = [part for part in parts if part["type"] != "text"]
            parts = [part for part in parts if part["type"] == "text"]
        calls = self._fresh_calls(message, at)
        taken: dict[str, Any] = {"role": role, "content": _simplest(parts)}
        if "name" in message:
            taken["name"] = message["name"]
        if calls:
            made = [call for call, _ in calls]
            taken |= {"content": _simplest(parts) or None, "tool_calls": made}
        if parts or calls:
            self._out.append(taken)
        for call, result in calls:
            moved += self._answer(str(call["id"]), result)
        if moved:
            self._out.append({"role": "user", "content": moved})

    def _fresh_calls(
        self, message: Message, at: int
    ) -> list[tuple[dict[str, Any], Message | None]]:
        """The calls of a message under ids of their own, each with its result if there is one."""
        fresh = []
        for call in message.get("tool_calls") or ():
            identity = str(call.get("id"))
            result = self._result(identity, at)
            if identity in self._ids and result is None:
                continue
            own, number = identity, 2
            while own in self._ids:
                own, number = f"{identity}_{number}", number + 1
            self._ids.add(own)
            fresh.append((plain_call(call) | {"id": own}, result))
        return fresh

    def _result(self, identity: str, at: int) -> Message | None:
        """The result of the call made at `at`: the first before the id is used again, else any."""
        again = next((i for i in self._calls[identity] if i > at), len(self._messages))
        open_ = [(i, m) for i, m in self._results[identity] if i not in self._answered]
        found = next(((i, m) for i, m in open_ if at < i < again), None)
        if found is None and identity not in self._ids:
            found = next(iter(open_), None)
        if found is None:
            return None
        self._answered.add(found[0])
        return found[1]

    def _answer(self, identity: str, result: Message | None) -> list[Part]:
        """Writes the result of a call; returns its parts that have to stand elsewhere."""
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


def plain_call(call: Mapping[str, Any]) -> dict[str, Any]:
    """A call as a function with its arguments as text; a custom tool's input is an argument."""
    custom, function = call.get("custom"), call.get("function")
    if not isinstance(function, Mapping):
        custom = custom if isinstance(custom, Mapping) else {}
        function = {"name": custom.get("name"), "arguments": {"input": custom.get("input", "")}}
    arguments = function.get("arguments")
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments if arguments is not None else {}, ensure_ascii=False)
    named = {"name": str(function.get("name") or "unknown"), "arguments": arguments.strip() or "{}"}
    return {"id": str(call.get("id")), "type": "function", "function": named}


def parts_of(content: object) -> list[Part]:
    """The parts of a content, a text being one; empty ones are left out, refusals are text.

    What is no text, picture, sound or file becomes a note that it was left out.
    """
    if isinstance(content, str):
        content = [content]
    if not isinstance(content, list | tuple):
        return []
    found = []
    for part in content:
        if isinstance(part, str):
            part = {"type": "text", "text": part}  # noqa: PLW2901 - as a part
        if not isinstance(part, dict):
            continue
        read = _PARTS.get(str(part.get("type")), left_out)(part)
        if read["type"] != "text" or str(read["text"] or "").strip():
            found.append(read)
    return found


def _text(part: Part) -> Part:
    text = part.get("text")
    return {"type": "text", "text": text if isinstance(text, str) else ""}


def _refusal(part: Part) -> Part:
    return {"type": "text", "text": part.get("refusal") or ""}


def _picture(part: Part) -> Part:
    """A picture, under the names of OpenAI's two interfaces and of Anthropic."""
    named, source = part.get("image_url"), part.get("source")
    image = named if isinstance(named, Mapping) else {"url": named}
    if isinstance(source, Mapping):
        data = f"data:{source.get('media_type')};base64,{source.get('data')}"
        image = {"url": source.get("url") if source.get("type") == "url" else data}
    url = image.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://", "data:", "gs://")):
        return left_out(part)
    carried = data_url(url)
    if carried is not None:
        url = f"data:{carried.type};base64,{carried.data}"
    detail = image.get("detail") or part.get("detail")
    detailed = {"detail": detail} if detail in ("auto", "low", "high") else {}
    return {"type": "image_url", "image_url": {"url": url, **detailed}}


def _sound(part: Part) -> Part:
    sound = part.get("input_audio")
    if not isinstance(sound, Mapping) or not isinstance(sound.get("data"), str):
        return left_out(part)
    return {"type": "input_audio", "input_audio": {"format": "wav", **sound}}


def _file(part: Part) -> Part:
    inner = part.get("file")
    if not isinstance(inner, Mapping):
        inner = {key: part[key] for key in ("file_id", "filename", "file_data") if key in part}
    return {"type": "file", "file": dict(inner)} if inner else left_out(part)


_PARTS: Final[Mapping[str, Callable[[Part], Part]]] = {
    "text": _text,
    "input_text": _text,
    "output_text": _text,
    "refusal": _refusal,
    "image_url": _picture,
    "input_image": _picture,
    "image": _picture,
    "input_audio": _sound,
    "file": _file,
    "input_file": _file,
}


def _simplest(parts: list[Part]) -> str | list[Part]:
    """One text where it is no more than that: some servers take nothing else."""
    if any(part["type"] != "text" for part in parts):
        return parts
    return "\n".join(part["text"] for part in parts)
