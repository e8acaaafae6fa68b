"""The place of a model that hears and speaks, between the two halves of a context:

    Pipeline([transport.input(), user, RealtimeService(provider), transport.output(), assistant])

Theory of operation
-------------------
A `RealtimeConnection` holds the provider's conversation: inputs go in the moment they come, events
come out. Nothing waits for the provider:

* The caller's sound goes in all the time. What the model's own ears detect goes upstream as
  proposals, and what they understood as a message for the context: it is a fact, whatever becomes
  of the answer.
* A context frame asks for an answer, and its handler *is* the answer: it tells what the model does
  not know yet (`ContextSync`), asks, and gives out what comes (`RealtimeAnswer`). An interruption
  cancels the handler like any other; the model is told to stop, and how much of each item was heard
  (`PlayedLedger`), so that it forgets the rest as the context does.
* An answer that nobody asked for (of a model that answers turns by itself) gets a handler of its
  own, by a frame that the service queues for itself.
* Functions run as those of every model; their results reach the model through the context.
* A conversation that breaks off is held anew with all of the context, as text, for as long as the
  session lives; only a lasting cause (key, permission, configuration, quota) makes the service
  unusable, until its settings change.

Turns are decided by the user's half, without waiting for transcripts: see `realtime_strategies`.
"""

from __future__ import annotations

from collections import deque
from typing import ClassVar, Final

