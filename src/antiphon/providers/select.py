"""Which language model to use: the one that `ANTIPHON_LLM` names, or what this machine has.

ANTIPHON_LLM=openai/MODEL              a vendor of the table and its model
ANTIPHON_LLM=anthropic/MODEL           Anthropic
ANTIPHON_LLM=google/MODEL              Gemini by Google's own interface
ANTIPHON_LLM=openai-responses/MODEL    OpenAI's Responses API
ANTIPHON_LLM=http://HOST/v1[#MODEL]    any server that speaks OpenAI's chat completions
ANTIPHON_LLM=local[/MODEL]             the embedded model, or another of the model store
ANTIPHON_LLM=rules                     the rule-based responder
(unset)                                the embedded model if its weights are here, else rules
"""

from __future__ import annotations

import functools
import importlib.util
import logging
import os
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from antiphon.errors import ConfigurationError, UnknownNameError
from antiphon.providers.account import address
from antiphon.providers.local.llm_provider import MODEL, LocalLLMProvider
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.rules import RuleBasedLLMProvider
from antiphon.providers.openai.vendors import VENDORS, server_at
from antiphon.services.contracts import LLMProvider

VARIABLE = "ANTIPHON_LLM"
KEY_VARIABLE = "ANTIPHON_LLM_API_KEY"
"""The key for a server given by its address. No vendor's key is ever sent to such a server."""

logger: Final = logging.getLogger("antiphon")


class ChosenLLM(msgspec.Struct, frozen=True):
    """A provider, and one sentence that says why it is this one."""

    provider: LLMProvider
    reason: str


def default_llm() -> ChosenLLM:
    """The embedded model where its weights and runtime are here, else the rule-based responder."""
    if importlib.util.find_spec("xllamacpp") is None:
        why = "xllamacpp is not installed: pip install 'antiphon[local]'"
    elif ModelStore().find(MODEL) is None:
        why = "its weights are not on this machine: antiphon models"
    else:
        return _said(
            LocalLLMProvider(),
            f"The embedded model {MODEL} answers, on this machine.",
        )
    return _said(
        RuleBasedLLMProvider(),
        f"A rule-based responder stands in for a language model, as {why}. "
        f"Set {VARIABLE} to use another model.",
        logging.WARNING,
    )


def llm_from_env(environment: Mapping[str, str] | None = None) -> ChosenLLM:
    """The model that `ANTIPHON_LLM` names, or `default_llm()` where it is unset.

    Raises:
        UnknownNameError: it names a vendor nobody knows; lists those that are known.
        ConfigurationError: the vendor's key is not set, or no model is named.

    """
    environment = os.environ if environment is None else environment
    wanted = environment.get(VARIABLE, "").strip()
    if not wanted:
        return default_llm()
    if wanted == "local" or wanted.startswith("local/"):
        local = LocalLLMProvider(model=wanted.removeprefix("local").strip("/") or MODEL)
        return _said(local, f"The embedded model {local.model} answers, on this machine.")
    if wanted == "rules":
        return _said(RuleBasedLLMProvider(), "A rule-based responder answers.")
    if wanted.startswith(("http://", "https://")):
        return _at_address(wanted, environment)
    name, _, model = wanted.partition("/")
    provider = _of_vendor(name.lower(), model, environment)
    return _said(provider, f"{model} at {name.lower()} answers.")


def _of_vendor(name: str, model: str, environment: Mapping[str, str]) -> LLMProvider:
    known = sorted((*VENDORS, "anthropic", "google", "openai-responses"))
    if name not in known:
        raise UnknownNameError(
            f"{VARIABLE}: unknown vendor {name!r}; say one of {', '.join(known)} and a model, as "
            f"in openai/MODEL, or an address such as http://localhost:8080/v1, or local, or rules"
        )
    if not model:
        raise ConfigurationError(f"{VARIABLE}={name} names no model: say {name}/MODEL")
    makers: dict[str, Callable[[], LLMProvider]] = {
        "anthropic": functools.partial(_anthropic, model, environment),
        "google": functools.partial(_google, model, environment),
        "openai-responses": functools.partial(_responses, model, environment),
    }
    return makers.get(name, functools.partial(_compatible, name, model, environment))()


def _anthropic(model: str, environment: Mapping[str, str]) -> LLMProvider:
    from antiphon.providers.anthropic.provider import AnthropicLLMProvider

    return AnthropicLLMProvider(model=model, environment=environment)


def _google(model: str, environment: Mapping[str, str]) -> LLMProvider:
    from antiphon.providers.google.provider import GoogleLLMProvider

    return GoogleLLMProvider(model=model, environment=environment)


def _responses(model: str, environment: Mapping[str, str]) -> LLMProvider:
    from antiphon.providers.openai.responses_provider import OpenAIResponsesLLMProvider

    return OpenAIResponsesLLMProvider(model=model, environment=environment)


def _compatible(name: str, model: str, environment: Mapping[str, str]) -> LLMProvider:
    from antiphon.providers.openai.provider import OpenAILLMProvider

    return OpenAILLMProvider(model=model, vendor=VENDORS[name], environment=environment)


def _at_address(wanted: str, environment: Mapping[str, str]) -> ChosenLLM:
    from antiphon.providers.openai.provider import OpenAILLMProvider

    url, _, model = wanted.partition("#")
    provider = OpenAILLMProvider(
        model=model or "default",
        api_key=environment.get(KEY_VARIABLE) or None,
        vendor=server_at(str(address(url)).rstrip("/")),
        environment=environment,
    )
    return _said(provider, f"{model or 'The model'} at {url} answers.")


def _said(provider: LLMProvider, reason: str, level: int = logging.INFO) -> ChosenLLM:
    _log_once(reason, level)
    return ChosenLLM(provider, reason)


@functools.cache
def _log_once(reason: str, level: int) -> None:
    logger.log(level, reason)
