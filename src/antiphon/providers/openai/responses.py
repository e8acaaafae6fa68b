"""From OpenAI's chat shape to its Responses API. Pure, over plain values.

The rules of the Responses API, and how each is met:

- the input is a list of items                   a message, its calls and their results are items
- every call has one output, and it comes after  a call without a result gets a note in its place
- what the assistant said is `output_text`,      by role
  what others said `input_text`
- no item is empty                               empty messages are left out
- the input is not empty                         a note in brackets where nothing was said yet
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.providers.chat import PROVIDER_SPECIFIC, Message, text_of
from antiphon.services.contracts import LLMRequest

BEGINS = "[The conversation begins.]"
NO_RESULT = "There is no result."

Item = dict[str, Any]


def as_body(request: LLMRequest, *, model: str) -> dict[str, Any]:
    """The arguments of `responses.create`; `extra` goes to its body as is.

    In `extra`, `custom_tools` are tools in OpenAI's own shape, such as its web search.
    """
    body: dict[str, Any] = {
        "model": model,
        "input": as_input(request.messages),
        "stream": True,
        "store": False,
    }
    if request.system_instruction:
        body["instructions"] = request.system_instruction
    extra = dict(request.extra)
    tools = [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": tool.parameters,
            "strict": False,
        }
        for tool in request.tools
    ] + list(extra.pop("custom_tools", ()))
    if tools:
        body["tools"] = tools
        if (choice := _choice(request.tool_choice)) is not None:
            body["tool_choice"] = choice
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body["max_output_tokens"] = request.max_tokens
    if extra:
        body["extra_body"] = extra
    return body


def _choice(choice: Any) -> Any:
    if isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
        return {"type": "function", "name": choice["function"].get("name")}
    return choice


def as_input(messages: Sequence[Message]) -> list[Item]:
    """The conversation as items."""
    results = {str(m.get("tool_call_id")): m for m in messages if m.get("role") == "tool"}
    items: list[Item] = []
    for message in messages:
        role = message.get("role")
        if role == PROVIDER_SPECIFIC:
            inner = message.get("message")
            items += [dict(inner)] if isinstance(inner, Mapping) and "role" in inner else []
        elif role != "tool":
            content = _content(message.get("content"), str(role))
            if content:
                items.append({"type": "message", "role": role, "content": content})
            items += _calls(message, results)
    if not items:
        items.append(
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": BEGINS}],
            }
        )
    return items


def _calls(message: Message, results: Mapping[str, Message]) -> list[Item]:
    calls: list[Item] = []
    outputs: list[Item] = []
    for call in message.get("tool_calls") or ():
        function = call["function"]
        name, arguments = function["name"], function["arguments"]
        calls.append(
            {
                "type": "function_call",
                "call_id": call["id"],
                "name": name,
                "arguments": arguments,
            }
        )
        answer = results.get(str(call["id"]))
        text = text_of(answer.get("content")) if answer else ""
        outputs.append(
            {
                "type": "function_call_output",
                "call_id": call["id"],
                "output": text or NO_RESULT,
            }
        )
    return [*calls, *outputs]


def _content(content: object, role: str) -> list[dict[str, Any]]:
    kind = "output_text" if role == "assistant" else "input_text"
    if isinstance(content, str):
        return [{"type": kind, "text": content}] if content else []
    if not isinstance(content, list):
        return []
    parts = (_part(part, kind) for part in content if isinstance(part, dict))
    return [part for part in parts if part]


def _part(part: dict[str, Any], kind: str) -> dict[str, Any] | None:
    match part.get("type"):
        case "text":
            return {"type": kind, "text": part["text"]} if part.get("text") else None
        case "image_url" if kind == "input_text":
            image = part["image_url"]
            detail = image.get("detail", "auto")
            return {"type": "input_image", "image_url": image["url"], "detail": detail}
        case "input_audio" if kind == "input_text":
            return dict(part)
    return None
