"""What a handler is given: the call, the conversation, and the ways to answer and to hang up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from antiphon.frames.tools import FunctionCallResultProperties
from antiphon.kernel.processor import FrameProcessor

if TYPE_CHECKING:
    from antiphon.context.llm_context import LLMContext


class ResultCallback(Protocol):
    """Answers a call. May be called several times with `is_final=False` by an asynchronous tool."""

    def __call__(
        self, result: Any, *, properties: FunctionCallResultProperties | None = None
    ) -> Awaitable[None]: ...


class EndCall(Protocol):
    """Ends the conversation when `text`, if there is one, has been heard to its end."""

    def __call__(self, text: str | None = None) -> Awaitable[None]: ...


class FunctionCallParams(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler gets. `llm` is the service that runs it, `context` the live conversation.

    `await result_callback(result)` answers the call. `await end_call("Goodbye")` answers it too if
    that is still to be done, lets the words be heard to their end and then ends the conversation:
    from then on neither the caller nor the model is listened to.
    """

    function_name: str
    tool_call_id: str
    arguments: dict[str, Any]
    llm: FrameProcessor
    context: LLMContext
    result_callback: ResultCallback
    end_call: EndCall


class PendingAnswer(Coroutine[Any, Any, None]):
    """What `result_callback(...)` returns: a coroutine that knows if it was ever awaited.

    One that was forgotten is taken over by `taken`; whoever awaits it after that awaits nothing.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._running: Coroutine[Any, Any, None] | None = None

    @property
    def forgotten(self) -> bool:
        """Nobody has awaited it so far."""
        return self._running is None

    def taken(self) -> Coroutine[Any, Any, None]:
        """The work, to be awaited in the place of whoever forgot to."""
        work, self._work = self._work, _nothing
        return work()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._begun().__await__()

    def send(self, value: Any) -> Any:
        return self._begun().send(value)

    def throw(
        self,
        kind: type[BaseException] | BaseException,
        value: BaseException | object = None,
        trace: TracebackType | None = None,
    ) -> Any:
        del value, trace
        return self._begun().throw(kind if isinstance(kind, BaseException) else kind())

    def close(self) -> None:
        if self._running is not None:
            self._running.close()

    def _begun(self) -> Coroutine[Any, Any, None]:
        if self._running is None:
            self._running = self._work()
        return self._running


Answering = Callable[[Any, FunctionCallResultProperties | None], Coroutine[Any, Any, None]]


def remembering(answer: Answering, answers: list[PendingAnswer]) -> ResultCallback:
    """A `result_callback` that gives answers by `answer` and lists them in `answers`."""

    def callback(
        result: Any, *, properties: FunctionCallResultProperties | None = None
    ) -> PendingAnswer:
        answers.append(PendingAnswer(lambda: answer(result, properties)))
        return answers[-1]

    return callback


async def _nothing() -> None:
    """The answer was given already."""
