"""Follows one conversation from the frames that flow in it, and from nothing else.

Theory of operation. `receive(frame, source, at)` is told the hand-overs in order; it keeps a
`ConversationLog` up to date and returns what happened for somebody who watches. A frame that is
handed on by several processors counts once, and once more when the output hands it on: played.
The caller's side (`caller_tracking`) and the agent's (`agent_tracking`) are kept apart; here they
meet: which turn or tool result made the model run, who was cut off, which tools run. No clock, no
asyncio, no I/O.

Invariant: each run of the model is put down to one cause, the newest turn of the caller that no run
has answered, else the newest tool result that no run has seen, else something else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import Any

from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.speech import TTSSpeakFrame, TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import AggregatedTextFrame, LLMTextFrame, TranscriptionFrame, TTSTextFrame
from antiphon.frames.tools import (
    FunctionCallCancelFrame,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    FunctionCallsStartedFrame,
)
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.observe.agent_tracking import AgentTracking
from antiphon.observe.caller_tracking import CallerTracking
from antiphon.observe.conversation_log import (
    ConversationLog,
    ErrorRecord,
    InterruptionRecord,
    ToolCallRecord,
    ToolOutcome,
    Trigger,
    UserTurn,
)
from antiphon.observe.happenings import (
    AgentFinished,
    AgentInterrupted,
    CallerTurnEnded,
    ErrorSeen,
    Happening,
    ToolFinished,
    ToolStarted,
)

_Handler = Callable[[Any, Hashable, float], list[Happening]]
_SilentHandler = Callable[[Any, Hashable, float], None]

_PLAYED = frozenset(
    {
        TTSStartedFrame,
        TTSAudioRawFrame,
        AggregatedTextFrame,
        TTSTextFrame,
        TTSStoppedFrame,
        LLMFullResponseEndFrame,
    }
)
"""Frames that count a second time when the output hands them on."""

_REMEMBERED = 64
"""Hand-overs of one frame follow each other closely, so few need to be remembered."""


class ConversationTracker:
    """Fills `log` from frames. See the module's theory of operation."""

    def __init__(self, log: ConversationLog | None = None) -> None:
        self.log: ConversationLog = log if log is not None else ConversationLog()
        caller = self._caller = CallerTracking(self.log)
        agent = self._agent = AgentTracking(self.log)
        self._unanswered: UserTurn | None = None
        self._result_at: float | None = None
        self._cut_in = False
        self._seen: deque[tuple[int, bool]] = deque(maxlen=_REMEMBERED)
        self._silent: dict[type[Frame], _SilentHandler] = {
            LLMFullResponseStartFrame: self._model_runs,
            LLMTextFrame: lambda f, _s, at: agent.model_text(f, at),
            LLMFullResponseEndFrame: lambda f, s, _at: agent.model_done(f, s),
            FunctionCallsStartedFrame: lambda _f, _s, at: agent.model_called(at),
            TTSSpeakFrame: lambda f, _s, at: agent.speak(f, at),
        }
        self._handlers: dict[type[Frame], _Handler] = {
            VADUserStartedSpeakingFrame: lambda f, _s, at: caller.voice_started(f, at),
            VADUserStoppedSpeakingFrame: lambda f, _s, at: caller.voice_stopped(f, at),
            TranscriptionFrame: lambda f, _s, at: caller.transcript(f, at),
            UserStartedSpeakingFrame: self._turn_started,
            UserStoppedSpeakingFrame: self._turn_stopped,
            TTSStartedFrame: agent.utterance_started,
            TTSAudioRawFrame: agent.utterance_audio,
            AggregatedTextFrame: agent.utterance_text,
            TTSTextFrame: agent.utterance_text,
            TTSStoppedFrame: agent.utterance_stopped,
            BotStartedSpeakingFrame: lambda _f, s, at: agent.bot_started(s, at),
            BotStoppedSpeakingFrame: lambda _f, _s, at: agent.bot_stopped(at),
            InterruptionFrame: self._interrupted,
            FunctionCallInProgressFrame: self._tool_started,
            FunctionCallResultFrame: self._tool_result,
            FunctionCallCancelFrame: self._tool_cancelled,
            ErrorFrame: self._error,
        }

    def receive(self, frame: Frame, source: Hashable, at: float) -> list[Happening]:
        """One hand-over; `source` is who handed over. Frames of other types are ignored."""
        kind = type(frame)
        if kind not in self._handlers and kind not in self._silent:
            return []
        played = kind in _PLAYED and source == self._agent.output
        sight = (frame.id, played)
        if sight in self._seen or (frame.id, True) in self._seen:
            return []
        self._seen.append(sight)
        if kind in self._silent:
            self._silent[kind](frame, source, at)
            return []
        self.log.duration = max(self.log.duration, at)
        return self._handlers[kind](frame, source, at)

    def finish(self, at: float) -> list[Happening]:
        """The conversation is over: closes what is open."""
        self.log.duration = max(self.log.duration, at)
        self._caller.finish(at)
        return self._agent.finish(at)

    def _turn_started(self, _frame: Frame, _source: Hashable, at: float) -> list[Happening]:
        interrupting = self._cut_in or self._agent.audible is not None
        self._cut_in = False
        return self._caller.turn_started(at, interrupting=interrupting)

    def _turn_stopped(self, _frame: Frame, _source: Hashable, at: float) -> list[Happening]:
        turn = self._caller.turn_stopped(at)
        if turn is None:
            return []
        self._unanswered = turn
        return [CallerTurnEnded(at=at, turn=turn)]

    def _model_runs(self, _frame: Frame, _source: Hashable, at: float) -> None:
        turn = self._unanswered
        if turn is None and self._caller.turn is not None and self._caller.turn.text:
            turn = self._caller.turn
        if turn is not None:
            self._agent.model_runs(Trigger.USER, turn, at)
        elif self._result_at is not None:
            self._agent.model_runs(Trigger.TOOL, None, self._result_at)
        else:
            self._agent.model_runs(Trigger.OTHER, None, at)
        self._unanswered = self._result_at = None

    def _interrupted(self, _frame: Frame, _source: Hashable, at: float) -> list[Happening]:
        if self._agent.audible is not None:
            if self._caller.turn is not None:
                self._caller.turn.interrupting = True
            else:
                self._cut_in = True
        happenings = self._agent.cut(at)
        if not happenings:
            return []
        turns = (h.turn for h in happenings if isinstance(h, AgentFinished))
        cut = next((t.index for t in turns if t.start is not None), None)
        record = InterruptionRecord(at=at, agent_turn=cut)
        self.log.interruptions.append(record)
        return [*happenings, AgentInterrupted(at=at, record=record)]

    def _call(self, call_id: str) -> ToolCallRecord | None:
        return next((c for c in reversed(self.log.tools) if c.id == call_id), None)

    def _tool_started(
        self, frame: FunctionCallInProgressFrame, _source: Hashable, at: float
    ) -> list[Happening]:
        if self._call(frame.tool_call_id) is not None:
            return []
        call = ToolCallRecord(
            id=frame.tool_call_id,
            name=frame.function_name,
            arguments=dict(frame.arguments),
            start=at,
            is_async=frame.is_async,
        )
        self.log.tools.append(call)
        return [ToolStarted(at=at, call=call)]

    def _tool_result(
        self, frame: FunctionCallResultFrame, _source: Hashable, at: float
    ) -> list[Happening]:
        call = self._call(frame.tool_call_id)
        if call is None or call.end is not None:
            return []
        call.result = _plain(frame.result)
        self._result_at = at
        if frame.properties is not None and not frame.properties.is_final:
            return []
        call.end, call.outcome = at, ToolOutcome.RESULT
        return [ToolFinished(at=at, call=call)]

    def _tool_cancelled(
        self, frame: FunctionCallCancelFrame, _source: Hashable, at: float
    ) -> list[Happening]:
        call = self._call(frame.tool_call_id)
        if call is None or call.end is not None:
            return []
        call.end, call.outcome, call.result = at, ToolOutcome.CANCELLED, frame.reason
        if frame.run_llm:
            self._result_at = at
        return [ToolFinished(at=at, call=call)]

    def _error(self, frame: ErrorFrame, _source: Hashable, at: float) -> list[Happening]:
        record = ErrorRecord(
            at=at,
            processor=frame.processor,
            message=frame.error,
            category=frame.category.value,
        )
        self.log.errors.append(record)
        return [ErrorSeen(at=at, record=record)]


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it; what it cannot hold becomes its text."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return str(value)
