"""Anthropic's language models, over the official SDK."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from antiphon.errors import (
    AuthenticationError,
    AuthorizationError,
    ConnectivityError,
    InvalidRequestError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServiceError,
)
from antiphon.providers.account import address, key_of
from antiphon.providers.anthropic.translation import as_body
from antiphon.providers.http import CONNECT_SECS, error_for_status
from antiphon.providers.sdk_stream import SDKStream, SDKStreamProvider
from antiphon.providers.vendor_tools import ANTHROPIC
from antiphon.services.contracts import (
    LLMEvent,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    ThoughtSignature,
    TokenUsage,
    ToolCall,
)

_BY_TYPE: Mapping[str | None, type[ServiceError]] = {
    "authentication_error": AuthenticationError,
    "billing_error": QuotaError,
    "invalid_request_error": InvalidRequestError,
    "not_found_error": InvalidRequestError,
    "permission_error": AuthorizationError,
    "rate_limit_error": RateLimitError,
    "request_too_large": InvalidRequestError,
    "timeout_error": ConnectivityError,
}
"""Errors that come in the middle of a stream, by their published type; others are the vendor's."""


class AnthropicLLMProvider(SDKStreamProvider):
    """Messages of one model.

    `api_key` defaults to `ANTHROPIC_API_KEY`, `base_url` to `ANTHROPIC_BASE_URL` or Anthropic's.
    """

    SDK = EXTRA = "anthropic"
    RULES = ANTHROPIC

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        environment = os.environ if environment is None else environment
        super().__init__(
            name="anthropic",
            model=model,
            key=key_of("anthropic", api_key, "ANTHROPIC_API_KEY", environment=environment),
            base_url=address(base_url or environment.get("ANTHROPIC_BASE_URL") or None),
        )

    def _new_client(self, sdk: Any) -> Any:
        return sdk.AsyncAnthropic(
            api_key=self._key,
            base_url=self._base_url,
            max_retries=0,
            timeout=sdk.Timeout(None, connect=CONNECT_SECS),
        )

    async def _open(self, client: Any, request: LLMRequest) -> SDKStream:
        stream: SDKStream = await client.messages.create(**as_body(request, model=self.model))
        return stream

    def _reader(self) -> _Reader:
        return _Reader()

    def _errors(self, sdk: Any) -> tuple[type[Exception], ...]:
        return (sdk.APIError,)

    def _mapped(self, sdk: Any, error: Any) -> ServiceError:
        if isinstance(error, sdk.APIConnectionError):
            return ConnectivityError(f"anthropic cannot be reached: {error.message}")
        if not isinstance(error, sdk.APIStatusError):
            return ServerError(f"anthropic: {error.message}")
        message = f"anthropic: {error.api_message or error.message}"
        if error.status_code >= 400:
            return error_for_status(error.status_code, message)
        return _BY_TYPE.get(error.type, ServerError)(message)


class _Reader:
    """Events of the stream to ours: blocks begin, grow and stop, one after the other."""

    def __init__(self) -> None:
        self._call: tuple[str, str] | None = None
        self._arguments = self._signature = ""
        self._prompt_tokens = self._completion_tokens = 0
        self.finished = False

    def read(self, item: Any) -> list[LLMEvent]:
        if item.type == "message_start":
            self._count(item.message.usage)
        elif item.type == "content_block_start" and item.content_block.type == "tool_use":
            self._call = (item.content_block.id, item.content_block.name)
            self._arguments = ""
        elif item.type == "content_block_delta":
            return self._grown(item.delta)
        elif item.type == "content_block_stop":
            return self._block_stopped()
        elif item.type == "message_delta":
            self._completion_tokens = item.usage.output_tokens
        elif item.type == "message_stop":
            self.finished = True
        return []

    def last(self) -> list[LLMEvent]:
        return [TokenUsage(self._prompt_tokens, self._completion_tokens)]

    def _block_stopped(self) -> list[LLMEvent]:
        if self._signature:
            signature, self._signature = self._signature, ""
            return [ThoughtSignature(signature)]
        if self._call is None:
            return []
        (identity, name), self._call = self._call, None
        return [ToolCall(identity, name, self._arguments or "{}")]

    def _count(self, usage: Any) -> None:
        cached = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
        self._prompt_tokens = usage.input_tokens + cached

    def _grown(self, delta: Any) -> list[LLMEvent]:
        if delta.type == "text_delta" and delta.text:
            return [TextDelta(delta.text)]
        if delta.type == "thinking_delta" and delta.thinking:
            return [ThoughtDelta(delta.thinking)]
        if delta.type == "signature_delta":
            self._signature += delta.signature
        if delta.type == "input_json_delta":
            self._arguments += delta.partial_json
        return []
