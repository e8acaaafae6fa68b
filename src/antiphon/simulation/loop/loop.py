"""An asyncio event loop in virtual time.

Theory of operation
-------------------
The loop has three stores: plain callbacks in order (`_ready`), ready task steps (`_steps`, from
which the policy chooses, see `schedule`), and timers, ordered by time and then by creation. One
handle runs per pass. Before each pass the timers that are due become callbacks. When nothing is
ready the clock jumps to the next timer: waiting costs nothing, and time never passes by itself.

Two things may come from outside, where they are allowed. While threads work the clock stands still.
While a real socket is open time is real: the clock follows it to the next timer, or to what comes
first (see `outside.Outside`).

With a seed, the order of ready task steps is shuffled and each step costs a little virtual time
(see `cpu`). Without one the order is asyncio's and computing is free: times are exact.

Invariants: `time()` never decreases. Whatever is random comes from the seed, each use from a stream
of its own, so that a draw more in one place shifts nothing elsewhere. Hashes of tasks and futures
are numbers counted by the loop, so that sets of them iterate alike in every run. Garbage is
collected at fixed step counts only (`virtual_time.run`), so finalizers run at the same instants.
What this loop cannot make equal: iteration over sets of strings between processes (set
PYTHONHASHSEED) and over sets of objects hashed by address.

Nothing left to do is an error here, not a wait: no ready handle and no timer is a `DeadlockError`,
no idle moment for very long a `LivelockError`, and a step that does not end an `EndlessStepError`.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import itertools
import random
import zlib
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import UTC, datetime
from typing import Any, TypeVar, TypeVarTuple

from antiphon.simulation.errors import (
    DeadlockError,
    LivelockError,
    SimulationError,
    VirtualDeadlineError,
)
from antiphon.simulation.loop.closed_world import ClosedWorldLoop
from antiphon.simulation.loop.cpu import ORDINARY, CPUModel
from antiphon.simulation.loop.schedule import Policy, VirtualTask, steps_for
from antiphon.simulation.loop.timers import Timers, VirtualHandle, VirtualTimer
from antiphon.simulation.loop.watchdog import Watchdog
from antiphon.simulation.network.network import Network
from antiphon.simulation.task_stack import describe_tasks

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

WALL_ANCHOR = datetime(2026, 1, 1, 9, 0, 0, tzinfo=UTC)
"""The wall clock at virtual second 0."""

_PLAIN_STREAK = 256
"""Plain callbacks that run in a row before a waiting task step gets its turn."""

_CHORES_STEPS = 1_000
"""Steps between two looks at what need not be looked at before each."""

_OPEN_CHORES_STEPS = 20
"""The same where something may come from outside."""

_COLLECT_STEPS = 100_000
"""Steps between two collections of garbage (`run` switches the automatic ones off)."""

_MASK = (1 << 64) - 1


class VirtualFuture(asyncio.Future):  # type: ignore[type-arg]
    """A future whose hash is a number counted by its loop, given when it is first asked for."""

    number: int | None = None

    def __hash__(self) -> int:
        if self.number is None:
            loop = self.get_loop()
            assert isinstance(loop, VirtualTimeLoop)
            self.number = loop.next_number()
        return self.number


class VirtualTimeLoop(ClosedWorldLoop):
    """The loop. Use it as `asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(seed=3))`, or
    `antiphon.simulation.loop.virtual_time.run`.

    Args:
        seed: what everything random depends on; None for asyncio's order on an ideal machine.
        policy: how ready task steps are ordered; by default UNIFORM with a seed, FIFO without.
        cpu: what computing costs; None for nothing. Not used without a seed.
        timer_jitter_secs: each timer fires late by 0 to this many seconds, evenly. Needs a seed.
        wall_anchor: the wall clock at virtual second 0; must be aware.
        deadline_secs: the virtual second after which `VirtualDeadlineError` is raised.
        livelock_steps: steps without an idle moment after which `LivelockError` is raised, or soon.
        step_limit_secs: CPU seconds of one step after which it is ended with an `EndlessStepError`
            (see `watchdog`); None for any number.
        allow_threads: run executors' work in real threads. The clock stands still until they
            answer, so times stay virtual; the order in which threads answer is not reproducible.
        allow_sockets: real connections, servers and datagrams. Time is real while one is open; not
            reproducible.
        executor_secs: run executors' work inline, in the loop's own thread, and deliver its result
            after 0 to twice this many virtual seconds. Reproducible.
        network: the simulated network for connections, servers and datagrams; None: refused.

    """

    _stopping: bool

    def __init__(
        self,
        seed: int | None = None,
        *,
        policy: Policy | None = None,
        cpu: CPUModel | None = ORDINARY,
        timer_jitter_secs: float = 0.0,
        wall_anchor: datetime = WALL_ANCHOR,
        deadline_secs: float = float("inf"),
        livelock_steps: int = 1_000_000,
        step_limit_secs: float | None = 10.0,
        allow_threads: bool = False,
        allow_sockets: bool = False,
        executor_secs: float | None = None,
        network: Network | None = None,
    ) -> None:
        self.seed = seed
        self.steps: int = 0
        self.deadline_secs: float = deadline_secs
        self.exceptions: list[dict[str, Any]] = []
        """What reached the loop's exception handler."""
        self.blocking_calls: list[str] = []
        """Calls that would have stopped a real loop, and where (see `blocking`)."""
        self._now = 0.0
        self._wall_anchor = wall_anchor.timestamp()
        self._streams: dict[str, random.Random] = {}
        self._numbers = itertools.count(1)
        if policy is None:
            policy = Policy.FIFO if seed is None else Policy.UNIFORM
        self.policy = policy
        self._fifo = policy is Policy.FIFO
        self._steps = steps_for(policy, self.stream("schedule"))
        self._timers = Timers()
        self._cost = None if cpu is None or seed is None else cpu.costs(self.stream("cpu"))
        self._jitter = timer_jitter_secs if seed is not None else 0.0
        self._jitter_stream = self.stream("timers")
        self._livelock_steps, self._busy_since = livelock_steps, 0
        self.watchdog: Watchdog = Watchdog(step_limit_secs)
        self._chores_at = 0
        self._print = 0
        super().__init__(
            network,
            executor_secs=executor_secs,
            allow_threads=allow_threads,
            allow_sockets=allow_sockets,
        )
        self.set_exception_handler(_keep_report)
        self.slow_callback_duration: float = float("inf")
        if network is not None:
            try:
                network.bind(self)
            except SimulationError:
                self.close()
                raise

    # ---- time and randomness

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def wall_time(self) -> float:
        """Seconds since the Unix epoch, by the simulated wall clock."""
        return self._wall_anchor + self._now

    def spend(self, secs: float) -> None:
        """Lets virtual time pass at once, as a computation or a blocking call would."""
        self._now += secs

    def stream(self, name: str) -> random.Random:
        """The random numbers of one use, independent of all others; the same object each time."""
        if name not in self._streams:
            self._streams[name] = random.Random(f"{self.seed}:{name}")
        return self._streams[name]

    def next_number(self) -> int:
        """Counts what is created on this loop."""
        return next(self._numbers)

    @property
    def fingerprint(self) -> str:
        """A digest of which task ran when. Two runs of one seed must agree."""
        return f"{self._print & _MASK:016x}"

    # ---- what asyncio calls

    def create_future(self) -> asyncio.Future[Any]:
        return VirtualFuture(loop=self)

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[T]:
        """A task that this loop can schedule; its default name counts within the loop."""
        self._check_closed()  # type: ignore[attr-defined]
        if self.get_task_factory() is not None:
            return super().create_task(coro, name=name, context=context, **options)
        number = self.next_number()
        task = VirtualTask.__new__(VirtualTask)
        task.number = number
        task.__init__(  # type: ignore[misc]
            coro, loop=self, name=name or f"Task-{number}", context=context, **options
        )
        task.tag = zlib.crc32(task.get_name().encode())
        return task

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = VirtualHandle(callback, args, self, context)
        if self._fifo or (task := _task_of(callback)) is None:
            self._ready.append(handle)
        else:
            self._steps.add(handle, task)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self._set_timer(self._now + delay, callback, args, context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self._set_timer(when, callback, args, context)

    def _set_timer(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        context: Context | None,
    ) -> asyncio.TimerHandle:
        if self._jitter:
            when += self._jitter_stream.random() * self._jitter
        timers = self._timers
        timer = VirtualTimer(when, callback, args, self, context, timers)
        heapq.heappush(timers.heap, (when, next(timers.order), timer))
        return timer

    def give_until(self, deadline_secs: float) -> None:
        """Sets a new deadline and forgets how long the loop has been busy."""
        self.deadline_secs, self._busy_since = deadline_secs, self.steps

    def close(self) -> None:
        self._timers.heap.clear()
        while self._steps.ready:
            self._steps.take()
        super().close()

    def run_forever(self) -> None:
        with self.watchdog.watch(self):
            super().run_forever()
        self.watchdog.complain()

    # ---- the heart

    def _run_once(self) -> None:
        callbacks, heap = self._ready, self._timers.heap
        take, ready = self._steps.take, self._steps.ready
        fifo, cost = self._fifo, self._cost
        hooked = type(self)._before_step is not VirtualTimeLoop._before_step
        task: VirtualTask | None
        streak = 0
        while True:
            if self.steps >= self._chores_at:
                self._do_chores()
            if not callbacks and not ready and not self._wait():
                return
            if heap and heap[0][0] <= self._now:
                self._timers.fire(self._now, callbacks)
            if callbacks and (not ready or streak < _PLAIN_STREAK):
                streak += 1
                handle = callbacks.popleft()
                task = _task_of(handle._callback) if fifo else None  # type: ignore[attr-defined]
            elif ready:
                streak = 0
                handle, task = take()
            else:
                continue
            if handle._cancelled:
                continue
            if hooked:
                self._before_step()
            self.steps += 1
            if task is not None:
                self._print = hash((self._print, self._now, task.number, task.tag))
                if cost is not None:
                    self._now += cost()
            handle._run()
            if self._stopping:
                return

    def _before_step(self) -> None:
        """For loops on which something happens before a step."""

    def _do_chores(self) -> None:
        """Looks at what need not be looked at before every step."""
        self.watchdog.complain()
        if self.steps - self._busy_since > self._livelock_steps:
            raise LivelockError(_report(self, f"not idle for {self._livelock_steps} steps"))
        if self.steps % _COLLECT_STEPS == 0:
            gc.collect()
        if not self.reproducible:
            self.outside.take_news()
        period = _CHORES_STEPS if self.reproducible else _OPEN_CHORES_STEPS
        self._chores_at = self.steps - self.steps % period + period

    def _wait(self) -> bool:
        """Nothing is ready: jumps to the next timer. False when the loop shall stop instead."""
        watchdog = self.watchdog
        if watchdog.endless is not None:
            watchdog.complain()
        when = self._timers.next_at()
        if self._stopping and when is None:
            return False
        if not self.reproducible and self._wait_outside(when):
            return True
        if when is None:
            raise DeadlockError(_report(self, "nothing is ready and no timer is set"))
        if when > self.deadline_secs:
            raise VirtualDeadlineError(_report(self, f"not over by {self.deadline_secs:g} s"))
        if when > self._now:  # a timer that is due at once is no idle moment
            self._now, self._busy_since = when, self.steps
        return True

    def _wait_outside(self, when: float | None) -> bool:
        """Whether something came from outside before the next timer."""
        if self.outside.take_news():
            return True
        self.may_take_long = True
        at = self.outside.wait(self._now, when, self.deadline_secs)
        self.may_take_long = False
        if at is None:
            return False
        self._now, self._busy_since = at, self.steps
        return True


def _report(loop: VirtualTimeLoop, what: str) -> str:
    lines = "".join(f"\n  {line}" for line in describe_tasks(asyncio.all_tasks(loop)))
    return f"{what} (virtual time {loop.time():.6f} s, seed {loop.seed}); waiting:{lines}"


def _task_of(callback: Callable[..., object]) -> VirtualTask | None:
    """The task of which this callback is a step; None for other callbacks, `cancel` included."""
    if not hasattr(callback, "__self__"):
        return None
    owner = callback.__self__
    if type(owner) is not VirtualTask or callback == owner.cancel:
        return None
    return owner


def _keep_report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    assert isinstance(loop, VirtualTimeLoop)
    loop.exceptions.append(context)
