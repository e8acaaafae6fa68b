"""Scenarios held with many seeds, and what fell short.

    report = try_seeds(agent, Scenario.load("dinner.yaml"), range(1000))
    print(report)

`agent(caller)` makes the task that is called. What falls short is an expectation that was not met,
an exception, an error that a part of the agent reported, a task that was left running, an exception
that nobody retrieved, a call that would have stopped a real loop, and a run that got stuck.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from antiphon.errors import ConfigurationError
from antiphon.simulation.agents import Function, build
from antiphon.simulation.calls.caller import Caller, ExpectationError, HeldCall, Manner, hold_call
from antiphon.simulation.calls.scenario import Scenario
from antiphon.simulation.calls.trace import CallTrace
from antiphon.simulation.errors import SimulationError
from antiphon.simulation.loop.cpu import ORDINARY, CPUModel
from antiphon.simulation.loop.loop import VirtualTimeLoop
from antiphon.simulation.loop.schedule import policy_of
from antiphon.simulation.loop.virtual_time import RunResult, run_on
from antiphon.simulation.loop.watchdog import StepEnded
from antiphon.simulation.network.network import Network

_EXECUTOR_SECS = 0.001
_LIVELOCK_STEPS = 50_000
"""Without an idle moment. A call has one every 20 ms; these are seconds even at what steps cost."""
_MODEL_SECS = 0.1
"""What the embedded models take for a transcript or a clause, on an ordinary core."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What calls are held on.

    Args:
        cpu: what computing costs; None: nothing.
        threads: work of threads is done by real ones, while the virtual clock stands still: for
            models that bring their own threads.
        sockets: real sockets on this machine may be used; while one is open time is real.

    With `threads` or `sockets` a seed no longer gives the same run each time.

    """

    cpu: CPUModel | None = ORDINARY
    threads: bool = False
    sockets: bool = False


_ORDINARY_MACHINE = Machine()


class ShortfallKind(enum.Enum):
    """In which way a run fell short."""

    EXPECTATION = "expectation"
    EXCEPTION = "exception"
    STUCK = "stuck"
    ERROR = "error"
    LEFT_RUNNING = "left running"
    UNRETRIEVED = "not retrieved"
    BLOCKING = "blocking call"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that fell short. `what` is one line; `story` what led to it, if that is known."""

    kind: ShortfallKind
    what: str
    story: str = ""

    @property
    def key(self) -> str:
        """The same for problems that differ only in figures and addresses."""
        return f"{self.kind.value}: {_FIGURES.sub('#', self.what)}"


_FIGURES = re.compile(r"0x[0-9a-f]+|\b\d+\.\d+\b|Task-\d+|call_\w+|(?<=Frame#)\d+")


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that fell short, and in what, the cause first as far as that is known."""

    seed: int | None
    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        parts = []
        for problem in self.problems:
            parts.append(problem.what)
            parts += [problem.story] if problem.story else []
        return "\n".join(parts)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of many runs: how many there were, and what fell short by seed."""

    scenario: str
    runs: int
    failures: dict[int, Failure] = field(default_factory=dict)

    @property
    def groups(self) -> list[list[Failure]]:
        """The failures by what fell short first, the most frequent before the others."""
        groups: dict[str, list[Failure]] = {}
        for seed in sorted(self.failures):
            failure = self.failures[seed]
            groups.setdefault(failure.problems[0].key, []).append(failure)
        return sorted(groups.values(), key=len, reverse=True)

    def __str__(self) -> str:
        """For people: one failure of each kind in full, the seeds of all."""
        if not self.failures:
            return f"{self.scenario}: {self.runs} runs, all as expected"
        lines = [f"{self.scenario}: {len(self.failures)} of {self.runs} runs fell short"]
        for group in self.groups:
            lines.append(f"seed {group[0].seed}: {group[0]}")
            if len(group) > 1:
                lines.append(f"and with {seeds_of(group[1:])}")
        return "\n".join(lines)


def seeds_of(group: Iterable[Failure], most: int = 20) -> str:
    """The seeds of some failures, as text; no more than `most` of them."""
    seeds = [str(failure.seed) for failure in group]
    more = f" and {len(seeds) - most} more" if len(seeds) > most else ""
    return f"seed{'s' if len(seeds) > 1 else ''} {' '.join(seeds[:most])}{more}"


@dataclass(frozen=True, slots=True)
class TrialRun:
    """One run of a scenario."""

    outcome: RunResult[HeldCall]
    caller: Caller
    problems: tuple[Problem, ...]


