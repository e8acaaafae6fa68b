"""One request through the translations of all four providers, each checked by its rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from antiphon.providers.anthropic.translation import as_body as anthropic_body
from antiphon.providers.google.translation import config_of, contents_of
from antiphon.providers.openai.responses_translation import as_body as responses_body
from antiphon.providers.openai.translation import as_body as chat_body
from antiphon.providers.openai.vendors import vendor
from antiphon.services.contracts import LLMRequest
from tests.providers.checkers import anthropic, gemini, openai_chat, openai_responses


def _chat(request: LLMRequest) -> list[str]:
    return openai_chat.complaints(chat_body(request, model="m", vendor=vendor("openai")))


def _responses(request: LLMRequest) -> list[str]:
    return openai_responses.complaints(responses_body(request, model="m", keep_reasoning=True))


def _anthropic(request: LLMRequest) -> list[str]:
    return anthropic.complaints(anthropic_body(request, model="m"))


def _gemini(request: LLMRequest) -> list[str]:
    """The SDK turns the configuration into the rest of the body: see the tests of the adapter."""
    config = config_of(request)
    tools = {
        "tools": config.get("tools", []),
        "toolConfig": config.get("tool_config", {}),
    }
    old: dict[str, Any] = {"contents": contents_of(request, model="gemini-2.5-flash"), **tools}
    new: dict[str, Any] = {"contents": contents_of(request, model="gemini-3-flash"), **tools}
    return gemini.complaints(old) + gemini.complaints(new, signed=True)


CHECKS: Mapping[str, Callable[[LLMRequest], list[str]]] = {
    "openai": _chat,
    "openai-responses": _responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}


def complaints(request: LLMRequest) -> list[str]:
    """What any of the four has against the request, with its name; nothing where all take it."""
    return [f"{name}: {what}" for name, check in CHECKS.items() for what in check(request)]
