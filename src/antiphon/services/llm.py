"""The language model's place in a pipeline: runs a provider on the contexts that come, and its
tools.

    LLMContextFrame -> LLMFullResponseStartFrame, LLMTextFrame..., LLMFullResponseEndFrame
                       then FunctionCallsStartedFrame, FunctionCallInProgressFrame, ...,
                       FunctionCallResultFrame

One answer at a time: the handler of the context frame streams it, so an interruption cancels it and
closes the provider's stream, and nothing of it is heard afterwards. Calls are announced in one step
when the stream has ended; an answer that was cut off asks for none. Tools run beside the answers
and outlive them.
"""

from __future__ import annotations

import logging
from typing import Any, ClassVar, Final

import msgspec

from antiphon.context.llm_context import ContextSnapshot, LLMContext
from antiphon.errors import AntiphonError
from antiphon.frames.audio import UserImageRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import (
    CancelFrame,
    EndFrame,
    InterruptionFrame,
    StartFrame,
)
from antiphon.frames.llm import (
    LLMConfigureOutputFrame,
    LLMContextFrame,
    LLMContextSummaryRequestFrame,
    LLMUpdateSettingsFrame,
)
from antiphon.frames.tools import FunctionCallFromLLM
from antiphon.frames.turns import VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.pipeline_check import PartInfo, Role, check_pipeline, part
from antiphon.services.arguments import check_arguments
from antiphon.services.connection import Supervised
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import LLMProvider, LLMRequest, Warmable
from antiphon.services.llm_answer import Answer
from antiphon.services.llm_completion import CompletionDriver
from antiphon.services.llm_inference import Inference
from antiphon.services.llm_request import CANCEL_PREFIX, cancel_tools, request_of, snapshot_of
from antiphon.services.llm_stream import infer
from antiphon.services.llm_summary import make_summary
from antiphon.settings import LLMSettings
from antiphon.tools.execution import CallRunner
from antiphon.tools.planning import MISSING_FUNCTION, Inner, Occasion
from antiphon.tools.registry import FunctionRegistry
from antiphon.tools.results import MAX_RESULT_CHARS
from antiphon.tools.schema import FunctionSchema
from antiphon.tools.signature import Handler
from antiphon.turns.completion import (
    ResponseInterrupted,
    UserSpeechStarted,
    UserSpeechStopped,
)

logger: Final = logging.getLogger(__name__)