def hold(
    agent: Function,
    scenario: Scenario,
    *,
    seed: int | None = None,
    machine: Machine = _ORDINARY_MACHINE,
    trace: CallTrace | None = None,
) -> TrialRun:
    """One run. Every fourth seed has the schedule `Policy.PCT`, the others `Policy.UNIFORM`.

    `trace` is told what happens, which changes nothing about it. Raises `ConfigurationError` if the
    agent cannot be made, or the scenario's faults do not fit it.
    """
    plan = scenario.plan()
    network = _network(scenario, machine) if plan is not None and plan.needs_network else None
    caller = scenario.caller.make()
    unfit: list[ConfigurationError] = []

    async def main() -> HeldCall:
        injection = None
        try:
            task = await build(agent, caller, name=scenario.agent or "")
            if trace is not None:
                trace.attach(task, caller)
            injection = plan.inject(task, network=network) if plan is not None else None
        except ConfigurationError as error:
            unfit.append(error)
            raise
        try:
            return await hold_call(task, caller, scenario.play)
        finally:
            if injection is not None:
                injection.remove()

    loop = VirtualTimeLoop(
        seed,
        policy=policy_of(seed),
        livelock_steps=_LIVELOCK_STEPS,
        cpu=machine.cpu,
        deadline_secs=scenario.timeout_secs,
        executor_secs=None if machine.threads else _executor_secs(caller.manner),
        allow_threads=machine.threads,
        allow_sockets=machine.sockets,
        network=network,
    )
    outcome = run_on(loop, main())
    if unfit:
        raise unfit[0]
    held = TrialRun(outcome, caller, tuple(_problems(outcome, caller, scenario)))
    if trace is not None:
        error = outcome.error
        at = error.at if isinstance(error, ExpectationError) else None
        expected = (ShortfallKind.EXPECTATION,)
        trace.finish((p.what, p.story, at if p.kind in expected else None) for p in held.problems)
    return held


def _network(scenario: Scenario, machine: Machine) -> Network:
    if machine.sockets:
        raise ConfigurationError(
            f"{scenario.path or scenario.name}: faults of the network need the simulated one, and "
            f"real sockets are allowed: leave out one of the two"
        )
    return Network()


def _executor_secs(manner: Manner) -> float:
    return _MODEL_SECS if manner is Manner.SPOKEN else _EXECUTOR_SECS


def hold_scenario(
    agent: Function,
    scenario: Scenario,
    *,
    seed: int | None = None,
    machine: Machine = _ORDINARY_MACHINE,
) -> HeldCall:
    """One call. Raises `ExpectationError` and whatever else goes wrong."""
    held = hold(agent, scenario, seed=seed, machine=machine)
    call = held.outcome.result()
    if held.problems:
        raise AssertionError(str(Failure(seed, held.problems)))
    return call


def try_seeds(
    agent: Function,
    scenario: Scenario,
    seeds: Iterable[int],
    *,
    machine: Machine = _ORDINARY_MACHINE,
    told: Callable[[int, Failure | None], None] | None = None,
) -> Report:
    """Holds the call with each seed; `told` of each as it is done."""
    runs, failures = 0, dict[int, Failure]()
    for seed in seeds:
        failure = try_seed(agent, scenario, seed, machine=machine)
        runs += 1
        if failure is not None:
            failures[seed] = failure
        if told is not None:
            told(seed, failure)
    return Report(scenario.name, runs, failures)


def try_seed(
    agent: Function, scenario: Scenario, seed: int, *, machine: Machine = _ORDINARY_MACHINE
) -> Failure | None:
    """What fell short with one seed."""
    problems = hold(agent, scenario, seed=seed, machine=machine).problems
    return Failure(seed, problems) if problems else None


def _problems(outcome: RunResult[HeldCall], caller: Caller, scenario: Scenario) -> list[Problem]:
    """What fell short, the cause first, and what is the same only once.

    An exception, a blocking call or an error that a part reported leads to the rest, if there is
    one; tasks left running are what the rest leads to. Of a run that got stuck everything is left.
    """
    error = outcome.error
    stuck = isinstance(error, SimulationError)
    found = _of_kind(ShortfallKind.UNRETRIEVED, "an exception was not retrieved", outcome.unhandled)
    found += _of_kind(
        ShortfallKind.BLOCKING, "this would stop every conversation", outcome.blocking_calls
    )
    if scenario.errors_matter:
        for frame in caller.errors:
            if not isinstance(frame.exception, StepEnded):
                said = f"{frame.processor or 'a part'} reported: {frame.error}"
                found.append(Problem(ShortfallKind.ERROR, said))
    if stuck:
        what, _, story = f"{type(error).__name__}: {error}".partition("\n")
        found.append(Problem(ShortfallKind.STUCK, what, story))
    elif isinstance(error, ExpectationError):
        what = f"{error.step}: {error.what}" if error.step else error.what
        found.append(Problem(ShortfallKind.EXPECTATION, what, error.story))
    elif error is not None:
        found.append(Problem(ShortfallKind.EXCEPTION, f"{type(error).__name__}: {error}"))
    if not stuck:
        found += _of_kind(ShortfallKind.LEFT_RUNNING, "a task was left running", outcome.leaked)
    return list({problem.key: problem for problem in reversed(found)}.values())[::-1]


def _of_kind(kind: ShortfallKind, title: str, lines: Iterable[str]) -> list[Problem]:
    return [Problem(kind, f"{title}: {line}") for line in lines]
