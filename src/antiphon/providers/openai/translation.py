"""Between our request and events and OpenAI's chat completions. Pure, over plain values.

Its rules, and how each is met:

- there is a message                             a note in brackets where nothing was said yet
- every call has one result, right behind it     `arranged` puts it there
- only the user's messages have pictures and     `arranged` puts them there, also those of results
  sound
- the assistant says or calls something          empty messages are left out
- a call's id has at most 40 characters          longer ones are replaced by one made from them
- tools have names and schemas of a kind         `vendor_tools` rewrites them
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from antiphon.providers.arrangement import BEGINS, arranged, short_id
from antiphon.providers.chat import PROVIDER_SPECIFIC
from antiphon.providers.openai.vendors import Vendor
from antiphon.providers.vendor_tools import OPENAI, tools_for, vendor_choice, vendor_name
from antiphon.services.contracts import LLMRequest, ToolCall

_ID_LIMIT = 40


def as_body(request: LLMRequest, *, model: str, vendor: Vendor) -> dict[str, Any]:
    """The arguments of `chat.completions.create`; `extra` goes to its body as is.

    In `extra`, `custom_tools` are tools in OpenAI's own shape, such as those it runs itself.
    """
    messages: list[dict[str, Any]] = []
    if request.system_instruction:
        messages.append({"role": "system", "content": request.system_instruction})
    for message in arranged(request.messages):
        plain = _plain(message)
        if plain is None:
            continue
        if plain.get("role") == "developer" and not vendor.developer_role:
            plain["role"] = "user"
        messages.append(plain)
    if not messages:
        messages.append({"role": "user", "content": BEGINS})
    body: dict[str, Any] = {"model": model, "messages": messages, "stream": True}
    if vendor.stream_usage:
        body["stream_options"] = {"include_usage": True}
    extra = dict(request.extra)
    custom = extra.pop("custom_tools", [])
    tools = tools_for(request.tools, OPENAI)
    if tools or custom:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in tools
        ] + list(custom)
        choice = vendor_choice(request.tool_choice, tools, OPENAI) if tools else request.tool_choice
        if choice is not None:
            body["tool_choice"] = choice
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body[vendor.limit_name] = request.max_tokens
    if extra:
        body["extra_body"] = extra
    return body


def _plain(message: dict[str, Any]) -> dict[str, Any] | None:
    """The message as it is sent. A thought has no place in this format."""
    if message["role"] == "tool":
        return message | {"tool_call_id": short_id(message["tool_call_id"], limit=_ID_LIMIT)}
    if message.get("tool_calls"):
        calls = message["tool_calls"]
        return message | {"tool_calls": [_call(call) for call in calls]}
    if message["role"] != PROVIDER_SPECIFIC:
        return message
    inner = message.get("message")
    return dict(inner) if isinstance(inner, dict) and "role" in inner else None


def _call(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"] | {"name": vendor_name(call["function"]["name"], OPENAI)}
    return call | {"id": short_id(call["id"], limit=_ID_LIMIT), "function": function}


class _Call:
    """One call in the making."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.id = self.name = self.arguments = ""


class CallAssembler:
    """Puts calls together from their fragments.

    Fragments of one call share an index; its id and name come with the first. Some vendors give
    every parallel call the index 0, or none at all: another id at the same index is another call.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def add(
        self, index: int | None, identity: str | None, name: str | None, arguments: str | None
    ) -> None:
        """Takes one fragment."""
        at = index if index is not None else 0
        call = next((call for call in reversed(self._calls) if call.index == at), None)
        if call is None or (identity and call.id and identity != call.id):
            call = _Call(at)
            self._calls.append(call)
        call.id = call.id or identity or ""
        call.name += name or "" if name != call.name else ""
        call.arguments += arguments or ""

    def take(self) -> list[ToolCall]:
        """The calls so far, in order; nothing is left. A call without a name is no call."""
        calls, self._calls = self._calls, []
        return [
            ToolCall(call.id or f"call_{uuid4().hex[:24]}", call.name, call.arguments or "{}")
            for call in calls
            if call.name
        ]