from antiphon.audio.pcm import to_mono
from antiphon.audio.resample import Resampler
from antiphon.context.llm_context import ContextSnapshot, LLMContext
from antiphon.context.messages import CANCELLED, user_message
from antiphon.errors import AntiphonError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import DataFrame, Frame
from antiphon.frames.lifecycle import (
    CancelFrame,
    EndFrame,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from antiphon.frames.llm import LLMContextFrame, LLMMessagesAppendFrame, LLMUpdateSettingsFrame
from antiphon.frames.text import InterimTranscriptionFrame, TranscriptionFrame
from antiphon.frames.tools import FunctionCallFromLLM
from antiphon.frames.transport import PlayoutBufferFrame
from antiphon.frames.turns import (
    BotSpeechPauseFrame,
    BotSpeechResumeFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.pipeline_check import Role, check_pipeline, part
from antiphon.services.arguments import check_arguments
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import (
    AudioChunk,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CancelResponse,
    Finalize,
    InputTranscript,
    RealtimeEvent,
    RealtimeProblem,
    RealtimeProvider,
    RealtimeSession,
    Respond,
    ResponseDone,
    ResponseStarted,
    ToolOutput,
    Truncate,
    Truncated,
)
from antiphon.services.llm_request import request_of, snapshot_of
from antiphon.services.realtime_answer import RealtimeAnswer, RealtimeVoice
from antiphon.services.realtime_connection import RealtimeConnection
from antiphon.services.realtime_sync import ContextSync
from antiphon.settings import RealtimeSettings
from antiphon.text.well_formed import well_formed_text
from antiphon.tools.execution import CallRunner
from antiphon.tools.planning import Occasion
from antiphon.tools.registry import FunctionRegistry
from antiphon.tools.schema import FunctionSchema
from antiphon.tools.signature import Handler
from antiphon.turns.start_strategies import ExternalUserTurnStartStrategy
from antiphon.turns.stop_strategies import ExternalUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies

UPSTREAM = FrameDirection.UPSTREAM
_DRAIN_STEP_SECS = 5.0


class UnaskedAnswerFrame(DataFrame):
    """The service's note to itself: the model has begun to answer by itself."""

    answer: RealtimeAnswer


def realtime_strategies(*, enable_interruptions: bool = True) -> UserTurnStrategies:
    """Turns as the model's own ears detect them, decided by the user's half without transcripts."""
    return UserTurnStrategies(
        start=[ExternalUserTurnStartStrategy(enable_interruptions=enable_interruptions)],
        stop=[ExternalUserTurnStopStrategy(wait_for_transcript=False)],
    )


class RealtimeService(FrameProcessor):
    """Runs one provider. See the module's docstring.

    `context`: what the conversation begins with; without it the model learns of messages and tools
    with the first answer that is asked for. `function_call_timeout_secs` as on `LLMService`.
    """

    Settings: ClassVar[type[RealtimeSettings]] = RealtimeSettings

    on_connection_error: Final = Event[[str]]()
    on_function_calls_started: Final = Event[[list[FunctionCallFromLLM]]]()
    on_function_calls_cancelled: Final = Event[[list[FunctionCallFromLLM]]]()

    check_pipeline = staticmethod(check_pipeline)
    described = part(Role.REALTIME)

    def __init__(
        self,
        provider: RealtimeProvider,
        *,
        settings: RealtimeSettings | None = None,
        context: LLMContext | None = None,
        run_in_parallel: bool = True,
        function_call_timeout_secs: float | None = 10.0,
        policy: ConnectionPolicy | None = None,
        name: str | None = None,
    ) -> None:
        check_arguments(
            type(self),
            provider,
            settings,
            kind=RealtimeSettings,
            instead="make one, as in RealtimeService(provider, settings=...)",
        )
        super().__init__(name=name)
        self.provider = provider
        self.settings: RealtimeSettings = settings or self.Settings()
        self.functions: FunctionRegistry = FunctionRegistry()
        self._context = context or LLMContext()
        self._policy = policy or ConnectionPolicy(
            first_event_secs=10.0, stall_secs=10.0, max_retries=2
        )
        self._retries = 2 if self._policy.max_retries is None else self._policy.max_retries
        self._voice = RealtimeVoice(self, provider.capabilities.output_sample_rate)
        self._resampler = Resampler(provider.capabilities.input_sample_rate)
        self._line = RealtimeConnection(
            self, provider, self._policy, self, self.on_connection_error.emit
        )
        self._sync = ContextSync()
        self._session: RealtimeSession | None = None
        self._asked: deque[RealtimeAnswer] = deque()
        self._answer: RealtimeAnswer | None = None
        self._caller_spoke = False
        self._calls = CallRunner(
            self,
            self.functions,
            parallel=run_in_parallel,
            timeout_secs=function_call_timeout_secs,
            on_started=self.on_function_calls_started.emit,
            on_cancelled=self.on_function_calls_cancelled.emit,
        )

    def register_function(
        self, function_name: str | None, handler: Handler, *, timeout_secs: float | None = None
    ) -> None:
        """Lets `handler(params)` answer the calls of a function; see `LLMService`. How it is run
        otherwise is said by `@tool_options`.
        """
        self.functions.register(function_name, handler, timeout_secs=timeout_secs)

    def register_direct_function(self, handler: Handler) -> FunctionSchema:
        """Registers `async def name(params, argument, ...)` under its name; returns its schema."""
        return self.functions.register_direct(handler)

    # ---- life cycle ---------------------------------------------------------------------------

    @handles(StartFrame)
    async def _start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._calls.open()
        if self.settings.model:
            self.provider.model = self.settings.model
        await self._line.start()

    @handles(EndFrame, StopFrame, CancelFrame)
    async def _end(
        self, frame: EndFrame | StopFrame | CancelFrame, direction: FrameDirection
    ) -> None:
        if not isinstance(frame, CancelFrame):
            line = self._voice.line
            while line:
                self.allow(2 * _DRAIN_STEP_SECS)
                await line.wait_empty(_DRAIN_STEP_SECS)
        await self._calls.close()
        self._line.close()

    async def cleanup(self) -> None:
        """Closes the provider."""
        self._line.close()
        await self.provider.close()

    # ---- what comes in ------------------------------------------------------------------------

    @handles(InputAudioRawFrame)
    async def _audio(self, frame: InputAudioRawFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        pcm = to_mono(frame.audio, frame.num_channels)
        self._line.put(AudioChunk(self._resampler.process(pcm, frame.sample_rate)))

    @handles(
        UserStartedSpeakingFrame,
        PlayoutBufferFrame,
        BotStartedSpeakingFrame,
        BotStoppedSpeakingFrame,
        BotSpeechPauseFrame,
        BotSpeechResumeFrame,
    )
    async def _somebody_speaks(self, frame: Frame, direction: FrameDirection) -> None:
        now, played = self.clock.now(), self._voice.played
        match frame:
            case UserStartedSpeakingFrame():
                self._caller_spoke = True
            case PlayoutBufferFrame(full=full):
                self._voice.line.set_room(full=full)
            case BotStartedSpeakingFrame() if direction is UPSTREAM:
                played.started(now)
            case BotStoppedSpeakingFrame() if direction is UPSTREAM:
                played.stopped()
            case BotSpeechPauseFrame() | BotSpeechResumeFrame():
                played.held(now, isinstance(frame, BotSpeechPauseFrame))
        await self.push_frame(frame, direction)

    @handles(InterruptionFrame)
    async def _interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        if self._asked or self._answer is not None:
            self._line.put(CancelResponse())
        for item_id, heard_secs in self._voice.played.cut(self.clock.now()):
            if self.provider.capabilities.truncates:
                self._line.put(Truncate(item_id, heard_secs))
        self._voice.line.void()
        self._voice.line.resume()
        await self._calls.interrupted()

    @handles(LLMUpdateSettingsFrame)
    async def _update(self, frame: LLMUpdateSettingsFrame, direction: FrameDirection) -> None:
        if frame.service is not None and frame.service != self.name:
            await self.push_frame(frame, direction)
            return
        try:
            self.settings = self.settings.updated(frame.settings)
        except AntiphonError as error:
            await self.push_error(f"{self.name}: {error}", exception=error)
            return
        self._tell_session(self._context.snapshot())
        self._line.revive()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Everything else passes; ordered frames in their place behind what is being said."""
        if frame.urgent or direction is UPSTREAM:
            await self.push_frame(frame, direction)
        else:
            self._voice.line.join(frame)

    # ---- answering ----------------------------------------------------------------------------

    @handles(LLMContextFrame)
    async def _respond(self, frame: LLMContextFrame, direction: FrameDirection) -> None:
        snapshot = snapshot_of(frame.context)
        self._context = snapshot.context
        self.functions.adopt(snapshot.tools)
        for attempt in range(self._retries + 1):
            if not await self._line.until_held():
                return
            self._tell_session(snapshot)
            told = self._sync.news(snapshot.messages)
            for item in told:
                self._line.put(item)
            caller_spoke, self._caller_spoke = self._caller_spoke, False
            if caller_spoke:
                self._line.put(Finalize())
                if self.provider.capabilities.answers_turns and not told:
                    return
            answer = RealtimeAnswer(self, self._voice, snapshot, self.provider.model)
            self._asked.append(answer)
            self._line.put(Respond())
            if await self._give(answer, last=attempt == self._retries):
                return

    @handles(UnaskedAnswerFrame)
    async def _answer_by_itself(self, frame: UnaskedAnswerFrame, direction: FrameDirection) -> None:
        await self._give(frame.answer, last=True)

    async def _give(self, answer: RealtimeAnswer, *, last: bool) -> bool:
        """Gives an answer out. False if it failed and is worth another try."""
        answer.begin()
        try:
            await answer.give(self._policy)
        except AntiphonError as error:
            if not answer.done:
                self._line.renew(error)
            if error.retryable and not answer.said_anything and not last:
                return False
            message = f"{self.provider.name} failed to answer: {error}"
            await self.push_error(message, exception=error)
        finally:
            answer.end()
            self._take_back(answer)
        for call in answer.calls:
            self._sync.called(call.tool_call_id)
        if answer.calls and answer.live:
            occasion = Occasion(
                epoch=answer,
                context=answer.snapshot.context,
                tools=answer.snapshot.tools,
                group_id=f"{self.name}-{answer.response_id}",
                response_id=answer.response_id,
            )
            await self._calls.run(answer.calls, occasion)
        return True

    def _take_back(self, answer: RealtimeAnswer) -> None:
        """What came of an answer after an interruption: nobody heard it, and its calls are void."""
        for call_id in answer.unanswered():
            self._line.put(ToolOutput(call_id, CANCELLED))
        for item_id in answer.unheard():
            if self.provider.capabilities.truncates:
                self._line.put(Truncate(item_id, 0.0))

    def _tell_session(self, snapshot: ContextSnapshot) -> None:
        """Tells the model how the conversation is held, if that has changed."""
        request = request_of(
            snapshot, provider=self.provider.name, settings=self.settings, registry=self.functions
        )
        session = RealtimeSession(
            system_instruction=request.system_instruction,
            tools=tuple(tool for tool in request.tools if snapshot.tools.get(tool.name)),
            tool_choice=request.tool_choice,
            voice=self.settings.voice,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            extra=request.extra,
        )
        if session != self._session:
            self._session = session
            self._line.put(session)

    # ---- the model's conversation (`Talk`) ----------------------------------------------------

    def begin(self) -> None:
        """A model that knows nothing is told everything."""
        self._sync, self._session = ContextSync(), None
        self._asked.clear()
        self._answer = None
        snapshot = self._context.snapshot()
        self._tell_session(snapshot)
        for item in self._sync.news(snapshot.messages):
            self._line.put(item)

    def broken(self, error: AntiphonError) -> None:
        """Whoever waits for an answer waits no longer."""
        for answer in (*self._asked, *([] if self._answer is None else [self._answer])):
            answer.fail(error)

    async def received(self, event: RealtimeEvent) -> None:
        """The model's next event."""
        match event:
            case CallerSpeechStarted():
                await self.push_frame(ProposedUserStartedSpeakingFrame(), UPSTREAM)
            case CallerSpeechStopped():
                await self.push_frame(ProposedUserStoppedSpeakingFrame(), UPSTREAM)
            case InputTranscript():
                await self._heard(event)
            case ResponseStarted():
                self._line.answered()
                self._answer = self._asked.popleft() if self._asked else None
                if self._answer is None:
                    snapshot = self._context.snapshot()
                    self.functions.adopt(snapshot.tools)
                    self._answer = RealtimeAnswer(self, self._voice, snapshot, self.provider.model)
                    await self.queue_frame(UnaskedAnswerFrame(self._answer))
            case RealtimeProblem(error=error):
                await self.push_error(f"{self.provider.name}: {error}", exception=error)
            case Truncated():
                pass
            case _ if self._answer is not None:
                self._answer.put(event)
                self._take_back(self._answer)
                if isinstance(event, ResponseDone):
                    self._answer = None

    async def _heard(self, transcript: InputTranscript) -> None:
        text, language = well_formed_text(transcript.text).strip(), transcript.language
        if not text:
            return
        stamp = self.clock.timestamp()
        if not transcript.final:
            await self.push_frame(
                InterimTranscriptionFrame(text, timestamp=stamp, language=language)
            )
            return
        self._sync.caller_said(text)
        said = LLMMessagesAppendFrame([user_message(text)], run_llm=False)
        await self.push_frame(said, UPSTREAM)
        await self.push_frame(
            TranscriptionFrame(text, timestamp=stamp, language=language, finalized=True)
        )
