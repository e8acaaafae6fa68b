"""Running function calls: the thin half of the table in `calls`.

Whatever a handler does, its call ends once: it answers, raises, is cancelled, or its time is up.
The model gets an honest result, the log names the tool, and the conversation goes on. A handler is
a stranger: whatever it raises is taken as its result. What it raises is for the log; the model is
only told that the function failed, or what a `ToolError` says.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from antiphon.errors import ConfigurationError, ToolError
from antiphon.frames.speech import EndCallFrame
from antiphon.frames.tools import (
    FunctionCallCancelFrame,
    FunctionCallFromLLM,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    FunctionCallResultProperties,
    FunctionCallsStartedFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor
from antiphon.tools.calls import CallEnd, CallTable, FunctionCall
from antiphon.tools.outcome import HandlerOutcome
from antiphon.tools.params import Answering, FunctionCallParams, PendingAnswer, remembering
from antiphon.tools.planning import (
    MISSING_FUNCTION,
    Asked,
    Occasion,
    PlannedCall,
    plan,
    refusal,
)
from antiphon.tools.registry import FunctionRegistry, Registration
from antiphon.tools.results import MAX_RESULT_CHARS, failure, oversize
from antiphon.tools.schema import ToolOptions
from antiphon.tools.signature import converted

if TYPE_CHECKING:
    from antiphon.kernel.call_frames import Timer

logger: Final = logging.getLogger(__name__)

ENDING = "The call is being ended."
"""What a call is answered with that ends the conversation."""


class CallRunner:
    """Runs the calls of one LLM service."""

    def __init__(
        self,
        service: FrameProcessor,
        registry: FunctionRegistry,
        *,
        parallel: bool = True,
        timeout_secs: float | None = 10.0,
        missing: str = MISSING_FUNCTION,
        max_result_chars: int = MAX_RESULT_CHARS,
        on_started: Callable[[list[FunctionCallFromLLM]], Awaitable[None]],
        on_cancelled: Callable[[list[FunctionCallFromLLM]], Awaitable[None]],
    ) -> None:
        self.table: CallTable = CallTable()
        self._service = service
        self._registry = registry
        self._parallel = parallel
        self._timeout_secs = timeout_secs
        self._missing = missing
        self._max_result_chars = max_result_chars
        self.ending: bool = False
        """A tool has asked for the end of the call: the model has nothing more to say."""
        self._on_started = on_started
        self._on_cancelled = on_cancelled
        self._planned: dict[str, PlannedCall] = {}
        self._waiting: deque[PlannedCall] = deque()
        self._timer: Timer | None = None
        self._closed = False

    def open(self) -> None:
        """The session has started."""
        self._closed = self.ending = False
        self._timer = self._service.timer(self._tick)

    async def run(
        self,
        asked: Sequence[Asked],
        occasion: Occasion,
    ) -> None:
        """Announces and starts the calls of one answer, in one step.

        Functions of the service itself answer at once and are not announced.
        """
        if self._closed or self.ending:
            return
        plans = [self._plan(one, occasion) for one in asked]
        siblings = tuple(one.call for one in plans)
        self.table.announce(siblings)
        announced = [one.call for one in plans if one.inner is None]
        if announced:
            frame = FunctionCallsStartedFrame(
                function_calls=tuple(announced), response_id=occasion.response_id
            )
            await self._service.broadcast_frame(frame)
            context = occasion.context
            await self._on_started([replace(call, context=context) for call in announced])
        for one in plans:
            one.siblings = siblings
            if one.inner is not None:
                await self._answer_now(one, one.inner(one.call))
            elif self._parallel:
                await self._start(one)
            else:
                self._waiting.append(one)
        await self._start_next()

    async def interrupted(self) -> None:
        """Cancels the calls that do not outlive an interruption.

        It may be heard of when a later answer has made calls: those go on.
        """
        doomed = [
            call
            for call in self.table.open_calls
            if self._planned[call.tool_call_id].is_interrupted
        ]
        await self._cancel(doomed)

    async def cancel_by_model(self, tool_call_id: str) -> None:
        """Cancels one call because the model asked for it."""
        await self._cancel([c for c in self.table.open_calls if c.tool_call_id == tool_call_id])

    async def finish(self, tool_call_id: str) -> None:
        """Ends a call without a result, if it is open: what it was to bring has come otherwise."""
        await self._finish(tool_call_id, CallEnd.RESULT, None)

    async def close(self) -> None:
        """The session ends: every open call is cancelled."""
        self._closed = True
        await self._cancel(list(self.table.open_calls))

    # ---- starting ----

    def _plan(self, asked: Asked, occasion: Occasion) -> PlannedCall:
        options = self._registry.options_of(asked.function_name)
        planned = plan(
            asked,
            occasion,
            options,
            lambda call_id: call_id in self._planned or self.table.get(call_id) is not None,
        )
        self._planned[planned.call.tool_call_id] = planned
        return planned

    async def _start_next(self) -> None:
        """Without parallel calls: starts the next one when none is running."""
        while self._waiting and not any(one.task for one in self._planned.values()):
            await self._start(self._waiting.popleft())

    async def _start(self, planned: PlannedCall) -> None:
        call = planned.call
        if not self.table.is_open(call.tool_call_id):
            return
        registration = self._registry.find(call.function_name)
        refused = refusal(planned, registration, self.table, self._missing)
        options = registration.options if registration and refused is None else ToolOptions()
        planned.options = options
        limit = options.timeout_secs if options.timeout_secs is not None else self._timeout_secs
        step = self.table.start(
            call.tool_call_id,
            is_async=options.is_async,
            cancel_on_interruption=options.cancel_on_interruption,
            deadline=None if limit is None else self._service.clock.now() + limit,
        )
        if step is None:
            return
        await self._announce_running(planned, step.call)
        if registration is None or refused is not None:
            await self._finish(call.tool_call_id, CallEnd.FAILURE, refused)
            return
        planned.task = self._service.create_task(
            self._work(planned, registration), name=f"tool {call.function_name}"
        )
        self._arm()

    async def _answer_now(self, planned: PlannedCall, result: dict[str, Any]) -> None:
        step = self.table.start(planned.call.tool_call_id)
        if step is not None:
            await self._announce_running(planned, step.call)
            await self._finish(planned.call.tool_call_id, CallEnd.RESULT, result)

    async def _announce_running(self, planned: PlannedCall, call: FunctionCall) -> None:
        await self._service.broadcast_frame(
            FunctionCallInProgressFrame(
                function_name=call.function_name,
                tool_call_id=call.tool_call_id,
                arguments=dict(call.arguments),
                cancel_on_interruption=call.cancel_on_interruption,
                is_async=call.is_async,
                group_id=call.group_id,
                siblings=planned.siblings,
                response_id=planned.occasion.response_id,
            )
        )

    # ---- running ----

    async def _work(self, planned: PlannedCall, registration: Registration) -> None:
        call = planned.call
        answers: list[PendingAnswer] = []
        params = FunctionCallParams(
            function_name=call.function_name,
            tool_call_id=call.tool_call_id,
            arguments=dict(call.arguments),
            llm=self._service,
            context=planned.occasion.context,
            result_callback=remembering(self._callback(call), answers),
            end_call=functools.partial(self._end_call, call),
        )
        outcome = HandlerOutcome()
        try:
            with outcome:
                outcome.value = await _handled(registration, params)
        except asyncio.CancelledError:
            # Whoever cancels a call ends it first; an open one was cancelled by the handler itself.
            told = failure(f"The function `{call.function_name}` was cancelled.")
            await self._finish(call.tool_call_id, CallEnd.FAILURE, told)
            await self._start_next()
            raise
        finally:
            planned.task = None
            if not self.table.is_open(call.tool_call_id):
                self._planned.pop(call.tool_call_id, None)
        if outcome.error is not None:
            told = _told_of(call.function_name, outcome.error)
            await self._finish(call.tool_call_id, CallEnd.FAILURE, told)
        elif outcome.value is not None and self.table.is_open(call.tool_call_id):
            await self._finish(call.tool_call_id, CallEnd.RESULT, outcome.value)
        for answer in answers:
            if answer.forgotten and self.table.is_open(call.tool_call_id):
                logger.error(
                    "The function %r calls result_callback without await: write "
                    "'await params.result_callback(...)'.",
                    call.function_name,
                )
                await answer.taken()
        await self._start_next()

    async def _end_call(self, call: FunctionCallFromLLM, text: str | None = None) -> None:
        """Answers the call if need be, and asks for the end: once, whoever asks again."""
        if self.table.is_open(call.tool_call_id):
            silent = FunctionCallResultProperties(run_llm=False)
            await self._finish(call.tool_call_id, CallEnd.RESULT, ENDING, silent)
        if self.ending or self._closed:
            return
        self.ending = True
        frame = EndCallFrame(reason=f"the function {call.function_name!r} ended it", text=text)
        await self._service.push_frame(frame, FrameDirection.UPSTREAM)

    def _callback(self, call: FunctionCallFromLLM) -> Answering:
        async def answer(result: Any, properties: FunctionCallResultProperties | None) -> None:
            known = self.table.get(call.tool_call_id)
            name = call.function_name
            if known is None or not self.table.is_open(call.tool_call_id):
                ended = known.end.value if known is not None and known.end else "over"
                logger.warning(
                    "The function %r answered call %s too late (%s): the answer is dropped.",
                    name,
                    call.tool_call_id,
                    ended,
                )
                return
            if properties is not None and not properties.is_final:
                if not known.is_async:
                    logger.error(
                        "The function %r gave an intermediate result, which takes is_async=True: "
                        "it is dropped.",
                        name,
                    )
                    return
                await self._send_result(call, result, properties)
                return
            await self._finish(call.tool_call_id, CallEnd.RESULT, result, properties)

        return answer

    async def _tick(self) -> None:
        overdue = self.table.overdue(self._service.clock.now())
        for call in overdue:
            logger.warning("The function %r did not answer in time.", call.function_name)
        await self._cancel(list(overdue), end=CallEnd.TIMEOUT)

    # ---- ending ----

    async def _finish(
        self,
        tool_call_id: str,
        end: CallEnd,
        result: Any,
        properties: FunctionCallResultProperties | None = None,
    ) -> None:
        if self.table.finish(tool_call_id, end) is None:
            return
        planned = self._planned[tool_call_id]
        self._arm()
        await self._send_result(planned.call, result, properties)
        if planned.task is None:
            del self._planned[tool_call_id]

    async def _cancel(self, calls: list[FunctionCall], end: CallEnd = CallEnd.CANCELLED) -> None:
        ended = []
        for call in calls:
            if self.table.finish(call.tool_call_id, end) is None:
                continue
            planned = self._planned[call.tool_call_id]
            ended.append(planned.call)
            timeout = end is CallEnd.TIMEOUT
            await self._service.broadcast_frame(
                FunctionCallCancelFrame(
                    function_name=call.function_name,
                    tool_call_id=call.tool_call_id,
                    reason=end.value,
                    run_llm=timeout,
                )
            )
            if planned.task is not None:
                stopping = self._service.cancel_task(planned.task)
                self._service.create_task(stopping, name=f"stop {call.function_name}")
                planned.task = None
            self._planned.pop(call.tool_call_id, None)
        self._arm()
        if ended:
            await self._on_cancelled(ended)
            await self._start_next()

    async def _send_result(
        self,
        call: FunctionCallFromLLM,
        result: Any,
        properties: FunctionCallResultProperties | None,
    ) -> None:
        problem = oversize(call.function_name, result, self._max_result_chars)
        if problem is not None:
            logger.error("%s", problem)
            result = failure(problem)
        await self._service.broadcast_frame(
            FunctionCallResultFrame(
                function_name=call.function_name,
                tool_call_id=call.tool_call_id,
                arguments=call.arguments,
                result=result,
                properties=properties,
            )
        )

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.arm(None if self._closed else self.table.deadline)


async def _handled(registration: Registration, params: FunctionCallParams) -> Any:
    """Runs a handler; what it returns."""
    handler = registration.handler
    given = converted(handler, params.arguments) if registration.direct else {}
    running = handler(params, **given)
    if isinstance(running, Awaitable):
        return await running
    raise ConfigurationError(
        f"the function {params.function_name!r} is not async: it returned {running!r:.100}; "
        "write 'async def', and return or await params.result_callback(...)"
    )


def _told_of(name: str, error: BaseException) -> dict[str, str]:
    """What the model hears of an error; the log hears everything."""
    logger.error("The function %r failed.", name, exc_info=error)
    told = f"The function `{name}` failed."
    if isinstance(error, ToolError):
        with HandlerOutcome() as text:  # its `__str__` may be a stranger's
            text.value = str(error)
        told = text.value or told
    return failure(told)
