"""From OpenAI's chat shape to Gemini's `generateContent`. Pure, over plain values.

Gemini's rules, and how each is met:

- the system text is a field of its own         leading system messages join `system_instruction`
- roles are user and model                      other roles become the user's; neighbours merge
- the user begins, and has the last word        a note in brackets where that is not so
- calls come right after the user or after      the model's text and its calls are one turn
  responses
- the next turn is their responses, one each,   `arranged` puts them there; calls that follow one
  and nothing else                              another with nothing in between are one turn
- a response is an object                       another value is put under `result`
- pictures are no part of a response            they are the user's next turn
- parts are not empty                           empty ones are left out
- from the third generation on, a call carries  each has the signature that came with it; the first
  the signature that came with it               of a turn without one gets the one that is published
                                                for calls that Gemini did not make
- tools have names and schemas of a kind        `vendor_tools` rewrites them
"""

from __future__ import annotations

import base64
import json
import mimetypes
from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.providers.arrangement import (
    BEGINS,
    GOES_ON,
    arranged,
    data_url,
    left_out,
    parts_of,
)
from antiphon.providers.chat import PROVIDER_SPECIFIC, Message, calls_of, text_of
from antiphon.providers.vendor_tools import GEMINI, tools_for, vendor_choice, vendor_name
from antiphon.services.contracts import LLMRequest

NOT_MADE_BY_GEMINI = base64.b64encode(b"skip_thought_signature_validator").decode()
"""The published signature of a call that another model made (ai.google.dev, "Thought signatures").
"""

_WITHOUT_SIGNATURES = ("gemini-1", "gemini-2")
_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
_MIME = {"wav": "audio/wav", "mp3": "audio/mp3"}

Part = dict[str, Any]
Turn = tuple[str, list[Part]]


def contents_of(request: LLMRequest, *, model: str) -> list[dict[str, Any]]:
    """The `contents` of a request."""
    messages = request.messages[_leading(request.messages) :]
    return as_contents(messages, signed=not model.startswith(_WITHOUT_SIGNATURES))


def config_of(request: LLMRequest) -> dict[str, Any]:
    """The fields of `GenerateContentConfig`; `extra` joins them under the SDK's names.

    In `extra`, `custom_tools` are tools in Gemini's own shape, such as its search.
    """
    leading = request.messages[: _leading(request.messages)]
    system = [request.system_instruction or "", *(text_of(m.get("content")) for m in leading)]
    extra = dict(request.extra)
    tools = list(extra.pop("custom_tools", ()))
    config: dict[str, Any] = {
        "system_instruction": "\n\n".join(text for text in system if text.strip()) or None,
        "temperature": request.temperature,
        "max_output_tokens": request.max_tokens,
    }
    functions = tools_for(request.tools, GEMINI)
    if functions:
        tools.insert(0, {"function_declarations": [_declaration(tool) for tool in functions]})
        if choice := _choice(vendor_choice(request.tool_choice, functions, GEMINI)):
            config["tool_config"] = {"function_calling_config": choice}
    if tools:
        config["tools"] = tools
    return {key: value for key, value in config.items() if value is not None} | extra


def _leading(messages: Sequence[Message]) -> int:
    count = 0
    while count < len(messages) and messages[count].get("role") == "system":
        count += 1
    return count


def _declaration(tool: Any) -> dict[str, Any]:
    declaration = {"name": tool.name, "description": tool.description}
    if tool.parameters.get("properties"):
        declaration["parameters_json_schema"] = tool.parameters
    return declaration


def _choice(choice: Any) -> dict[str, Any] | None:
    if isinstance(choice, Mapping):
        if "mode" in choice:
            return dict(choice)
        name = (choice.get("function") or {}).get("name")
        return {"mode": "ANY", "allowed_function_names": [name]} if name else None
    mode = _MODES.get(str(choice))
    return {"mode": mode} if mode else None


def signature_of_call(signature: str, tool_call_id: str | None) -> Any:
    """A signature as it is kept in a context: with the call it belongs to, if it does to one."""
    if tool_call_id is None:
        return signature
    return {"tool_call_id": tool_call_id, "thought_signature": signature}


def as_contents(messages: Sequence[Message], *, signed: bool) -> list[dict[str, Any]]:
    """The conversation under Gemini's rules. `signed`: calls need signatures."""
    turns = _Turns(_signatures(messages))
    for message in arranged(messages):
        turns.take(message)
    return [{"role": role, "parts": parts} for role, parts in turns.finished(signed=signed)]


