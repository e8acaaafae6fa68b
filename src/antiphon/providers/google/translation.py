"""From OpenAI's chat shape to Gemini's `generateContent`. Pure, over plain values.

Gemini's rules, and how each is met:

- the system text is a field of its own           leading system messages join `system_instruction`
- roles are user and model                        other roles become the user's; neighbours merge
- the user begins, and has the last word          a note in brackets where that is not so
- a turn of calls comes after the user or after   text of the model before its calls is in the same
  responses, and is followed at once by as many   turn; responses are moved behind their calls
  responses
- parts are not empty                             empty ones are left out
- a response is an object                         a text is put under `output`
- schemas know no `additionalProperties`, `$ref`  left out
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.providers.chat import PROVIDER_SPECIFIC, Message, calls_of, json_or_text, text_of
from antiphon.services.contracts import LLMRequest

BEGINS = "[The conversation begins.]"
GOES_ON = "[Please go on.]"
NO_RESULT = "There is no result."

Part = dict[str, Any]

_DATA = re.compile(r"data:(?P<type>[^;,]+);base64,(?P<data>.*)", re.DOTALL)
_SAMPLING = {
    "top_p": "topP",
    "top_k": "topK",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
}
_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
_UNKNOWN_TO_SCHEMAS = ("additionalProperties", "$ref", "$defs", "$schema", "title", "default")


def as_body(request: LLMRequest) -> dict[str, Any]:
    """The body of `models/{model}:streamGenerateContent`; what else is in `extra` goes in as is.

    In `extra`, `custom_tools` are tools in Gemini's own shape, such as its search.
    """
    count = 0
    while count < len(request.messages) and request.messages[count].get("role") == "system":
        count += 1
    leading = [text_of(message.get("content")) for message in request.messages[:count]]
    system = "\n\n".join(t for t in [request.system_instruction or "", *leading] if t.strip())
    body: dict[str, Any] = {"contents": as_contents(request.messages[count:])}
    if system:
        body["systemInstruction"] = {"parts": [{"text": system}]}
    extra = dict(request.extra)
    tools = list(extra.pop("custom_tools", ()))
    if request.tools:
        tools.append({"functionDeclarations": [_declaration(tool) for tool in request.tools]})
    if tools:
        body["tools"] = tools
    if request.tools and (config := _choice(request.tool_choice)):
        body["toolConfig"] = {"functionCallingConfig": config}
    generation: dict[str, Any] = {}
    if request.temperature is not None:
        generation["temperature"] = request.temperature
    if request.max_tokens is not None:
        generation["maxOutputTokens"] = request.max_tokens
    generation |= {_SAMPLING[k]: extra.pop(k) for k in list(extra) if k in _SAMPLING}
    if generation:
        body["generationConfig"] = generation
    return body | extra


def _declaration(tool: Any) -> dict[str, Any]:
    declaration = {"name": tool.name, "description": tool.description}
    if tool.parameters.get("properties"):
        declaration["parameters"] = _schema(tool.parameters)
    return declaration


def _schema(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_schema(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if key not in _UNKNOWN_TO_SCHEMAS}
    properties = kept.pop("properties", None)
    found = {key: _schema(value) for key, value in kept.items()}
    if properties is not None:
        found["properties"] = {name: _schema(value) for name, value in properties.items()}
    return found


def _choice(choice: Any) -> dict[str, Any] | None:
    if isinstance(choice, Mapping):
        if "mode" in choice:
            return dict(choice)
        name = (choice.get("function") or {}).get("name")
        return {"mode": "ANY", "allowedFunctionNames": [name]} if name else None
    mode = _MODES.get(str(choice))
    return {"mode": mode} if mode else None


def as_contents(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The conversation under Gemini's rules."""
    results = {str(m.get("tool_call_id")): m for m in messages if m.get("role") == "tool"}
    turns: list[tuple[str, list[Part]]] = [("user", [])]
    for message in messages:
        for role, parts in _parts_of(message, results):
            _add(turns, role, parts)
    if not turns[0][1]:
        turns[0][1].append({"text": BEGINS})
    if turns[-1][0] == "model":
        turns.append(("user", [{"text": GOES_ON}]))
    return [{"role": role, "parts": parts} for role, parts in turns]


def _add(turns: list[tuple[str, list[Part]]], role: str, parts: list[Part]) -> None:
    if not parts:
        return
    last_role, last = turns[-1]
    # Responses stand alone: what the user says after them is another turn of the user's.
    mixed = last and ("functionResponse" in last[-1]) != ("functionResponse" in parts[0])
    if last_role != role or mixed:
        turns.append((role, list(parts)))
    else:
        last.extend(parts)


def _parts_of(message: Message, results: Mapping[str, Message]) -> list[tuple[str, list[Part]]]:
    role = message.get("role")
    if role == "tool":
        return []
    if role == PROVIDER_SPECIFIC:
        return _native(message.get("message"))
    if role != "assistant":
        return [("user", _parts(message.get("content")))]
    made = calls_of(message)
    calls = [{"functionCall": {"name": one.name, "args": one.arguments}} for one in made]
    responses = [_response(one.name, results.get(one.id)) for one in made]
    return [("model", [*_parts(message.get("content")), *calls]), ("user", responses)]


def _native(inner: Any) -> list[tuple[str, list[Part]]]:
    if not isinstance(inner, Mapping):
        return []
    if inner.get("type") == "thought":
        part = {"text": inner.get("text", ""), "thought": True}
        return [("model", [{**part, "thoughtSignature": inner.get("signature")}])]
    if inner.get("role") in {"user", "model"}:
        return [(inner["role"], list(inner.get("parts") or ()))]
    return []


def _response(name: str, message: Message | None) -> Part:
    text = text_of(message.get("content")) if message else ""
    value = json_or_text(text) if text else NO_RESULT
    response = value if isinstance(value, dict) else {"output": value}
    return {"functionResponse": {"name": name, "response": response}}


def _parts(content: object) -> list[Part]:
    if isinstance(content, str):
        return [{"text": content}] if content.strip() else []
    if not isinstance(content, list):
        return []
    parts = (_part(part) for part in content if isinstance(part, dict))
    return [part for part in parts if part]


def _part(part: dict[str, Any]) -> Part | None:
    kind = part.get("type")
    if kind == "text":
        text = part.get("text") or ""
        return {"text": text} if text.strip() else None
    if kind == "input_audio":
        audio = part["input_audio"]
        return {"inlineData": {"mimeType": f"audio/{audio['format']}", "data": audio["data"]}}
    if kind == "image_url":
        url = part["image_url"]["url"]
        if match := _DATA.fullmatch(url):
            return {"inlineData": {"mimeType": match["type"], "data": match["data"]}}
        return {"fileData": {"fileUri": url}}
    return None
