"""The assistant's half of the context: what was heard becomes messages.

It stands after the output, which lets frames out when everything before them has been played. So
what it collects is what the caller heard, and an interruption leaves just that.
"""

from __future__ import annotations

from typing import Final

import msgspec

from antiphon.context.assistant_turn import AssistantTurn
from antiphon.context.call_log import CALL_FRAMES
from antiphon.context.context_editor import ContextEditor
from antiphon.context.messages import assistant_message
from antiphon.context.pair_state import EDIT_FRAMES, PairState, RunDueFrame
from antiphon.context.summarizer import ContextSummarizer
from antiphon.context.summary import LLMAutoContextSummarizationConfig, SummaryAppliedEvent
from antiphon.context.thoughts import ThoughtCollector, ThoughtFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import (
    CancelFrame,
    EndFrame,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from antiphon.frames.llm import (
    LLMAssistantPushAggregationFrame,
    LLMContextFrame,
    LLMContextSummaryResultFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMMarkerFrame,
    LLMSetToolsFrame,
    LLMSummarizeContextFrame,
    LLMThoughtEndFrame,
    LLMThoughtStartFrame,
    LLMThoughtTextFrame,
)
from antiphon.frames.speech import (
    SpeechLostFrame,
    SpeechTurnFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from antiphon.frames.text import AggregatedTextFrame, LLMTextFrame, TextFrame
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.pipeline_check import PartInfo, Role, check_pipeline, part


class LLMAssistantAggregatorParams(msgspec.Struct, frozen=True, kw_only=True):
    """How the assistant's half behaves. `add_tool_change_messages` as on the pair.

    `interruption_marker` is written behind what was heard of an answer that was cut off, so that
    the model knows, such as "[interrupted by the user]"; empty: nothing is.
    """

    enable_auto_context_summarization: bool = False
    auto_context_summarization_config: LLMAutoContextSummarizationConfig | None = None
    add_tool_change_messages: bool = False
    interruption_marker: str = ""

    @property
    def summaries(self) -> LLMAutoContextSummarizationConfig | None:
        """When summaries are made by themselves; None is never."""
        if not self.enable_auto_context_summarization:
            return None
        return self.auto_context_summarization_config or LLMAutoContextSummarizationConfig()


class AssistantTurnStoppedMessage(msgspec.Struct, frozen=True):
    """A turn of the assistant: `content` is what was heard, `unheard` what it still meant to say
    when it was cut off, or what its voice failed to say.

    `timestamp` is when it began (ISO 8601).
    """

    content: str
    interrupted: bool
    unheard: str
    timestamp: str


class AssistantThoughtMessage(msgspec.Struct, frozen=True):
    """A stretch of reasoning; `timestamp` is when it began (ISO 8601)."""

    content: str
    timestamp: str


class LLMAssistantAggregator(FrameProcessor):
    """See the module's docstring. Made by `LLMContextAggregatorPair`."""

    on_assistant_turn_started: Final = Event[[]]()
    on_assistant_turn_stopped: Final = Event[[AssistantTurnStoppedMessage]]()
    on_summary_applied: Final = Event[[ContextSummarizer, SummaryAppliedEvent]]()
    on_assistant_thought: Final = Event[[AssistantThoughtMessage]]()

    check_pipeline = staticmethod(check_pipeline)
    described = part(
        Role.ASSISTANT, lambda self: PartInfo(Role.ASSISTANT, context=self._shared.context)
    )

    def __init__(
        self,
        shared: PairState,
        params: LLMAssistantAggregatorParams | None = None,
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self._shared = shared
        self._half = ContextEditor(self, shared, to_model=FrameDirection.UPSTREAM)
        self._params = params or LLMAssistantAggregatorParams()
        self._thoughts = ThoughtCollector()
        self._outside: TTSStartedFrame | None = None
        """Speech that is no part of the conversation is being heard."""
        self._summarizer = ContextSummarizer(
            self, shared, self._params.summaries, on_applied=self.on_summary_applied.emit
        )

    # ---- turns ----

    @handles(LLMFullResponseStartFrame)
    async def _response_starts(
        self, frame: LLMFullResponseStartFrame, direction: FrameDirection
    ) -> None:
        await self._close_turn(interrupted=False)
        self._shared.gate.response_started(self.emitter())
        self._shared.on_answer(True)
        await self._open_turn(frame.id)
        await self._summarizer.check()

    @handles(LLMFullResponseEndFrame)
    async def _response_ends(
        self, frame: LLMFullResponseEndFrame, direction: FrameDirection
    ) -> None:
        self._shared.response_ended(self._turn.response_id if self._turn is not None else None)
        await self._close_turn(interrupted=False)
        await self._half.note_run()

    @handles(SpeechTurnFrame, TTSStartedFrame)
    async def _speech_starts(
        self, frame: SpeechTurnFrame | TTSStartedFrame, direction: FrameDirection
    ) -> None:
        if isinstance(frame, SpeechTurnFrame):
            await self._close_turn(interrupted=False)
            await self._open_turn(None, request=frame.text)
            return
        self._outside = None if frame.append_to_context else frame
        if frame.append_to_context:
            if self._turn is None:
                await self._open_turn(None, request=frame.request or "")
            elif frame.request is not None:
                self._turn.begin_aside(frame.context_id, frame.request)
        await self.push_frame(frame, direction)

    @handles(SpeechLostFrame, TTSStoppedFrame, LLMAssistantPushAggregationFrame)
    async def _speech_stops(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TTSStoppedFrame):
            self._outside = None
        if isinstance(frame, SpeechLostFrame):
            if self._turn is not None:
                self._turn.lose(frame.text)
        elif self._turn is not None and self._turn.response_id is None:
            await self._close_turn(interrupted=False)
        if not isinstance(frame, LLMAssistantPushAggregationFrame):
            await self.push_frame(frame, direction)

    @handles(TextFrame)
    async def _text(self, frame: TextFrame, direction: FrameDirection) -> None:
        if not frame.append_to_context or _is_part_of(self._outside, frame):
            return
        text, utterance = frame.text, None
        if isinstance(frame, AggregatedTextFrame):
            utterance = frame.context_id
            text = text if frame.raw_text is None else frame.raw_text
        if not text:
            return
        if self._turn is None:
            await self._open_turn(None)
        assert self._turn is not None
        spaced = frame.includes_inter_frame_spaces
        self._turn.hear(text, spaced=spaced, utterance=utterance)
        self._shared.heard(self._turn.response_id)

    @handles(InterruptionFrame)
    async def _interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        # It may be heard of when a later turn has begun: that one goes on.
        self._outside = None
        self._shared.interruption(frame)
        if self._turn is None or not self._turn.epoch.live:
            self._thoughts.drop()
            await self._close_turn(interrupted=True)
        await self._half.note_run()

    @handles(EndFrame, StopFrame, CancelFrame)
    async def _end(
        self, frame: EndFrame | StopFrame | CancelFrame, direction: FrameDirection
    ) -> None:
        self._half.life(frame)
        if isinstance(frame, StopFrame):
            return
        turn, cut = self._turn, isinstance(frame, CancelFrame)
        if turn is not None and not cut:
            # Its end never came out: what it still meant to say has not been heard.
            cut = bool(turn.unheard(self._shared.context.drafts.get(turn.response_id)))
        await self._close_turn(interrupted=cut)
        self._shared.calls.close()

    @property
    def _turn(self) -> AssistantTurn | None:
        return self._shared.open_turn

    async def _open_turn(self, response_id: int | None, *, request: str = "") -> None:
        self._shared.open_turn = AssistantTurn(
            self.emitter(), response_id, self.clock.timestamp(), request
        )
        await self.on_assistant_turn_started.emit()

    async def _close_turn(self, *, interrupted: bool) -> None:
        turn, self._shared.open_turn = self._turn, None
        if turn is None:
            return
        draft = self._shared.context.drafts.get(turn.response_id)
        message = AssistantTurnStoppedMessage(
            content=turn.heard,
            interrupted=interrupted,
            unheard=turn.unheard(draft) if interrupted else turn.lost,
            timestamp=turn.timestamp,
        )
        if self._write_turn(turn, interrupted=interrupted):
            snapshot = self._shared.context.snapshot()
            await self.push_frame(LLMContextFrame(context=snapshot))
        await self.on_assistant_turn_stopped.emit(message)

    def _write_turn(self, turn: AssistantTurn, *, interrupted: bool) -> bool:
        if not turn.heard:
            return False
        marker = self._params.interruption_marker if interrupted else ""
        message = assistant_message(f"{turn.written} {marker}".strip())
        self._shared.write_assistant([message], response_id=turn.response_id)
        return True

    @handles(LLMMarkerFrame)
    async def _mark(self, frame: LLMMarkerFrame, direction: FrameDirection) -> None:
        """The model's verdict on the user's turn: kept, so that it goes on giving one."""
        if frame.append_to_context_immediately:
            response_id = self._turn.response_id if self._turn is not None else None
            message = assistant_message(frame.marker)
            self._shared.write_assistant([message], response_id=response_id)
        elif self._turn is not None:
            self._turn.marker = frame.marker

    @handles(LLMThoughtStartFrame, LLMThoughtTextFrame, LLMThoughtEndFrame)
    async def _thinks(self, frame: ThoughtFrame, direction: FrameDirection) -> None:
        thought = self._thoughts.receive(frame, self.clock.timestamp())
        if thought is None:
            return
        message = thought.to_keep
        if message is not None:
            response_id = self._turn.response_id if self._turn is not None else None
            self._shared.write_assistant([message], response_id=response_id)
        told = AssistantThoughtMessage(thought.text, thought.timestamp)
        await self.on_assistant_thought.emit(told)

    # ---- calls, edits, runs ----

    @handles(*CALL_FRAMES)
    async def _log(self, frame: Frame, direction: FrameDirection) -> None:
        await self._half.log(frame)
        await self._half.note_run()

    @handles(*EDIT_FRAMES)
    async def _edit(self, frame: Frame, direction: FrameDirection) -> None:
        await self._half.edit(frame)
        await self._half.note_run()

    @handles(LLMSetToolsFrame)
    async def _set_tools(self, frame: LLMSetToolsFrame, direction: FrameDirection) -> None:
        await self._half.set_tools(frame, direction)

    @handles(RunDueFrame)
    async def _run_due(self, frame: RunDueFrame, direction: FrameDirection) -> None:
        await self._half.run_noted()

    @handles(StartFrame)
    async def _open(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._half.life(frame)
        self._summarizer.open()

    @handles(LLMSummarizeContextFrame, LLMContextSummaryResultFrame)
    async def _summary(
        self,
        frame: LLMSummarizeContextFrame | LLMContextSummaryResultFrame,
        direction: FrameDirection,
    ) -> None:
        if isinstance(frame, LLMSummarizeContextFrame):
            await self._summarizer.summarize(frame.config)
        else:
            await self._summarizer.result(frame)

    # ---- who speaks ----

    @handles(
        BotStartedSpeakingFrame,
        BotStoppedSpeakingFrame,
        UserStartedSpeakingFrame,
        UserStoppedSpeakingFrame,
    )
    async def _somebody_speaks(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, BotStartedSpeakingFrame | BotStoppedSpeakingFrame):
            self._shared.bot_frame(frame)
        elif not self._shared.has_user_half:
            # The user's half knows first and exactly; alone, this half goes by the frames.
            self._shared.gate.user_speaking(isinstance(frame, UserStartedSpeakingFrame))
        await self.push_frame(frame, direction)
        await self._half.note_run()


def _is_part_of(speech: TTSStartedFrame | None, frame: TextFrame) -> bool:
    if speech is None or isinstance(frame, LLMTextFrame):
        return False
    named = frame.context_id if isinstance(frame, AggregatedTextFrame) else None
    return named is None or named == speech.context_id
