"""A caller's ear for the playout machine: runs it through time and remembers what it did."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from antiphon.audio.pcm import to_samples
from antiphon.frames.base import DataFrame, Frame, UninterruptibleFrame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import TTSTextFrame
from antiphon.transports.playout import Playout
from antiphon.transports.playout_events import (
    Action,
    Deliver,
    Event,
    Item,
    PlayoutConfig,
    Sound,
    Write,
    Written,
)

RATE = 8_000
CHUNK = 160
CHUNK_SECS = 0.02


class Word(DataFrame):
    text: str


class Vital(UninterruptibleFrame, DataFrame):
    text: str


def voice(value: int, secs: float, *, context_id: str | None = "u", **more: object) -> Sound:
    """Speech whose samples all are `value`, so that it can be found again."""
    pcm = np.full(round(secs * RATE), value, "<i2").tobytes()
    return Sound(pcm, speech=True, context_id=context_id, **more)  # type: ignore[arg-type]


def plain(value: int, secs: float, *, interruptible: bool = True) -> Sound:
    """Sound that is not the agent's voice."""
    return Sound(np.full(round(secs * RATE), value, "<i2").tobytes(), interruptible=interruptible)


class Stage:
    """Drives a machine: `at` plays everything due until a time, then `send` tells it something."""

    def __init__(self, machine: Playout, *, lateness: Callable[[], float] = lambda: 0.0) -> None:
        self.machine = machine
        self.now = 0.0
        self.log: list[tuple[float, Action]] = []
        self._lateness = lateness
        self.accepts: Callable[[], bool] = lambda: True
        """Whether the line takes the next chunk."""

    def send(self, *events: Event) -> list[Action]:
        """The actions of these events, now."""
        found: list[Action] = []
        for event in events:
            actions = self.machine.receive(event, self.now)
            assert not any(isinstance(action, Write) for action in actions)
            found += actions
        self.log += [(self.now, action) for action in found]
        return found

    def until(self, time: float) -> Stage:
        """Ticks at every deadline up to `time`."""
        steps = 0
        while (deadline := self.machine.deadline) is not None and deadline <= time:
            steps += 1
            assert steps < 1_000_000, "the machine never rests"
            self.now = max(self.now, deadline + (self._lateness() if deadline > self.now else 0.0))
            actions = self.machine.tick(self.now)
            assert sum(isinstance(a, Write) for a in actions) <= 1
            assert not any(isinstance(a, Write) for a in actions[:-1])
            if actions and isinstance(actions[-1], Write):
                accepted = self.accepts()
                answer = self.machine.receive(Written(accepted), self.now)
                actions = [*actions[:-1], *answer, *(actions[-1:] if accepted else [])]
            self.log += [(self.now, action) for action in actions]
        self.now = max(self.now, time)
        return self

    def all(self, kind: type[Action]) -> list[float]:
        """When actions of this kind happened."""
        return [at for at, action in self.log if isinstance(action, kind)]

    @property
    def writes(self) -> list[tuple[float, Write]]:
        return [(at, action) for at, action in self.log if isinstance(action, Write)]

    @property
    def delivered(self) -> list[tuple[float, Frame]]:
        return [(at, action.frame) for at, action in self.log if isinstance(action, Deliver)]

    @property
    def texts(self) -> list[str]:
        return [f.text for _, f in self.delivered if isinstance(f, Word | Vital)]

    @property
    def heard(self) -> list[int]:
        """The values of all samples written, silence left out."""
        pcm = b"".join(write.pcm for _, write in self.writes)
        return [int(v) for v in to_samples(pcm) if v]


MS = 1_000_000
"""Nanoseconds."""


def stage(**options: object) -> Stage:
    return Stage(Playout(PlayoutConfig(sample_rate=RATE, **options)))  # type: ignore[arg-type]


def began(context_id: str = "u", pts: int | None = None) -> Item:
    return Item(TTSStartedFrame(context_id=context_id, pts=pts))


def ended(context_id: str = "u") -> Item:
    return Item(TTSStoppedFrame(context_id=context_id))


def spoken(text: str, pts: int, context_id: str = "u") -> Item:
    return Item(TTSTextFrame(text, pts=pts, context_id=context_id))


def word(text: str) -> Item:
    return Item(Word(text))


def jitter(seed: int) -> Callable[[], float]:
    """Mostly a millisecond late, seldom a stall."""
    rng = random.Random(seed)
    return lambda: rng.random() * (0.003 if rng.random() < 0.98 else 0.4)
