"""Google's Gemini models, over the official SDK (the Gemini API, not Vertex)."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

import msgspec

from antiphon.errors import ConfigurationError, ConnectivityError, InvalidRequestError, ServerError
from antiphon.providers.google.translation import config_of, contents_of
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

KEY_VARIABLES = ("GEMINI_API_KEY", "GOOGLE_API_KEY")

_opened: ContextVar[list[Any]] = ContextVar("opened")
"""The HTTP responses of the request that this task makes. The SDK shows them to nobody, and closes
them only when its generators are collected."""


class GoogleLLMProvider:
    """Generated content of one model. Nothing is retried here.

    `api_key` defaults to `GEMINI_API_KEY` or `GOOGLE_API_KEY`, `base_url` to Google's.
    `include_thoughts`: summaries of the model's thoughts come with the answer.
    """

    name = "google"

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
        include_thoughts: bool = False,
    ) -> None:
        self.model = model
        self._key = api_key if api_key is not None else _key(os.environ)
        self._base_url = base_url
        self._include_thoughts = include_thoughts
        self._client: Any = None
        self._http: Any = None

    @classmethod
    def of(cls, *, model: str, environment: Mapping[str, str] | None = None) -> GoogleLLMProvider:
        """The model, with key and address (`GOOGLE_BASE_URL`) from the environment.

        Raises:
            ConfigurationError: the key is not there.

        """
        environment = os.environ if environment is None else environment
        base_url = environment.get("GOOGLE_BASE_URL") or None
        return cls(model=model, api_key=_key(environment), base_url=base_url)

    async def connect(self) -> None:
        """Imports the SDK (seconds of CPU, off the loop) and makes its client."""
        sdk = await self._sdk()
        http = await import_sdk("httpx2", feature=f"The model {self.model}", extra="google")
        if self._client is None:
            self._http = http.AsyncClient(
                event_hooks={"response": [_note]},
                timeout=http.Timeout(None, connect=CONNECT_SECS),
            )
            self._client = sdk.Client(
                vertexai=False,
                api_key=self._key,
                http_options={
                    "base_url": self._base_url,
                    "httpx_async_client": self._http,
                    "retry_options": {"attempts": 1},
                },
            )

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        """Streams the answer; closing the iterator closes the HTTP response."""
        await self.connect()
        sdk = await self._sdk()
        opened: list[Any] = []
        try:
            with _mapped_errors(sdk):
                stream = await self._open(request, opened)
                async with aclosing(self._events(stream)) as events:
                    async for event in events:
                        yield event
        finally:
            for response in opened:
                await response.aclose()

    async def close(self) -> None:
        """Closes idle connections."""
        if self._client is not None:
            self._client = None
            await self._http.aclose()

    async def _sdk(self) -> Any:
        return await import_sdk("google.genai", feature=f"The model {self.model}", extra="google")

    async def _open(self, request: LLMRequest, opened: list[Any]) -> Any:
        """The SDK's stream, with its first chunk at hand: only then the request is under way."""
        config = self._config(request)
        contents = contents_of(request, model=self.model)
        token = _opened.set(opened)
        try:
            stream = await self._client.aio.models.generate_content_stream(
                model=self.model, contents=contents, config=config
            )
            first = await anext(stream, None)
        finally:
            _opened.reset(token)
        return _after(first, stream)

    def _config(self, request: LLMRequest) -> Any:
        config = config_of(request) | {"automatic_function_calling": {"disable": True}}
        if self._include_thoughts:
            config.setdefault("thinking_config", {"include_thoughts": True})
        from google.genai.types import GenerateContentConfig

        try:
            return GenerateContentConfig.model_validate(config)
        except ValueError as error:
            raise InvalidRequestError(f"google has no such options: {error}") from error

    async def _events(self, stream: Any) -> AsyncGenerator[LLMEvent, None]:
        reader = _Reader()
        async for chunk in stream:
            for event in reader.read(chunk):
                yield event
        if not reader.finished:
            raise ConnectivityError("google ended its answer in the middle")
        if reader.usage is not None:
            yield reader.usage


class _Reader:
    """Chunks to events. The count of tokens grows from chunk to chunk: the last one holds."""

    def __init__(self) -> None:
        self.finished = False
        self.usage: TokenUsage | None = None

    def read(self, chunk: Any) -> list[LLMEvent]:
        if chunk.usage_metadata is not None:
            used = chunk.usage_metadata
            answered = (used.candidates_token_count or 0) + (used.thoughts_token_count or 0)
            self.usage = TokenUsage(used.prompt_token_count or 0, answered)
        feedback = chunk.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            raise InvalidRequestError(f"google blocked the prompt: {feedback.block_reason.value}")
        said: list[LLMEvent] = []
        for candidate in (chunk.candidates or ())[:1]:
            self.finished = self.finished or candidate.finish_reason is not None
            content = candidate.content
            for part in (content.parts if content is not None else None) or ():
                said += _part(part)
        return said


def _part(part: Any) -> list[LLMEvent]:
    said: list[LLMEvent] = []
    if part.thought:
        return [ThoughtDelta(part.text)] if part.text else []
    if part.thought_signature:
        said.append(ThoughtSignature(base64.b64encode(part.thought_signature).decode()))
    if part.text:
        said.append(TextDelta(part.text))
    if part.function_call is not None:
        call = part.function_call
        arguments = msgspec.json.encode(call.args or {}).decode()
        said.append(ToolCall(call.id or f"call_{uuid4().hex[:24]}", call.name, arguments))
    return said


async def _note(response: Any) -> None:
    _opened.get([]).append(response)


async def _after(first: Any, rest: Any) -> AsyncGenerator[Any, None]:
    if first is not None:
        yield first
        async for chunk in rest:
            yield chunk


@contextmanager
def _mapped_errors(sdk: Any) -> Iterator[None]:
    try:
        yield
    except sdk.errors.APIError as error:
        message = f"google: {error.message or error}"
        status = error.code if isinstance(error.code, int) else 500
        if status == 400 and "API key" in message:
            status = 401
        raise error_for_status(status, message) from error
    except sdk.errors.UnknownApiResponseError as error:
        raise ServerError(f"google sent what is not JSON: {error}") from error
    except transport_errors() as error:
        raise ConnectivityError(f"google cannot be reached, or broke off: {error}") from error
    except ValueError as error:
        raise ServerError(f"google sent what is not JSON: {error}") from error


def _key(environment: Mapping[str, str]) -> str:
    for variable in KEY_VARIABLES:
        if key := environment.get(variable, "").strip():
            return key
    raise ConfigurationError(f"google needs a key: set the environment variable {KEY_VARIABLES[0]}")
