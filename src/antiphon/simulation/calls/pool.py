"""Trials in processes of their own, which are alike in every run of the program.

Sets of strings are ordered by hashes that Python makes anew for each process, so what a seed means
would depend on the process. Workers are started with fixed hashes; `jobs=0` stays in this process,
for debuggers. Ctrl-C is the parent's: what runs is finished, and nothing new is begun.
"""

from __future__ import annotations

import io
import itertools
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import ParamSpec, Self, TypeVar

from antiphon.errors import AntiphonError, ConfigurationError
from antiphon.observe.timeline import TimelineRow
from antiphon.simulation.agents import Function, find_function
from antiphon.simulation.calls.scenario import Scenario
from antiphon.simulation.calls.trace import CallTrace
from antiphon.simulation.calls.trials import Failure, Machine, hold, try_seed
from antiphon.simulation.loop.cpu import BUSY

T = TypeVar("T")
P = ParamSpec("P")

_CHUNK = 4
_HASHES = "PYTHONHASHSEED"


@dataclass(frozen=True, slots=True)
class Job:
    """What all runs have in common. `folders` is where the scenario's agent is looked for."""

    scenario: Scenario
    folders: tuple[Path, ...]
    machine: Machine = Machine()  # noqa: RUF009 (it is frozen)

    def function(self) -> Function:
        """The agent's. Raises `ConfigurationError`."""
        if self.scenario.agent is None:
            raise ConfigurationError(
                f"{self.scenario.path or self.scenario.name} does not say which agent: add "
                f"`agent: module:function` to it, or pass --agent"
            )
        return find_function(self.scenario.agent, self.folders)

    def run(self, seed: int) -> Failure | None:
        """One seed, quietly."""
        with _quiet():
            return try_seed(self.function(), self.scenario, seed, machine=self.machine)

    def show(self, seed: int, *, page: bool, record: Path | None = None) -> Shown:
        """One seed, for people. What the agent prints is printed; `record`: write a recording."""
        scenario = self.scenario
        settings = {
            "scenario": scenario.name,
            "agent": scenario.agent,
            "caller": scenario.caller.manner.value,
            "faults": dict(scenario.faults),
            "busy": self.machine.cpu == BUSY,
        }
        title = f"{scenario.name}, seed {seed}"
        trace = CallTrace(title, record=record is not None, settings=settings)
        with _quiet(prints=True):
            held = hold(
                self.function(), self.scenario, seed=seed, machine=self.machine, trace=trace
            )
        trace.log.notes |= self.notes(seed)
        failure = Failure(seed, held.problems) if held.problems else None
        html = trace.page() if page else ""
        if record is not None:
            trace.recording.save(record)
        return Shown(failure, tuple(trace.lines()), html, held.outcome.fingerprint)

    def notes(self, seed: int) -> dict[str, str]:
        """What a page says about the run beside the conversation."""
        scenario = self.scenario
        notes = {
            "Scenario": str(scenario.path or scenario.name),
            "Agent": scenario.agent or "",
            "Seed": str(seed),
            "Caller": scenario.caller.manner.value,
        }
        plan = scenario.plan()
        return notes | ({"Faults": plan.describe()} if plan is not None else {})


@dataclass(frozen=True, slots=True)
class Shown:
    """One run as people look at it. `page` is HTML, if it was asked for."""

    failure: Failure | None
    lines: tuple[TimelineRow, ...]
    page: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class _Unfit:
    """Crosses from a worker to the parent: errors with arguments of their own cannot."""

    message: str


class StopRequest:
    """Whether Ctrl-C was pressed. The second time it interrupts as usual."""

    def __init__(self) -> None:
        self.wanted: bool = False

    @contextmanager
    def listening(self) -> Iterator[StopRequest]:
        """While this lasts."""
        before = signal.signal(signal.SIGINT, self._pressed)
        try:
            yield self
        finally:
            signal.signal(signal.SIGINT, before)

    def _pressed(self, _signal: int, _frame: FrameType | None) -> None:
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True


class Pool:
    """Workers for one job; use it as a context."""

    def __init__(self, job: Job, jobs: int) -> None:
        self._job, self._jobs = job, jobs
        self._workers: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        self._job.function()  # what is wrong with the agent is told once, by this process
        if self._jobs:
            self._workers = ProcessPoolExecutor(
                self._jobs,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_begin,
                initargs=(self._job,),
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._workers is not None:
            self._workers.shutdown(wait=True, cancel_futures=True)

    def each(self, seeds: Iterable[int], stop: StopRequest) -> Iterator[tuple[int, Failure | None]]:
        """Every seed with what fell short, as they are done. Raises `ConfigurationError`."""
        if self._workers is None:
            for seed in seeds:
                if stop.wanted:
                    return
                yield seed, self._job.run(seed)
            return
        chunks = _chunks(seeds)
        running: set[Future[list[tuple[int, Failure | None]] | _Unfit]] = set()
        while True:
            fresh = itertools.islice(chunks, 0 if stop.wanted else 2 * self._jobs - len(running))
            for chunk in fresh:
                running.add(self._submit(_run, chunk))
            if not running:
                return
            done, running = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                yield from _fit(_outcome(future))

    def again(self, seed: int) -> Failure | None:
        """One seed once more. Raises `ConfigurationError`."""
        return next(failure for _, failure in self.each([seed], StopRequest()))

    def show(self, seed: int, *, page: bool, record: Path | None = None) -> Shown:
        """One seed, for people. Raises `ConfigurationError`."""
        if self._workers is None:
            return self._job.show(seed, page=page, record=record)
        return _fit(_outcome(self._submit(_show, seed, page, record)))

    def _submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        assert self._workers is not None
        with _fixed_hashes():  # workers are started when the first work comes
            return self._workers.submit(function, *args, **kwargs)


def _fit(result: T | _Unfit) -> T:
    if isinstance(result, _Unfit):
        raise ConfigurationError(result.message)
    return result


def _outcome(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenExecutor as error:
        raise ConfigurationError(
            "a process that ran the agent died: run it in this one to see why (--jobs 0)"
        ) from error


def _chunks(seeds: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(seeds)
    while chunk := list(itertools.islice(rest, _CHUNK)):
        yield chunk


@contextmanager
def _fixed_hashes() -> Iterator[None]:
    given = os.environ.get(_HASHES)
    os.environ.setdefault(_HASHES, "0")
    try:
        yield
    finally:
        if given is None:
            del os.environ[_HASHES]


@contextmanager
def _quiet(*, prints: bool = False) -> Iterator[None]:
    """Nothing is logged, and unless `prints` nothing printed: there are a thousand runs."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(sys.stdout if prints else io.StringIO()):
            yield
    finally:
        logging.disable(before)


# ---- in a worker --------------------------------------------------------------------------------

_job: Job | None = None


def _begin(job: Job) -> None:
    global _job  # noqa: PLW0603 (a worker process has one job)
    _job = job
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run(seeds: list[int]) -> list[tuple[int, Failure | None]] | _Unfit:
    assert _job is not None
    try:
        return [(seed, _job.run(seed)) for seed in seeds]
    except AntiphonError as error:
        return _Unfit(str(error))


def _show(seed: int, page: bool, record: Path | None) -> Shown | _Unfit:
    assert _job is not None
    try:
        return _job.show(seed, page=page, record=record)
    except AntiphonError as error:
        return _Unfit(str(error))
