"""Who has the floor: one pure state machine per session.

Theory of operation
-------------------
The machine is told facts (`receive(event, now)`) and the time (`tick(now)`, due at `deadline`),
and answers with actions for its driver. It hands each fact to the start strategies in their order,
until one swallows it, then to the stop strategies; they answer with opinions, which it heeds where
its state allows.

States (`TurnState`); whether the agent speaks is a fact beside them, not a state:

* IDLE       no turn is open, the caller is silent
* STIRRING   sound is heard, but no strategy has opened a turn (yet)
* SPEAKING   a turn is open and the caller makes sound
* PAUSED     a turn is open, the caller is silent, the model has not been asked since
* ASKED      a turn is open, the caller is silent, the model was asked; the turn is not final

Every transition is a line of `TRANSITIONS`; the diagram in docs/turns.md is drawn from it. Sound
has up to three sources (voice activity, a service's proposal, an announcement by others): SOUND is
the step when the first begins, SILENCE when the last ends.

Invariants, each held by a property test:

1. A turn that opens closes exactly once, and `CloseTurn.content` is the segments of its inferences
   and the tail, joined by spaces.
2. Neither an inference nor the end of a turn is decided while the caller makes sound.
3. An open turn always has a deadline: a strategy's or the watchdog's. Sound that does not stop for
   `max_speech` seconds is taken to have stopped (a television, a detector that hangs).
4. A second inference in one turn voids the answer to the first: one spoken reply per turn.
5. Held playout is released, or ended by an interruption, within `hold_limit` seconds.

Two rules about answers that noise cut off: an answer that was interrupted before a sound of it was
played is remembered, and when the turn that did it brings no words, the model is asked again
`recovery_secs` after the end of the sound.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from antiphon.frames.base import Frame
from antiphon.turns.actions import (
    Action,
    CloseTurn,
    Decision,
    DecisionKind,
    HoldPlayout,
    Interrupt,
    JudgeTurn,
    OpenTurn,
    ReleasePlayout,
    StopTimedOut,
    TriggerInference,
)
from antiphon.turns.events import (
    AnnouncedStart,
    AnnouncedStop,
    BotStarted,
    BotStopped,
    Fact,
    Heard,
    InferenceTriggered,
    Interrupted,
    Muted,
    ProposedStart,
    ProposedStop,
    SpeechStarted,
    SpeechStopped,
    TextForgotten,
    TranscriberLatency,
    TurnStarted,
    TurnStopped,
    Unmuted,
    describe,
)
from antiphon.turns.opinions import (
    AskTurnModel,
    EndTurn,
    Forget,
    HoldSpeech,
    Notify,
    Opinion,
    ReleaseSpeech,
    RunInference,
    SendFrame,
    StartTurn,
    Swallow,
)
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import TurnStrategy, UserTurnStartStrategy, UserTurnStopStrategy
from antiphon.turns.transcript import TurnText


class TurnState(enum.Enum):
    """Where the machine is."""

    IDLE = "idle"
    STIRRING = "stirring"
    SPEAKING = "speaking"
    PAUSED = "paused"
    ASKED = "asked"


class Step(enum.Enum):
    """What moves it."""

    SOUND = "sound"
    SILENCE = "silence"
    START = "start"
    INFER = "infer"
    STOP = "stop"


_S = TurnState
TRANSITIONS: Mapping[TurnState, Mapping[Step, TurnState]] = {
    _S.IDLE: {Step.SOUND: _S.STIRRING, Step.START: _S.PAUSED},
    _S.STIRRING: {Step.SILENCE: _S.IDLE, Step.START: _S.SPEAKING},
    _S.SPEAKING: {Step.SILENCE: _S.PAUSED},
    _S.PAUSED: {Step.SOUND: _S.SPEAKING, Step.INFER: _S.ASKED, Step.STOP: _S.IDLE},
    _S.ASKED: {Step.SOUND: _S.SPEAKING, Step.INFER: _S.ASKED, Step.STOP: _S.IDLE},
}
OPEN = frozenset({_S.SPEAKING, _S.PAUSED, _S.ASKED})
SOUNDING = frozenset({_S.STIRRING, _S.SPEAKING})
_BEGINS: Mapping[type[Fact], str] = {
    SpeechStarted: "vad",
    ProposedStart: "proposal",
    AnnouncedStart: "announcement",
}
_ENDS: Mapping[type[Fact], str] = {
    SpeechStopped: "vad",
    ProposedStop: "proposal",
    AnnouncedStop: "announcement",
}
_PROPOSALS = frozenset({ProposedStart, ProposedStop, AnnouncedStart, AnnouncedStop})


class TurnMachine:
    """Decides turn-taking for one session. All times are seconds on the loop's clock."""

    def __init__(
        self,
        strategies: UserTurnStrategies | None = None,
        *,
        stop_timeout: float = 5.0,
        max_speech: float = 60.0,
        hold_limit: float = 3.0,
        recovery_secs: float = 1.5,
        log_size: int = 64,
    ) -> None:
        self._strategies = strategies or UserTurnStrategies()
        self._stop_timeout = stop_timeout
        self._max_speech = max_speech
        self._hold_limit = hold_limit
        self._recovery_secs = recovery_secs
        self.state = TurnState.IDLE
        self.decisions: deque[Decision] = deque(maxlen=log_size)
        self._untold = 0
        self._out: list[Action] = []
        self._fact = ""
        # sound
        self._sources: set[str] = set()
        self._sound_at = 0.0
        self._silence_at = 0.0
        self._muted = False
        # the turn
        self._text = TurnText()
        self._opened_by: UserTurnStartStrategy | None = None
        self._started = 0.0
        self._watchdog: float | None = None
        # the agent
        self._bot_speaks = False
        self._answer_under_way = False
        self._answer_unheard = False
        self._cut_off = False
        self._hold_until: float | None = None
        self._latency: TranscriberLatency | None = None

    # ---- for the driver ------------------------------------------------------------------------

    @property
    def strategies(self) -> UserTurnStrategies:
        """Who decides at the moment."""
        return self._strategies

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        due = self._watchdog if self._hold_until is None else self._hold_until
        if self._watchdog is not None and due is not None and self._watchdog < due:
            due = self._watchdog
        for strategy in self._all():
            at = strategy.deadline
            if at is not None and (due is None or at < due):
                due = at
        return due

    @property
    def frame_types(self) -> tuple[type[Frame], ...]:
        """Frames that strategies want to see."""
        return tuple({kind for strategy in self._all() for kind in strategy.frame_types})

    @property
    def resolves_proposals(self) -> bool:
        """Whether a service's proposals are decided here."""
        return any(strategy.resolves_proposals for strategy in self._all())

    def receive(self, event: Fact, now: float) -> list[Action]:
        """Takes a fact in; returns what is to be done, in order."""
        self._out = []
        if type(event) in _PROPOSALS and not self.resolves_proposals:
            return self._out
        if self._muted and not isinstance(event, (Unmuted, BotStarted, BotStopped, Interrupted)):
            return self._out
        self._fact = describe(event)
        self._observe(event, now)
        self._tell(event, now)
        return self._out

    def tick(self, now: float) -> list[Action]:
        """Tells what is due that its time has come."""
        self._out = []
        for strategy in self._all():
            at = strategy.deadline
            if at is None or at > now:
                continue
            self._fact = f"deadline {at:.3f}"
            opinions = strategy.tick(now)
            if strategy.deadline is not None and strategy.deadline <= now:
                strategy.deadline = None  # it did not move it: it is not asked for ever
            self._heed(strategy, opinions, now)
        if self._hold_until is not None and self._hold_until <= now:
            self._fact = f"deadline {self._hold_until:.3f}"
            self._release("", f"held for {self._hold_limit:.1f} s", now)
        if self._watchdog is not None and self._watchdog <= now:
            self._fact = f"watchdog {self._watchdog:.3f}"
            self._bark(now)
        return self._out

    def news(self) -> list[Decision]:
        """The decisions made since the last call, as far as the log still holds them."""
        count, self._untold = min(self._untold, len(self.decisions)), 0
        return list(self.decisions)[len(self.decisions) - count :]

    def update_strategies(self, strategies: UserTurnStrategies, now: float) -> list[Action]:
        """Others decide from now on. They are told how things stand, so an open turn is not
        lost.
        """
        self._out = []
        self._fact = "new strategies"
        self._strategies = strategies
        if self._hold_until is not None:
            self._release("", "the strategy that held it is gone", now)
        for fact in self._situation():
            self._tell(fact, now)
        self._rearm(now)
        return self._out

    def close(self, now: float) -> list[Action]:
        """The session ends: an open turn is closed, without asking the model."""
        self._out = []
        self._fact = "end of the session"
        if self.state in OPEN:
            self._quieten(now)
            self._text.take_interim()
            self._stop(None, "the session ends", now, announce=True)
        return self._out

    # ---- facts ---------------------------------------------------------------------------------

    def _observe(self, event: Fact, now: float) -> None:
        kind = type(event)
        if kind in _BEGINS:
            self._sound(_BEGINS[kind], event.at if isinstance(event, SpeechStarted) else now, now)
        elif kind in _ENDS:
            self._silence(_ENDS[kind], event.at if isinstance(event, SpeechStopped) else now, now)
        match event:
            case Heard():
                self._text.add(event, now)
                self._rearm(now)
            case BotStarted():
                self._bot_speaks, self._answer_unheard = True, False
            case BotStopped():
                self._bot_speaks, self._hold_until = False, None
            case Interrupted():
                self._void_answer()
            case Muted():
                self._quieten(now)
                self._muted = True
            case Unmuted():
                self._muted = False
            case TranscriberLatency():
                self._latency = event

    def _sound(self, source: str, at: float, now: float) -> None:
        first, asked = not self._sources, self.state is TurnState.ASKED
        self._sources.add(source)
        if not first:
            return
        self._go(Step.SOUND)
        self._sound_at = at
        self._rearm(now)
        if asked and self._answer_under_way and self._may_interrupt():
            self._supersede("the caller goes on before the turn is final", now)

    def _silence(self, source: str, at: float, now: float) -> None:
        if source not in self._sources:
            return
        self._sources.discard(source)
        if not self._sources:
            self._go(Step.SILENCE)
            self._silence_at = at
            self._rearm(now)

    def _quieten(self, now: float) -> None:
        """Sound is over although nobody said so. Strategies hear of it as the end of speech."""
        if self._sources:
            self._sources.clear()
            self._go(Step.SILENCE)
            self._silence_at = now
            self._rearm(now)
            self._tell(SpeechStopped(at=now), now)

    def _situation(self) -> Iterable[Fact]:
        if self._latency is not None:
            yield self._latency
        if self._bot_speaks:
            yield BotStarted()
        if self.state in OPEN:
            yield TurnStarted()
        if self.state in SOUNDING:
            yield SpeechStarted(at=self._sound_at)
        elif self.state in OPEN and self._silence_at >= self._started:
            yield SpeechStopped(at=self._silence_at)
        if self._text.pending:
            yield Heard(text=self._text.pending, user_id=self._text.user_id)
        if self._text.interim:
            yield Heard(text=self._text.interim, final=False, user_id=self._text.user_id)

    # ---- strategies ----------------------------------------------------------------------------

    def _all(self) -> Sequence[TurnStrategy]:
        return [*self._strategies.start, *self._strategies.stop]

    def _tell(self, event: Fact, now: float) -> None:
        for start in self._strategies.start:
            opinions = start.receive(event, now)
            if opinions:
                self._heed(start, opinions, now)
                if any(isinstance(opinion, Swallow) for opinion in opinions):
                    break
        for stop in self._strategies.stop:
            opinions = stop.receive(event, now)
            if opinions:
                self._heed(stop, opinions, now)

    def _heed(self, strategy: TurnStrategy, opinions: Sequence[Opinion], now: float) -> None:
        for opinion in opinions:
            match opinion:
                case StartTurn(reason=reason, announce=announce):
                    if self.state not in OPEN and isinstance(strategy, UserTurnStartStrategy):
                        self._start(strategy, reason, now, announce=announce)
                case RunInference(reason=reason):
                    self._maybe_infer(strategy, reason, now)
                case EndTurn(reason=reason, announce=announce):
                    self._maybe_stop(strategy, reason, now, announce=announce)
                case Forget(reason=reason):
                    self._forget(strategy, reason, now)
                case HoldSpeech(reason=reason):
                    self._hold(strategy, reason, now)
                case ReleaseSpeech(reason=reason):
                    self._release(strategy.name, reason, now)
                case AskTurnModel():
                    self._out.append(JudgeTurn(strategy))
                case SendFrame() | Notify():
                    self._out.append(opinion)

    # ---- decisions -----------------------------------------------------------------------------

    def _start(
        self, strategy: UserTurnStartStrategy, reason: str, now: float, *, announce: bool
    ) -> None:
        self._started = min(now, self._text.first_at, self._sound_at if self._sources else now)
        self._go(Step.START)
        self._opened_by = strategy
        interrupt = announce and strategy.enable_interruptions
        self._log(DecisionKind.START, strategy.name, reason, now)
        if interrupt:
            self._void_answer()
        elif self._hold_until is not None:
            self._release(strategy.name, "the turn does not interrupt", now)
        self._out.append(
            OpenTurn(
                strategy=strategy,
                reason=reason,
                announce=announce and strategy.enable_user_speaking_frames,
                interrupt=interrupt,
                user_id=self._text.user_id,
            )
        )
        self._rearm(now)
        self._tell(TurnStarted(), now)

    def _maybe_infer(self, strategy: TurnStrategy, reason: str, now: float) -> None:
        if self.state in (TurnState.PAUSED, TurnState.ASKED):
            # Asking again about the same words would be a second reply.
            if self._text.pending or not self._text.inferences or self._cut_off:
                self._infer(strategy, reason, now)
        elif self.state is TurnState.SPEAKING:
            self._log(
                DecisionKind.REFUSE, strategy.name, f"inference ({reason}): caller speaks", now
            )

    def _maybe_stop(
        self, strategy: TurnStrategy, reason: str, now: float, *, announce: bool
    ) -> None:
        if self.state in (TurnState.PAUSED, TurnState.ASKED):
            if self._text.pending:  # words that nobody has asked the model about
                self._infer(strategy, reason, now)
            if isinstance(strategy, UserTurnStopStrategy):
                announce = announce and strategy.enable_user_speaking_frames
            self._stop(strategy, reason, now, announce=announce)
        elif self.state is TurnState.SPEAKING:
            self._log(DecisionKind.REFUSE, strategy.name, f"end ({reason}): the caller speaks", now)

    def _infer(self, strategy: TurnStrategy | None, reason: str, now: float) -> None:
        if self._text.inferences and self._answer_under_way and self._may_interrupt():
            self._supersede("more was said in the same turn", now)
        segment = self._text.take_segment(self._started)
        self._answer_under_way = self._answer_unheard = True
        self._cut_off = False
        self._go(Step.INFER)
        self._log(DecisionKind.INFER, strategy.name if strategy else "", reason, now)
        self._out.append(TriggerInference(strategy=strategy, reason=reason, segment=segment))
        self._rearm(now)
        self._tell(InferenceTriggered(), now)

    def _stop(
        self, strategy: TurnStrategy | None, reason: str, now: float, *, announce: bool
    ) -> None:
        text, heard_speech = self._text, self._silence_at >= self._started
        content, tail, inferences = text.close()
        self._go(Step.STOP)
        self._watchdog = None
        self._log(DecisionKind.STOP, strategy.name if strategy else "", reason, now)
        self._out.append(
            CloseTurn(
                strategy=strategy,
                reason=reason,
                announce=announce,
                content=content,
                tail=tail,
                nothing_understood=not content and not inferences,
                user_id=text.user_id,
                started=self._started,
                stopped=self._silence_at if heard_speech else now,
                inferences=inferences,
            )
        )
        self._tell(TurnStopped(), now)

    def _bark(self, now: float) -> None:
        """The watchdog: nothing has happened for too long in an open turn."""
        if self.state is TurnState.SPEAKING:
            self._log(
                DecisionKind.REFUSE, "", f"{self._max_speech:.0f} s of sound without a pause", now
            )
            self._quieten(now)
            return
        waiting = [
            stop.deadline
            for stop in self._strategies.stop
            if stop.holds_open and stop.deadline is not None
        ]
        if waiting and not self._cut_off:
            self._watchdog = max(waiting) + self._stop_timeout
            return
        if self._text.take_interim() or not self._cut_off:
            self._out.append(StopTimedOut())
        reason = f"watchdog: nothing for {self._stop_timeout:.1f} s"
        if self._cut_off and not self._text.pending:
            reason = "the sound that cut off the answer brought no words"
        if self._text.pending or self._cut_off:
            self._infer(None, reason, now)
        if self.state in OPEN:
            self._stop(None, reason, now, announce=True)

    def _forget(self, strategy: TurnStrategy, reason: str, now: float) -> None:
        if self.state in OPEN:
            return
        self._text.forget()
        self._log(DecisionKind.FORGET, strategy.name, reason, now)
        self._tell(TextForgotten(), now)

    def _hold(self, strategy: TurnStrategy, reason: str, now: float) -> None:
        if self.state in OPEN or not self._bot_speaks or self._hold_until is not None:
            return
        self._hold_until = now + self._hold_limit
        self._log(DecisionKind.HOLD, strategy.name, reason, now)
        self._out.append(HoldPlayout())

    def _release(self, strategy: str, reason: str, now: float) -> None:
        if self._hold_until is None:
            return
        self._hold_until = None
        self._log(DecisionKind.RELEASE, strategy, reason, now)
        self._out.append(ReleasePlayout())

    # ---- bookkeeping ---------------------------------------------------------------------------

    def _may_interrupt(self) -> bool:
        """An answer that is not yet audible may always be replaced."""
        allowed = self._opened_by is not None and self._opened_by.enable_interruptions
        return allowed or not self._bot_speaks

    def _supersede(self, reason: str, now: float) -> None:
        self._void_answer()
        self._log(DecisionKind.INTERRUPT, "", reason, now)
        self._out.append(Interrupt(reason))

    def _void_answer(self) -> None:
        self._cut_off = self._cut_off or (self._answer_under_way and self._answer_unheard)
        self._answer_under_way = self._answer_unheard = False
        self._hold_until = None

    def _rearm(self, now: float) -> None:
        """The watchdog counts from the last thing that happened in an open turn."""
        if self.state not in OPEN:
            self._watchdog = None
        elif self.state is TurnState.SPEAKING:
            self._watchdog = now + self._max_speech
        elif self._cut_off and not self._text.pending and not self._text.interim:
            self._watchdog = now + min(self._recovery_secs, self._stop_timeout)
        else:
            self._watchdog = now + self._stop_timeout

    def _go(self, step: Step) -> None:
        self.state = TRANSITIONS[self.state][step]

    def _log(self, kind: DecisionKind, strategy: str, reason: str, now: float) -> None:
        self._untold += 1
        self.decisions.append(Decision(now, kind, strategy, reason, self._fact, self.state.value))
