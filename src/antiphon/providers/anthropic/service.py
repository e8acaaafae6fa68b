"""`LLMService` bound to Anthropic."""

from __future__ import annotations

from antiphon.errors import ConfigurationError
from antiphon.providers.anthropic.provider import AnthropicLLMProvider
from antiphon.services.llm import LLMService
from antiphon.services.llm_stream import RetryPolicy
from antiphon.settings import LLMSettings


class AnthropicLLMService(LLMService):
    """A model of Anthropic's. Without `api_key` the variable `ANTHROPIC_API_KEY` is read."""

    def __init__(
        self,
        *,
        model: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        settings: LLMSettings | None = None,
        run_in_parallel: bool = True,
        group_parallel_tools: bool = True,
        function_call_timeout_secs: float | None = 10.0,
        retry_policy: RetryPolicy | None = None,
        name: str | None = None,
    ) -> None:
        settings = settings or self.Settings()
        wanted = model or settings.model
        if not wanted:
            raise ConfigurationError(f"{type(self).__name__} needs a model: model='...'")
        super().__init__(
            AnthropicLLMProvider(model=wanted, api_key=api_key, base_url=base_url),
            settings=settings,
            run_in_parallel=run_in_parallel,
            group_parallel_tools=group_parallel_tools,
            function_call_timeout_secs=function_call_timeout_secs,
            retry_policy=retry_policy,
            name=name,
        )
