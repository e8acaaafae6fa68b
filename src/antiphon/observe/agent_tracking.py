"""The agent's side of a conversation log.

Theory of operation. A *plan* is words that will be spoken, and why: an answer of the model (from
the request to its last text) or a `TTSSpeakFrame`. The synthesiser announces each *utterance* with
an id; it takes the oldest plan that has words. The *output* is the processor that announces
`BotStartedSpeakingFrame`; what it sends on has been played.

    planned --announced--> spoken --first played--> audible --> over
       |                      |                        |
       '------ interruption --+------------------------'

An utterance is over when its synthesis has ended and the output falls silent, when the output goes
on to another one, or at an interruption. A silence before the end of its synthesis is a gap.
`heard` is the text that the output sent on; `unheard` the rest of what was generated.

Invariants: at most one utterance is audible; an utterance enters the log once; plans and utterances
that an interruption cut are over before anything newer is planned.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

import msgspec

from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.llm import LLMFullResponseEndFrame
from antiphon.frames.speech import TTSSpeakFrame, TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import AggregatedTextFrame, LLMTextFrame, TTSTextFrame
from antiphon.observe.conversation_log import (
    AgentTurn,
    ConversationLog,
    Party,
    SpeechSpan,
    Trigger,
    UserTurn,
)
from antiphon.observe.happenings import AgentFinished, AgentStarted, Happening
from antiphon.observe.latency import ReplyInstants, split
from antiphon.observe.words import rest_of


class PlannedSpeech(msgspec.Struct, kw_only=True):
    """Words that will be spoken, and why."""

    trigger: Trigger
    reply_to: int | None = None
    speech_end: float | None = None
    transcribed: float | None = None
    decided: float | None = None
    first_token: float | None = None
    text: str = ""
    done: bool = False


class TrackedUtterance(msgspec.Struct, kw_only=True, eq=False):
    """What the synthesiser announced under one id."""

    turn: AgentTurn
    plan: PlannedSpeech
    pieces: list[str] = msgspec.field(default_factory=list)
    """Its text by the synthesiser's own account."""
    first_audio: float | None = None
    waiting: bool = False
    """Audio was made since the output fell silent."""
    synthesised: bool = False
    over: bool = False


