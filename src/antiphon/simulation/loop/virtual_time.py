"""Runs coroutines in virtual time: `run` for tests, `simulate` for those who want the whole story.

from antiphon.simulation.loop.virtual_time import run

def test_it() -> None:
    async def main() -> None:
        await asyncio.sleep(3600)       # takes no time

    run(main())                         # asyncio's order, exact times
    run(main(), seed=7)                 # shuffled task steps, computing costs time
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import traceback
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypedDict, TypeVar

from antiphon.simulation.errors import (
    DeadlockError,
    DeterminismError,
    EndlessStepError,
    LivelockError,
    SimulationError,
    UncleanRunError,
    VirtualDeadlineError,
)
from antiphon.simulation.loop.blocking import watched
from antiphon.simulation.loop.cpu import BUSY, ORDINARY, CPUModel
from antiphon.simulation.loop.executors import counted
from antiphon.simulation.loop.isolation import sealed
from antiphon.simulation.loop.loop import WALL_ANCHOR, VirtualTimeLoop
from antiphon.simulation.loop.schedule import Policy
from antiphon.simulation.network.network import Network
from antiphon.simulation.task_stack import describe_tasks

__all__ = [
    "BUSY",
    "ORDINARY",
    "WALL_ANCHOR",
    "CPUModel",
    "DeadlockError",
    "DeterminismError",
    "EndlessStepError",
    "LivelockError",
    "Network",
    "Policy",
    "RunOptions",
    "RunResult",
    "SimulationError",
    "UncleanRunError",
    "VirtualDeadlineError",
    "VirtualTimeLoop",
    "run",
    "run_on",
    "simulate",
]

T = TypeVar("T")

_runs = itertools.count(1)
_RUNS_PER_SWEEP = 50


class RunOptions(TypedDict, total=False):
    """The options of `run` but for the seed; see there."""

    timeout_secs: float
    strict: bool
    policy: Policy | None
    cpu: CPUModel | None
    timer_jitter_secs: float
    wall_anchor: datetime
    livelock_steps: int
    step_limit_secs: float | None
    allow_threads: bool
    allow_sockets: bool
    executor_secs: float | None
    network: Network | None


@dataclass(frozen=True, slots=True)
class RunResult(Generic[T]):
    """What came of a run.

    `value` or `error`; `fingerprint` says which task ran when; `virtual_secs` and `steps` how long
    it took; `leaked` the tasks left behind and where they waited; `unhandled` the exceptions that
    reached the loop's handler; `blocking_calls` what would have stopped a real loop.
    """

    value: T | None
    error: BaseException | None
    fingerprint: str
    virtual_secs: float
    steps: int
    leaked: tuple[str, ...]
    unhandled: tuple[str, ...]
    blocking_calls: tuple[str, ...] = ()

    def result(self) -> T:
        """The value; raises what the run raised, and `UncleanRunError` if it left a mess.

        What may have brought the error about (exceptions nobody retrieved, blocking calls) is its
        cause, which a traceback shows first; tasks left running are its consequence, and a note.
        """
        if self.error is not None:
            if self.leaked:
                self.error.add_note("tasks left running:\n  " + "\n  ".join(self.leaked))
            if self.error.__cause__ is None and (self.unhandled or self.blocking_calls):
                raise self.error from UncleanRunError((), self.unhandled, self.blocking_calls)
            raise self.error
        if self.leaked or self.unhandled or self.blocking_calls:
            raise UncleanRunError(self.leaked, self.unhandled, self.blocking_calls)
        return self.value  # type: ignore[return-value]


def run(
    coro: Coroutine[Any, Any, T],
    *,
    seed: int | None = None,
    timeout_secs: float = 3600.0,
    strict: bool = True,
    policy: Policy | None = None,
    cpu: CPUModel | None = ORDINARY,
    timer_jitter_secs: float = 0.0,
    wall_anchor: datetime = WALL_ANCHOR,
    livelock_steps: int = 1_000_000,
    step_limit_secs: float | None = 10.0,
    allow_threads: bool = False,
    allow_sockets: bool = False,
    executor_secs: float | None = None,
    network: Network | None = None,
) -> T:
    """Runs `coro` on a `VirtualTimeLoop` (which explains the arguments) and returns its result.

    Without a seed times are exact. With one, ready task steps are shuffled and computing costs
    virtual time (`cpu=None` switches that off): compare times with a tolerance then; and what is
    asked of the system's clocks and entropy is answered from the seed (see `sealed`).

    Raises what `coro` raises; `DeadlockError`, `LivelockError`, `EndlessStepError`,
    `VirtualDeadlineError` (after `timeout_secs` virtual seconds); and, when `strict`,
    `UncleanRunError` for tasks left running, exceptions nobody retrieved, and calls that would have
    stopped a real loop.
    """
    outcome = simulate(
        coro,
        seed=seed,
        timeout_secs=timeout_secs,
        policy=policy,
        cpu=cpu,
        timer_jitter_secs=timer_jitter_secs,
        wall_anchor=wall_anchor,
        livelock_steps=livelock_steps,
        step_limit_secs=step_limit_secs,
        allow_threads=allow_threads,
        allow_sockets=allow_sockets,
        executor_secs=executor_secs,
        network=network,
    )
    if not strict and outcome.error is None:
        return outcome.value  # type: ignore[return-value]
    return outcome.result()


def simulate(
    coro: Coroutine[Any, Any, T],
    *,
    seed: int | None = None,
    timeout_secs: float = 3600.0,
    policy: Policy | None = None,
    cpu: CPUModel | None = ORDINARY,
    timer_jitter_secs: float = 0.0,
    wall_anchor: datetime = WALL_ANCHOR,
    livelock_steps: int = 1_000_000,
    step_limit_secs: float | None = 10.0,
    allow_threads: bool = False,
    allow_sockets: bool = False,
    executor_secs: float | None = None,
    network: Network | None = None,
) -> RunResult[T]:
    """Like `run`, but returns the `RunResult` and raises nothing of the run's."""
    try:
        loop = VirtualTimeLoop(
            seed,
            policy=policy,
            cpu=cpu,
            timer_jitter_secs=timer_jitter_secs,
            wall_anchor=wall_anchor,
            deadline_secs=timeout_secs,
            livelock_steps=livelock_steps,
            step_limit_secs=step_limit_secs,
            allow_threads=allow_threads,
            allow_sockets=allow_sockets,
            executor_secs=executor_secs,
            network=network,
        )
    except SimulationError:
        coro.close()
        raise
    return run_on(loop, coro)


