"""Function calls. Announcements and results are never lost to an interruption."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from antiphon.frames.base import ControlFrame, DataFrame, SystemFrame, UninterruptibleFrame


class FunctionCallFromLLM(msgspec.Struct, frozen=True):
    """One call as the model asked for it.

    `context` is the live conversation where a handler of an event is told of the call; frames do
    not carry it.
    """

    function_name: str
    tool_call_id: str
    arguments: dict[str, Any]
    group_id: str | None = None
    context: Any = None


class FunctionCallResultProperties(msgspec.Struct, frozen=True, kw_only=True):
    """What a result asks for.

    `run_llm`: True runs the model now, also before the other calls of the answer have ended; False
    does not run it, also as the last of them; None: once they all have ended.
    `on_context_updated`: awaited after the result is in the context. `is_final`: False for an
    intermediate result of an asynchronous call.
    """

    run_llm: bool | None = None
    on_context_updated: Callable[[], Awaitable[None]] | None = None
    is_final: bool = True


class FunctionCallsStartedFrame(SystemFrame):
    """An answer of the model asked for these calls.

    `response_id` is the id of the `LLMFullResponseStartFrame` that began the answer.
    """

    function_calls: tuple[FunctionCallFromLLM, ...]
    response_id: int | None = None


class FunctionCallInProgressFrame(UninterruptibleFrame, ControlFrame):
    """A call is starting; `group_id` links the calls of one answer.

    `siblings` are all calls of the answer, this one included, and `response_id` is its id as in
    `FunctionCallsStartedFrame`: that frame is urgent and may be handled later than this one.
    """

    function_name: str
    tool_call_id: str
    arguments: dict[str, Any]
    cancel_on_interruption: bool = True
    is_async: bool = False
    group_id: str | None = None
    siblings: tuple[FunctionCallFromLLM, ...] = ()
    response_id: int | None = None


class FunctionCallResultFrame(UninterruptibleFrame, DataFrame):
    """The result of a call, final or (by `properties.is_final`) intermediate.

    `run_llm` holds where `properties` does not say.
    """

    function_name: str
    tool_call_id: str
    arguments: dict[str, Any]
    result: Any
    properties: FunctionCallResultProperties | None = None
    run_llm: bool | None = None


class FunctionCallCancelFrame(UninterruptibleFrame, ControlFrame):
    """A call ended without a result; `reason` says why, `run_llm` that the model must hear it."""

    function_name: str
    tool_call_id: str
    reason: str = "cancelled"
    run_llm: bool = False
