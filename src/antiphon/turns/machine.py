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

Every transition is a line of `states.TRANSITIONS`. What is known is kept by `Floor`, who is asked
in which order by `StrategySet`, and why something was decided by `DecisionLog`.

Invariants, each held by a property test:

1. A turn that opens closes exactly once, and `CloseTurn.content` is the segments of its inferences
   and the tail, joined by spaces.
2. Neither an inference nor the end of a turn is decided while the caller makes sound.
3. An open turn always has a deadline: a strategy's or the watchdog's. Sound that does not stop for
   `max_speech` seconds is taken to have stopped (a television, a detector that hangs).
4. A second inference in one turn voids the answer to the first: one spoken reply per turn.
5. Held playout is released, or ended by an interruption, within `hold_limit` seconds.

A turn may begin in *doubt* (`Doubt`): with a sound over the agent's speech, or before its answer is
heard. Then the speech is held, and nothing is voided. Words confirm the turn, and so does sound
that goes on for `hold_secs`: the interruption follows. Without words the turn closes `resume_secs`
after the sound, and the speech goes on where it was held.

An answer that was interrupted for a sound that proves to be nothing is remembered: the model is
asked again `recovery_secs` after the end of the sound.
"""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.frames.base import Frame
from antiphon.turns.decision_log import DecisionLog
from antiphon.turns.facts import (
    BotStarted,
    BotStopped,
    Fact,
    InferenceTriggered,
    Interrupted,
    Muted,
    SpeechStarted,
    SpeechStopped,
    TextForgotten,
    TranscriberLatency,
    TranscriptReceived,
    TurnStarted,
    TurnStopped,
    Unmuted,
)
from antiphon.turns.floor import BEGINS, ENDS, PROPOSALS, Floor
from antiphon.turns.machine_actions import (
    Action,
    CloseTurn,
    DecisionKind,
    HoldPlayout,
    InterruptAgent,
    OpenTurn,
    ReleasePlayout,
    RunTurnModel,
    StopTimedOut,
    TriggerInference,
)
from antiphon.turns.opinions import (
    AskTurnModel,
    Doubt,
    EndTurn,
    Forget,
    HoldSpeech,
    Notify,
    Opinion,
    ReleaseSpeech,
    RunInference,
    SendFrame,
    StartTurn,
)
from antiphon.turns.states import TurnState, TurnStep
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import TurnStrategy, UserTurnStartStrategy, UserTurnStopStrategy
from antiphon.turns.strategy_set import StrategySet

_HEARD_WHILE_MUTED = (Unmuted, BotStarted, BotStopped, Interrupted)
_OBSERVED = frozenset(
    {*BEGINS, *ENDS, *_HEARD_WHILE_MUTED, TranscriptReceived, Muted, TranscriberLatency}
)
"""Facts that change what the machine itself knows."""


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
        self._panel = StrategySet(strategies or UserTurnStrategies())
        self._stop_timeout = stop_timeout
        self._max_speech = max_speech
        self._hold_limit = hold_limit
        self._recovery_secs = recovery_secs
        self._floor = Floor()
        self._watchdog: float | None = None
        self._hold_until: float | None = None
        self._firm_at = 0.0
        self._given_up = False
        self._doubt: Doubt | None = None
        """Why the open turn has not interrupted the agent yet."""
        self._out: list[Action] = []
        self._opened = False
        """Whether this fact has opened a turn already: it cannot open another."""
        self._forgotten = False
        self.log: DecisionLog = DecisionLog(log_size)

    @property
    def state(self) -> TurnState:
        """Where the machine is."""
        return self._floor.state

    @property
    def strategies(self) -> UserTurnStrategies:
        """Who decides at the moment."""
        return self._panel.strategies

    @property
    def frame_types(self) -> tuple[type[Frame], ...]:
        """Frames that strategies want to see."""
        return self._panel.frame_types

    @property
    def resolves_proposals(self) -> bool:
        """Whether a service's proposals are decided here."""
        return self._panel.resolves_proposals

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        due = self._panel.deadline
        for at in (self._watchdog, self._hold_until):
            if at is not None and (due is None or at < due):
                due = at
        return due

    # ---- for the driver ------------------------------------------------------------------------

    def receive(self, event: Fact, now: float) -> list[Action]:
        """Takes a fact in; returns what is to be done, in order."""
        out = self._out = []
        if type(event) in PROPOSALS and not self._panel.resolves_proposals:
            return out
        if self._floor.muted and not isinstance(event, _HEARD_WHILE_MUTED):
            return out
        self.log.fact = event
        if self._floor.was_said_muted(event, now):
            self.log.add(now, DecisionKind.FORGET, "", "said while muted", self.state)
            return out
        self._opened = False
        if type(event) in _OBSERVED:
            self._observe(event, now)
        if self._doubt is not None and isinstance(event, TranscriptReceived) and event.text.strip():
            self._supersede(f"words: {event.text.strip()!r}", now)
        self._tell(event, now)
        if self._forgotten:  # told last: stop strategies have only now heard what was forgotten
            self._forgotten = False
            self._tell(TextForgotten(), now)
        return out

    def tick(self, now: float) -> list[Action]:
        """Tells what is due that its time has come."""
        out = self._out = []
        for strategy, opinions, at in self._panel.due(now):
            self.log.fact = f"deadline {at:.3f}"
            self._opened = False
            self._heed(strategy, opinions, now)
        if self._forgotten:
            self._forgotten = False
            self._tell(TextForgotten(), now)
        if self._hold_until is not None and self._hold_until <= now:
            self.log.fact = f"deadline {self._hold_until:.3f}"
            if self._doubt is not None and self._floor.sounds:
                self._supersede(f"{self._doubt.hold_secs:.1f} s of sound", now)
                self._floor.cut_off = True  # in case it was nothing all the same
            else:
                self._release("", "held for long enough", now)
        if self._watchdog is not None and self._watchdog <= now:
            self.log.fact = f"watchdog {self._watchdog:.3f}"
            self._bark(now)
        return out

    def update_strategies(self, strategies: UserTurnStrategies, now: float) -> list[Action]:
        """Others decide from now on. They are told how things stand: no open turn is lost."""
        out = self._out = []
        self.log.fact = "new strategies"
        self._panel = StrategySet(strategies)
        self._release("", "the strategy that held it is gone", now)
        for fact in list(self._floor.situation()):
            self._tell(fact, now)
        self._rearm(now)
        return out

    def close(self, now: float, reason: str = "the session ends") -> list[Action]:
        """Closes an open turn without asking the model; its words are in `CloseTurn.tail`."""
        out = self._out = []
        self.log.fact = reason
        if self._floor.is_open:
            self._quieten(now)
        if self._floor.is_open:
            self._floor.text.take_interim()
            self._stop(None, reason, now, announce=True)
        return out

    # ---- facts ---------------------------------------------------------------------------------

    def _observe(self, event: Fact, now: float) -> None:
        floor, kind = self._floor, type(event)
        floor.note(event, now)
        if kind in BEGINS:
            asked = floor.text.inferences > 0 and floor.under_way
            at = event.at if isinstance(event, SpeechStarted) else now
            if floor.begin_sound(BEGINS[kind], at, now):
                self._rearm(now)
                if asked and floor.may_interrupt:
                    self._supersede("the caller goes on before the turn is final", now)
                elif self._doubt is not None and floor.is_open:
                    self._hold("", "the sound goes on", now)
        elif kind in ENDS:
            at = event.at if isinstance(event, SpeechStopped) else now
            if floor.end_sound(at, ENDS[kind]):
                self._rearm(now)
        elif isinstance(event, TranscriptReceived):
            self._rearm(now, firm=event.final)
        elif kind is BotStopped:
            if self._doubt is not None:
                self._release("", "the agent has finished", now)
            self._hold_until = None
        elif kind is Interrupted:
            floor.void_answer(by_caller=False)
            self._hold_until = self._doubt = None
        elif kind is Muted:
            self._quieten(now)

    def _quieten(self, now: float) -> None:
        """Sound is over although nobody said so. Strategies hear of it as the end of speech."""
        if self._floor.end_sound(now):
            self._rearm(now)
            self._tell(SpeechStopped(at=now, transcript_due=False), now)

    def _tell(self, event: Fact, now: float) -> None:
        for strategy, opinions in self._panel.tell(event, now):
            self._heed(strategy, opinions, now)

    def _heed(self, strategy: TurnStrategy, opinions: Sequence[Opinion], now: float) -> None:
        for opinion in opinions:
            match opinion:
                case StartTurn():
                    if isinstance(strategy, UserTurnStartStrategy):
                        self._start(strategy, opinion, now)
                case RunInference(reason=reason):
                    self._maybe_infer(strategy, reason, now)
                case EndTurn(reason=reason, announce=announce):
                    self._maybe_stop(strategy, reason, now, announce=announce)
                case Forget(reason=reason):
                    self._forget(strategy, reason, now)
                case HoldSpeech(reason=reason):
                    self._hold(strategy.name, reason, now)
                case ReleaseSpeech(reason=reason):
                    self._release(strategy.name, reason, now)
                case AskTurnModel():
                    self._out.append(RunTurnModel(strategy))
                case SendFrame() | Notify():
                    self._out.append(opinion)

    # ---- decisions -----------------------------------------------------------------------------

    def _start(self, strategy: UserTurnStartStrategy, opinion: StartTurn, now: float) -> None:
        floor, reason, announce = self._floor, opinion.reason, opinion.announce
        if floor.is_open or self._opened:
            return
        self._opened = True
        floor.open(strategy, now)
        interrupt = announce and strategy.enable_interruptions
        if interrupt and floor.owes_speech and not floor.text.pending and not floor.text.interim:
            self._doubt = opinion.doubt
        interrupt = interrupt and self._doubt is None
        self.log.add(now, DecisionKind.START, strategy.name, reason, floor.state)
        if interrupt:
            floor.void_answer()
            self._hold_until = None
        elif self._doubt is not None:
            self._hold(strategy.name, reason, now)
        else:
            self._release(strategy.name, "the turn does not interrupt", now)
        self._out.append(
            OpenTurn(
                strategy=strategy,
                reason=reason,
                announce=announce and strategy.enable_user_speaking_frames,
                interrupt=interrupt,
                user_id=floor.text.user_id,
                in_doubt=self._doubt is not None,
            )
        )
        self._rearm(now)
        self._tell(TurnStarted(), now)

    def _maybe_infer(self, strategy: TurnStrategy, reason: str, now: float) -> None:
        floor = self._floor
        if not floor.is_open:
            return
        if floor.sounds:
            why = f"inference ({reason}): the caller speaks"
        elif not floor.text.pending and floor.text.inferences and not floor.cut_off:
            return  # asking again about the same words would be a second reply
        elif floor.must_wait:
            why = f"inference ({reason}): the answer under way must not be interrupted"
        else:
            self._infer(strategy, reason, now)
            return
        self.log.add(now, DecisionKind.REFUSE, strategy.name, why, floor.state)

    def _maybe_stop(
        self, strategy: TurnStrategy, reason: str, now: float, *, announce: bool
    ) -> None:
        floor = self._floor
        if not floor.is_open:
            return
        if floor.sounds:
            why = f"end ({reason}): the caller speaks"
            self.log.add(now, DecisionKind.REFUSE, strategy.name, why, floor.state)
            return
        # Words that nobody has asked the model about, or an answer that noise cut off.
        if (floor.text.pending or floor.cut_off) and not floor.must_wait:
            self._infer(strategy, reason, now)
        if isinstance(strategy, UserTurnStopStrategy):
            announce = announce and strategy.enable_user_speaking_frames
        if floor.is_open:
            self._stop(strategy, reason, now, announce=announce)

    def _infer(self, strategy: TurnStrategy | None, reason: str, now: float) -> None:
        floor = self._floor
        if self._doubt is not None:
            self._supersede(reason, now)
        elif floor.text.inferences and floor.under_way:
            self._supersede("more was said in the same turn", now)
        segment = floor.text.take_segment(floor.started)
        floor.ask()
        name = strategy.name if strategy else ""
        self.log.add(now, DecisionKind.INFER, name, reason, floor.state)
        self._out.append(TriggerInference(strategy=strategy, reason=reason, segment=segment))
        self._rearm(now)
        self._tell(InferenceTriggered(), now)

    def _stop(
        self, strategy: TurnStrategy | None, reason: str, now: float, *, announce: bool
    ) -> None:
        floor, text = self._floor, self._floor.text
        if self._doubt is not None:
            self._doubt = None
            self._release("", "the sound brought no words", now)
        content, tail, inferences = text.close()
        floor.go(TurnStep.STOP)
        self._watchdog = None
        name = strategy.name if strategy else ""
        self.log.add(now, DecisionKind.STOP, name, reason, floor.state)
        self._out.append(
            CloseTurn(
                strategy=strategy,
                reason=reason,
                announce=announce,
                content=content,
                tail=tail,
                nothing_understood=not content and not inferences,
                user_id=text.user_id,
                started=floor.started,
                stopped=floor.silence_at if floor.silence_at >= floor.started else now,
                inferences=inferences,
            )
        )
        self._tell(TurnStopped(), now)

    def _bark(self, now: float) -> None:
        """The watchdog: nothing has happened for too long in an open turn."""
        floor = self._floor
        if floor.sounds:
            why = f"{self._max_speech:.0f} s of sound without a pause"
            self.log.add(now, DecisionKind.REFUSE, "", why, floor.state)
            self._quieten(now)
            self._given_up = True
            return
        held = self._panel.held_until
        if held is not None and not floor.cut_off:
            self._watchdog = held + self._stop_timeout
            return
        reason = f"watchdog: nothing for {self._stop_timeout:.1f} s"
        if self._doubt is not None:
            reason = "the sound over the agent brought no words"
        elif floor.text.take_interim() or floor.text.pending or not floor.cut_off:
            self._out.append(StopTimedOut())
        else:
            reason = "the sound that cut off the answer brought no words"
        if (floor.text.pending or floor.cut_off) and not floor.must_wait:
            self._infer(None, reason, now)
        if floor.is_open:
            self._stop(None, reason, now, announce=True)

    def _forget(self, strategy: TurnStrategy, reason: str, now: float) -> None:
        if not self._floor.is_open:
            self._floor.text.forget()
            self._forgotten = True
            self.log.add(now, DecisionKind.FORGET, strategy.name, reason, self.state)

    def _hold(self, strategy: str, reason: str, now: float) -> None:
        floor, doubt = self._floor, self._doubt
        allowed = floor.owes_speech if doubt else not floor.is_open and floor.bot_speaks
        if allowed and self._hold_until is None:
            self._hold_until = now + (doubt.hold_secs if doubt else self._hold_limit)
            self.log.add(now, DecisionKind.HOLD, strategy, reason, floor.state)
            self._out.append(HoldPlayout())

    def _release(self, strategy: str, reason: str, now: float) -> None:
        if self._hold_until is not None:
            self._hold_until = None
            self.log.add(now, DecisionKind.RELEASE, strategy, reason, self.state)
            self._out.append(ReleasePlayout())

    def _supersede(self, reason: str, now: float) -> None:
        self._floor.void_answer()
        self._hold_until = self._doubt = None
        self.log.add(now, DecisionKind.INTERRUPT, "", reason, self.state)
        self._out.append(InterruptAgent(reason))

    def _rearm(self, now: float, *, firm: bool = True) -> None:
        """The watchdog counts from the last thing that happened in an open turn.

        Interim transcripts put it off, but not for ever: a transcriber that never comes to a final
        one must not keep a turn open, least of all after the sound was given up.
        """
        floor = self._floor
        if firm:
            self._firm_at, self._given_up = now, False
        if not floor.is_open:
            self._watchdog = None
        elif floor.sounds:
            self._watchdog = floor.sounding_since + self._max_speech
        elif self._doubt is not None:
            self._watchdog = now + min(self._doubt.resume_secs, self._stop_timeout)
        elif floor.cut_off and not floor.text.pending and not floor.text.interim:
            self._watchdog = now + min(self._recovery_secs, self._stop_timeout)
        else:
            longest = self._stop_timeout if self._given_up else self._max_speech
            self._watchdog = min(now + self._stop_timeout, self._firm_at + longest)
