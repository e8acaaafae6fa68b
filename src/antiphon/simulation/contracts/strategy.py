"""`check_start_strategy`, `check_stop_strategy`: what every turn strategy must keep.

A strategy is pure, so there is no loop here: it is told random but sensible sequences of facts, and
ticked when its deadline comes, a little late at times, as a driver would.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from antiphon.simulation.contracts.suite import (
    ContractError,
    ContractRule,
    Violation,
    name_of,
    require,
)
from antiphon.turns.facts import (
    AnnouncedStart,
    AnnouncedStop,
    BotSaid,
    BotStarted,
    BotStopped,
    CompletionDenied,
    CompletionJudged,
    Fact,
    InferenceTriggered,
    Interrupted,
    Muted,
    ProposedStart,
    ProposedStop,
    SpeechStarted,
    SpeechStopped,
    TextForgotten,
    TranscriberLatency,
    TranscriptReceived,
    TurnModelVerdict,
    TurnStarted,
    TurnStopped,
    Unmuted,
)
from antiphon.turns.opinions import EndTurn, Forget, Opinion, RunInference, StartTurn
from antiphon.turns.strategy import TurnStrategy, UserTurnStartStrategy, UserTurnStopStrategy

Timed = tuple[float, Fact]
"""Seconds after the one before, and the fact."""

MAX_TICKS = 50
"""Deadlines in a row, without a fact in between."""
SHIFT_SECS = 4096.0
"""A power of two, so that sums lose little."""
_HASTE = (0.0, 0.5, 1.0, 10.0)
"""How much slower than told the facts may come."""
_TEXTS = ("hello there, how are you", "yes", "", "mhm", "wait " * 40, "¿qué? \U0001f600")
_HUGE = "so what I wanted to say is " * 1_000
_HEARD = (*_TEXTS, _HUGE)


def opening() -> list[Timed]:
    """A caller who begins to speak, as every kind of detector would tell it."""
    return [
        (0.1, SpeechStarted(0.0)),
        (0.5, ProposedStart()),
        (0.5, TranscriptReceived("hello there how are you", final=False)),
        (0.5, TranscriptReceived("hello there how are you today")),
        (0.1, AnnouncedStart()),
    ]


def closing() -> list[Timed]:
    """A caller who has finished, as every kind of detector would tell it. Times are filled in."""
    return [
        (0.2, SpeechStopped(0.0, 0.2)),
        (0.1, TurnModelVerdict(complete=True, probability=0.9)),
        (0.1, TranscriptReceived("how are you today", finalized=True)),
        (0.1, ProposedStop()),
        (0.0, AnnouncedStop()),
        (0.5, CompletionJudged()),
    ]


def check_start_strategy(
    factory: Callable[[], UserTurnStartStrategy],
    *,
    seeds: int | Iterable[int] = 50,
    starts_with: Sequence[Timed] | None = None,
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    `starts_with`: facts, and the seconds before each, on which a turn must start whatever was
    before; by default `opening()`. An empty one: the strategy never need start a turn.
    """
    wanted = opening() if starts_with is None else starts_with
    check = StrategyCheck("check_start_strategy", factory, wanted, StartTurn, 0.0, shuffled=False)
    return check.run(seeds, only)


