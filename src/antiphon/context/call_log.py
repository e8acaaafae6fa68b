"""Function calls as the conversation tells them.

One log belongs to a pair of aggregators and both feed it: the user's half sees the frames of a call
at once, on their way upstream, the assistant's half when everything before them has been played.
Whoever comes first writes, the other finds it done; so the order and direction of frames do not
matter.

| what happens        | synchronous call                    | asynchronous call                |
|---------------------|-------------------------------------|----------------------------------|
| it runs             | tool call, tool msg. `IN_PROGRESS`  | tool call, tool msg. `started`   |
| intermediate result | -                                   | developer message, `running`     |
| result              | the tool message becomes the result | developer message, `finished`    |
| cancelled           | the tool message says `CANCELLED`   | developer message, `cancelled`   |
| out of time         | the tool message says so            | developer message, `timeout`     |
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final

from antiphon.context.messages import (
    CANCELLED,
    IN_PROGRESS,
    LLMSpecificMessage,
    Message,
    async_tool_text,
    developer_message,
    tool_call_message,
    tool_message,
)
from antiphon.frames.base import Frame
from antiphon.frames.tools import (
    FunctionCallCancelFrame,
    FunctionCallFromLLM,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    FunctionCallResultProperties,
    FunctionCallsStartedFrame,
)
from antiphon.tools.calls import CallEnd, CallState, CallTable, FunctionCall
from antiphon.tools.results import failure, tool_text
from antiphon.tools.run_gate import RunGate

if TYPE_CHECKING:
    from antiphon.context.llm_context import LLMContext

logger: Final = logging.getLogger(__name__)

CALL_FRAMES = (
    FunctionCallsStartedFrame,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    FunctionCallCancelFrame,
)

Updated = Callable[[], Awaitable[None]]
_NO_PROPERTIES = FunctionCallResultProperties()


class CallLog:
    """Writes calls into a context and tells the gate what the model is owed."""

    def __init__(self, context: LLMContext, gate: RunGate) -> None:
        self.table: CallTable = CallTable()
        self._context = context
        self._gate = gate
        self._response_of: dict[str, int] = {}
        self._siblings: tuple[FunctionCallFromLLM, ...] = ()
        self._anchors: dict[int, Message] = {}
        self._intermediate: dict[str, set[int]] = {}
        self._news: Message | None = None
        self._attached: dict[str, list[Message]] = {}

    def receive(self, frame: Frame) -> Updated | None:
        """Takes note of a frame; returns what is to be awaited now that the context has changed."""
        match frame:
            case FunctionCallsStartedFrame():
                self._announced(frame)
            case FunctionCallInProgressFrame():
                self._running(frame)
            case FunctionCallResultFrame():
                return self._result(frame)
            case FunctionCallCancelFrame():
                self._cancelled(frame)
        return None

    def attach(self, tool_call_id: str, message: Message) -> None:
        """A message that is to follow the end of a call."""
        self._attached.setdefault(tool_call_id, []).append(message)

    def close(self) -> None:
        """The session ends: what is open is cancelled."""
        for call in self.table.open_calls:
            self._end_without_result(call, CallEnd.CANCELLED, wants_run=False)

    @property
    def unseen_news(self) -> Message | None:
        """The first developer message about a call that no inference has seen yet.

        An answer that was under way when it came was made without it, and belongs before it.
        """
        return self._news

    def inference_sent(self) -> None:
        """The model sees all news so far."""
        self._news = None

    def anchor(self, response_id: int | None) -> Message | None:
        """The first message of the calls that this answer asked for: its text belongs before it."""
        return None if response_id is None else self._anchors.get(response_id)

    def unanswered_tail(self) -> Message | None:
        """The first of the calls that the context ends with, if the model has yet to react to them.

        What the agent says in the meantime ("let me check") belongs before them.
        """
        first = None
        unanswered = self._gate.owed
        for message in self._context.newest_first():
            if isinstance(message, LLMSpecificMessage):
                break
            if message.get("tool_calls"):
                first = message
            elif message.get("role") != "tool":
                break
            elif message.get("content") == IN_PROGRESS:
                unanswered = True
        return first if unanswered else None

    # ---- what happens to a call ----

    def _announced(self, frame: FunctionCallsStartedFrame) -> None:
        self._announce(frame.function_calls, frame.response_id)

    def _announce(self, calls: Iterable[FunctionCallFromLLM], response_id: int | None) -> None:
        for call in self.table.announce(calls):
            if response_id is not None:
                self._response_of[call.tool_call_id] = response_id

    def _running(self, frame: FunctionCallInProgressFrame) -> None:
        asked = FunctionCallFromLLM(
            frame.function_name, frame.tool_call_id, frame.arguments, frame.group_id
        )
        if frame.siblings is not self._siblings:  # each of a thousand calls names all thousand
            self._siblings = frame.siblings
            self._announce(frame.siblings, frame.response_id)
        self._announce((asked,), frame.response_id)
        step = self.table.start(
            frame.tool_call_id,
            is_async=frame.is_async,
            cancel_on_interruption=frame.cancel_on_interruption,
            group_id=frame.group_id,
        )
        if step is None:
            return
        self._write_call(step.call)
        if step.run_llm:
            self._gate.owe()

    def _result(self, frame: FunctionCallResultFrame) -> Updated | None:
        properties = frame.properties or _NO_PROPERTIES
        run_llm = frame.run_llm if properties.run_llm is None else properties.run_llm
        call = self.table.get(frame.tool_call_id)
        if call is None:
            logger.warning(
                "A result of %r belongs to no call (%s): it is dropped.",
                frame.function_name,
                frame.tool_call_id,
            )
            return None
        if not self.table.is_open(frame.tool_call_id):
            return None
        if call.state is CallState.ANNOUNCED:
            self._write_call(call)
        if not properties.is_final:
            return self._intermediate_result(call, frame, properties)
        told = tool_text(frame.function_name, frame.result)
        if told.problem is not None:
            logger.error("%s", told.problem)
        step = self.table.finish(call.tool_call_id, CallEnd.RESULT, run_llm=run_llm)
        if call.is_async:
            self._tell(call, "finished", result=told.value)
        else:
            self._answer(call, told.text)
        self._ended(call)
        if step is not None and step.run_llm:
            self._gate.owe()
        return properties.on_context_updated

    def _intermediate_result(
        self,
        call: FunctionCall,
        frame: FunctionCallResultFrame,
        properties: FunctionCallResultProperties,
    ) -> Updated | None:
        if not call.is_async:
            logger.error("Only an asynchronous call has intermediate results: %s.", call)
            return None
        seen = self._intermediate.setdefault(call.tool_call_id, set())
        if frame.id in seen:
            return None
        seen.add(frame.id)
        told = tool_text(frame.function_name, frame.result)
        if told.problem is not None:
            logger.error("%s", told.problem)
        self._tell(call, "running", result=told.value)
        if properties.run_llm is not False and frame.run_llm is not False:
            self._gate.owe()
        return properties.on_context_updated

    def _cancelled(self, frame: FunctionCallCancelFrame) -> None:
        call = self.table.get(frame.tool_call_id)
        if call is None:
            logger.warning("A cancellation belongs to no call: %s.", frame.tool_call_id)
            return
        if not self.table.is_open(frame.tool_call_id):
            return
        timeout = frame.reason == CallEnd.TIMEOUT.value
        end = CallEnd.TIMEOUT if timeout else CallEnd.CANCELLED
        self._end_without_result(call, end, wants_run=frame.run_llm)

    def _end_without_result(self, call: FunctionCall, end: CallEnd, *, wants_run: bool) -> None:
        if call.state is CallState.ANNOUNCED:
            self._write_call(call)
        step = self.table.finish(call.tool_call_id, end, wants_run=wants_run)
        if call.is_async:
            self._tell(call, end.value)
        elif end is CallEnd.TIMEOUT:
            late = failure(f"The function `{call.function_name}` did not answer in time.")
            self._answer(call, tool_text(call.function_name, late).text)
        else:
            self._answer(call, CANCELLED)
        self._ended(call)
        if step is not None and step.run_llm:
            self._gate.owe()

    # ---- writing ----

    def _write_call(self, call: FunctionCall) -> None:
        text = async_tool_text(call.tool_call_id, "started") if call.is_async else IN_PROGRESS
        block = [
            tool_call_message(call.tool_call_id, call.function_name, call.arguments),
            tool_message(call.tool_call_id, text),
        ]
        first, _ = self._context.insert(block)
        response_id = self._response_of.get(call.tool_call_id)
        if response_id is not None:
            self._context.answer_of[call.tool_call_id] = response_id
            self._anchors.setdefault(response_id, first)
            while len(self._anchors) > 8:
                del self._anchors[next(iter(self._anchors))]

    def _answer(self, call: FunctionCall, text: str) -> None:
        if not self._context.answer_call(call.tool_call_id, text):
            logger.info(
                "The call %s of %r is no longer in the context: its end is not written.",
                call.tool_call_id,
                call.function_name,
            )

    def _tell(self, call: FunctionCall, status: str, **more: object) -> None:
        text = async_tool_text(call.tool_call_id, status, **more)
        first, *_ = self._context.insert([developer_message(text)])
        self._news = self._news or first

    def _ended(self, call: FunctionCall) -> None:
        self._response_of.pop(call.tool_call_id, None)
        self._intermediate.pop(call.tool_call_id, None)
        attached = self._attached.pop(call.tool_call_id, None)
        if attached:
            self._context.insert(attached)
            self._gate.owe()
