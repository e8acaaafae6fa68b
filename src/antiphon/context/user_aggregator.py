"""The user's half of the context: turns become messages, and messages run the model.

For every frame, in this order: is the caller muted; what the frame asks of the context; whose turn
it is; is the caller idle. Deciding is done by the collaborators (`antiphon.turns`); this processor
writes the context and sends it downstream, to the model. Its `vad_analyzer` is given to a
`VADProcessor` that is put before the transcriber when the chain is built.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Final

import msgspec

from antiphon.context.call_log import CALL_FRAMES
from antiphon.context.context_editor import ContextEditor
from antiphon.context.llm_context import LLMContext
from antiphon.context.messages import user_message
from antiphon.context.pair_state import EDIT_FRAMES, PairState, RunDueFrame
from antiphon.frames.audio import InputAudioRawFrame, UserImageRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import (
    CancelFrame,
    EndFrame,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from antiphon.frames.llm import LLMSetToolsFrame
from antiphon.frames.text import InterimTranscriptionFrame, TranscriptionFrame, TranslationFrame
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EndUserTurnFrame,
    UserMuteStartedFrame,
    UserMuteStoppedFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.pipeline import Place
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.pipeline_check import PartInfo, Role, check_pipeline
from antiphon.turns.completion import UserTurnCompletionConfig
from antiphon.turns.controller import (
    UserTurnController,
    UserTurnSegment,
    UserTurnStartedParams,
    UserTurnStoppedParams,
)
from antiphon.turns.frame_facts import PROPOSALS
from antiphon.turns.idle import UserIdleController
from antiphon.turns.machine_actions import Decision
from antiphon.turns.mute import MuteGate, UserMuteStrategy
from antiphon.turns.strategies import FilterIncompleteUserTurnStrategies, UserTurnStrategies
from antiphon.turns.strategy import TurnStrategy
from antiphon.turns.vad_driver import VADAnalyzer, voice_activity_for

CONSUMED = (TranscriptionFrame, InterimTranscriptionFrame, TranslationFrame)


class LLMUserAggregatorParams(msgspec.Struct, frozen=True, kw_only=True):
    """How the caller is listened to. Times in seconds; an idle timeout of 0 is off.

    `user_turn_stop_timeout`: an open turn is stopped when the caller was silent for so long and no
    strategy did it.
    `audio_idle_timeout`: speech is over when no audio came for so long; a shorter stall is made up
    for. `add_tool_change_messages` as on the pair.
    """

    vad_analyzer: VADAnalyzer | None = None
    user_turn_strategies: UserTurnStrategies | None = None
    user_mute_strategies: Sequence[UserMuteStrategy] = ()
    user_turn_stop_timeout: float = 5.0
    user_idle_timeout: float = 0
    audio_idle_timeout: float = 1.5
    add_tool_change_messages: bool = False
    filter_incomplete_user_turns: bool = False
    user_turn_completion_config: UserTurnCompletionConfig | None = None

    def strategies(self) -> UserTurnStrategies | None:
        """The strategies; the former flag for completion by the model works, with a warning."""
        given = self.user_turn_strategies
        if not self.filter_incomplete_user_turns:
            return given
        warnings.warn(
            "LLMUserAggregatorParams.filter_incomplete_user_turns is deprecated: "
            "use user_turn_strategies=FilterIncompleteUserTurnStrategies(config=...)",
            DeprecationWarning,
            stacklevel=3,
        )
        return FilterIncompleteUserTurnStrategies(
            start=None if given is None else given.start,
            stop=None if given is None or given.default_stop else given.stop,
            config=self.user_turn_completion_config,
        )


class UserTurnStoppedMessage(msgspec.Struct, frozen=True):
    """A whole turn of the caller: `content` is all that was said. `timestamp` is when it began,
    `ended_at` when it was found to be over (ISO 8601). `nothing_understood`: there was sound, but
    no words.
    """

    content: str
    timestamp: str
    user_id: str = ""
    nothing_understood: bool = False
    ended_at: str = ""


class UserTurnMessageAddedMessage(msgspec.Struct, frozen=True):
    """A part of a turn that became a message of the context."""

    content: str
    timestamp: str
    user_id: str = ""


class LLMUserAggregator(FrameProcessor):
    """See the module's docstring. Made by `LLMContextAggregatorPair`."""

    on_user_turn_started: Final = Event[[TurnStrategy | None]]()
    on_user_turn_inference_triggered: Final = Event[[TurnStrategy | None]]()
    on_user_turn_stopped: Final = Event[[TurnStrategy | None, UserTurnStoppedMessage]]()
    on_user_turn_stop_timeout: Final = Event[[]]()
    on_user_turn_idle: Final = Event[[]]()
    on_user_turn_message_added: Final = Event[[UserTurnMessageAddedMessage]]()
    on_user_turn_decision: Final = Event[[Decision]]()
    on_user_mute_started: Final = Event[[]]()
    on_user_mute_stopped: Final = Event[[]]()

    check_pipeline = staticmethod(check_pipeline)

    def __init__(
        self,
        shared: PairState,
        params: LLMUserAggregatorParams | None = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        params = params or LLMUserAggregatorParams()
        self.turns: UserTurnController = UserTurnController(
            params.strategies(), stop_timeout=params.user_turn_stop_timeout
        )
        self._shared = shared
        self._half = ContextEditor(self, shared, to_model=FrameDirection.DOWNSTREAM)
        self._mute = MuteGate(params.user_mute_strategies)
        self._idle = UserIdleController(params.user_idle_timeout)
        self.vad_analyzer: VADAnalyzer | None = params.vad_analyzer
        self._audio_idle_timeout = params.audio_idle_timeout

    def described(self) -> PartInfo:
        """The part that it plays, for the check at the start."""
        tools = self.context.tools.functions
        bare = tuple(tool.name for tool in tools if tool.handler is None)
        return PartInfo(Role.USER, context=self.context, tools=bare)

    def companion(self, place: Place) -> tuple[FrameProcessor, int] | None:
        """The `VADProcessor` for its analyzer, unless there is one."""
        if self.vad_analyzer is None:
            return None
        return voice_activity_for(
            self.vad_analyzer, place, audio_idle_timeout=self._audio_idle_timeout
        )

    @property
    def context(self) -> LLMContext:
        """The conversation that it writes down."""
        return self._shared.context

    async def end_user_turn(self) -> None:
        """Ends the caller's open turn, if there is one, without running the model.

        What was said goes into the context.
        """
        await self.turns.end_turn()

    # ---- life cycle ----

    @handles(StartFrame)
    async def _open(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._half.life(frame)
        self._shared.has_user_half = True
        self.turns.attach(self, self)
        self._idle.attach(self, self._is_idle)
        self._shared.on_answer = lambda owed: self._idle.answer(owed=owed)
        await self.turns.process_frame(frame, direction)
        await self._idle.process_frame(frame)

    @handles(EndFrame, StopFrame, CancelFrame)
    async def _close(
        self, frame: EndFrame | StopFrame | CancelFrame, direction: FrameDirection
    ) -> None:
        self._half.life(frame)
        if isinstance(frame, StopFrame):
            return
        self._idle.stop()
        await self.turns.cleanup()

    @handles(InterruptionFrame)
    async def _interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        self._shared.interruption(frame)
        await self._idle.process_frame(frame)
        await self.turns.process_frame(frame, direction)
        await self._half.note_run()

    # ---- every other frame ----

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        decision = self._mute.receive(frame)
        if decision.changed is not None:
            await self._muted(decision.changed)
        if decision.suppress:
            return
        if isinstance(frame, InputAudioRawFrame):  # fifty a second: nobody else wants them
            await self.push_frame(frame, direction)
            await self.turns.process_frame(frame, direction)
            return
        await self._dispatch(frame, direction)
        await self.turns.process_frame(frame, direction)
        await self._idle.process_frame(frame)
        await self._half.note_run()

    async def _dispatch(self, frame: Frame, direction: FrameDirection) -> None:
        """What the frame asks of the context; then passes it on unless it is consumed here."""
        if isinstance(frame, RunDueFrame):
            await self._half.run_noted()
            return
        if isinstance(frame, EDIT_FRAMES):
            await self._half.edit(frame)
            return
        if isinstance(frame, CONSUMED):
            return
        if isinstance(frame, LLMSetToolsFrame):
            await self._half.set_tools(frame, direction)
            return
        if isinstance(frame, CALL_FRAMES):
            await self._half.log(frame)
        elif isinstance(frame, BotStartedSpeakingFrame | BotStoppedSpeakingFrame):
            self._shared.bot_frame(frame)
        elif isinstance(frame, UserImageRawFrame):
            await self._half.image(frame)
        elif isinstance(frame, EndUserTurnFrame) or (
            isinstance(frame, PROPOSALS) and self.turns.resolves_proposals
        ):
            return
        await self.push_frame(frame, direction)

    async def _muted(self, on: bool) -> None:
        self._idle.muted(on=on)
        await self.turns.muted(on)
        if on:
            await self.broadcast_frame(UserMuteStartedFrame)
            await self.on_user_mute_started.emit()
        else:
            await self.broadcast_frame(UserMuteStoppedFrame)
            await self.on_user_mute_stopped.emit()

    async def _is_idle(self) -> None:
        await self.on_user_turn_idle.emit()

    # ---- TurnListener ----

    async def on_turn_started(
        self, strategy: TurnStrategy | None, params: UserTurnStartedParams
    ) -> None:
        """The caller has the floor: nothing that is owed runs until it is given back."""
        self._shared.gate.user_speaking(True)
        self._idle.turn(is_open=True)
        await self.on_user_turn_started.emit(strategy)

    async def on_inference_triggered(
        self, strategy: TurnStrategy | None, segment: UserTurnSegment
    ) -> None:
        """Writes what was said and runs the model."""
        await self._write(segment.text, segment.timestamp, segment.user_id)
        await self._half.run()
        self._idle.answer(owed=True)
        await self.on_user_turn_inference_triggered.emit(strategy)

    async def on_turn_stopped(
        self, strategy: TurnStrategy | None, params: UserTurnStoppedParams
    ) -> None:
        """Writes what no inference has taken; what is owed may run now."""
        await self._write(params.tail, params.timestamp, params.user_id)
        self._shared.gate.user_speaking(False)
        self._idle.turn(is_open=False)
        message = UserTurnStoppedMessage(
            params.content,
            params.started_at or params.timestamp,
            params.user_id,
            params.nothing_understood,
            self.clock.timestamp(),
        )
        await self.on_user_turn_stopped.emit(strategy, message)
        await self._half.note_run()

    async def on_turn_stop_timeout(self) -> None:
        """No strategy ended the turn."""
        await self.on_user_turn_stop_timeout.emit()

    async def on_turn_decision(self, decision: Decision) -> None:
        """For whoever wants to know why."""
        await self.on_user_turn_decision.emit(decision)

    async def _write(self, text: str, timestamp: str, user_id: str) -> None:
        if not text.strip():
            return
        self._shared.context.add_message(user_message(text))
        await self.on_user_turn_message_added.emit(
            UserTurnMessageAddedMessage(text, timestamp, user_id)
        )
