"""An asyncio event loop in virtual time.

Theory of operation
-------------------
The loop has three stores: plain callbacks in order (`_callbacks`), ready task steps (`_steps`, from
which the policy chooses, see `schedule`), and timers, ordered by time and then by creation. One
handle runs per pass. Before each pass the timers that are due become callbacks. When nothing is
ready the clock jumps to the next timer: waiting costs nothing, and time never passes by itself.

Two things may come from outside, where they are allowed. While threads work the clock stands still.
While a real socket is open time is real: the clock follows it to the next timer, or to what comes
first (see `outside.RealSockets`).

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
    EndlessStepError,
    LivelockError,
    SimulationError,
    VirtualDeadlineError,
)
from antiphon.simulation.network import Network
from antiphon.simulation.outside import PATIENCE_SECS, InlineExecutor, OutsideWork, RealSockets
from antiphon.simulation.schedule import Policy, VirtualTask, steps_for
from antiphon.simulation.waiting import describe_tasks
from antiphon.simulation.watchdog import watched

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
        step_limit_secs: float | None = 10.0,
        allow_threads: bool = False,
        allow_sockets: bool = False,
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
        self._step_limit = step_limit_secs
        self._chores_at = 0
        self._endless: str | None = None
        self.may_take_long = False
        """Whether the watchdog looks away."""
        self._print = 0
        self._work = InlineExecutor(self, executor_secs) if executor_secs is not None else None
        self._allow_threads = allow_threads
        self._outside = OutsideWork()
        super().__init__(network, allow_sockets=allow_sockets)
        self._sockets = RealSockets(self._selector) if allow_sockets else None
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
    def reproducible(self) -> bool:
        """Whether nothing from outside can change what happens."""
        return not (self._allow_threads or self.open_world)

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

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

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
            self._timers[:] = [entry for entry in self._timers if not entry[2].cancelled()]
            heapq.heapify(self._timers)
            self._cancelled_timers = 0

    def _add_callback(self, handle: asyncio.Handle) -> None:
        """What came for a socket."""
        self._callbacks.append(handle)

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if self._thread_id is None or threading.get_ident() == self._thread_id:
            return self.call_soon(callback, *args, context=context)
        if self.reproducible:
            raise DeterminismError("loop.call_soon_threadsafe() from another thread", _THREADS)
        handle = asyncio.Handle(callback, args, self, context)
        self._outside.put(handle)
        self._write_to_self()  # type: ignore[attr-defined]
        return handle

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Inline with `executor_secs`, in a real thread with `allow_threads`, refused otherwise."""
        if self._work is not None:
            return self._work.submit(func, *args)
        if not self._allow_threads:
            raise DeterminismError(f"loop.run_in_executor({func!r})", _THREADS)
        return self._in_thread(executor, func, *args)

    def _in_thread(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        self._outside.started()
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._outside.ended)
        return future

    def _ask(self, question: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        return self._in_thread(None, question, *args)

    def give_until(self, deadline_secs: float) -> None:
        """Sets a new deadline and forgets how long the loop has been busy."""
        self.deadline_secs, self._busy_since = deadline_secs, self.steps

    def close(self) -> None:
        self._callbacks.clear()
        self._timers.clear()
        while self._steps.ready:
            self._steps.take()
        super().close()

    def run_forever(self) -> None:
        with watched(self, self._step_limit):
            super().run_forever()

    def step_is_endless(self, where: str) -> None:
        """The watchdog ends the step that runs."""
        self._endless, self._chores_at = where, 0

    # ---- the heart

    def _run_once(self) -> None:
        callbacks, timers = self._callbacks, self._timers
        take, ready = self._steps.take, self._steps.ready
        fifo, cpu, cpu_stream = self._fifo, self._cpu, self._cpu_stream
        hooked = type(self)._before_step is not VirtualTimeLoop._before_step
        task: VirtualTask | None
        streak = 0
        while True:
            if self.steps >= self._chores_at:
                self._do_chores()
            if not callbacks and not ready and not self._wait():
                return
            if timers and timers[0][0] <= self._now:
                self._fire()
            if callbacks and (not ready or streak < _PLAIN_STREAK):
                streak += 1
                handle = callbacks.popleft()
                task = _task_of(handle._callback) if fifo else None  # type: ignore[attr-defined]
            elif ready:
                streak = 0
                handle, task = take()
            else:
                continue
            if handle.cancelled():
                continue
            if hooked:
                self._before_step()
            self.steps += 1
            if task is not None:
                self._print = hash((self._print, self._now, task.number, task.tag))
                if cpu is not None:
                    self._now += cpu.cost(cpu_stream)
            handle._run()
            if self._stopping:
                return

    def _fire(self) -> None:
        """Timers that are due become callbacks."""
        timers, now = self._timers, self._now
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)[2]
            timer._scheduled = False  # type: ignore[attr-defined]
            if timer.cancelled():
                self._cancelled_timers = max(0, self._cancelled_timers - 1)
            else:
                self._callbacks.append(timer)

    def _before_step(self) -> None:
        """For loops on which something happens before a step."""

    def _do_chores(self) -> None:
        """Looks at what need not be looked at before every step."""
        if self._endless is not None:
            where, self._endless = self._endless, None
            raise EndlessStepError(f"a step did not end within {self._step_limit:g} s: {where}")
        if self.steps - self._busy_since > self._livelock_steps:
            raise LivelockError(self._report(f"not idle for {self._livelock_steps} steps"))
        if self.steps % _COLLECT_STEPS == 0:
            gc.collect()
        if not self.reproducible:
            self._take_news()
        period = _CHORES_STEPS if self.reproducible else _OPEN_CHORES_STEPS
        self._chores_at = self.steps - self.steps % period + period

    def _take_news(self) -> bool:
        """Takes what has come from outside; whether there was any."""
        if self._sockets is not None:
            self._process_events(self._sockets.poll())  # type: ignore[attr-defined]
        if self._outside.arrived:
            self._callbacks.extend(self._outside.take())
        return bool(self._callbacks)

    def _wait(self) -> bool:
        """Nothing is ready: jumps to the next timer. False when the loop shall stop instead."""
        if not self.reproducible and self._take_news():
            return True
        timers = self._timers
        while timers and timers[0][2].cancelled():
            heapq.heappop(timers)
            self._cancelled_timers = max(0, self._cancelled_timers - 1)
        if self._stopping and not timers:
            return False
        when = max(self._now, timers[0][0]) if timers else None
        if not self.reproducible and self._wait_outside(when):
            return True
        if when is None:
            raise DeadlockError(self._report("nothing is ready and no timer is set"))
        if when > self.deadline_secs:
            raise VirtualDeadlineError(self._report(f"not over by {self.deadline_secs:g} s"))
        if when > self._now:  # a timer that is due at once is no idle moment
            self._now, self._busy_since = when, self.steps
        return True

    def _wait_outside(self, when: float | None) -> bool:
        """Waits for the outside, if anything is to come from there. Whether something came."""
        self.may_take_long = True
        try:
            if self._sockets:
                until = min(self.deadline_secs, self._now + PATIENCE_SECS if when is None else when)
                events, took = self._sockets.wait(until - self._now)
                self._process_events(events)  # type: ignore[attr-defined]
                if events:
                    self._now, self._busy_since = min(until, self._now + took), self.steps
                return bool(events)
            if self._outside.pending or (self._allow_threads and when is None):
                return self._outside.wait()
            return False
        finally:
            self.may_take_long = False

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
