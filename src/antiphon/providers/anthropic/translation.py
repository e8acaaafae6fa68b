"""From OpenAI's chat shape to Anthropic's messages. Pure, over plain values.

Anthropic's rules, and how each is met:

- the system text is a field of its own        leading system messages join `system_instruction`
- roles are user and assistant, in turns       other roles become the user's; neighbours are merged
- the user begins, and has the last word       a note in brackets where that is not so
- the results of an assistant's calls are the  `arranged` puts them there
  first thing in the next user message
- blocks are not empty                         empty ones are left out
- ids are of [A-Za-z0-9_-]                     others are replaced by one made from them
- pictures are of four kinds                   a note in brackets for others
- reasoning comes back before what it led to   it is kept until then, or left out
- calls in the messages need tools             made up from the calls if none is advertised
- tools have names and schemas of a kind       `vendor_tools` rewrites them
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from antiphon.providers.arrangement import (
    BEGINS,
    GOES_ON,
    arranged,
    data_url,
    left_out,
    parts_of,
    short_id,
)
from antiphon.providers.chat import PROVIDER_SPECIFIC, Message, calls_of, text_of
from antiphon.providers.vendor_tools import ANTHROPIC, tools_for, vendor_choice, vendor_name
from antiphon.services.contracts import LLMRequest

MAX_TOKENS = 1_024
"""The longest answer unless the request says otherwise; Anthropic demands a number."""

_NOT_ANTHROPIC_S = ("custom_tools", "frequency_penalty", "presence_penalty", "seed")

Block = dict[str, Any]

_PICTURES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
_ID: Final = r"[a-zA-Z0-9_-]+"
_ID_LIMIT: Final = 64


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
    functions = tools_for(request.tools, ANTHROPIC)
    tools = [
        {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
        for tool in functions
    ] + list(request.extra.get("custom_tools", ()))
    if tools:
        choice = request.tool_choice
        choice = _choice(vendor_choice(choice, functions, ANTHROPIC) if functions else choice)
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
    turns = _Turns()
    for message in arranged(messages, pictures_in_results=True):
        turns.take(message)
    return turns.finished()


class _Turns:
    """Builds the turns: role and blocks, neighbours of one role merged as they come."""

    def __init__(self) -> None:
        self._turns: list[tuple[str, list[Block]]] = [("user", [])]
        self._thoughts: list[Block] = []

    def take(self, message: Message) -> None:
        role = message["role"]
        if role == "assistant":
            text = text_of(message.get("content")).rstrip()
            said = [{"type": "text", "text": text}] if text else []
            self._add("assistant", [*self._thoughts, *said, *map(_use, calls_of(message))])
            self._thoughts = []
        elif role == PROVIDER_SPECIFIC:
            self._take_native(message.get("message"))
        elif role == "tool":
            identity = _id(message["tool_call_id"])
            content = _blocks(message.get("content"))
            block = {"type": "tool_result", "tool_use_id": identity, "content": content}
            self._add("user", [block])
        else:
            self._thoughts = []
            self._add("user", _blocks(message.get("content")))

    def finished(self) -> list[dict[str, Any]]:
        if not self._turns[0][1]:
            self._turns[0][1].append({"type": "text", "text": BEGINS})
        if self._turns[-1][0] == "assistant":
            self._turns.append(("user", [{"type": "text", "text": GOES_ON}]))
        return [{"role": role, "content": blocks} for role, blocks in self._turns]

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
    return list(content) if isinstance(content, list) else _blocks(content)


def _use(call: Any) -> Block:
    name = vendor_name(call.name, ANTHROPIC)
    return {"type": "tool_use", "id": _id(call.id), "name": name, "input": call.arguments}


def _id(identity: str) -> str:
    return short_id(identity, limit=_ID_LIMIT, pattern=_ID)


def _blocks(content: object) -> list[Block]:
    return [_block(part) for part in parts_of(content)]


def _block(part: dict[str, Any]) -> Block:
    if part["type"] == "text":
        return part
    if part["type"] == "image_url":
        url = part["image_url"]["url"]
        data = data_url(url)
        if data is None and url.startswith("http"):
            return {"type": "image", "source": {"type": "url", "url": url}}
        if data is not None and data.type in _PICTURES:
            source = {"type": "base64", "media_type": data.type, "data": data.data}
            return {"type": "image", "source": source}
    return left_out(part)
