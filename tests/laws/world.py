"""Actors that follow a plan on the real kernel, and a record of all they did.

The record keeps its own count of epochs and decides by itself, from the laws alone, which push is
void; what contradicts the laws at the moment it happens becomes a `violation` at once. What can
only be known in the end is for `reference`.
"""

from __future__ import annotations

import asyncio
import enum
import functools
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame, StartFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import Epoch, FrameDirection
from antiphon.kernel.observers import BaseObserver
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import Emitter, FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from tests.laws.plan import KINDS, Fork, Keep, Line, Part, Plan, Trait, Word

STOP_SECS = 0.8
DOWN, UP = FrameDirection.DOWNSTREAM, FrameDirection.UPSTREAM
Key = tuple[int, int, FrameDirection]  # part, frame, direction


class Kind(enum.Enum):
    """On whose behalf code runs."""

    HANDLER = "handler"
    BOUND = "bound task or emitter"
    UNBOUND = "unbound task, or the program"


class Work:
    """One handler call or task: the epoch it belongs to, by the record's count."""

    def __init__(self, kind: Kind, epoch: int, frame: Frame | None, who: str) -> None:
        self.kind, self.epoch, self.frame, self.who = kind, epoch, frame, who
        self.abandoned_at = float("inf")
        """When the next handler of the lane may begin although this one goes on."""

    @property
    def droppable(self) -> bool:
        """Whether an interruption cancels it: not urgent, not for an uninterruptible frame."""
        return self.kind is Kind.BOUND or (self.frame is not None and self.frame.interruptible)


class FailureError(Exception):
    """What failing actors raise."""


class OddError(BaseException):
    """What they also raise: outside `Exception`, and no end of the program."""


class Push(NamedTuple):
    """A push that counts, by whom (None: the program), and in which epoch."""

    frame: Frame
    part: Part | None
    direction: FrameDirection
    epoch: int


class World:
    """The record of one run."""

    def __init__(self, plan: Plan, seed: int) -> None:
        self.plan = plan
        self.rng = random.Random(f"world {seed}")
        self.epoch = 0
        self.interruptions = 0
        """Those before the end began: everybody must hear of them."""
        self.may_interrupt = 8
        self.events = 0
        self.budget = plan.budget
        self.ending = False
        self.over = False
        """The conversation was cancelled: nothing may be handled any more."""
        self.given_up = False
        self.violations: list[str] = []
        self.frames: dict[int, Frame] = {}
        self.pushes: list[Push] = []
        self.live_epochs: dict[int, set[int]] = defaultdict(set)
        self.late: set[int] = set()
        self.begins: Counter[Key] = Counter()
        self.begin_epochs: set[tuple[Key, int]] = set()
        self.completions: Counter[Key] = Counter()
        self.reached: Counter[tuple[int, FrameDirection]] = Counter()
        self.order: dict[int, list[tuple[int, FrameDirection]]] = defaultdict(list)
        self.active: dict[tuple[int, bool], Work] = {}
        self.told: Counter[int] = Counter()
        self.voided: Counter[int] = Counter()
        self.failures: list[BaseException] = []
        self.errors: list[BaseException | None] = []

    # ---- what actors report -------------------------------------------------------------------

    def stale(self, work: Work) -> bool:
        """Whether an interruption has made the work void."""
        return work.kind is not Kind.UNBOUND and work.epoch != self.epoch

    def wrong(self, what: str) -> None:
        """Notes a violation."""
        self.violations.append(what)

    def pushing(
        self, frame: Frame, part: Part | None, direction: FrameDirection, work: Work
    ) -> None:
        """Somebody is about to push."""
        self.events += 1
        if frame.interruptible and self.stale(work):
            return
        self.frames[frame.id] = frame
        self.pushes.append(Push(frame, part, direction, self.epoch))
        self.live_epochs[frame.id].add(self.epoch)
        if self.ending:
            self.late.add(frame.id)

    def interrupting(self, work: Work | None) -> None:
        """Somebody is about to interrupt."""
        self.events += 1
        if work is not None and self.stale(work) and work.droppable:
            return
        self._check_voided()
        self.epoch += 1
        self.interruptions += not self.ending
        if work is not None and work.kind is not Kind.UNBOUND:
            work.epoch = self.epoch

    def told_void(self, part: Part, *, live: bool) -> None:
        """A part is told, in the step, that an epoch is over."""
        self.voided[part.number] += 1
        if live or self.voided[part.number] != self.epoch:
            self.wrong(f"part {part.number}: told of an end too often or too early")

    def _check_voided(self) -> None:
        """Everybody has been told of every interruption, and was in its own step."""
        if self.ending:
            return
        for part in self.plan.parts:
            if self.voided[part.number] != self.epoch:
                self.wrong(
                    f"part {part.number}: told of {self.voided[part.number]} ends of {self.epoch}"
                )

    def begin(self, part: Part, frame: Frame, direction: FrameDirection) -> Work:
        """A handler begins."""
        self.events += 1
        self._check_voided()
        who = f"part {part.number} on {frame.name} in epoch {self.epoch}"
        if self.over:
            self.wrong(f"{who}: handled after the conversation was cancelled")
        elif isinstance(frame, InterruptionFrame):
            self.told[part.number] += 1
        else:
            key = (part.number, frame.id, direction)
            self.begins[key] += 1
            self.begin_epochs.add((key, self.epoch))
            self.order[part.number].append((frame.id, direction))
            self._check_epoch(frame, f"{who}: handled")
        work = Work(Kind.HANDLER, self.epoch, frame, who)
        lane = (part.number, frame.urgent)
        before = self.active.get(lane)
        if before is not None and asyncio.get_running_loop().time() < before.abandoned_at:
            self.wrong(f"{who}: begun while {before.who} was not over")
        self.active[lane] = work
        return work

    def resumed(self, work: Work) -> None:
        """Work goes on after an await, uncancelled."""
        self.events += 1
        if work.droppable and self.stale(work) and not self.over:
            self.wrong(f"{work.who}: went on after an interruption (epoch {self.epoch})")

    def cancelled(self, work: Work) -> None:
        """Work was cancelled."""
        self.events += 1
        work.abandoned_at = asyncio.get_running_loop().time() + STOP_SECS / 2
        if self.ending:
            self.given_up = True
        elif not (work.droppable and self.stale(work)):
            self.wrong(f"{work.who}: cancelled without reason (epoch {self.epoch})")

    def completed(self, part: Part, frame: Frame, direction: FrameDirection) -> None:
        """A handler returned or raised by itself."""
        self.completions[part.number, frame.id, direction] += 1

    def arrived(self, frame: Frame, direction: FrameDirection) -> None:
        """A frame left the pipeline."""
        self.events += 1
        if isinstance(frame, ErrorFrame):
            self.errors.append(frame.exception)
        elif isinstance(frame, KINDS):
            self.reached[frame.id, direction] += 1
            self._check_epoch(frame, f"{frame.name} left the pipeline")

    def _check_epoch(self, frame: Frame, what: str) -> None:
        if frame.interruptible and self.epoch not in self.live_epochs[frame.id]:
            epochs = sorted(self.live_epochs[frame.id])
            self.wrong(f"{what} in epoch {self.epoch}, pushed in {epochs}")


