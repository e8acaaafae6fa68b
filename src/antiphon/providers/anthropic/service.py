"""`LLMService` bound to Anthropic."""

from __future__ import annotations

from antiphon.providers.account import model_of
from antiphon.providers.anthropic.provider import AnthropicLLMProvider
from antiphon.services.llm import LLMService
from antiphon.services.llm_options import LLMOptions, options_of
from antiphon.settings import LLMSettings

MODEL = "claude-haiku-4-5-20251001"
"""The model where none is named: a fast one."""


class AnthropicLLMService(LLMService):
    """A model of Anthropic's.

    Without `api_key` the variable `ANTHROPIC_API_KEY` is read.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        settings: LLMSettings | None = None,
        options: LLMOptions | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            AnthropicLLMProvider(
                model=model_of(type(self).__name__, model, settings, MODEL),
                api_key=api_key,
                base_url=base_url,
            ),
            settings=settings,
            name=name,
            **options_of(options),
        )
