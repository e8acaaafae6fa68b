"""Random conversations for the turn machine, and the laws they must not break."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from antiphon.turns.actions import (
    Action,
    CloseTurn,
    HoldPlayout,
    Interrupt,
    OpenTurn,
    ReleasePlayout,
    TriggerInference,
)
from antiphon.turns.events import (
    AnnouncedStart,
    AnnouncedStop,
    BotSaid,
    BotStarted,
    BotStopped,
    CompletionDenied,
    CompletionJudged,
    Fact,
    Heard,
    Interrupted,
    Muted,
    ProposedStart,
    ProposedStop,
    SpeechStarted,
    SpeechStopped,
    TranscriberLatency,
    TurnModelVerdict,
    Unmuted,
)
from antiphon.turns.machine import TurnMachine
from antiphon.turns.states import OPEN, SOUNDING
from antiphon.turns.strategies import UserTurnStrategies

WORDS = ("yes", "mhm", "the", "weather", "computer", "please", "stop", "", "  ", "okay then")


class World:
    """Makes up facts that a real world could produce, a caller and an agent who do what they
    like.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.speaking = False
        self.bot = False

    def fact(self, now: float) -> Fact:
        """Something that happens now."""
        rng = self.rng
        makers: Sequence[Callable[[], Fact]] = (
            lambda: self._speech(now),
            lambda: self._speech(now),
            lambda: self._speech(now),
            lambda: Heard(self._text(), final=rng.random() < 0.5, finalized=rng.random() < 0.3),
            lambda: Heard(self._text(), final=True, finalized=rng.random() < 0.3),
            lambda: TurnModelVerdict(complete=rng.random() < 0.5),
            self._bot,
            self._bot,
            rng.choice((ProposedStart, ProposedStop, AnnouncedStart, AnnouncedStop)),
            lambda: rng.choice((CompletionJudged(), CompletionDenied("○"), CompletionDenied("◐"))),
            rng.choice((Interrupted, Muted, Unmuted, Unmuted)),
            lambda: TranscriberLatency(rng.choice((0.2, 1.0, 2.0))),
            lambda: BotSaid(self._text()),
        )
        return rng.choice(makers)()

    def _speech(self, now: float) -> Fact:
        if self.rng.random() < 0.05:  # a detector that repeats itself
            self.speaking = not self.speaking
        self.speaking = not self.speaking
        return SpeechStarted(now - 0.2) if self.speaking else SpeechStopped(now - 0.2, 0.2)

    def _bot(self) -> Fact:
        self.bot = not self.bot
        return BotStarted() if self.bot else BotStopped()

    def _text(self) -> str:
        return " ".join(self.rng.choice(WORDS) for _ in range(self.rng.randint(1, 3)))


class Laws:
    """Watches a machine; every method raises when a law is broken."""

    def __init__(self, machine: TurnMachine) -> None:
        self.machine = machine
        self.open = False
        self.turns = 0
        self.segments: list[str] = []
        self.answers = 0
        self.held_since: float | None = None

    def note(self, fact: Fact) -> None:
        """Before each step: an interruption by somebody else voids an answer, and ends a hold."""
        if isinstance(fact, Interrupted):
            self.answers = 0
        if isinstance(fact, Interrupted | BotStopped):
            self.held_since = None

    def check(self, actions: Sequence[Action], now: float, *, sounding: bool) -> None:
        """After each step: `sounding` as the machine was told before it acted."""
        for action in actions:
            match action:
                case OpenTurn(interrupt=interrupt):
                    assert not self.open, "a turn starts within a turn"
                    self.open, self.segments, self.answers = True, [], 0
                    self.turns += 1
                    if interrupt:
                        self.held_since = None
                case Interrupt():
                    self.answers, self.held_since = 0, None
                case TriggerInference(segment=segment):
                    assert self.open, "an inference outside a turn"
                    assert not sounding, "an inference while the caller speaks"
                    self.segments.append(segment.text)
                    self.answers += 1
                    assert self.answers == 1, "two answers under way in one turn"
                case CloseTurn(content=content, tail=tail):
                    assert self.open, "a turn stops that never started"
                    assert not sounding, "a turn stops while the caller speaks"
                    whole = " ".join(part for part in [*self.segments, tail] if part)
                    assert content == whole, f"{content!r} is not {whole!r}"
                    self.open = False
                case HoldPlayout():
                    assert not self.open
                    assert self.held_since is None, "held twice"
                    self.held_since = now
                case ReleasePlayout():
                    assert self.held_since is not None, "released but not held"
                    self.held_since = None
        assert (self.machine.state in OPEN) == self.open
        if self.open:
            assert self.machine.deadline is not None, "an open turn without a deadline"
        deadline = self.machine.deadline
        assert deadline is None or deadline >= now, "a deadline in the past"


def play(seed: int, make: Callable[[], UserTurnStrategies], events: int = 40) -> Laws:
    """One random conversation; then silence, in which every open turn must end."""
    rng = random.Random(seed)
    machine = TurnMachine(make(), stop_timeout=rng.choice((1.0, 5.0)))
    world, laws, now = World(rng), Laws(machine), 10.0
    for _ in range(events):
        now = advance(machine, laws, now, now + rng.choice((0.01, 0.1, 0.3, 0.7, 2.0, 8.0)))
        if rng.random() < 0.02:
            actions = machine.update_strategies(make(), now)
        else:
            fact = world.fact(now)
            laws.note(fact)
            actions = machine.receive(fact, now)
        laws.check(actions, now, sounding=machine.state in SOUNDING)
    advance(machine, laws, now, now + 1000)
    assert not laws.open, "a turn never ends"
    assert laws.held_since is None or not world.bot, "the agent's speech is held for ever"
    return laws


def advance(machine: TurnMachine, laws: Laws, now: float, until: float) -> float:
    """Lets time pass; every deadline is kept."""
    rounds = 0
    while machine.deadline is not None and machine.deadline <= until:
        now = max(now, machine.deadline)
        laws.check(machine.tick(now), now, sounding=machine.state in SOUNDING)
        rounds += 1
        assert rounds < 500, "the machine is never satisfied"
    return until
