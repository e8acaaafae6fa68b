"""One inference from its request to its end, which is an answer or told.

Whatever goes wrong in it is one failed inference: the program is told by an error and by an event,
and the caller hears the apology, if there is one and nothing of the answer is out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing

from antiphon.errors import AntiphonError, InvalidRequestError, ServerError
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.connection import SilenceError, Supervised, failures_of
from antiphon.services.contracts import LLMProvider, LLMRequest
from antiphon.services.llm_answer import Answer
from antiphon.services.llm_stream import EmptyReplyError, answered, events_of, is_empty


class Inference:
    """Makes the inferences of one service."""

    def __init__(
        self,
        service: FrameProcessor,
        line: Supervised,
        *,
        apology: str | None,
        on_timeout: Callable[[], Awaitable[None]],
        on_failed: Callable[[AntiphonError], Awaitable[None]],
    ) -> None:
        self._service, self._line = service, line
        self._apology = apology
        self._on_timeout, self._on_failed = on_timeout, on_failed

    async def give(
        self, provider: LLMProvider, request: Callable[[], LLMRequest], answer: Answer
    ) -> None:
        """Gives the provider's answer out, and ends it."""
        try:
            await self._stream(provider, self._made(request), answer)
        except AntiphonError as error:
            answer.calls.clear()
            await self._failed(error)
            if self._apology is not None and not answer.said_text:
                await answer.apologise(self._apology)
        finally:
            await answer.end()

    async def call(self, calls: Callable[[], Awaitable[None]]) -> None:
        """Has the calls of an answer made that has ended."""
        try:
            with failures_of(self._service.name):
                await calls()
        except AntiphonError as error:
            await self._failed(error)
            if self._apology is not None:
                await self._service.push_frame(TTSSpeakFrame(self._apology))

    def _made(self, request: Callable[[], LLMRequest]) -> LLMRequest:
        try:
            with failures_of(self._service.name):
                return request()
        except ServerError as error:  # asking again cannot help
            raise InvalidRequestError(f"its request cannot be made: {error}") from error

    async def _stream(self, provider: LLMProvider, request: LLMRequest, answer: Answer) -> None:
        """Streams one answer, trying again as long as nothing of it is out."""

        async def attempt() -> None:
            answer.calls.clear()
            empty = True
            async with aclosing(events_of(self._line, provider, request)) as events:
                async for event in events:
                    empty = empty and is_empty(event)
                    await answer.receive(event)
            if empty and _asked_by_caller(request):
                raise EmptyReplyError(f"{provider.name} gave an empty answer")
            await answer.complete()

        await answered(self._line, attempt, spent=lambda: answer.said_anything)

    async def _failed(self, error: AntiphonError) -> None:
        if isinstance(error, SilenceError):
            await self._on_timeout()
        who = self._line.provider.name
        await self._service.push_error(f"{who} failed to answer: {error}", exception=error)
        await self._on_failed(error)


def _asked_by_caller(request: LLMRequest) -> bool:
    """Tell that the caller waits for an answer, rather than a tool for its echo."""
    return bool(request.messages) and request.messages[-1].get("role") == "user"
