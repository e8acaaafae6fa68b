"""From OpenAI's chat shape to Anthropic's messages. Pure, over plain values.

Anthropic's rules, and how each is met:

- the system text is a field of its own        leading system messages join `system_instruction`
- roles are user and assistant, in turns       other roles become the user's; neighbours are merged
- the user begins, and has the last word       a note in brackets where that is not so
- the results of an assistant's calls are the  they are moved there, whatever came in between; a
  first thing in the next user message         call without a result gets a note in its place
- blocks are not empty                         empty ones are left out
- ids and names are of [A-Za-z0-9_-]           other characters become _
- reasoning comes back before what it led to   it is kept until then, or left out
- calls in the messages need tools             made up from the calls if none is advertised
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from antiphon.providers.chat import PROVIDER_SPECIFIC, Message, calls_of, text_of
from antiphon.services.contracts import LLMRequest

MAX_TOKENS = 1_024
"""The longest answer unless the request says otherwise; Anthropic demands a number."""

BEGINS = "[The conversation begins.]"
GOES_ON = "[Please go on.]"
NO_RESULT = "There is no result."

_NOT_ANTHROPIC_S = ("custom_tools", "frequency_penalty", "presence_penalty", "seed")

Block = dict[str, Any]

_ID = re.compile(r"[^a-zA-Z0-9_-]")
_DATA = re.compile(r"data:(?P<type>[^;,]+);base64,(?P<data>.*)", re.DOTALL)


def as_body(request: LLMRequest, *, model: str) -> dict[str, Any]:
    """The arguments of `messages.create`; `extra` goes to its body as is.

    In `extra`, `custom_tools` are tools in Anthropic's own shape, such as those it runs itself;
    OpenAI's penalties and seed have no counterpart and are left out.
    """
    leading = _leading_system(request.messages)
    system = [request.system_instruction or ""]
    system += [text_of(message.get("content")) for message in leading]
    messages = as_messages(request.messages[len(leading) :])
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens or MAX_TOKENS,
        "messages": messages,
        "stream": True,
    }
    text = "\n\n".join(part for part in system if part.strip())
    if text:
        body["system"] = text
    body |= _tools(request, messages)
    if request.temperature is not None:
        body["temperature"] = min(1.0, max(0.0, request.temperature))
    extra = {key: v for key, v in request.extra.items() if key not in _NOT_ANTHROPIC_S}
    if extra:
        body["extra_body"] = extra
    return body


def _leading_system(messages: Sequence[Message]) -> Sequence[Message]:
    count = 0
    while count < len(messages) and messages[count].get("role") == "system":
        count += 1
    return messages[:count]


def _tools(request: LLMRequest, messages: list[dict[str, Any]]) -> dict[str, Any]:
    tools = [
        {
            "name": tool.name,
            "description": tool.description,
            "input_schema": {"type": "object", **tool.parameters},
        }
        for tool in request.tools
    ] + list(request.extra.get("custom_tools", ()))
    if tools:
        choice = _choice(request.tool_choice)
        return {"tools": tools} | ({"tool_choice": choice} if choice else {})
    called = {
        block["name"]: None
        for message in messages
        for block in message["content"]
        if block["type"] == "tool_use"
    }
    if not called:
        return {}
    schema = {"type": "object"}
    stubs = [{"name": n, "description": "", "input_schema": schema} for n in called]
    return {"tools": stubs, "tool_choice": {"type": "none"}}


def _choice(choice: Any) -> dict[str, Any] | None:
    if isinstance(choice, dict):
        if choice.get("type") in ("auto", "any", "none", "tool"):
            return choice
        name = (choice.get("function") or {}).get("name")
        return {"type": "tool", "name": name} if name else None
    kind = {"auto": "auto", "none": "none", "required": "any"}.get(str(choice))
    return {"type": kind} if kind else None


def as_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The conversation under Anthropic's rules."""
    turns = _Turns(messages)
    for message in messages:
        turns.take(message)
    return turns.finished()