class AgentTracking:
    """Writes `log.speech` (the agent's part) and `log.agent_turns`."""

    def __init__(self, log: ConversationLog) -> None:
        self._log = log
        self._model: PlannedSpeech | None = None
        self._owed: UserTurn | None = None
        """The turn that the model answered with calls of tools alone, so far."""
        self._plans: deque[PlannedSpeech] = deque()
        self._utterances: dict[str | None, TrackedUtterance] = {}
        self.output: Hashable = None
        """The processor that plays, once it is known."""
        self._span: SpeechSpan | None = None
        self.audible: TrackedUtterance | None = None
        """The utterance that is being played."""

    # ---- plans --------------------------------------------------------------------------------

    def model_runs(self, trigger: Trigger, turn: UserTurn | None, at: float) -> None:
        """The model is run, for `turn` or since `at`.

        What it says about a tool's result answers the caller if nothing else has answered yet.
        """
        if turn is None and trigger is Trigger.TOOL:
            turn = self._owed
        self._owed = turn
        plan = self._model = PlannedSpeech(trigger=trigger, decided=at)
        if turn is not None:
            plan.reply_to, plan.speech_end = turn.index, turn.speech_end
            plan.transcribed = turn.transcribed
            plan.decided = turn.stopped if turn.stopped is not None else at

    def model_text(self, frame: LLMTextFrame, at: float) -> None:
        """The model says something."""
        if not frame.text or frame.skip_tts:
            return
        plan = self._model
        if plan is None or plan.done:
            plan = self._model = PlannedSpeech(trigger=Trigger.OTHER, decided=at)
        if plan.first_token is None:
            plan.first_token = at
        if not plan.text:
            self._plans.append(plan)
            self._owed = None
        plan.text += frame.text

    def model_called(self, at: float) -> None:
        """The model asks for a tool."""
        if self._model is not None and self._model.first_token is None:
            self._model.first_token = at

    def model_done(self, _frame: LLMFullResponseEndFrame, source: Hashable) -> None:
        """The model has said all; the same frame comes again from the output, played."""
        if self._model is not None and source != self.output and self._model.text:
            self._model.done = True

    def speak(self, frame: TTSSpeakFrame, at: float) -> None:
        """The program asks for exactly these words."""
        self._plans.append(self._program_plan(frame.text, at))

    def _program_plan(self, text: str, at: float) -> PlannedSpeech:
        """The program's own words answer the caller when his turn led to them (a tool's filler)."""
        plan = PlannedSpeech(
            trigger=Trigger.SPEAK, text=text, decided=at, first_token=at, done=True
        )
        model = self._model
        if model is not None and model.reply_to is not None and not model.text:
            plan.reply_to, plan.speech_end = model.reply_to, model.speech_end
            plan.transcribed, plan.decided = model.transcribed, model.decided
            plan.first_token = model.first_token if model.first_token is not None else at
            self._owed = None
        return plan

    # ---- utterances ---------------------------------------------------------------------------

    def _utterance(self, context_id: str | None, at: float) -> TrackedUtterance:
        utterance = self._utterances.get(context_id)
        if utterance is None or (context_id is None and utterance.over):
            plan = self._plans.popleft() if self._plans else self._program_plan("", at)
            turn = AgentTurn(index=-1, trigger=plan.trigger, reply_to=plan.reply_to)
            utterance = self._utterances[context_id] = TrackedUtterance(turn=turn, plan=plan)
        return utterance

    def utterance_started(
        self, frame: TTSStartedFrame, source: Hashable, at: float
    ) -> list[Happening]:
        """Announced by the synthesiser, or reached by the output."""
        utterance = self._utterance(frame.context_id, at)
        return self._played(utterance, at) if source == self.output else []

    def utterance_audio(
        self, frame: TTSAudioRawFrame, source: Hashable, at: float
    ) -> list[Happening]:
        """Synthesised, or played."""
        utterance = self._utterance(frame.context_id, at)
        if source == self.output:
            return self._played(utterance, at)
        utterance.waiting = True
        if utterance.first_audio is None:
            utterance.first_audio = at
        return []

    def utterance_text(
        self, frame: AggregatedTextFrame, source: Hashable, at: float
    ) -> list[Happening]:
        """Announced by the synthesiser, or played."""
        if source != self.output:
            if not isinstance(frame, TTSTextFrame):
                self._utterance(frame.context_id, at).pieces.append(frame.text.strip())
            return []
        if not isinstance(frame, TTSTextFrame):
            return []
        utterance = self._utterance(frame.context_id, at)
        happenings = self._played(utterance, at)
        turn = utterance.turn
        joint = "" if frame.includes_inter_frame_spaces else " "
        turn.heard = f"{turn.heard}{joint}{frame.text}".lstrip()
        if self._span is not None:
            self._span.text = f"{self._span.text}{joint}{frame.text}"
        return happenings

    def utterance_stopped(
        self, frame: TTSStoppedFrame, source: Hashable, at: float
    ) -> list[Happening]:
        """All of it is synthesised, or played."""
        utterance = self._utterances.get(frame.context_id)
        if utterance is None or utterance.over:
            return []
        if source != self.output:
            utterance.synthesised = True
        silent = self._span is None and not utterance.waiting
        if utterance is self.audible and (source == self.output or silent):
            return self._close(utterance, at, interrupted=False)
        return []

    # ---- what is audible ----------------------------------------------------------------------

    def bot_started(self, source: Hashable, at: float) -> list[Happening]:
        """The output began to play."""
        self.output = source
        if self._span is not None:
            return []
        self._span = SpeechSpan(side=Party.AGENT, start=at)
        self._log.speech.append(self._span)
        if self.audible is not None:
            return []
        ready = (u for u in self._utterances.values() if u.first_audio is not None and not u.over)
        utterance = next(ready, None)
        return [] if utterance is None else self._played(utterance, at)

    def bot_stopped(self, at: float) -> list[Happening]:
        """The output fell silent."""
        self._fall_silent(at)
        utterance = self.audible
        if utterance is None:
            return []
        utterance.turn.end, utterance.waiting = at, False
        return self._close(utterance, at, interrupted=False) if utterance.synthesised else []

    def _played(self, utterance: TrackedUtterance, at: float) -> list[Happening]:
        """The output plays `utterance`: from now on it is the audible one."""
        if self._span is None or utterance is self.audible or utterance.over:
            return []
        happenings: list[Happening] = []
        if self.audible is not None:
            happenings = self._close(self.audible, at, interrupted=False)
        self.audible = utterance
        turn, plan = utterance.turn, utterance.plan
        turn.start, turn.index = at, len(self._log.agent_turns)
        turn.latency = split(
            ReplyInstants(
                speech_end=plan.speech_end,
                transcribed=plan.transcribed,
                decided=plan.decided,
                first_token=plan.first_token,
                first_audio=utterance.first_audio,
                audible=at,
            )
        )
        self._log.agent_turns.append(turn)
        return [*happenings, AgentStarted(at=at, turn=turn)]

    def _close(
        self, utterance: TrackedUtterance, at: float, *, interrupted: bool
    ) -> list[Happening]:
        utterance.over = True
        turn = utterance.turn
        turn.generated = _tidy(utterance.plan.text or " ".join(utterance.pieces) or turn.heard)
        turn.heard = _tidy(turn.heard)
        turn.unheard = rest_of(turn.generated, turn.heard)
        turn.interrupted = interrupted
        if turn.start is not None and (turn.end is None or self._span is not None):
            turn.end = at
        if turn.start is None:
            turn.index = len(self._log.agent_turns)
            self._log.agent_turns.append(turn)
        if utterance is self.audible:
            self.audible = None
        return [AgentFinished(at=at, turn=turn)]

    def cut(self, at: float) -> list[Happening]:
        """Everything said or planned is void."""
        happenings: list[Happening] = []
        if self.audible is not None:
            happenings += self._close(self.audible, at, interrupted=True)
        for utterance in self._utterances.values():
            if not utterance.over:
                happenings += self._close(utterance, at, interrupted=True)
        for plan in self._plans:
            turn = AgentTurn(index=-1, trigger=plan.trigger, reply_to=plan.reply_to)
            happenings += self._close(TrackedUtterance(turn=turn, plan=plan), at, interrupted=True)
        self._utterances.clear()
        self._plans.clear()
        self._model = self._owed = None
        return happenings

    def finish(self, at: float) -> list[Happening]:
        """The conversation is over."""
        happenings: list[Happening] = []
        if self.audible is not None:
            happenings = self._close(self.audible, at, interrupted=False)
        self._fall_silent(at)
        return happenings

    def _fall_silent(self, at: float) -> None:
        if self._span is not None:
            self._span.text = _tidy(self._span.text)
            self._span.end, self._span = at, None


def _tidy(text: str) -> str:
    return " ".join(text.split())
