"""Random conversations for the turn machine, and the laws they must not break."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from antiphon.turns.facts import (
    AnnouncedStart,
    AnnouncedStop,
    BotSaid,
    BotStarted,
    BotStopped,
    CompletionDenied,
    CompletionJudged,
    Fact,
    Interrupted,
    Muted,
    ProposedStart,
    ProposedStop,
    SpeechStarted,
    SpeechStopped,
    TranscriberLatency,
    TranscriptReceived,
    TurnModelVerdict,
    Unmuted,
)
from antiphon.turns.machine import TurnMachine
from antiphon.turns.machine_actions import (
    Action,
    CloseTurn,
    DecisionKind,
    HoldPlayout,
    InterruptAgent,
    OpenTurn,
    ReleasePlayout,
    StopTimedOut,
    TriggerInference,
)
from antiphon.turns.states import OPEN
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import UserTurnStartStrategy

MAX_SPEECH, HOLD_LIMIT = 60.0, 3.0
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
            lambda: TranscriptReceived(
                self._text(), final=rng.random() < 0.5, finalized=rng.random() < 0.3
            ),
            lambda: TranscriptReceived(self._text(), final=True, finalized=rng.random() < 0.3),
            lambda: TurnModelVerdict(complete=rng.random() < 0.5),
            self._bot,
            self._bot,
            rng.choice((ProposedStart, ProposedStop, AnnouncedStart, AnnouncedStop)),
            lambda: rng.choice((CompletionJudged(), CompletionDenied("○"), CompletionDenied("◐"))),
            rng.choice((Interrupted, Muted, Unmuted, Unmuted)),
            lambda: TranscriberLatency(rng.choice((0.2, 1.0, 2.0)), answers=rng.random() < 0.5),
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


class Caller:
    """What is true of the caller, told from the facts alone: sound, words, muted or not."""

    def __init__(self, *, proposals: bool) -> None:
        self.muted = False
        self.words: list[str] = []
        """What was heard for good since the last segment."""
        self.interim = ""
        self._proposals = proposals
        self._detector = False
        self._latency = 1.0
        self._deaf_until = 0.0
        """Until then words without sound are what was said while muted."""
        self._sources: set[str] = set()
        self._since = 0.0

    def sounds(self, now: float) -> bool:
        """Whether sound is heard that does not last too long."""
        return bool(self._sources) and now < self._since + MAX_SPEECH

    def note(self, fact: Fact, now: float, *, in_turn: bool) -> None:
        """Takes a fact in."""
        if not self.sounds(now):
            self._sources.clear()
        if isinstance(fact, Unmuted):
            self.muted, self._deaf_until = False, now + self._latency
        if self.muted:
            return
        deaf = self._detector and not in_turn and not self.sounds(now) and now < self._deaf_until
        if not (deaf and isinstance(fact, TranscriptReceived)):
            self._take_in(fact, now)

    def _take_in(self, fact: Fact, now: float) -> None:
        match fact:
            case TranscriberLatency(secs=secs):
                self._latency = secs
            case Muted():
                self.muted = True
                self._sources.clear()
            case SpeechStarted():
                self._detector, self._deaf_until = True, 0.0
                self._begin("vad", now)
            case SpeechStopped():
                self._sources.discard("vad")
            case ProposedStart() | AnnouncedStart() if self._proposals:
                self._begin("proposal" if isinstance(fact, ProposedStart) else "other", now)
            case ProposedStop() if self._proposals:
                self._sources.discard("proposal")
            case AnnouncedStop() if self._proposals:
                self._sources.discard("other")
            case TranscriptReceived(text=text, final=True):
                self.words += text.split()
                self.interim = ""
            case TranscriptReceived(text=text):
                self.interim = text

    def take(self, *, with_interim: bool) -> list[str]:
        """The words since the last segment; they are used now."""
        words = [*self.words, *(self.interim.split() if with_interim else [])]
        self.words = []
        if with_interim:
            self.interim = ""
        return words

    def _begin(self, source: str, now: float) -> None:
        self._since = self._since if self._sources else now
        self._sources.add(source)


class Laws:
    """Watches a machine from outside; `check` raises when a law is broken."""

    def __init__(self, machine: TurnMachine) -> None:
        self.machine = machine
        self.caller = Caller(proposals=machine.resolves_proposals)
        self.open = False
        self.turns = 0
        self.segments: list[str] = []
        self.inferences = 0
        self.answers = 0
        """Alive, in this turn."""
        self.held_since: float | None = None
        self._finished = False
        self._bot = self._may_interrupt = self._goes_on = False
        self._unheard = self._cut_off = False
        """Whether nothing of the last answer was heard, and whether the caller cut one off so."""

    def note(self, fact: Fact, now: float) -> None:
        """Before each step."""
        silent = not self.caller.sounds(now)
        self.caller.note(fact, now, in_turn=self.open)
        self._goes_on = silent and self.open and self.caller.sounds(now)
        if isinstance(fact, BotStarted | BotStopped):
            self._bot = isinstance(fact, BotStarted)
            self._unheard = self._unheard and not self._bot
        if isinstance(fact, Interrupted):
            self.answers, self._unheard = 0, False
        if isinstance(fact, Interrupted):
            self.held_since = None
        self._finished = isinstance(fact, BotStopped)

    def check(self, actions: Sequence[Action], now: float) -> None:
        """After each step."""
        news = self.machine.log.news()
        if any(one.kind is DecisionKind.FORGET and one.strategy for one in news):
            assert not self.open, "words of an open turn are forgotten"
            self.caller.words, self.caller.interim = [], ""
        with_interim = any(isinstance(action, StopTimedOut) for action in actions)
        for action in actions:
            match action:
                case OpenTurn():
                    self._opened(action)
                case InterruptAgent():
                    assert self._may_interrupt or not self._bot, "it must not interrupt"
                    self._void()
                case TriggerInference(segment=segment):
                    self._asked(segment.text, now, with_interim=with_interim)
                case CloseTurn():
                    self._closed(action, now, with_interim=with_interim)
                case HoldPlayout():
                    assert self.held_since is None, "held twice"
                    self.held_since = now
                case ReleasePlayout():
                    assert self.held_since is not None, "released but not held"
                    self.held_since = None
        if self._finished:
            self.held_since = None
        if self._goes_on and self.open and (self._may_interrupt or not self._bot):
            assert not self.answers, "an answer goes on although the caller goes on"
        self._goes_on = False
        self._check_time(now)

    def _opened(self, action: OpenTurn) -> None:
        assert not self.open, "a turn starts within a turn"
        self.open, self.segments, self.inferences, self.answers = True, [], 0, 0
        self.turns += 1
        assert isinstance(action.strategy, UserTurnStartStrategy)
        self._may_interrupt = action.strategy.enable_interruptions
        if action.interrupt:
            self._void()

    def _void(self) -> None:
        self._cut_off = self._cut_off or self._unheard
        self._unheard, self.answers, self.held_since = False, 0, None

    def _asked(self, text: str, now: float, *, with_interim: bool) -> None:
        assert self.open, "an inference outside a turn"
        assert not self.caller.sounds(now), "an inference while the caller speaks"
        said = self.caller.take(with_interim=with_interim)
        assert text.split() == said, f"asked about {text!r}, said was {said}"
        assert text or self._cut_off or not self.inferences, "asked about the same words again"
        if text:
            self.segments.append(text)
        self.inferences += 1
        self.answers += 1
        self._unheard, self._cut_off = True, False
        assert self.answers == 1, "two answers under way in one turn"

    def _closed(self, action: CloseTurn, now: float, *, with_interim: bool) -> None:
        assert self.open, "a turn stops that never started"
        assert not self.caller.sounds(now), "a turn stops while the caller speaks"
        said = self.caller.take(with_interim=with_interim)
        assert action.tail.split() == said, f"the tail is {action.tail!r}, said was {said}"
        whole = " ".join(part for part in [*self.segments, action.tail] if part)
        assert action.content == whole, f"{action.content!r} is not {whole!r}"
        self.open = False
        self.caller.interim = ""

    def _check_time(self, now: float) -> None:
        assert (self.machine.state in OPEN) == self.open
        deadline = self.machine.deadline
        if self.open:
            assert deadline is not None, "an open turn without a deadline"
        assert deadline is None or deadline >= now, "a deadline in the past"
        assert self.held_since is None or now <= self.held_since + HOLD_LIMIT, "held too long"


def play(
    seed: int,
    make: Callable[[], UserTurnStrategies],
    events: int = 40,
    machine_type: type[TurnMachine] = TurnMachine,
) -> Laws:
    """One random conversation; then silence, in which every open turn must end."""
    rng = random.Random(seed)
    machine = machine_type(
        make(),
        stop_timeout=rng.choice((1.0, 5.0)),
        max_speech=MAX_SPEECH,
        hold_limit=HOLD_LIMIT,
    )
    world, laws, now = World(rng), Laws(machine), 10.0
    for _ in range(events):
        now = advance(machine, laws, now, now + rng.choice((0.01, 0.1, 0.3, 0.7, 2.0, 8.0)))
        if rng.random() < 0.02:
            laws.check(machine.update_strategies(make(), now), now)
        else:
            fact = world.fact(now)
            laws.note(fact, now)
            laws.check(machine.receive(fact, now), now)
    advance(machine, laws, now, now + 1000)
    assert not laws.open, "a turn never ends"
    assert laws.held_since is None or not world.bot, "the agent's speech is held for ever"
    return laws


def advance(machine: TurnMachine, laws: Laws, now: float, until: float) -> float:
    """Lets time pass; every deadline is kept."""
    rounds = 0
    while machine.deadline is not None and machine.deadline <= until:
        now = max(now, machine.deadline)
        laws.check(machine.tick(now), now)
        rounds += 1
        assert rounds < 500, "the machine is never satisfied"
    return until
