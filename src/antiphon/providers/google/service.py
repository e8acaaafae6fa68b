"""`LLMService` bound to Google."""

from __future__ import annotations

from antiphon.providers.account import model_of
from antiphon.providers.google.provider import GoogleLLMProvider
from antiphon.services.llm import LLMService
from antiphon.services.llm_options import LLMOptions, options_of
from antiphon.settings import LLMSettings

MODEL = "gemini-2.5-flash"
"""The model where none is named: a fast one."""


class GoogleLLMService(LLMService):
    """A Gemini model.

    Without `api_key` the variable `GEMINI_API_KEY` or `GOOGLE_API_KEY` is read. `include_thoughts`:
    summaries of the model's thoughts come with the answer.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        include_thoughts: bool = False,
        settings: LLMSettings | None = None,
        options: LLMOptions | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(
            GoogleLLMProvider(
                model=model_of(type(self).__name__, model, settings, MODEL),
                api_key=api_key,
                base_url=base_url,
                include_thoughts=include_thoughts,
            ),
            settings=settings,
            name=name,
            **options_of(options),
        )
