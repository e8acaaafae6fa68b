"""Every language model behind OpenAI's chat completions, over the official SDK."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from antiphon.errors import ConfigurationError, ServiceError
from antiphon.providers.account import address
from antiphon.providers.http import CONNECT_SECS
from antiphon.providers.openai.errors import mapped
from antiphon.providers.openai.translation import CallAssembler, as_body
from antiphon.providers.openai.vendors import VENDORS, Vendor, server_at
from antiphon.providers.sdk_stream import AnswerReader, SDKStream, SDKStreamProvider
from antiphon.providers.vendor_tools import OPENAI
from antiphon.services.contracts import (
    LLMEvent,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    TokenUsage,
)


class OpenAISDKProvider(SDKStreamProvider):
    """What both of OpenAI's interfaces share: the client of the SDK, and its errors.

    The model is at `vendor` (default OpenAI) or at `base_url`. `api_key` defaults to the vendor's
    variable; a server at `base_url` gets no key but the one that is given.
    """

    SDK = EXTRA = "openai"
    RULES = OPENAI

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
        vendor: Vendor | None = None,
        name: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        environment = os.environ if environment is None else environment
        base_url = address(base_url)
        if base_url is not None and vendor is not None:
            raise ConfigurationError(
                f"the address is told twice: leave out base_url={base_url!r} or the vendor "
                f"{vendor.name!r} ({vendor.name.upper()}_BASE_URL in the environment moves it)"
            )
        own_server = base_url is not None and api_key is None
        row = vendor or (server_at(str(base_url)) if own_server else VENDORS["openai"])
        self._vendor: Vendor = row
        super().__init__(
            name=name or row.name,
            model=model,
            key=row.key(environment, api_key),
            base_url=base_url or row.address(environment),
        )

    def _new_client(self, sdk: Any) -> Any:
        return sdk.AsyncOpenAI(
            api_key=self._key,
            base_url=self._base_url,
            max_retries=0,
            timeout=sdk.Timeout(None, connect=CONNECT_SECS),
        )

    def _errors(self, sdk: Any) -> tuple[type[Exception], ...]:
        return (sdk.APIError,)

    def _mapped(self, sdk: Any, error: Any) -> ServiceError:
        return mapped(sdk, error, name=self.name, base_url=str(self._base_url))


class OpenAILLMProvider(OpenAISDKProvider):
    """Chat completions of one model at one vendor."""

    async def _open(self, client: Any, request: LLMRequest) -> SDKStream:
        body = as_body(request, model=self.model, vendor=self._vendor)
        stream: SDKStream = await client.chat.completions.create(**body)
        return stream

    def _reader(self) -> AnswerReader:
        return _Reader()


class _Reader:
    """Chunks to events; calls are put together until the vendor says that they are whole."""

    def __init__(self) -> None:
        self.finished = False
        self._calls = CallAssembler()

    def read(self, item: Any) -> list[LLMEvent]:
        said: list[LLMEvent] = []
        for choice in (item.choices or ())[:1]:
            said += _said(choice.delta, self._calls)
            if choice.finish_reason:
                self.finished = True
                said += self._calls.take()
        if item.usage is not None:
            said.append(TokenUsage(item.usage.prompt_tokens, item.usage.completion_tokens))
        return said

    def last(self) -> list[LLMEvent]:
        return []


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
