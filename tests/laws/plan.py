"""Random pipelines and the temperaments of those who work in them."""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass, field

from antiphon.frames.base import ControlFrame, DataFrame, Frame, SystemFrame, UninterruptibleFrame
from antiphon.frames.lifecycle import InterruptionFrame, StartFrame


class Word(DataFrame):
    """Content, interruptible."""


class Mark(ControlFrame):
    """A boundary, interruptible."""


class Keep(UninterruptibleFrame, DataFrame):
    """Content that must not get lost."""


class Bell(SystemFrame):
    """Urgent."""


KINDS: tuple[type[Frame], ...] = (Word, Mark, Keep, Bell)


class Trait(enum.Enum):
    """What an actor may do, now and then, while it handles a frame."""

    SLOW = "takes long"
    FAILS = "raises"
    HANGS = "never returns from an interruptible frame"
    REFUSES = "takes its time when cancelled, pushes then, and may swallow it"
    CLEANS = "pushes in a finally block"
    INTERRUPTS = "interrupts, and goes on pushing"
    BOUND = "starts bound tasks"
    UNBOUND = "starts unbound tasks"
    EMITS = "answers late, through an emitter"
    SPREADS = "broadcasts both ways"
    LITTERS = "hangs in its cleanup"


STUBBORN = (Trait.HANGS, Trait.REFUSES, Trait.FAILS, Trait.LITTERS, Trait.CLEANS)


class Flavour(enum.Enum):
    """What a sweep looks at more closely."""

    MIXED = "everything now and then"
    KEEPING = "many uninterruptible and urgent frames, many interruptions"
    STUCK = "handlers that hang or refuse to stop, cancels at any moment, slow starts"


@dataclass(eq=False)
class Part:
    """One processor: what it handles and how it behaves."""

    number: int
    kinds: frozenset[type[Frame]]
    traits: frozenset[Trait]
    swallows: frozenset[type[Frame]]
    start_secs: float
    refuse_secs: float
    place: tuple[Line, int] | None = None


@dataclass(eq=False)
class Fork:
    """Branches side by side."""

    branches: list[Line] = field(default_factory=list)


@dataclass(eq=False)
class Line:
    """Parts and forks in downstream order; `parent` is the place of its fork, if it is a branch."""

    items: list[Part | Fork] = field(default_factory=list)
    parent: tuple[Fork, Line, int] | None = None


@dataclass
class Plan:
    """A whole run."""

    line: Line
    parts: list[Part]
    sends: list[tuple[float, type[Frame], bool]]
    """Virtual second, type, downstream?"""
    interruptions: list[float]
    cancel_at: float | None
    budget: int
    """How many frames the parts may make themselves."""


def make_plan(seed: int, flavour: Flavour = Flavour.MIXED) -> Plan:
    """The run of a seed."""
    rng = random.Random(f"plan {seed} {flavour.name}")
    parts: list[Part] = []
    forks = rng.random() < 0.5
    line = _line(rng, parts, rng.randint(1, 12), 2 if forks else 0)
    keeping, stuck = flavour is Flavour.KEEPING, flavour is Flavour.STUCK
    kinds: tuple[type[Frame], ...] = (Keep, Keep, Bell, *KINDS) if keeping else KINDS
    until = rng.choice([0.2, 1.0, 3.0])
    sends = [
        (rng.choice([0.0, rng.uniform(0.0, until)]), rng.choice(kinds), rng.random() < 0.7)
        for _ in range(rng.randint(1, 25))
    ]
    interruptions = [
        rng.uniform(0.0, until) for _ in range(rng.choice([3, 6] if keeping else [0, 1, 1, 2, 5]))
    ]
    if interruptions and rng.random() < 0.3:
        interruptions += [interruptions[0]] * 2
    if stuck:
        for part in parts:
            part.traits |= {trait for trait in STUBBORN if rng.random() < 0.3}
            part.refuse_secs = rng.choice([0.05, 2.5, 20.0])
            part.start_secs = rng.choice([0.0, 0.0, 0.3, 8.0 if rng.random() < 0.1 else 0.0])
    cancel_at = None
    if rng.random() < (0.6 if stuck else 0.1):
        cancel_at = rng.choice([rng.uniform(0.0, until + 1.0), rng.choice(sends)[0]])
    return Plan(
        line, parts, sorted(sends, key=lambda s: s[0]), sorted(interruptions), cancel_at, 60
    )


def _line(rng: random.Random, parts: list[Part], size: int, depth: int) -> Line:
    line = Line()
    while size > 0:
        if depth and size > 1 and rng.random() < 0.3:
            inside = rng.randint(1, size)
            line.items.append(_fork(rng, parts, inside, depth - 1, line, len(line.items)))
            size -= inside
        else:
            part = _part(rng, len(parts))
            part.place = (line, len(line.items))
            parts.append(part)
            line.items.append(part)
            size -= 1
    return line


def _fork(
    rng: random.Random, parts: list[Part], size: int, depth: int, line: Line, index: int
) -> Fork:
    fork = Fork()
    for _ in range(rng.randint(1, 3)):
        share = rng.randint(0, size)
        size -= share
        branch = _line(rng, parts, share, depth)
        branch.parent = (fork, line, index)
        fork.branches.append(branch)
    return fork


def _part(rng: random.Random, number: int) -> Part:
    kinds = {kind for kind in KINDS if rng.random() < 0.5}
    kinds |= {kind for kind in (StartFrame, InterruptionFrame) if rng.random() < 0.4}
    likely = rng.choice([0.0, 0.15, 0.4])
    return Part(
        number=number,
        kinds=frozenset(kinds),
        traits=frozenset(trait for trait in Trait if rng.random() < likely),
        swallows=frozenset(kind for kind in KINDS if rng.random() < 0.1),
        start_secs=rng.choice([0.0, 0.0, 0.3]),
        refuse_secs=rng.choice([0.05, 0.5, 2.5]),
    )
