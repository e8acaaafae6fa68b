"""Google's Gemini models, over the official SDK (the Gemini API, not Vertex)."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator, Mapping
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

import msgspec

from antiphon.errors import InvalidRequestError, ServerError, ServiceError
from antiphon.providers.account import address, key_of
from antiphon.providers.google.translation import config_of, contents_of, signature_of_call
from antiphon.providers.http import CONNECT_SECS, error_for_status, import_sdk
from antiphon.providers.sdk_stream import SDKStream, SDKStreamProvider
from antiphon.providers.vendor_tools import GEMINI
from antiphon.services.contracts import (
    LLMEvent,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    ThoughtSignature,
    TokenUsage,
    ToolCall,
)

_opened: ContextVar[list[Any]] = ContextVar("opened")
"""The HTTP responses of the request that this task makes. The SDK shows them to nobody, and closes
them only when its generators are collected."""


class GoogleLLMProvider(SDKStreamProvider):
    """Generated content of one model.

    `api_key` defaults to `GEMINI_API_KEY` or `GOOGLE_API_KEY`, `base_url` to `GOOGLE_BASE_URL` or
    Google's. `include_thoughts`: summaries of the model's thoughts come with the answer.
    """

    SDK = "google.genai"
    EXTRA = "google"
    RULES = GEMINI

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
        include_thoughts: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        environment = os.environ if environment is None else environment
        variables = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
        super().__init__(
            name="google",
            model=model,
            key=key_of("google", api_key, *variables, environment=environment),
            base_url=address(base_url or environment.get("GOOGLE_BASE_URL") or None),
        )
        self._include_thoughts = include_thoughts
        self._http: Any = None

    async def connect(self) -> None:
        """Imports the SDK and its HTTP client (seconds of CPU, off the loop); makes both."""
        http = await import_sdk("httpx2", feature=f"The model {self.model}", extra=self.EXTRA)
        if self._client is None:
            self._http = http.AsyncClient(
                event_hooks={"response": [_note]}, timeout=http.Timeout(None, connect=CONNECT_SECS)
            )
        await super().connect()

    def _new_client(self, sdk: Any) -> Any:
        return sdk.Client(
            vertexai=False,
            api_key=self._key,
            http_options={
                "base_url": self._base_url,
                "httpx_async_client": self._http,
                "retry_options": {"attempts": 1},
            },
        )

    async def _open(self, client: Any, request: LLMRequest) -> SDKStream:
        config = self._config(request)
        contents = contents_of(request, model=self.model)
        stream = _Stream()
        token = _opened.set(stream.opened)
        try:
            chunks = await client.aio.models.generate_content_stream(
                model=self.model, contents=contents, config=config
            )
            stream.first = await anext(chunks, None)
            stream.rest = chunks
        except BaseException:
            await stream.close()
            raise
        finally:
            _opened.reset(token)
        return stream

    def _config(self, request: LLMRequest) -> Any:
        config = config_of(request) | {"automatic_function_calling": {"disable": True}}
        if self._include_thoughts:
            config.setdefault("thinking_config", {"include_thoughts": True})
        from google.genai.types import GenerateContentConfig

        try:
            return GenerateContentConfig.model_validate(config)
        except ValueError as error:
            raise InvalidRequestError(f"google has no such options: {error}") from error

    def _reader(self) -> _Reader:
        return _Reader()

    def _errors(self, sdk: Any) -> tuple[type[Exception], ...]:
        return (sdk.errors.APIError, sdk.errors.UnknownApiResponseError)

    def _mapped(self, sdk: Any, error: Any) -> ServiceError:
        if isinstance(error, sdk.errors.UnknownApiResponseError):
            return ServerError(f"google sent what is not JSON: {error}")
        message = f"google: {error.message or error}"
        status = error.code if isinstance(error.code, int) else 500
        if status == 400 and "API key" in message:
            status = 401
        return error_for_status(status, message)

    async def _close_client(self, client: Any) -> None:
        await self._http.aclose()


class _Stream:
    """The SDK's stream, with its first chunk at hand: only then the request is under way."""

    def __init__(self) -> None:
        self.opened: list[Any] = []
        self.first: Any = None
        self.rest: Any = None

    async def __aiter__(self) -> AsyncIterator[Any]:
        if self.first is not None:
            yield self.first
            async for chunk in self.rest:
                yield chunk

    async def close(self) -> None:
        for response in self.opened:
            await response.aclose()


async def _note(response: Any) -> None:
    _opened.get([]).append(response)


class _Reader:
    """Chunks to events. The count of tokens grows from chunk to chunk: the last one holds."""

    def __init__(self) -> None:
        self.finished = False
        self._usage: list[LLMEvent] = []

    def read(self, item: Any) -> list[LLMEvent]:
        if item.usage_metadata is not None:
            used = item.usage_metadata
            answered = (used.candidates_token_count or 0) + (used.thoughts_token_count or 0)
            self._usage = [TokenUsage(used.prompt_token_count or 0, answered)]
        feedback = item.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            raise InvalidRequestError(f"google blocked the prompt: {feedback.block_reason.value}")
        said: list[LLMEvent] = []
        for candidate in (item.candidates or ())[:1]:
            self.finished = self.finished or candidate.finish_reason is not None
            content = candidate.content
            for part in (content.parts if content is not None else None) or ():
                said += _part(part)
        return said

    def last(self) -> list[LLMEvent]:
        return self._usage


def _part(part: Any) -> list[LLMEvent]:
    if part.thought:
        return [ThoughtDelta(part.text)] if part.text else []
    said: list[LLMEvent] = []
    call = part.function_call
    identity = (call.id or f"call_{uuid4().hex[:24]}") if call is not None else None
    if part.thought_signature:
        signature = base64.b64encode(part.thought_signature).decode()
        said.append(ThoughtSignature(signature_of_call(signature, identity)))
    if part.text:
        said.append(TextDelta(part.text))
    if call is not None and identity is not None:
        arguments = msgspec.json.encode(call.args or {}).decode()
        said.append(ToolCall(identity, call.name, arguments))
    return said