def _signatures(messages: Sequence[Message]) -> dict[str, str]:
    """Signatures by the calls they belong to, wherever in the conversation they are."""
    found: dict[str, str] = {}
    for message in messages:
        inner = message.get("message") if message.get("role") == PROVIDER_SPECIFIC else None
        signature = inner.get("signature") if isinstance(inner, Mapping) else None
        if isinstance(signature, Mapping) and signature.get("thought_signature"):
            found[str(signature.get("tool_call_id"))] = str(signature["thought_signature"])
    return found


class _Turns:
    """Builds the turns. Calls and responses are kept apart from words.

    A signature that names no call belongs to the next call that has none before the user speaks
    again, or else to the words.
    """

    def __init__(self, signatures: Mapping[str, str]) -> None:
        self._turns: list[Turn] = [("user", [])]
        self._names: dict[str, str] = {}
        self._signatures = signatures
        self._loose: list[str] = []
        self._words: Part | None = None

    def take(self, message: Message) -> None:
        role = message["role"]
        if role == "assistant":
            self._take_model(message)
        elif role == "tool":
            self._add("user", [self._response(message)])
        elif role == PROVIDER_SPECIFIC:
            self._take_native(message.get("message"))
        else:
            self._sign_words()
            self._add("user", _parts(message.get("content")))

    def finished(self, *, signed: bool) -> list[Turn]:
        self._sign_words()
        if not self._turns[0][1]:
            self._turns[0][1].append({"text": BEGINS})
        if self._turns[-1][0] == "model":
            self._turns.append(("user", [{"text": GOES_ON}]))
        for _, parts in self._turns if signed else ():
            calls = [part for part in parts if "functionCall" in part]
            if calls:
                calls[0].setdefault("thoughtSignature", NOT_MADE_BY_GEMINI)
        return self._turns

    def _take_model(self, message: Message) -> None:
        said = _parts(message.get("content"))
        calls: list[Part] = []
        for call in calls_of(message):
            name = self._names[call.id] = vendor_name(call.name, GEMINI)
            calls.append({"functionCall": {"name": name, "args": call.arguments}})
            if signature := self._signatures.get(call.id):
                calls[-1]["thoughtSignature"] = signature
        unsigned = [call for call in calls if "thoughtSignature" not in call]
        for part in unsigned[: len(self._loose)]:
            part["thoughtSignature"] = self._loose.pop(0)
        self._words = said[0] if said else self._words
        begins_a_step = any("thoughtSignature" in call for call in calls)
        if not said and not begins_a_step and _is_response(self._turns[-1][1]):
            self._turns[-2][1].extend(calls)
        else:
            self._add("model", [*said, *calls])

    def _sign_words(self) -> None:
        if self._words is not None and self._loose:
            self._words["thoughtSignature"] = self._loose[-1]
        self._loose, self._words = [], None

    def _take_native(self, inner: Any) -> None:
        native = inner if isinstance(inner, Mapping) else {}
        if native.get("type") == "thought":
            if isinstance(native.get("signature"), str):
                self._loose.append(native["signature"])
        elif native.get("role") in {"user", "model"}:
            self._add(native["role"], list(native.get("parts") or ()))

    def _response(self, message: Message) -> Part:
        name = self._names[message["tool_call_id"]]
        response = _object(text_of(message.get("content")))
        return {"functionResponse": {"name": name, "response": response}}

    def _add(self, role: str, parts: list[Part]) -> None:
        if not parts:
            return
        last_role, last = self._turns[-1]
        if last_role == role and (not last or _is_response(last) == _is_response(parts)):
            last.extend(parts)
        else:
            self._turns.append((role, list(parts)))


def _object(text: str) -> dict[str, Any]:
    """What a result says, as an object. What only Python takes for JSON (NaN) stays text."""
    try:
        value = json.loads(text, parse_constant=_refused)
    except ValueError:
        value = text
    return value if isinstance(value, dict) else {"result": value}


def _refused(constant: str) -> None:
    raise ValueError(constant)


def _is_response(parts: list[Part]) -> bool:
    return bool(parts) and "functionResponse" in parts[0]


def _parts(content: object) -> list[Part]:
    return [_part(part) for part in parts_of(content)]


def _part(part: dict[str, Any]) -> Part:
    match part["type"]:
        case "text":
            return {"text": part["text"]}
        case "input_audio":
            audio = part["input_audio"]
            kind = _MIME.get(audio["format"], f"audio/{audio['format']}")
            return {"inlineData": {"mimeType": kind, "data": audio["data"]}}
        case "image_url":
            url = part["image_url"]["url"]
            if data := data_url(url):
                return {"inlineData": {"mimeType": data.type, "data": data.data}}
            kind = mimetypes.guess_type(url)[0] or "image/jpeg"
            return {"fileData": {"fileUri": url, "mimeType": kind}}
    return {"text": left_out(part)["text"]}
