"""Runs a part again and again, over seeds and struck at every step, and says what it does wrong."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from antiphon.errors import HandlerTimeoutError
from antiphon.simulation.errors import SimulationError
from antiphon.simulation.loop.cpu import ORDINARY, CPUModel
from antiphon.simulation.loop.loop import VirtualTimeLoop
from antiphon.simulation.loop.schedule import policy_of
from antiphon.simulation.loop.virtual_time import RunResult, run_on


class ContractRule(enum.Enum):
    """A promise that a part of a conversation makes."""

    ENDS = "nothing hangs"
    STOPS = "stops at once when it is cancelled"
    TASKS = "no task is left behind"
    EXCEPTIONS = "no exception is lost or escapes"
    SEAM = "only a ServiceError crosses the provider's seam"
    RELEASES = "an iterator that is closed releases what it holds"
    BLOCKS = "nothing blocks the loop"
    KEEPS = "what is uninterruptible arrives exactly once and in order"
    STALE = "nothing is said that an interruption has made void"
    RECOVERS = "works again after a cancel, an interruption or an error"
    CLOSES = "close() may be called at any time and twice"
    VALUES = "what comes out has the form that the contract says"
    ANSWERS = "good input is answered"
    PURE = "deciding depends on what was told and when, and on nothing else"
    DEADLINES = "a deadline that was met is gone or lies ahead"
    LAW = "what comes out makes sense together"


class ContractError(AssertionError):
    """A part broke a rule in one run.

    `rule` is the promise, `seed` and `case` the run; `runs` counts the runs up to this one. The
    message ends with the call that repeats it.
    """

    def __init__(
        self,
        rule: ContractRule,
        what: str,
        *,
        call: str,
        part: str,
        seed: int,
        case: str,
        runs: int,
    ) -> None:
        again = f"{call}(..., seeds=[{seed}], only={case!r})"
        super().__init__(
            f"{part} breaks the rule that {rule.value}.\n  {what}\n"
            f"  seed {seed}, case {case!r}; repeat it with {again}"
        )
        self.rule: ContractRule = rule
        self.seed: int = seed
        self.case: str = case
        self.runs: int = runs


class Violation(Exception):  # noqa: N818  # no error of a program's: the suite turns it into one
    """Raised inside of a run; becomes a `ContractError`, which knows the run."""

    def __init__(self, rule: ContractRule, what: str) -> None:
        super().__init__(what)
        self.rule: ContractRule = rule
        self.what: str = what


def require(rule: ContractRule, holds: bool, what: str) -> None:
    """Raises a `Violation` unless the condition holds."""
    if not holds:
        raise Violation(rule, what)


SWEEP = 120
"""Steps at which the first seed strikes, at most, in each sweep, unless said otherwise."""
STRIKES = 3
"""Steps at which each other seed strikes in each sweep."""

STOP_SECS = 1.0
"""How long a cancelled call may take to stop: as long as the kernel gives a handler."""

_AT = " at step "

Body = Callable[["Run"], Coroutine[Any, Any, None]]


class StepLoop(VirtualTimeLoop):
    """A loop on which something happens before one of its steps, and which sees what is dropped."""

    def __init__(self, seed: int, *, strike_at: int | None, deadline_secs: float) -> None:
        super().__init__(
            seed,
            policy=policy_of(seed),
            cpu=_CPU,
            deadline_secs=deadline_secs,
            executor_secs=0.001,
            livelock_steps=300_000,
        )
        self.dropped: list[str] = []
        """Asynchronous generators that were forgotten in the middle, and not closed."""
        self.on_strike: Callable[[], None] | None = None
        self._strike_at = strike_at
        self._armed_steps = 0

    def _before_step(self) -> None:
        if self.on_strike is not None:
            self._armed_steps += 1
            if self._armed_steps == self._strike_at:
                self.on_strike()

    @property
    def armed_steps(self) -> int:
        """Steps since there was something to strike with."""
        return self._armed_steps

    def _asyncgen_finalizer_hook(self, agen: AsyncGenerator[Any, Any]) -> None:
        if not self.is_closed():
            self.dropped.append(repr(agen).split()[2])
        super()._asyncgen_finalizer_hook(agen)  # type: ignore[misc]


_CPU: CPUModel = ORDINARY


@dataclass(eq=False)
class Run:
    """One run, as its scenario sees it."""

    loop: StepLoop
    rng: random.Random
    errors: list[logging.LogRecord] = field(default_factory=list)
    struck_at: float | None = None

    @property
    def struck(self) -> bool:
        """Whether it has happened."""
        return self.struck_at is not None

    def strike_with(self, action: Callable[[], object]) -> None:
        """What happens at the step of the sweep, counted from this call on."""

        def strike() -> None:
            self.struck_at = self.loop.time()
            action()

        self.loop.on_strike = strike

    def spare(self) -> None:
        """It is too late for it to happen."""
        self.loop.on_strike = None


class Suite:
    """All cases of one part. `call` is the function that the user called."""

    def __init__(
        self,
        call: str,
        part: str,
        seeds: int | Iterable[int],
        only: str | None,
        *,
        stray: ContractRule = ContractRule.EXCEPTIONS,
        moments: int = SWEEP,
        deadline_secs: float = 900.0,
    ) -> None:
        self.runs: int = 0
        self._call, self._part = call, part
        self._seeds = list(range(seeds)) if isinstance(seeds, int) else list(seeds)
        self._stray, self._deadline, self._moments = stray, deadline_secs, moments
        self._cases: list[tuple[str, Body, bool]] = []
        self._always: set[str] = set()
        self._only, _, step = (only or "").partition(_AT)
        self._only_step = int(step) if step else None

    def case(self, name: str, body: Body, *, always: bool = False) -> None:
        """A scenario that runs once for each seed; `always`: others compare with it."""
        self._cases.append((name, body, False))
        if always:
            self._always.add(name)

    def sweep(self, name: str, body: Body) -> None:
        """A scenario that is struck at one step after the other."""
        self._cases.append((name, body, True))

    def run(self) -> int:
        """Runs everything; returns how many runs it took. Raises `ContractError`."""
        names = [name for name, _, _ in self._cases]
        if self._only and self._only not in names:
            raise ValueError(f"there is no case {self._only!r}; there are {', '.join(names)}")
        for number, seed in enumerate(self._seeds):
            for name, body, sweeps in self._cases:
                if self._only and name != self._only:
                    if name in self._always:
                        self._run(name, body, seed, None)
                elif self._only_step is not None:
                    self._run(name, body, seed, self._only_step)
                elif not sweeps:
                    self._run(name, body, seed, None)
                else:
                    self._sweep(name, body, seed, self._moments if number == 0 else STRIKES)
        return self.runs

    def _sweep(self, name: str, body: Body, seed: int, strikes: int) -> None:
        steps = self._run(name, body, seed, None)
        rng = random.Random(f"strikes {seed} {name}")
        if steps <= strikes:
            chosen = list(range(1, steps + 1))
        else:
            width = steps / strikes
            chosen = [int(i * width + rng.random() * width) + 1 for i in range(strikes)]
        for step in chosen:
            self._run(name, body, seed, step)

    def _run(self, name: str, body: Body, seed: int, step: int | None) -> int:
        """One run; returns the number of steps at which it could be struck."""
        self.runs += 1
        loop = StepLoop(seed, strike_at=step, deadline_secs=self._deadline)
        # What a scenario draws is the same wherever it is struck.
        run = Run(loop, random.Random(f"case {seed} {name}"))
        with _listening(run.errors):
            outcome = run_on(loop, body(run))
        found = self._judge(outcome, loop)
        if found is not None:
            case = name if step is None else f"{name}{_AT}{step}"
            error = ContractError(
                found.rule,
                found.what,
                call=self._call,
                part=self._part,
                seed=seed,
                case=case,
                runs=self.runs,
            )
            raise error from found.__cause__
        return loop.armed_steps

    def _judge(self, outcome: RunResult[None], loop: StepLoop) -> Violation | None:
        error = outcome.error
        if isinstance(error, Violation):
            return error
        found: Violation | None = None
        if isinstance(error, SimulationError):
            found = Violation(ContractRule.ENDS, str(error))
        elif error is not None:
            found = Violation(self._stray, f"{error!r} came out of it")
        elif outcome.leaked:
            found = Violation(ContractRule.TASKS, "; ".join(outcome.leaked))
        elif outcome.unhandled:
            found = Violation(ContractRule.EXCEPTIONS, "; ".join(outcome.unhandled))
        elif loop.dropped:
            found = Violation(
                ContractRule.RELEASES, f"forgotten, not closed: {', '.join(loop.dropped)}"
            )
        elif outcome.blocking_calls:
            found = Violation(ContractRule.BLOCKS, "; ".join(outcome.blocking_calls))
        if found is not None:
            found.__cause__ = error
        return found


async def cancel_somewhere(run: Run, task: asyncio.Task[None]) -> None:
    """Cancels a task at the step of the sweep and waits: it must stop in time, and as cancelled."""
    run.strike_with(task.cancel)
    await asyncio.wait({task})
    run.spare()
    if run.struck_at is None or not task.cancelling():
        task.result()
        return
    late = run.loop.time() - run.struck_at
    require(ContractRule.STOPS, late <= STOP_SECS, f"it took {late:.2f} s")
    if not task.cancelled():
        task.result()
        raise Violation(ContractRule.STOPS, "it swallowed the cancel and ended as if it were done")


class _Ear(logging.Handler):
    """Keeps what the kernel reports."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__(logging.ERROR)
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the record."""
        self._records.append(record)


@contextlib.contextmanager
def _listening(records: list[logging.LogRecord]) -> Iterator[None]:
    """Collects the errors that conversations report, and keeps them off the screen."""
    logger = logging.getLogger("antiphon")
    ear, propagate = _Ear(records), logger.propagate
    logger.addHandler(ear)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(ear)
        logger.propagate = propagate


def reported(
    records: Iterable[logging.LogRecord], expected: tuple[type[BaseException], ...]
) -> Violation | None:
    """The first report that nobody expects."""
    for record in records:
        error = record.exc_info[1] if record.exc_info else None
        late = isinstance(error, HandlerTimeoutError | TimeoutError)
        hangs = late or "abandoned" in record.getMessage()
        if isinstance(error, expected) or (error is None and not hangs):
            continue
        found = Violation(
            ContractRule.ENDS if hangs else ContractRule.EXCEPTIONS, record.getMessage()
        )
        found.__cause__ = error
        return found
    return None


def name_of(factory: Callable[[], object]) -> str:
    """What a factory makes, for people; makes none."""
    return factory.__name__ if isinstance(factory, type) else factory.__qualname__
