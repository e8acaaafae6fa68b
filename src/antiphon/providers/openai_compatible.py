"""Every language model behind OpenAI's chat completions, over the official SDK."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from antiphon.errors import ConnectivityError
from antiphon.providers.http import CONNECT_SECS, import_sdk
from antiphon.providers.openai.errors import mapped_errors
from antiphon.providers.openai.translation import CallAssembler, as_body
from antiphon.providers.openai.vendors import VENDORS, Vendor, vendor
from antiphon.services.contracts import (
    LLMEvent,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    TokenUsage,
)


class OpenAICompatibleProvider:
    """Chat completions of one model at one vendor.

    `api_key` and `base_url` default to the vendor's, from the environment. Nothing is retried here.
    """

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
        vendor: Vendor = VENDORS["openai"],
    ) -> None:
        self.name: str = vendor.name
        self.model = model
        self._vendor = vendor
        self._key = api_key if api_key is not None else vendor.key(os.environ)
        self._base_url = base_url or vendor.address(os.environ)
        self._client: Any = None

    @classmethod
    def of(
        cls, vendor_name: str, *, model: str, environment: Mapping[str, str] | None = None
    ) -> OpenAICompatibleProvider:
        """The model at a vendor of the table.

        Raises:
            UnknownNameError: no such vendor.
            ConfigurationError: its key is not in the environment.

        """
        environment = os.environ if environment is None else environment
        row = vendor(vendor_name)
        key, address = row.key(environment), row.address(environment)
        return cls(model=model, api_key=key, base_url=address, vendor=row)

    async def connect(self) -> None:
        """Imports the SDK (a second of CPU, off the loop) and makes its client."""
        if self._client is None:
            sdk = await import_sdk("openai", feature=f"The model {self.model}", extra="openai")
            self._client = sdk.AsyncOpenAI(
                api_key=self._key,
                base_url=self._base_url,
                max_retries=0,
                timeout=sdk.Timeout(None, connect=CONNECT_SECS),
            )

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        """Streams the answer; closing the iterator closes the HTTP response."""
        await self.connect()
        sdk = await import_sdk("openai", feature=f"The model {self.model}", extra="openai")
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

    async def _open(self, request: LLMRequest) -> Any:
        body = as_body(request, model=self.model, vendor=self._vendor)
        return await self._client.chat.completions.create(**body)

    async def _events(self, stream: Any) -> AsyncGenerator[LLMEvent, None]:
        calls = CallAssembler()
        finished = False
        async for chunk in stream:
            for choice in (chunk.choices or ())[:1]:
                for event in _said(choice.delta, calls):
                    yield event
                if choice.finish_reason:
                    finished = True
                    for call in calls.take():
                        yield call
            if chunk.usage is not None:
                yield TokenUsage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        if not finished:
            raise ConnectivityError(f"{self.name} ended its answer in the middle")


def _thought(delta: Any) -> str:
    """Reasoning has no place in the published format; vendors put it under either name."""
    extra = delta.model_extra or {}
    thought = extra.get("reasoning_content") or extra.get("reasoning")
    return thought if isinstance(thought, str) else ""


def _said(delta: Any, calls: CallAssembler) -> list[LLMEvent]:
    """The events of one piece; fragments of calls go to the assembler."""
    for part in delta.tool_calls or ():
        name, arguments = None, None
        if part.function is not None:
            name, arguments = part.function.name, part.function.arguments
        calls.add(part.index, part.id, name, arguments)
    said: list[LLMEvent] = []
    thought = _thought(delta)
    if thought:
        said.append(ThoughtDelta(thought))
    text = delta.content or delta.refusal
    if text:
        said.append(TextDelta(text))
    return said