def run_on(
    loop: VirtualTimeLoop, coro: Coroutine[Any, Any, T], *, seal: bool | None = None
) -> RunResult[T]:
    """Runs `coro` on a fresh loop, closes the loop, and says what came of it.

    `seal`: clocks and entropy of the system come from the loop (see `sealed`); by default where
    there is a seed and nothing comes from outside.
    """
    value: T | None = None
    error: BaseException | None = None
    if seal is None:
        seal = loop.seed is not None and loop.reproducible
    with (
        _collected_at_fixed_steps(),
        sealed(loop) if seal else nullcontext(),
        watched(loop) if loop.reproducible else nullcontext(),
        counted(loop, loop.outside.work) if loop.threaded else nullcontext(),
    ):
        asyncio.set_event_loop(loop)
        try:
            main = loop.create_task(coro, name="main")
            try:
                loop.run_until_complete(_end_of(main))
                error = asyncio.CancelledError() if main.cancelled() else main.exception()
                value = main.result() if error is None else None
            except SimulationError as stuck:
                error = stuck
            fingerprint, virtual_secs, steps = loop.fingerprint, loop.time(), loop.steps
            leaked = _end(loop, main)
        finally:
            asyncio.set_event_loop(None)
            loop.close()
        del main
        gc.collect()
    unhandled = tuple(_describe_report(report) for report in loop.exceptions)
    return RunResult(
        value,
        error,
        fingerprint,
        virtual_secs,
        steps,
        leaked,
        unhandled,
        tuple(loop.blocking_calls),
    )


def _end(loop: VirtualTimeLoop, main: asyncio.Task[Any]) -> tuple[str, ...]:
    """Lets what is ready run out, cancels what remains, and names it."""
    loop.give_until(loop.time() + 60.0)
    leaked: tuple[str, ...] = ()
    try:
        if main.done():
            loop.run_until_complete(_settle())
        left = [task for task in asyncio.all_tasks(loop) if task is not main]
        leaked = describe_tasks(left)
        reports = len(loop.exceptions)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(_gather([*left, main]))
        del loop.exceptions[reports:]  # what the cancelling itself brought about
        loop.hang_up()
        loop.run_until_complete(_settle())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    except SimulationError as stuck:
        leaked += (f"and they do not stop when cancelled: {stuck}",)
    return leaked


def _end_of(main: asyncio.Task[Any]) -> asyncio.Future[None]:
    """A future that is done when the task is, whatever came of it."""
    ended: asyncio.Future[None] = main.get_loop().create_future()
    main.add_done_callback(lambda _: ended.set_result(None))
    return ended


async def _settle() -> None:
    """Time for tasks that are ready to end: some passes of the loop, without waiting."""
    for _ in range(20):
        await asyncio.sleep(0)


async def _gather(tasks: list[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


def _describe_report(report: dict[str, Any]) -> str:
    """One line: what was raised, where, and whose it was."""
    error = report.get("exception")
    subject = report.get("task") or report.get("future") or report.get("handle")
    said = str(report.get("message", "unhandled exception"))
    if error is None:
        return f"{said}: {subject!r}"
    places = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(places[-1].filename).name}:{places[-1].lineno}" if places else ""
    if isinstance(subject, asyncio.Task):
        return f"{error!r}{place}, in task {subject.get_name()!r}"
    return f"{error!r}{place} ({said}: {subject!r})"


@contextmanager
def _collected_at_fixed_steps() -> Iterator[None]:
    """Keeps the garbage collector from running finalizers at instants that history decides.

    What exists already is frozen, so that collecting at the end of a run costs little.
    """
    enabled = gc.isenabled()
    if next(_runs) % _RUNS_PER_SWEEP == 0:
        gc.collect()  # cycles of earlier runs, which freezing would make old before their time
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()
