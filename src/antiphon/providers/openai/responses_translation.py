"""From OpenAI's chat shape to its Responses API. Pure, over plain values.

The rules of the Responses API, and how each is met:

- the input is a list of items, and not empty    messages, calls and their results are items
- every call has one output, and it comes after  `arranged` puts it there
- content is typed by who says it                the assistant's is plain text, others' `input_...`
- sound has no place in messages                 a note in brackets
- a call's id has at most 64 characters          longer ones are replaced by one made from them
- tools have names and schemas of a kind         `vendor_tools` rewrites them
- a reasoning item is followed by what it led    it is sent back only there, by `id` and encrypted
  to                                             content, as nothing is stored at OpenAI's
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.providers.arrangement import (
    BEGINS,
    arranged,
    left_out,
    parts_of,
    short_id,
)
from antiphon.providers.chat import PROVIDER_SPECIFIC, Message
from antiphon.providers.vendor_tools import OPENAI, tools_for, vendor_choice, vendor_name
from antiphon.services.contracts import LLMRequest

Item = dict[str, Any]

ENCRYPTED = "reasoning.encrypted_content"
_CALL_ID_LIMIT = 64


def as_body(request: LLMRequest, *, model: str, keep_reasoning: bool = False) -> dict[str, Any]:
    """The arguments of `responses.create`; `extra` goes to its body as is.

    In `extra`, `custom_tools` are tools in the API's own shape, such as its web search.
    """
    body: dict[str, Any] = {
        "model": model,
        "input": as_input(request.messages),
        "stream": True,
        "store": False,
    }
    if keep_reasoning:
        body["include"] = [ENCRYPTED]
    if request.system_instruction:
        body["instructions"] = request.system_instruction
    extra = dict(request.extra)
    functions = tools_for(request.tools, OPENAI)
    tools = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": False,
        }
        for tool in functions
    ] + list(extra.pop("custom_tools", ()))
    if tools:
        body["tools"] = tools
        choice = request.tool_choice
        choice = _choice(vendor_choice(choice, functions, OPENAI) if functions else choice)
        if choice is not None:
            body["tool_choice"] = choice
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body["max_output_tokens"] = request.max_tokens
    if extra:
        body["extra_body"] = extra
    return body


def _choice(choice: Any) -> Any:
    """Chat completions put the name one level deeper."""
    if isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
        return {"type": "function", "name": choice["function"].get("name")}
    return choice


def as_input(messages: Sequence[Message]) -> list[Item]:
    """The conversation as items."""
    items: list[Item] = []
    reasoning: list[Item] = []
    for message in arranged(messages, pictures_in_results=True):
        if message["role"] == PROVIDER_SPECIFIC:
            inner = message.get("message")
            if isinstance(inner, Mapping) and inner.get("type") == "thought":
                reasoning = _reasoning(inner)
            elif isinstance(inner, Mapping):
                items.append(dict(inner))
            continue
        if message["role"] == "assistant":
            items += reasoning
        reasoning = []
        items += _items(message)
    return items or [{"type": "message", "role": "user", "content": BEGINS}]


def _items(message: Message) -> list[Item]:
    role, content = message["role"], message.get("content")
    if role == "tool":
        call_id = short_id(message["tool_call_id"], limit=_CALL_ID_LIMIT)
        return [{"type": "function_call_output", "call_id": call_id, "output": _content(content)}]
    said: list[Item] = []
    if content:
        said.append({"type": "message", "role": role, "content": _content(content)})
    return said + [
        {
            "type": "function_call",
            "call_id": short_id(str(call["id"]), limit=_CALL_ID_LIMIT),
            "name": vendor_name(call["function"]["name"], OPENAI),
            "arguments": call["function"]["arguments"],
        }
        for call in message.get("tool_calls") or ()
    ]


def _reasoning(thought: Mapping[str, Any]) -> list[Item]:
    signature = thought.get("signature")
    if not isinstance(signature, Mapping) or not signature.get("encrypted_content"):
        return []
    text = thought.get("text")
    summary = [{"type": "summary_text", "text": text}] if text else []
    return [{"type": "reasoning", "summary": summary, **signature}]


def _content(content: object) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    return [_part(part) for part in parts_of(content)]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    match part["type"]:
        case "image_url":
            image = part["image_url"]
            detail = image.get("detail", "auto")
            return {"type": "input_image", "image_url": image["url"], "detail": detail}
        case "file":
            return {"type": "input_file", **part["file"]}
        case "text":
            return {"type": "input_text", "text": part["text"]}
    return {"type": "input_text", "text": left_out(part)["text"]}