class Actor(FrameProcessor):
    """A processor that behaves as its part says."""

    stop_timeout_secs = STOP_SECS

    def __init__(self, part: Part, world: World) -> None:
        super().__init__(name=f"part-{part.number}")
        self.part, self.world = part, world
        self.ready = StartFrame not in part.kinds

    def voided(self, epoch: Epoch) -> None:
        """Tells the world."""
        self.world.told_void(self.part, live=epoch.live)

    async def begin_session(self, frame: Frame, direction: FrameDirection) -> None:
        """Takes its time to start."""
        await asyncio.sleep(self.part.start_secs)
        self.ready = True

    async def act(self, frame: Frame, direction: FrameDirection) -> None:
        """Handles any frame."""
        if not self.ready:
            self.world.wrong(f"part {self.part.number} handled {frame.name} before its start")
        work = self.world.begin(self.part, frame, direction)
        stopped = False
        try:
            await self._behave(work, frame, direction)
        except asyncio.CancelledError:
            stopped = True
            self.world.cancelled(work)
            if self._feels(Trait.REFUSES, 0.7):
                self._make(work, 2)
                await asyncio.sleep(self.part.refuse_secs)
                self._interrupts(work, 0.5)
                self._make(work, 2)
                if self.world.rng.random() < 0.5:
                    return
            raise
        finally:
            if self._feels(Trait.CLEANS, 0.7):
                self._make(work, 2)
            work.abandoned_at = 0.0
            if not stopped:
                self.world.completed(self.part, frame, direction)

    async def cleanup(self) -> None:
        """Hangs, if that is its way."""
        if Trait.LITTERS in self.part.traits:
            await asyncio.get_running_loop().create_future()

    async def _behave(self, work: Work, frame: Frame, direction: FrameDirection) -> None:
        await self._pause(work, 0.02 if frame.urgent else 0.3)
        if frame.interruptible and self._feels(Trait.HANGS, 0.15):
            await asyncio.get_running_loop().create_future()
        if self._feels(Trait.FAILS, 0.3):
            failure = self.world.rng.choice([FailureError, OddError])(work.who)
            if not self.world.ending:
                self.world.failures.append(failure)
            raise failure
        self._start_others(work)
        if self._interrupts(work, 0.3):
            self._make(work, 1)
            await self._pause(work, 0.05)
        if type(frame) in KINDS and type(frame) not in self.part.swallows:
            self.world.pushing(frame, self.part, direction, work)
            await self.push_frame(frame, direction)
        if self._feels(Trait.SPREADS, 0.3) and (new := self._new()) is not None:
            for way in (DOWN, UP):
                self.world.pushing(new, self.part, way, work)
            await self.broadcast_frame(new)
        self._make(work, 1 if self.world.rng.random() < 0.3 else 0)

    def _start_others(self, work: Work) -> None:
        if self._feels(Trait.BOUND, 0.4):
            bound = Work(Kind.BOUND, work.epoch, None, f"bound task of {work.who}")
            self.create_task(self._run_beside(bound), name="bound", bound=True)
        if self._feels(Trait.UNBOUND, 0.4):
            unbound = Work(Kind.UNBOUND, 0, None, f"unbound task of {work.who}")
            self.create_task(self._run_beside(unbound), name="unbound")
        if self._feels(Trait.EMITS, 0.5):
            late = Work(Kind.BOUND, work.epoch, None, f"emitter of {work.who}")
            self.create_task(self._answer(late, self.emitter()), name="answer")

    async def _run_beside(self, work: Work) -> None:
        try:
            for _ in range(self.world.rng.randint(1, 3)):
                await self._pause(work, 0.3)
                self._make(work, 1)
            if self._interrupts(work, 0.2):
                await self._pause(work, 0.1)
                self._make(work, 1)
        except asyncio.CancelledError:
            self.world.cancelled(work)
            self._make(work, 1)
            raise

    async def _answer(self, work: Work, emitter: Emitter) -> None:
        for _ in range(self.world.rng.randint(1, 4)):
            await asyncio.sleep(self.world.rng.choice([0.0, 0.01, 0.2]))
            if emitter.live == self.world.stale(work) and not self.world.ending:
                self.world.wrong(f"{work.who}: live is {emitter.live} (epoch {self.world.epoch})")
            if (new := self._new()) is not None:
                self.world.pushing(new, self.part, DOWN, work)
                await emitter.push_frame(new)

    def _interrupts(self, work: Work, chance: float) -> bool:
        if not self.world.may_interrupt or not self._feels(Trait.INTERRUPTS, chance):
            return False
        self.world.may_interrupt -= 1
        self.world.interrupting(work)
        self.broadcast_interruption()
        return True

    async def _pause(self, work: Work, longest: float) -> None:
        rng = self.world.rng
        secs = rng.choice([0.0, 0.001, longest if Trait.SLOW in self.part.traits else 0.01])
        if rng.random() < 0.8:
            await asyncio.sleep(secs)
            self.world.resumed(work)

    def _make(self, work: Work, count: int) -> None:
        for _ in range(count):
            new = self._new()
            if new is not None:
                way = self.world.rng.choice((DOWN, UP))
                self.world.pushing(new, self.part, way, work)
                self.push_frame(new, way)

    def _new(self) -> Frame | None:
        if self.world.budget <= 0:
            return None
        self.world.budget -= 1
        kinds: tuple[type[Frame], ...] = (Word, Word, Keep, *KINDS)
        kind = self.world.rng.choice(kinds)
        return kind()

    def _feels(self, trait: Trait, chance: float) -> bool:
        return trait in self.part.traits and self.world.rng.random() < chance


