"""An asyncio event loop in virtual time.

Theory of operation
-------------------
The loop has three stores: plain callbacks in order (`_callbacks`), ready task steps (`_steps`, from
which the policy chooses, see `schedule`), and timers, ordered by time and then by creation. One
handle runs per pass. Before each pass the timers that are due become callbacks. When nothing is
ready the clock jumps to the next timer: waiting costs nothing, and time never passes by itself.

With a seed, the order of ready task steps is shuffled and each step costs a little virtual time
(see `cpu`). Without one the order is asyncio's and computing is free: times are exact.

Invariants: `time()` never decreases. Whatever is random comes from the seed, each use from a stream
of its own, so that a draw more in one place shifts nothing elsewhere. Hashes of tasks and futures
are numbers counted by the loop, so that sets of them iterate alike in every run. Garbage is
collected at fixed step counts only (`virtual_time.run`), so finalizers run at the same instants.
What this loop cannot make equal: iteration over sets of strings between processes (set
PYTHONHASHSEED) and over sets of objects hashed by address.

Nothing left to do is an error here, not a wait: no ready handle and no timer is a `DeadlockError`,
no idle moment for very long a `LivelockError`.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import itertools
import random
import threading
import zlib
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from datetime import UTC, datetime
from typing import Any, TypeVar, TypeVarTuple

from antiphon.simulation.closed_world import ClosedWorldLoop
from antiphon.simulation.cpu import ORDINARY, CPUModel
from antiphon.simulation.errors import (
    DeadlockError,
    DeterminismError,
    LivelockError,
    SimulationError,
    VirtualDeadlineError,
)
from antiphon.simulation.network import Network
from antiphon.simulation.outside import InlineExecutor, OutsideWork
from antiphon.simulation.schedule import Policy, VirtualTask, steps_for
from antiphon.simulation.waiting import describe_tasks

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

WALL_ANCHOR = datetime(2026, 1, 1, 9, 0, 0, tzinfo=UTC)
"""The wall clock at virtual second 0."""

_PLAIN_STREAK = 256
"""Plain callbacks that run in a row before a waiting task step gets its turn."""

_COLLECT_STEPS = 100_000
"""Steps between two collections of garbage (`run` switches the automatic ones off)."""

_CANCELLED_TIMERS = 100
"""Cancelled timers that may lie around before they are swept out."""

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
    `antiphon.simulation.virtual_time.run`.

    Args:
        seed: what everything random depends on; None for asyncio's order on an ideal machine.
        policy: how ready task steps are ordered; by default UNIFORM with a seed, FIFO without.
        cpu: what computing costs; None for nothing. Not used without a seed.
        timer_jitter_secs: each timer fires late by 0 to this many seconds, evenly. Needs a seed.
        wall_anchor: the wall clock at virtual second 0; must be aware.
        deadline_secs: the virtual second after which `VirtualDeadlineError` is raised.
        livelock_steps: steps without an idle moment after which `LivelockError` is raised.
        allow_threads: run executors' work in real threads. The clock stands still until they
            answer, so times stay virtual; the order in which threads answer is not reproducible.
        executor_secs: run executors' work inline, in the loop's own thread, and deliver its result
            after 0 to twice this many virtual seconds. Reproducible.
        network: the simulated network for connections, servers and datagrams; None: refused.

    """

    _stopping: bool
    _thread_id: int | None

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
        allow_threads: bool = False,
        executor_secs: float | None = None,
        network: Network | None = None,
    ) -> None:
        self.seed = seed
        self.steps = 0
        self.deadline_secs = deadline_secs
        self.exceptions: list[dict[str, Any]] = []
        """What reached the loop's exception handler."""
        self.blocking_calls: list[str] = []
        """Calls that would have stopped a real loop, and where (in a sealed run)."""
        self._now = 0.0
        self._wall_anchor = wall_anchor.timestamp()
        self._streams: dict[str, random.Random] = {}
        self._numbers = itertools.count(1)
        self._callbacks: deque[asyncio.Handle] = deque()
        if policy is None:
            policy = Policy.FIFO if seed is None else Policy.UNIFORM
        self._fifo = policy is Policy.FIFO
        self._steps = steps_for(policy, self.stream("schedule"))
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._cancelled_timers = 0
        self._cpu = cpu if seed is not None else None
        self._jitter = timer_jitter_secs if seed is not None else 0.0
        self._cpu_stream, self._jitter_stream = self.stream("cpu"), self.stream("timers")
        self._livelock_steps, self._busy_since = livelock_steps, 0
        self._plain_streak = 0
        self._print = 0
        self._work = InlineExecutor(self, executor_secs) if executor_secs is not None else None
        self._allow_threads = allow_threads
        self._outside = OutsideWork()
        super().__init__(network)
        self.set_exception_handler(_keep_report)
        self.slow_callback_duration = float("inf")
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

    @property
    def threaded(self) -> bool:
        """Whether real threads are allowed."""
        return self._allow_threads

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
        handle = asyncio.Handle(callback, args, self, context)
        if self._fifo or (task := _task_of(callback)) is None:
            self._callbacks.append(handle)
        else:
            self._steps.add(handle, task)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        if self._jitter:
            when += self._jitter_stream.random() * self._jitter
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        handle._scheduled = True  # type: ignore[attr-defined]  # its cancel() tells us then
        heapq.heappush(self._timers, (when, next(self._numbers), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        self._cancelled_timers += 1
        if self._cancelled_timers > _CANCELLED_TIMERS and 2 * self._cancelled_timers > len(
            self._timers
        ):
            self._timers = [entry for entry in self._timers if not entry[2].cancelled()]
            heapq.heapify(self._timers)
            self._cancelled_timers = 0

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if self._thread_id is None or threading.get_ident() == self._thread_id:
            return self.call_soon(callback, *args, context=context)
        if not self._allow_threads:
            raise DeterminismError("loop.call_soon_threadsafe() from another thread", _THREADS)
        handle = asyncio.Handle(callback, args, self, context)
        self._outside.put(handle)
        return handle

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Inline with `executor_secs`, in a real thread with `allow_threads`, refused otherwise."""
        if self._work is not None:
            return self._work.submit(func, *args)
        if not self._allow_threads:
            raise DeterminismError(f"loop.run_in_executor({func!r})", _THREADS)
        self._outside.started()
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._outside.ended)
        return future

    def give_until(self, deadline_secs: float) -> None:
        """Sets a new deadline and forgets how long the loop has been busy."""
        self.deadline_secs, self._busy_since = deadline_secs, self.steps

    def close(self) -> None:
        self._callbacks.clear()
        self._timers.clear()
        while self._steps:
            self._steps.take()
        super().close()

    # ---- the heart

    def _run_once(self) -> None:
        callbacks, steps = self._callbacks, self._steps
        while True:
            if self._outside.arrived:
                callbacks.extend(self._outside.take())
            if not callbacks and not steps and not self._wait():
                return
            timers = self._timers
            while timers and timers[0][0] <= self._now:
                timer = heapq.heappop(timers)[2]
                timer._scheduled = False  # type: ignore[attr-defined]
                if timer.cancelled():
                    self._cancelled_timers = max(0, self._cancelled_timers - 1)
                else:
                    callbacks.append(timer)
            if callbacks and (not steps or self._plain_streak < _PLAIN_STREAK):
                self._plain_streak += 1
                handle = callbacks.popleft()
                task = _task_of(handle._callback) if self._fifo else None  # type: ignore[attr-defined]
            elif steps:
                self._plain_streak = 0
                handle, task = steps.take()
            else:
                continue
            if not handle.cancelled():
                self._run(handle, task)
            if self._stopping:
                return

    def _run(self, handle: asyncio.Handle, task: VirtualTask | None) -> None:
        self.steps += 1
        if task is not None:
            self._print = hash((self._print, self._now, task.number, task.tag))
            if self._cpu is not None:
                self._now += self._cpu.cost(self._cpu_stream)
        if self.steps - self._busy_since > self._livelock_steps:
            raise LivelockError(self._report(f"not idle for {self._livelock_steps} steps"))
        if self.steps % _COLLECT_STEPS == 0:
            gc.collect()
        handle._run()

    def _wait(self) -> bool:
        """Nothing is ready: jumps to the next timer. False when the loop shall stop instead."""
        threads = self._outside.pending or (self._allow_threads and not self._timers)
        if threads and self._outside.wait():
            return True
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
            self._cancelled_timers = max(0, self._cancelled_timers - 1)
        if not timers:
            if self._stopping:
                return False
            raise DeadlockError(self._report("nothing is ready and no timer is set"))
        when = max(self._now, timers[0][0])
        if when > self.deadline_secs:
            raise VirtualDeadlineError(self._report(f"not over by {self.deadline_secs:g} s"))
        if when > self._now:  # a timer that is due at once is no idle moment
            self._now, self._busy_since = when, self.steps
        return True

    def _report(self, what: str) -> str:
        lines = "".join(f"\n  {line}" for line in describe_tasks(asyncio.all_tasks(self)))
        return f"{what} (virtual time {self._now:.6f} s, seed {self.seed}); waiting:{lines}"


_THREADS = (
    "pass executor_secs=0.001 to run such work inline at a modelled cost (reproducible), "
    "or allow_threads=True for real threads (not reproducible)"
)


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
