"""Anthropic's language models, over the official SDK."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from antiphon.errors import (
    AuthenticationError,
    AuthorizationError,
    ConfigurationError,
    ConnectivityError,
    InvalidRequestError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServiceError,
)
from antiphon.providers.anthropic.translation import as_body
from antiphon.providers.http import (
    CONNECT_SECS,
    error_for_status,
    import_sdk,
    transport_errors,
)
from antiphon.services.contracts import (
    LLMEvent,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    ThoughtSignature,
    TokenUsage,
    ToolCall,
)

KEY_VARIABLE = "ANTHROPIC_API_KEY"

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


class AnthropicLLMProvider:
    """Messages of one model. Nothing is retried here.

    `api_key` defaults to `ANTHROPIC_API_KEY`, `base_url` to `ANTHROPIC_BASE_URL` or Anthropic's.
    """

    name = "anthropic"

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
    ) -> None:
        self.model = model
        self._key = api_key if api_key is not None else _key(os.environ)
        self._base_url = base_url
        self._client: Any = None

    @classmethod
    def of(
        cls, *, model: str, environment: Mapping[str, str] | None = None
    ) -> AnthropicLLMProvider:
        """The model, with key and address from the environment.

        Raises:
            ConfigurationError: the key is not there.

        """
        environment = os.environ if environment is None else environment
        base_url = environment.get("ANTHROPIC_BASE_URL") or None
        return cls(model=model, api_key=_key(environment), base_url=base_url)

    async def connect(self) -> None:
        """Imports the SDK (seconds of CPU, off the loop) and makes its client."""
        if self._client is None:
            sdk = await self._sdk()
            self._client = sdk.AsyncAnthropic(
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
            stream = await self._open(request)
            async with aclosing(self._events(stream)) as events:
                async for event in events:
                    yield event
        except sdk.APIStatusError as error:
            raise _mapped(error) from error
        except sdk.APIConnectionError as error:
            raise ConnectivityError(f"anthropic cannot be reached: {error.message}") from error
        except sdk.APIError as error:
            raise ServerError(f"anthropic: {error.message}") from error
        except transport_errors() as error:
            raise ConnectivityError(f"anthropic: the connection broke: {error}") from error
        except ValueError as error:
            raise ServerError(f"anthropic sent what is not JSON: {error}") from error
        finally:
            if stream is not None:
                await stream.close()

    async def close(self) -> None:
        """Closes idle connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def _sdk(self) -> Any:
        return await import_sdk("anthropic", feature=f"The model {self.model}", extra="anthropic")

    async def _open(self, request: LLMRequest) -> Any:
        body = as_body(request, model=self.model)
        return await self._client.messages.create(**body)

    async def _events(self, stream: Any) -> AsyncGenerator[LLMEvent, None]:
        reader = _Reader()
        async for event in stream:
            for read in reader.read(event):
                yield read
        if not reader.stopped:
            raise ConnectivityError("anthropic ended its answer in the middle")


class _Reader:
    """Events of the stream to ours: blocks begin, grow and stop, one after the other."""

    def __init__(self) -> None:
        self._call: tuple[str, str] | None = None
        self._arguments = self._signature = ""
        self._prompt_tokens = self._completion_tokens = 0
        self.stopped = False

    def read(self, event: Any) -> list[LLMEvent]:
        if event.type == "message_start":
            self._count(event.message.usage)
        elif event.type == "content_block_start" and event.content_block.type == "tool_use":
            self._call = (event.content_block.id, event.content_block.name)
            self._arguments = ""
        elif event.type == "content_block_delta":
            return self._grown(event.delta)
        elif event.type == "content_block_stop":
            return self._block_stopped()
        elif event.type == "message_delta":
            self._completion_tokens = event.usage.output_tokens
        elif event.type == "message_stop":
            self.stopped = True
            return [TokenUsage(self._prompt_tokens, self._completion_tokens)]
        return []

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


def _mapped(error: Any) -> ServiceError:
    message = f"anthropic: {error.api_message or error.message}"
    if error.status_code >= 400:
        return error_for_status(error.status_code, message)
    return _BY_TYPE.get(error.type, ServerError)(message)


def _key(environment: Mapping[str, str]) -> str:
    key = environment.get(KEY_VARIABLE, "").strip()
    if not key:
        raise ConfigurationError(
            f"anthropic needs a key: set the environment variable {KEY_VARIABLE}"
        )
    return key
