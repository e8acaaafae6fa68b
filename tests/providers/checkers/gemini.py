"""What Gemini's published rules have against a body of `generateContent`."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.providers.checkers.schemas import about_schema

KEYWORDS = frozenset(
    "$id $defs $ref $anchor type format title description default enum items prefixItems minItems "
    "maxItems minimum maximum anyOf oneOf properties additionalProperties required".split()
)
PARTS = {"text", "inlineData", "fileData", "functionCall", "functionResponse"}
BESIDE = {"thought", "thoughtSignature"}
FIELDS = {
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "generationConfig",
    "safetySettings",
    "cachedContent",
    "model",
}
EITHER = {
    "allowed_function_names": "allowedFunctionNames",
    "file_uri": "fileUri",
    "function_calling_config": "functionCallingConfig",
    "function_declarations": "functionDeclarations",
    "include_thoughts": "includeThoughts",
    "mime_type": "mimeType",
    "parameters_json_schema": "parametersJsonSchema",
    "thought_signature": "thoughtSignature",
}
"""Parsers of JSON for protocol buffers take a field by either of its names; the SDK mixes them."""
THEIRS = {"args", "response", "parametersJsonSchema"}
"""Fields whose content is not Google's."""
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
MODES = {"AUTO", "ANY", "NONE", "VALIDATED"}


def complaints(body: dict[str, Any], *, signed: bool = False) -> list[str]:
    """Every breach, one sentence each; `signed`: the model wants signatures of calls."""
    body = canonical(body)
    contents = body.get("contents") or []
    found = [] if contents else ["contents is not specified"]
    found += [f"unknown field {key!r}" for key in body.keys() - FIELDS]
    for content in contents:
        found += _about_content(content)
    found += _about_turns(contents)
    if signed:
        found += _about_signatures(contents)
    found += _about_tools(body)
    try:
        json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError) as error:
        found.append(f"the body is not JSON: {error}")
    return found


def canonical(value: Any) -> Any:
    """The value with every field of Google's under its name in JSON."""
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {EITHER.get(key, key): item for key, item in value.items()}
    return {key: item if key in THEIRS else canonical(item) for key, item in named.items()}


def _about_content(content: dict[str, Any]) -> list[str]:
    role, parts = content.get("role"), content.get("parts")
    if role not in {"user", "model"}:
        return [f"unknown role {role!r}"]
    if not parts:
        return ["parts must not be empty"]
    found = []
    for part in parts:
        data = part.keys() - BESIDE
        if len(data) != 1 or not data <= PARTS:
            found.append(f"a part has one field of data, not {sorted(data)}")
        if "text" in part and not part["text"]:
            found.append("text must not be empty")
        found += _about_function(part, str(role))
        if "inlineData" in part and not part["inlineData"].get("mimeType"):
            found.append("inlineData needs a mimeType")
    return found


def _about_function(part: dict[str, Any], role: str) -> list[str]:
    found = []
    if "functionCall" in part:
        if role != "model" or not NAME.fullmatch(part["functionCall"]["name"]):
            found.append(f"bad function call of {role}: {part}")
        if not isinstance(part["functionCall"].get("args", {}), dict):
            found.append("args must be an object")
    if "functionResponse" in part:
        if role != "user":
            found.append("function responses are the user's")
        if not isinstance(part["functionResponse"].get("response"), dict):
            found.append("response must be an object")
    return found


def _of(content: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [part[kind] for part in content.get("parts") or () if kind in part]


def _about_turns(contents: list[dict[str, Any]]) -> list[str]:
    """Calls come after the user or responses; just as many responses follow, and nothing else."""
    found = []
    if contents and contents[0].get("role") != "user":
        found.append("the first turn must be the user's")
    if contents and contents[-1].get("role") != "user":
        found.append("the last turn must be the user's")
    before: dict[str, Any] = {}
    for content in [*contents, {}]:
        calls, responses = _of(content, "functionCall"), _of(content, "functionResponse")
        wanted = [call["name"] for call in _of(before, "functionCall")]
        if [one["name"] for one in responses] != wanted:
            found.append(f"{len(responses)} responses right after {len(wanted)} calls")
        if responses and len(responses) != len(content["parts"]):
            found.append("responses stand alone in their turn")
        if calls and before.get("role") != "user":
            found.append("a function call turn comes right after a user turn or a response turn")
        before = content
    return found


def _about_signatures(contents: list[dict[str, Any]]) -> list[str]:
    """The first call of a turn has a signature."""
    found = []
    for content in contents:
        calls = [part for part in content.get("parts") or () if "functionCall" in part]
        if calls and not calls[0].get("thoughtSignature"):
            found.append("function call is missing a thought_signature")
    return found


def _about_tools(body: dict[str, Any]) -> list[str]:
    found = []
    for tool in body.get("tools", []):
        for declaration in tool.get("functionDeclarations", ()):
            if not NAME.fullmatch(declaration["name"]):
                found.append(f"bad function name {declaration['name']!r}")
            schema = declaration.get("parametersJsonSchema", {"type": "object"})
            found += about_schema(schema, keywords=KEYWORDS)
            if {"parameters"} & declaration.keys():
                found.append("parametersJsonSchema is alone")
    config = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if config and config.get("mode") not in MODES:
        found.append(f"unknown mode {config.get('mode')!r}")
    if config and not body.get("tools"):
        found.append("functionCallingConfig is set without function declarations")
    if config.get("allowedFunctionNames") and config["mode"] not in {"ANY", "VALIDATED"}:
        found.append("allowedFunctionNames only with mode ANY or VALIDATED")
    return found