@functools.cache
def actor_class(kinds: frozenset[type[Frame]]) -> type[Actor]:
    """The class of actors that handle these types."""

    def method(name: str) -> Callable[..., Any]:
        async def handle(self: Any, frame: Frame, direction: FrameDirection) -> None:
            await getattr(self, name)(frame, direction)

        return handle

    handlers = {
        f"on_{kind.__name__}": handles(kind)(
            method("begin_session" if kind is StartFrame else "act")
        )
        for kind in sorted(kinds, key=lambda kind: kind.__name__)
    }
    return type("Actor", (Actor,), handlers)


class WatchedTask(PipelineTask):
    """Tells the world what leaves the pipeline, at that instant."""

    world: World

    def _reached_downstream(self, frame: Frame, direction: FrameDirection) -> None:
        self.world.arrived(frame, DOWN)
        super()._reached_downstream(frame, direction)

    def _reached_upstream(self, frame: Frame, direction: FrameDirection) -> None:
        self.world.arrived(frame, UP)
        super()._reached_upstream(frame, direction)


def build(world: World) -> WatchedTask:
    """The task of the plan."""
    observers = [BaseObserver()] if world.rng.random() < 0.3 else []
    task = WatchedTask(
        Pipeline(_build_line(world.plan.line, world)),
        observers=observers,
        idle_timeout_secs=None,
        end_timeout_secs=2.0,
        cancel_timeout_secs=1.0,
    )
    task.world = world
    return task


def _build_line(line: Line, world: World) -> list[FrameProcessor | Pipeline | ParallelPipeline]:
    built: list[FrameProcessor | Pipeline | ParallelPipeline] = []
    for item in line.items:
        if isinstance(item, Fork):
            built.append(ParallelPipeline(*(_build_line(b, world) for b in item.branches)))
        else:
            built.append(actor_class(item.kinds)(item, world))
    return built
