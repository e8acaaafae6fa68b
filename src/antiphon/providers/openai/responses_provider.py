"""OpenAI's models behind its Responses API, over the official SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.providers.openai.errors import mid_stream
from antiphon.providers.openai.provider import OpenAISDKProvider
from antiphon.providers.openai.responses_translation import as_body
from antiphon.providers.sdk_stream import AnswerReader, SDKStream
from antiphon.services.contracts import (
    LLMEvent,
    LLMRequest,
    TextDelta,
    ThoughtDelta,
    ThoughtSignature,
    TokenUsage,
    ToolCall,
)

NAME = "openai-responses"


class OpenAIResponsesLLMProvider(OpenAISDKProvider):
    """Responses of one model; nothing is stored at OpenAI's.

    `keep_reasoning`: a reasoning model gets its (encrypted) reasoning back with later requests;
    other models refuse requests that ask for it.
    """

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
        keep_reasoning: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            model=model, api_key=api_key, base_url=base_url, name=NAME, environment=environment
        )
        self._keep_reasoning: bool = keep_reasoning

    async def _open(self, client: Any, request: LLMRequest) -> SDKStream:
        body = as_body(request, model=self.model, keep_reasoning=self._keep_reasoning)
        stream: SDKStream = await client.responses.create(**body)
        return stream

    def _reader(self) -> AnswerReader:
        return _Reader()


class _Reader:
    """Events of the stream to ours; words come as they are said, other items when complete."""

    def __init__(self) -> None:
        self.finished = False

    def read(self, item: Any) -> list[LLMEvent]:
        match item.type:
            case "response.output_text.delta" | "response.refusal.delta" if item.delta:
                return [TextDelta(item.delta)]
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                return [ThoughtDelta(item.delta)] if item.delta else []
            case "response.output_item.done":
                return _complete(item.item)
            case "response.completed" | "response.incomplete":
                self.finished = True
                used = item.response.usage
                return [TokenUsage(used.input_tokens, used.output_tokens)] if used else []
            case "response.failed":
                error = item.response.error
                message, code = (error.message, error.code) if error else ("it failed", None)
                raise mid_stream(NAME, message, code)
            case "error":
                raise mid_stream(NAME, item.message, item.code)
        return []

    def last(self) -> list[LLMEvent]:
        return []


def _complete(item: Any) -> list[LLMEvent]:
    if item.type == "function_call":
        return [ToolCall(item.call_id, item.name, item.arguments or "{}")]
    if item.type == "reasoning" and item.encrypted_content:
        signature = {"id": item.id, "encrypted_content": item.encrypted_content}
        return [ThoughtSignature(signature)]
    return []