def check_stop_strategy(
    factory: Callable[[], UserTurnStopStrategy],
    *,
    seeds: int | Iterable[int] = 50,
    stops_with: Sequence[Timed] | None = None,
    within_secs: float = 10.0,
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    `stops_with`: facts after which a turn must end within `within_secs`, in any order of those at
    hand (a transcript may come before or after the silence); by default `closing()`. An empty one:
    the strategy never need end a turn.
    """
    wanted = closing() if stops_with is None else stops_with
    check = StrategyCheck(
        "check_stop_strategy", factory, wanted, EndTurn, within_secs, shuffled=True
    )
    return check.run(seeds, only)


@dataclass
class ScriptPlayer:
    """Tells one strategy facts, and ticks it."""

    strategy: TurnStrategy
    lateness: random.Random
    shift: float = 0.0
    now: float = 0.0
    answers: list[tuple[str, ...]] = field(default_factory=list)

    def tell(self, fact: Fact) -> Sequence[Opinion]:
        """A fact, now."""
        return self._take(self.strategy.receive(_shifted(fact, self.shift), self.now + self.shift))

    def wait(self, secs: float) -> list[Opinion]:
        """Time passes; deadlines are met on the way."""
        until, opinions, ticks = self.now + secs, list[Opinion](), 0
        while (deadline := self.strategy.deadline) is not None:
            due = max(self.now, deadline - self.shift)
            if due > until:
                break
            ticks += 1
            require(
                ContractRule.DEADLINES, ticks < MAX_TICKS, f"{ticks} deadlines within {secs:g} s"
            )
            self.now = max(due, min(until, due + self.lateness.choice([0.0, 0.0, 0.02])))
            opinions += self._take(self.strategy.tick(self.now + self.shift))
            after = self.strategy.deadline
            ahead = after is None or after > self.now + self.shift
            require(
                ContractRule.DEADLINES, ahead, f"tick({self.now:.3f}) leaves the deadline {after}"
            )
        self.now = until
        return opinions

    def _take(self, opinions: Sequence[Opinion]) -> Sequence[Opinion]:
        require(
            ContractRule.VALUES,
            all(isinstance(opinion, Opinion) for opinion in opinions),
            f"{opinions!r} are no opinions",
        )
        deadline = self.strategy.deadline
        sane = deadline is None or isinstance(deadline, float | int)
        require(ContractRule.VALUES, sane, f"the deadline is {deadline!r}")
        self.answers.append(tuple(type(opinion).__name__ for opinion in opinions))
        return opinions


@dataclass
class StrategyCheck:
    """All runs of one strategy."""

    call: str
    factory: Callable[[], TurnStrategy]
    wanted: Sequence[Timed]
    answer: type[Opinion]
    within_secs: float
    shuffled: bool
    runs: int = 0

    def run(self, seeds: int | Iterable[int], only: str | None) -> int:
        """Runs all; returns how many runs it took."""
        cases = {"pure": self._pure, "answers": self._answers, "late": self._late}
        if only is not None and only not in cases:
            raise ValueError(f"there is no case {only!r}; there are {', '.join(cases)}")
        for seed in range(seeds) if isinstance(seeds, int) else seeds:
            for case, body in cases.items():
                if only not in {None, case}:
                    continue
                self.runs += 1
                try:
                    body(seed)
                except Violation as found:
                    raise self._error(found, seed, case) from found.__cause__
                except Exception as error:
                    escaped = Violation(ContractRule.EXCEPTIONS, f"{error!r} came out of it")
                    raise self._error(escaped, seed, case) from error
        return self.runs

    def _error(self, found: Violation, seed: int, case: str) -> ContractError:
        return ContractError(
            found.rule,
            found.what,
            call=self.call,
            part=name_of(self.factory),
            seed=seed,
            case=case,
            runs=self.runs,
        )

    def _pure(self, seed: int) -> None:
        """Two of them, told the same, answer the same; also when it is later in the day."""
        facts = random_facts(random.Random(f"facts {seed}"))
        answers = []
        for shift in (0.0, 0.0, SHIFT_SECS):
            player = ScriptPlayer(self.factory(), random.Random(f"late {seed}"), shift)
            for secs, fact in facts:
                player.wait(secs)
                player.tell(_placed(fact, player.now))
            player.wait(120.0)
            answers.append(player.answers)
        first, again, later = answers
        require(ContractRule.PURE, first == again, "two of them, told the same, answer differently")
        require(ContractRule.PURE, first == later, "told the same later, it answers differently")

    def _answers(self, seed: int) -> None:
        """Whatever was before: what must be answered is."""
        if not self.wanted:
            return
        rng = random.Random(f"answers {seed}")
        player = ScriptPlayer(self.factory(), rng)
        machine = TurnPlayer(player)
        for secs, fact in random_facts(rng, seed % 12):
            machine.pass_time(secs)
            machine.tell(_placed(fact, player.now))
        machine.rest(self.shuffled)
        told = list(self.wanted)
        if self.shuffled:
            rng.shuffle(told)
            machine.begin()
        self._must_answer(player, machine, told, rng, "")

    def _late(self, seed: int) -> None:
        """One that takes over in the middle of a turn is told how things stand, and decides."""
        if not self.wanted or not self.shuffled:
            return
        rng = random.Random(f"late {seed}")
        player = ScriptPlayer(self.factory(), rng, now=rng.choice([1.0, 50.0, 7_000.0]))
        machine = TurnPlayer(player)
        machine.take_over(rng.choice(_HEARD), speaks=rng.random() < 0.5)
        told = list(self.wanted)
        rng.shuffle(told)
        self._must_answer(player, machine, told, rng, "put in place in the middle of a turn and ")

    def _must_answer(
        self,
        player: ScriptPlayer,
        machine: TurnPlayer,
        told: list[Timed],
        rng: random.Random,
        how: str,
    ) -> None:
        for secs, fact in told:
            machine.pass_time(secs * rng.choice(_HASTE))
            machine.tell(_placed(fact, player.now))
        machine.pass_time(self.within_secs)
        names = ", ".join(type(fact).__name__ for _, fact in told)
        heeded = self.answer.__name__ in machine.heeded
        what = f"{how}told {names}, it never answers {self.answer.__name__}"
        require(ContractRule.ANSWERS, heeded, what)


class TurnPlayer:
    """The least of a turn machine: heeds opinions and tells the strategy what came of them."""

    def __init__(self, player: ScriptPlayer) -> None:
        self._player = player
        self._open = self._speaking = False
        self.heeded: list[str] = []

    def tell(self, fact: Fact) -> None:
        """A fact of the world; those of the machine's own it makes itself."""
        if isinstance(fact, SpeechStarted | SpeechStopped):
            self._speaking = isinstance(fact, SpeechStarted)
        self._heed(self._player.tell(fact))

    def pass_time(self, secs: float) -> None:
        """Deadlines are met on the way."""
        self._heed(self._player.wait(secs))

    def rest(self, between_turns: bool) -> None:
        """Everybody is silent for a while, unmuted; no turn is open."""
        self.pass_time(1.0)
        for fact in (SpeechStopped(self._player.now), BotStopped(), Unmuted()):
            self.tell(fact)
        self.pass_time(20.0)
        if self._open:
            self._open = False
            self._heed(self._player.tell(TurnStopped()))
        self.pass_time(20.0)
        self.heeded.clear()

    def begin(self) -> None:
        """The caller begins to speak, and a turn is open."""
        self.tell(SpeechStarted(self._player.now))
        if not self._open:
            self._open = True
            self._heed(self._player.tell(TurnStarted()))
        self.pass_time(1.0)
        self._speaking = False

    def take_over(self, text: str, *, speaks: bool) -> None:
        """A turn is open already, the caller speaks or has spoken, and something was heard."""
        now = self._player.now
        self._open = True
        self.tell(TurnStarted())
        self.tell(SpeechStarted(now) if speaks else SpeechStopped(now))
        if text:
            self.tell(TranscriptReceived(text))
        self._speaking = False

    def _heed(self, opinions: Sequence[Opinion]) -> None:
        for opinion in opinions:
            match opinion:
                case StartTurn() if not self._open:
                    self._open = True
                    self._note(opinion, TurnStarted())
                case RunInference() if self._open and not self._speaking:
                    self._note(opinion, InferenceTriggered())
                case Forget() if not self._open:
                    self._note(opinion, TextForgotten())
                case EndTurn() if self._open and not self._speaking:
                    self._open = False
                    self._note(opinion, TurnStopped())

    def _note(self, opinion: Opinion, outcome: Fact) -> None:
        self.heeded.append(type(opinion).__name__)
        self._heed(self._player.tell(outcome))


def random_facts(rng: random.Random, count: int | None = None) -> list[Timed]:
    """Facts in an order in which a world could produce them. Their own times are filled in."""
    makers: list[Callable[[], Fact]] = [
        lambda: TranscriptReceived(
            rng.choice(_HEARD), final=rng.random() < 0.7, finalized=rng.random() < 0.4
        ),
        lambda: TurnModelVerdict(complete=rng.random() < 0.5, probability=rng.random()),
        lambda: TranscriberLatency(rng.choice([0.1, 1.0, 3.0])),
        lambda: BotSaid(rng.choice(_TEXTS)),
        lambda: CompletionDenied(rng.choice("○◐")),
        CompletionJudged,
        Interrupted,
        ProposedStart,
        ProposedStop,
    ]
    pairs: list[tuple[Callable[[], Fact], Callable[[], Fact]]] = [
        (lambda: SpeechStarted(0.0), lambda: SpeechStopped(0.0, 0.2)),
        (BotStarted, BotStopped),
        (Muted, Unmuted),
        (AnnouncedStart, AnnouncedStop),
    ]
    on = [False] * len(pairs)
    facts: list[Timed] = []
    for _ in range(rng.randint(0, 30) if count is None else count):
        if rng.random() < 0.6:
            which = rng.choice([0, 0, 0, 1, 1, 2, 3])
            fact = pairs[which][on[which]]()
            on[which] = not on[which]
        else:
            fact = rng.choice(makers)()
        facts.append((rng.choice([0.0, 0.05, 0.3, 2.0, 12.0]) * rng.random(), fact))
    return facts


def _placed(fact: Fact, now: float) -> Fact:
    """Facts that tell of an earlier instant get one."""
    match fact:
        case SpeechStarted():
            return SpeechStarted(max(0.0, now - 0.2))
        case SpeechStopped(stop_secs=secs):
            return SpeechStopped(max(0.0, now - secs), secs)
    return fact


def _shifted(fact: Fact, shift: float) -> Fact:
    match fact:
        case SpeechStarted(at=at):
            return SpeechStarted(at + shift)
        case SpeechStopped(at=at, stop_secs=secs):
            return SpeechStopped(at + shift, secs)
    return fact
