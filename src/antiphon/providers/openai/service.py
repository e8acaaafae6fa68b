"""`LLMService` bound to OpenAI, or to any vendor or server that speaks its chat completions."""

from __future__ import annotations

from antiphon.errors import ConfigurationError
from antiphon.providers.openai.responses import OpenAIResponsesProvider
from antiphon.providers.openai.vendors import server_at, vendor
from antiphon.providers.openai_compatible import OpenAICompatibleProvider
from antiphon.services.llm import LLMService
from antiphon.services.llm_stream import RetryPolicy
from antiphon.settings import LLMSettings


class OpenAILLMService(LLMService):
    """A model of OpenAI's, or of `vendor` (a row of `providers.openai.vendors`), or at `base_url`.

    Without `api_key` the vendor's variable is read; a server at `base_url` then gets no key.
    """

    def __init__(
        self,
        *,
        model: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        vendor_name: str = "openai",
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
        if base_url is not None and api_key is None:
            row = server_at(base_url)
        else:
            row = vendor(vendor_name)
        super().__init__(
            OpenAICompatibleProvider(model=wanted, api_key=api_key, base_url=base_url, vendor=row),
            settings=settings,
            run_in_parallel=run_in_parallel,
            group_parallel_tools=group_parallel_tools,
            function_call_timeout_secs=function_call_timeout_secs,
            retry_policy=retry_policy,
            name=name,
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
        own = base_url is not None and api_key is None
        super().__init__(
            OpenAIResponsesProvider(
                model=wanted,
                api_key=api_key,
                base_url=base_url,
                vendor=server_at(str(base_url)) if own else vendor("openai"),
                keep_reasoning=keep_reasoning,
            ),
            settings=settings,
            run_in_parallel=run_in_parallel,
            group_parallel_tools=group_parallel_tools,
            function_call_timeout_secs=function_call_timeout_secs,
            retry_policy=retry_policy,
            name=name,
        )