class LLMService(FrameProcessor):
    """Runs one provider. Vendors' services are this class bound to theirs.

    `function_call_timeout_secs` holds for tools that name no timeout of their own; None: they may
    take for ever. A result of more than `max_result_chars` is refused, and the model told.
    `warm_up`: the context that the conversation begins with. A provider that can read the beginning
    of a prompt in advance (`Warmable`, the embedded one) does so at the start: the persona, and the
    tools of that context. `retry_policy`: by default a failed answer is tried again for 5 s.
    `apology`: what the caller hears where nothing came of an answer.
    """

    MISSING_FUNCTION_CALL_MESSAGE_TEMPLATE: ClassVar[str] = MISSING_FUNCTION
    Settings: ClassVar[type[LLMSettings]] = LLMSettings

    on_function_calls_started: Final = Event[[list[FunctionCallFromLLM]]]()
    on_function_calls_cancelled: Final = Event[[list[FunctionCallFromLLM]]]()
    on_completion_timeout: Final = Event[[]]()
    on_inference_failed: Final = Event[[AntiphonError]]()
    """An answer failed for good. What was to be said is the apology, if there is one."""

    check_pipeline = staticmethod(check_pipeline)
    described = part(Role.LLM, lambda self: PartInfo(Role.LLM, handled=self.functions.covered))

    def __init__(
        self,
        provider: LLMProvider,
        *,
        settings: LLMSettings | None = None,
        run_in_parallel: bool = True,
        group_parallel_tools: bool = True,
        function_call_timeout_secs: float | None = 10.0,
        max_result_chars: int = MAX_RESULT_CHARS,
        retry_policy: ConnectionPolicy | None = None,
        apology: str | None = None,
        warm_up: LLMContext | None = None,
        name: str | None = None,
    ) -> None:
        check_arguments(
            type(self),
            provider,
            settings,
            kind=LLMSettings,
            instead="use its vendor's service, as in OpenAILLMService(model=...)",
        )
        super().__init__(name=name)
        self.provider = provider
        self._warm_up = warm_up or LLMContext()
        self.settings: LLMSettings = settings or self.Settings()
        self.functions: FunctionRegistry = FunctionRegistry()
        self._group = group_parallel_tools
        self._line = Supervised(
            self, provider, retry_policy or ConnectionPolicy(give_up_secs=5.0), told=_no_event
        )
        self._inference = Inference(
            self,
            self._line,
            apology=apology,
            on_timeout=self.on_completion_timeout.emit,
            on_failed=self.on_inference_failed.emit,
        )
        self._skip_tts = False
        self._speech_began: int = 0
        """The id of the frame that told of the caller's last speech."""
        self._last_answer: Answer | None = None
        self._instructions: list[str] = []
        self._completion = CompletionDriver(self)
        self._calls = CallRunner(
            self,
            self.functions,
            parallel=run_in_parallel,
            timeout_secs=function_call_timeout_secs,
            missing=self.MISSING_FUNCTION_CALL_MESSAGE_TEMPLATE,
            max_result_chars=max_result_chars,
            on_started=self.on_function_calls_started.emit,
            on_cancelled=self.on_function_calls_cancelled.emit,
        )

    # ---- tools ----

    def register_function(
        self,
        function_name: str | None,
        handler: Handler,
        *,
        cancel_on_interruption: bool | None = None,
        is_async: bool | None = None,
        timeout_secs: float | None = None,
        allow_duplicates: bool | None = None,
        cancellable_by_llm: bool | None = None,
    ) -> None:
        """Lets `handler(params)` answer the calls of a function; None: of every one without a
        handler.

        What is not said here is as `@tool_options` has it, else as `ToolOptions` does.
        """
        self.functions.register(
            function_name,
            handler,
            cancel_on_interruption=cancel_on_interruption,
            is_async=is_async,
            timeout_secs=timeout_secs,
            allow_duplicates=allow_duplicates,
            cancellable_by_llm=cancellable_by_llm,
        )

    def register_direct_function(
        self,
        handler: Handler,
        *,
        cancel_on_interruption: bool | None = None,
        is_async: bool | None = None,
        timeout_secs: float | None = None,
        allow_duplicates: bool | None = None,
        cancellable_by_llm: bool | None = None,
    ) -> FunctionSchema:
        """Registers `async def name(params, argument, ...)` under its name; returns its schema."""
        return self.functions.register_direct(
            handler,
            cancel_on_interruption=cancel_on_interruption,
            is_async=is_async,
            timeout_secs=timeout_secs,
            allow_duplicates=allow_duplicates,
            cancellable_by_llm=cancellable_by_llm,
        )

    def unregister_function(self, function_name: str | None) -> None:
        """Takes a handler back, also one that an advertised tool carries."""
        self.functions.unregister(function_name)

    def append_system_instruction(self, text: str) -> None:
        """Adds a paragraph to the system instruction of every request from now on."""
        if text not in self._instructions:
            self._instructions.append(text)

    # ---- life cycle ----

    @handles(StartFrame)
    async def _start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._calls.open()
        self._completion.open()
        self._completion.configure(self.settings)
        if self.settings.model:
            self.provider.model = self.settings.model
        try:
            await self._line.connect()
            if isinstance(self.provider, Warmable):
                await self._line.call(self._warm, limit=None, what="read the prompt")
        except AntiphonError as error:
            await self._line.tell(f"{self.name} cannot use {self.provider.name}: {error}", error)

    async def _warm(self) -> None:
        assert isinstance(self.provider, Warmable)
        await self.provider.warm(self._request(self._warm_up.snapshot()))

    @handles(EndFrame, CancelFrame)
    async def _end(self, frame: EndFrame | CancelFrame, direction: FrameDirection) -> None:
        await self._calls.close()

    async def cleanup(self) -> None:
        """Closes the provider."""
        await self.provider.close()

    @handles(InterruptionFrame)
    async def _interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        await self._calls.interrupted()
        if self._last_answer is None or not self._last_answer.live:
            await self._completion.receive(ResponseInterrupted())

    @handles(VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame)
    async def _user_sounds(self, frame: Frame, direction: FrameDirection) -> None:
        started = isinstance(frame, VADUserStartedSpeakingFrame)
        self._speech_began = frame.id if started else self._speech_began
        await self._completion.receive(UserSpeechStarted() if started else UserSpeechStopped())
        await self.push_frame(frame, direction)

    @handles(LLMUpdateSettingsFrame)
    async def _update(self, frame: LLMUpdateSettingsFrame, direction: FrameDirection) -> None:
        if frame.service is not None and frame.service != self.name:
            await self.push_frame(frame, direction)
            return
        try:
            self.settings = self.settings.updated(frame.settings)
        except AntiphonError as error:
            await self.push_error(str(error), exception=error)
            return
        self._completion.configure(self.settings)
        if self.settings.model:
            self.provider.model = self.settings.model

    @handles(UserImageRawFrame)
    async def _image(self, frame: UserImageRawFrame, direction: FrameDirection) -> None:
        """A picture that a call asked for ends it: the aggregator puts it after the result."""
        await self.push_frame(frame, direction)
        if frame.request is not None and frame.request.tool_call_id is not None:
            await self._calls.finish(frame.request.tool_call_id)

    @handles(LLMConfigureOutputFrame)
    async def _configure(self, frame: LLMConfigureOutputFrame, direction: FrameDirection) -> None:
        self._skip_tts = frame.skip_tts

    # ---- answering ----

    @handles(LLMContextFrame)
    async def _respond(self, frame: LLMContextFrame, direction: FrameDirection) -> None:
        if self._calls.ending:
            return
        snapshot = snapshot_of(frame.context)
        answer = Answer(
            self,
            self._completion,
            snapshot,
            llm=self.provider.name,
            model=self.provider.model,
            skip_tts=self._skip_tts,
        )
        self._last_answer = answer
        if frame.id > self._speech_began:
            # The turn machine asks when the caller is silent: the news of it may be behind.
            await self._completion.receive(UserSpeechStopped())
        await answer.begin()
        await self._inference.give(self.provider, lambda: self._request(snapshot), answer)
        if answer.calls and answer.live:
            await self._inference.call(lambda: self._run_calls(answer, snapshot))

    async def run_inference(
        self,
        context: LLMContext | ContextSnapshot,
        *,
        max_tokens: int | None = None,
        system_instruction: str | None = None,
    ) -> str:
        """The model's text on a context, out of band: nobody hears it, no tool is called.

        Raises:
            AntiphonError: it failed, after the retries of the policy.

        """
        request = msgspec.structs.replace(
            self._request(snapshot_of(context)), tools=(), tool_choice=None
        )
        if max_tokens is not None:
            request = msgspec.structs.replace(request, max_tokens=max_tokens)
        if system_instruction is not None:
            request = msgspec.structs.replace(request, system_instruction=system_instruction)
        return await infer(self._line, self.provider, request)

    @handles(LLMContextSummaryRequestFrame)
    async def _summarize(
        self, frame: LLMContextSummaryRequestFrame, direction: FrameDirection
    ) -> None:
        self.create_task(make_summary(self, frame.llm or self, frame), name="summary")

    # ---- calling ----

    async def _run_calls(self, answer: Answer, snapshot: ContextSnapshot) -> None:
        """Announces and starts the calls of an answer that is complete."""
        inner: dict[str, Inner] = {
            tool.name: self._cancel_for_model for tool in cancel_tools(snapshot, self.functions)
        }
        occasion = Occasion(
            epoch=answer,
            context=snapshot.context,
            tools=snapshot.tools,
            group_id=f"{self.name}-{answer.response_id}" if self._group else None,
            response_id=answer.response_id,
            inner=inner,
        )
        await self._calls.run(answer.calls, occasion)

    def _cancel_for_model(self, call: FunctionCallFromLLM) -> dict[str, Any]:
        name = call.function_name.removeprefix(CANCEL_PREFIX)
        wanted = call.arguments.get("tool_call_id")
        running = [
            one.tool_call_id
            for one in self._calls.table.open_calls
            if one.function_name == name and one.tool_call_id != call.tool_call_id
        ]
        chosen = [one for one in running if wanted in {None, one}]
        if len(chosen) != 1:
            reason = "none is running" if not running else "say which by its tool_call_id"
            return {"cancelled": None, "reason": reason, "running": running}
        stopping = self._calls.cancel_by_model(chosen[0])
        self.create_task(stopping, name=f"cancel {name}")
        return {"cancelled": chosen[0]}

    def _request(self, snapshot: ContextSnapshot) -> LLMRequest:
        self.functions.adopt(snapshot.tools)
        if missing := self.functions.missing(snapshot.tools):
            logger.warning(
                "%s: the tools %s are advertised but have no handler: register one, or give it to "
                "the FunctionSchema.",
                self.name,
                ", ".join(missing),
            )
        return request_of(
            snapshot,
            provider=self.provider.name,
            settings=self.settings,
            registry=self.functions,
            instructions=(*self._instructions, self._completion.instruction or ""),
        )


async def _no_event(message: str) -> None:
    """Errors of a model are told by `on_inference_failed`."""