class _Turns:
    """Builds the turns: role and blocks, neighbours of one role merged as they come."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._results = {str(m.get("tool_call_id")): m for m in messages if m.get("role") == "tool"}
        self._calls = {call.id for message in messages for call in calls_of(message)}
        self._turns: list[tuple[str, list[Block]]] = [("user", [])]
        self._thoughts: list[Block] = []

    def take(self, message: Message) -> None:
        role = message.get("role")
        if role == "assistant":
            self._take_assistant(message)
        elif role == PROVIDER_SPECIFIC:
            self._take_native(message.get("message"))
        elif role != "tool":
            self._thoughts = []
            self._add("user", _blocks(message.get("content")))
        elif str(message.get("tool_call_id")) not in self._calls:  # its call was left out
            self._add("user", _blocks(message.get("content")))

    def finished(self) -> list[dict[str, Any]]:
        if not self._turns[0][1]:
            self._turns[0][1].append({"type": "text", "text": BEGINS})
        if self._turns[-1][0] == "assistant":
            self._turns.append(("user", [{"type": "text", "text": GOES_ON}]))
        return [{"role": role, "content": blocks} for role, blocks in self._turns]

    def _take_assistant(self, message: Message) -> None:
        made = calls_of(message)
        blocks = [*_assistant_text(message), *map(_use, made)]
        if blocks:
            self._add("assistant", [*self._thoughts, *blocks])
            self._thoughts = []
        self._add("user", [_result(call.id, self._results.get(call.id)) for call in made])

    def _take_native(self, inner: Any) -> None:
        native = inner if isinstance(inner, dict) else {}
        if native.get("type") == "thought":
            self._thoughts = [_thought(native)]
        elif native.get("role") in ("user", "assistant"):
            self._add(native["role"], _native_blocks(native.get("content")))

    def _add(self, role: str, blocks: list[Block]) -> None:
        if not blocks:
            return
        if self._turns[-1][0] != role:
            self._turns.append((role, []))
        self._turns[-1][1].extend(blocks)


def _thought(native: dict[str, Any]) -> Block:
    text, signature = native.get("text", ""), native.get("signature")
    return {"type": "thinking", "thinking": text, "signature": signature}


def _native_blocks(content: Any) -> list[Block]:
    """What somebody wrote for Anthropic, as it is."""
    if isinstance(content, str):
        return _blocks(content)
    return list(content) if isinstance(content, list) else []


def _assistant_text(message: Message) -> list[Block]:
    text = text_of(message.get("content")).rstrip()
    return [{"type": "text", "text": text}] if text.strip() else []


def _use(call: Any) -> Block:
    return {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": call.arguments}


def _result(identity: str, message: Message | None) -> Block:
    content: Any = _blocks(message.get("content")) if message else []
    if not content:
        content = [{"type": "text", "text": NO_RESULT}]
    return {"type": "tool_result", "tool_use_id": _id(identity), "content": content}


def _id(identity: str) -> str:
    return _ID.sub("_", identity) or "_"


def _blocks(content: object) -> list[Block]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content.strip() else []
    if not isinstance(content, list):
        return []
    blocks = (_block(part) for part in content if isinstance(part, dict))
    return [block for block in blocks if block]


def _block(part: dict[str, Any]) -> Block | None:
    if part.get("type") == "text":
        text = part.get("text") or ""
        return {"type": "text", "text": text} if text.strip() else None
    if part.get("type") == "image_url":
        url = (part.get("image_url") or {}).get("url", "")
        data = _DATA.fullmatch(url)
        source = (
            {"type": "base64", "media_type": data["type"], "data": data["data"]}
            if data
            else {"type": "url", "url": url}
        )
        return {"type": "image", "source": source}
    return {"type": "text", "text": f"[{part.get('type', 'something')} left out]"}
