"""What four providers accept, after their published rules: a checker for each, over request bodies.

Each returns every breach, one sentence each; none means that the provider would take it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from antiphon.providers.anthropic import translation as anthropic_translation
from antiphon.providers.google import translation as google_translation
from antiphon.providers.openai import responses as openai_responses
from antiphon.providers.openai import translation as openai_translation
from antiphon.providers.openai.vendors import vendor
from antiphon.services.contracts import LLMRequest

Body = dict[str, Any]
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def _is_object(text: Any) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (TypeError, ValueError):
        return False


def openai_chat(body: Body) -> list[str]:
    """Chat completions: calls are answered at once, each by one tool message; nothing is empty."""
    found: list[str] = []
    due: set[str] = set()
    if not body["messages"]:
        found.append("there are no messages")
    for message in body["messages"]:
        role = message.get("role")
        if role not in {"system", "developer", "user", "assistant", "tool"}:
            found.append(f"unknown role {role!r}")
        if role == "tool":
            if message.get("tool_call_id") not in due:
                found.append("a tool message answers no call before it")
            due.discard(message.get("tool_call_id"))
            continue
        if due:
            found.append(f"calls {sorted(due)} are not answered at once")
        due = {call["id"] for call in message.get("tool_calls", ())}
        if not message.get("content") and not due:
            found.append(f"an empty {role} message")
        arguments = [one["function"]["arguments"] for one in message.get("tool_calls", ())]
        found += ["arguments are no JSON object" for text in arguments if not _is_object(text)]
    if due:
        found.append(f"calls {sorted(due)} are never answered")
    return found


def openai_responses_api(body: Body) -> list[str]:
    """Responses: one output for every call, after it; content types by role; no empty input."""
    found: list[str] = [] if body["input"] else ["the input is empty"]
    open_calls: set[str] = set()
    for item in body["input"]:
        match item["type"]:
            case "function_call":
                open_calls.add(item["call_id"])
                if not _is_object(item["arguments"]):
                    found.append("arguments are no JSON object")
            case "function_call_output":
                if item["call_id"] not in open_calls:
                    found.append("an output without a call before it")
                open_calls.discard(item["call_id"])
                if not isinstance(item["output"], str):
                    found.append("an output that is no text")
            case "message":
                wanted = "output_" if item["role"] == "assistant" else "input_"
                if not item["content"]:
                    found.append("an empty message")
                if any(not part["type"].startswith(wanted) for part in item["content"]):
                    found.append(f"{item['role']} has parts of another's type")
            case other:
                found.append(f"unknown item {other!r}")
    return found + [f"call {call} has no output" for call in sorted(open_calls)]


def anthropic(body: Body) -> list[str]:
    """Messages: turns alternate, the user first and last, results open the next user turn."""
    found: list[str] = []
    messages = body["messages"]
    if not messages or messages[0]["role"] != "user" or messages[-1]["role"] != "user":
        found.append("the user has to begin and to have the last word")
    due: list[str] = []
    used = False
    for before, message in zip([None, *messages], messages, strict=False):
        if before is not None and before["role"] == message["role"]:
            found.append("two turns of one role in a row")
        if not message["content"]:
            found.append("an empty turn")
        blocks = message["content"]
        results = [block for block in blocks if block["type"] == "tool_result"]
        if [block["tool_use_id"] for block in results] != due:
            found.append(f"results {results} where {due} are due")
        if blocks[: len(results)] != results:
            found.append("something stands before the results")
        if any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            found.append("an empty text block")
        due = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if any(not _NAME.fullmatch(identity) for identity in due):
            found.append(f"ids {due}")
        used = used or bool(due)
    if due:
        found.append("calls without results")
    if used and not body.get("tools"):
        found.append("calls, but no tools")
    return found


def gemini(body: Body) -> list[str]:
    """generateContent: as many responses as calls, right after them; the user first and last."""
    found: list[str] = []
    contents = body["contents"]
    if not contents or contents[0]["role"] != "user" or contents[-1]["role"] != "user":
        found.append("the user has to begin and to have the last word")
    before: Body | None = None
    for content in contents:
        parts = content["parts"]
        if content["role"] not in {"user", "model"}:
            found.append(f"unknown role {content['role']!r}")
        if not parts or any("text" in part and not part["text"] for part in parts):
            found.append("an empty turn or part")
        responses = [part["functionResponse"]["name"] for part in parts if _responds(part)]
        asked = _calls(before["parts"]) if before is not None else []
        if responses != asked:
            found.append(f"responses {responses} after calls {asked}")
        if responses and len(responses) != len(parts):
            found.append("responses are mixed with other parts")
        if _calls(parts) and before is not None and before["role"] != "user":
            found.append("calls neither after the user nor after responses")
        if any(
            not isinstance(p["functionResponse"]["response"], dict) for p in parts if _responds(p)
        ):
            found.append("a response that is no object")
        before = content
    if before is not None and _calls(before["parts"]):
        found.append("calls without responses")
    return found


def _responds(part: Body) -> bool:
    return "functionResponse" in part


def _calls(parts: list[Body]) -> list[str]:
    return [part["functionCall"]["name"] for part in parts if "functionCall" in part]


Checked = Callable[[LLMRequest], list[str]]

PROVIDERS: dict[str, Checked] = {
    "openai chat": lambda request: openai_chat(
        openai_translation.as_body(request, model="m", vendor=vendor("openai"))
    ),
    "openai responses": lambda request: openai_responses_api(
        openai_responses.as_body(request, model="m")
    ),
    "anthropic": lambda request: anthropic(anthropic_translation.as_body(request, model="m")),
    "gemini": lambda request: gemini(google_translation.as_body(request)),
}


def breaches(request: LLMRequest) -> list[str]:
    """What any provider would not take."""
    return [f"{name}: {breach}" for name, check in PROVIDERS.items() for breach in check(request)]
