"""Which of the ready task steps runs next.

Only *task steps* are ever permuted. Plain callbacks (a protocol's `data_received`, a future's
done-callbacks) keep their order among themselves and run before the steps: code rightly relies on
that order, while an order between two tasks that wake at one instant is nobody's promise.

* `FIFO`: asyncio's own order.
* `UNIFORM`: every ready step is equally likely.
* `PCT`: probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010): tasks get random
  priorities, the highest runs, and at `changes` random steps the running task falls to the bottom.
  Finds bugs that need one task to be slow for long, which uniform choice rarely produces.
"""

from __future__ import annotations

import asyncio
import enum
import heapq
import itertools
import random
from collections import deque
from collections.abc import Collection
from typing import Protocol


class Policy(enum.Enum):
    """How the next task step is chosen."""

    FIFO = "fifo"
    UNIFORM = "uniform"
    PCT = "pct"


_PCT_EVERY = 4


def policy_of(seed: int | None) -> Policy | None:
    """The policy of one seed among many: every fourth has PCT, the others the loop's default."""
    return Policy.PCT if seed is not None and seed % _PCT_EVERY == _PCT_EVERY - 1 else None


class VirtualTask(asyncio.Task):  # type: ignore[type-arg]
    """A task with a number in place of an address: sets of tasks iterate alike in every run."""

    number: int = 0
    tag: int = 0
    """A number made of the task's name, for the fingerprint."""
    priority: float = 0.0

    def __hash__(self) -> int:
        return self.number


class Steps(Protocol):
    """The ready task steps, of which `take` removes one. `ready` holds them, and is never replaced:
    the loop looks at it before every step.
    """

    @property
    def ready(self) -> Collection[object]:
        """The steps."""
        ...

    def add(self, handle: asyncio.Handle, task: VirtualTask) -> None:
        """Makes a step ready."""

    def take(self) -> tuple[asyncio.Handle, VirtualTask]:
        """The step that runs now. Only called when there is one."""
        ...


class FifoSteps:
    """Steps in the order in which they became ready."""

    def __init__(self) -> None:
        self.ready: deque[tuple[asyncio.Handle, VirtualTask]] = deque()

    def add(self, handle: asyncio.Handle, task: VirtualTask) -> None:
        self.ready.append((handle, task))

    def take(self) -> tuple[asyncio.Handle, VirtualTask]:
        return self.ready.popleft()


class UniformSteps:
    """Each ready step is equally likely to be next."""

    def __init__(self, rng: random.Random) -> None:
        self.ready: list[tuple[asyncio.Handle, VirtualTask]] = []
        self._random = rng.random

    def add(self, handle: asyncio.Handle, task: VirtualTask) -> None:
        self.ready.append((handle, task))

    def take(self) -> tuple[asyncio.Handle, VirtualTask]:
        ready = self.ready
        count = len(ready)
        if count > 1:
            index = int(self._random() * count)
            ready[index], ready[-1] = ready[-1], ready[index]
        return ready.pop()


class PctSteps:
    """The ready step of the task with the highest priority; priorities change now and then.

    A task that takes `patience` steps in a row while others are ready falls to the bottom too: it
    spins, and the paper's guarantee supposes that it yields.
    """

    def __init__(
        self, rng: random.Random, *, changes: int = 3, horizon: int = 20_000, patience: int = 200
    ) -> None:
        self.ready: list[tuple[float, int, asyncio.Handle, VirtualTask]] = []
        self._order = itertools.count()
        self._bottom = itertools.count(1)
        self._rng = rng
        self._change_at = sorted(rng.randrange(horizon) for _ in range(changes))
        self._taken = 0
        self._patience, self._streak = patience, 0
        self._last: VirtualTask | None = None

    def add(self, handle: asyncio.Handle, task: VirtualTask) -> None:
        if task.priority == 0.0:
            task.priority = 1.0 + self._rng.random()
        heapq.heappush(self.ready, (-task.priority, next(self._order), handle, task))

    def take(self) -> tuple[asyncio.Handle, VirtualTask]:
        _, _, handle, task = heapq.heappop(self.ready)
        self._taken += 1
        self._streak = self._streak + 1 if task is self._last and self.ready else 0
        self._last = task
        due = bool(self._change_at) and self._taken >= self._change_at[0]
        if due:
            self._change_at.pop(0)
        if due or self._streak > self._patience:
            task.priority = -float(next(self._bottom))
            self._streak = 0
        return handle, task


def steps_for(policy: Policy, rng: random.Random) -> Steps:
    """The store of ready steps that follows `policy`."""
    if policy is Policy.UNIFORM:
        return UniformSteps(rng)
    if policy is Policy.PCT:
        return PctSteps(rng)
    return FifoSteps()
