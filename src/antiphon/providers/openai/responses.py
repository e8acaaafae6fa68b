"""OpenAI's models behind its Responses API, over the official SDK."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from antiphon.errors import ConnectivityError
from antiphon.providers.http import CONNECT_SECS, import_sdk
from antiphon.providers.openai.errors import mapped_errors, mid_stream
from antiphon.providers.openai.responses_translation import as_body
from antiphon.providers.openai.vendors import VENDORS, Vendor
from antiphon.services.contracts import (
    LLMEvent,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    ThoughtSignature,
    TokenUsage,
    ToolCall,
)


class OpenAIResponsesProvider:
    """Responses of one model; nothing is stored at OpenAI's, and nothing is retried here.

    `api_key` and `base_url` default to OpenAI's, from the environment. `keep_reasoning`: a
    reasoning model gets its (encrypted) reasoning back with later requests; other models refuse
    requests that ask for it.
    """

    name = "openai-responses"

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
        vendor: Vendor = VENDORS["openai"],
        keep_reasoning: bool = False,
    ) -> None:
        self.model = model
        self._keep_reasoning = keep_reasoning
        self._key = api_key if api_key is not None else vendor.key(os.environ)
        self._base_url = base_url or vendor.address(os.environ)
        self._client: Any = None

    @classmethod
    def of(
        cls, *, model: str, environment: Mapping[str, str] | None = None
    ) -> OpenAIResponsesProvider:
        """The model, with key and address from the environment.

        Raises:
            ConfigurationError: the key is not there.

        """
        environment = os.environ if environment is None else environment
        row = VENDORS["openai"]
        return cls(model=model, api_key=row.key(environment), base_url=row.address(environment))

    async def connect(self) -> None:
        """Imports the SDK (a second of CPU, off the loop) and makes its client."""
        if self._client is None:
            sdk = await self._sdk()
            self._client = sdk.AsyncOpenAI(
                api_key=self._key,
                base_url=self._base_url,
                max_retries=0,
                timeout=sdk.Timeout(None, connect=CONNECT_SECS),
            )

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        """Streams the answer; closing the iterator closes the HTTP response."""
        await self.connect()
        sdk = await self._sdk()
        stream: Any = None
        try:
            with mapped_errors(sdk, name=self.name, base_url=self._base_url):
                stream = await self._open(request)
                async with aclosing(self._events(stream)) as events:
                    async for event in events:
                        yield event
        finally:
            if stream is not None:
                await stream.close()

    async def close(self) -> None:
        """Closes idle connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def _sdk(self) -> Any:
        return await import_sdk("openai", feature=f"The model {self.model}", extra="openai")

    async def _open(self, request: LLMRequest) -> Any:
        body = as_body(request, model=self.model, keep_reasoning=self._keep_reasoning)
        return await self._client.responses.create(**body)

    async def _events(self, stream: Any) -> AsyncGenerator[LLMEvent, None]:
        finished = False
        async for event in stream:
            if event.type in {"response.completed", "response.incomplete"}:
                finished = True
                usage = event.response.usage
                if usage is not None:
                    yield TokenUsage(usage.input_tokens, usage.output_tokens)
            elif (read := self._read(event)) is not None:
                yield read
        if not finished:
            raise ConnectivityError(f"{self.name} ended its answer in the middle")

    def _read(self, event: Any) -> LLMEvent | None:
        match event.type:
            case "response.output_text.delta" | "response.refusal.delta" if event.delta:
                return TextDelta(event.delta)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                return ThoughtDelta(event.delta) if event.delta else None
            case "response.output_item.done":
                return _item(event.item)
            case "response.failed":
                error = event.response.error
                message, code = (error.message, error.code) if error else ("it failed", None)
                raise mid_stream(self.name, message, code)
            case "error":
                raise mid_stream(self.name, event.message, event.code)
        return None


def _item(item: Any) -> LLMEvent | None:
    """What an item that is complete means. Words have been streamed before."""
    if item.type == "function_call":
        return ToolCall(item.call_id, item.name, item.arguments or "{}")
    if item.type == "reasoning" and item.encrypted_content:
        return ThoughtSignature({"id": item.id, "encrypted_content": item.encrypted_content})
    return None
