"""`LLMService` bound to OpenAI, or to any vendor or server that speaks its chat completions."""

from __future__ import annotations

from antiphon.providers.account import model_of
from antiphon.providers.openai.provider import OpenAILLMProvider
from antiphon.providers.openai.responses_provider import OpenAIResponsesLLMProvider
from antiphon.providers.openai.vendors import vendor
from antiphon.services.llm import LLMService
from antiphon.services.llm_options import LLMOptions, options_of
from antiphon.settings import LLMSettings

MODEL = "gpt-4.1-mini-2025-04-14"
"""OpenAI's model where none is named: a fast one. Other vendors' models have to be named."""


class OpenAILLMService(LLMService):
    """A model of OpenAI's, of another vendor, or at an address.

    `vendor_name` is a row of `providers.openai.vendors`, whose variable is read without `api_key`.
    `base_url` is a server of one's own, which gets no key but `api_key`; not both.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        vendor_name: str | None = None,
        settings: LLMSettings | None = None,
        options: LLMOptions | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            OpenAILLMProvider(
                model=model_of(
                    type(self).__name__, model, settings, None if vendor_name or base_url else MODEL
                ),
                api_key=api_key,
                base_url=base_url,
                vendor=vendor(vendor_name) if vendor_name else None,
            ),
            settings=settings,
            name=name,
            **options_of(options),
        )


class OpenAIResponsesLLMService(LLMService):
    """A model of OpenAI's behind its Responses API, or one at a `base_url` that speaks it.

    Without `api_key` the variable `OPENAI_API_KEY` is read; a server at `base_url` then gets no
    key. `keep_reasoning` is for reasoning models: they get their encrypted reasoning back.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        keep_reasoning: bool = False,
        settings: LLMSettings | None = None,
        options: LLMOptions | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            OpenAIResponsesLLMProvider(
                model=model_of(type(self).__name__, model, settings, None if base_url else MODEL),
                api_key=api_key,
                base_url=base_url,
                keep_reasoning=keep_reasoning,
            ),
            settings=settings,
            name=name,
            **options_of(options),
        )
