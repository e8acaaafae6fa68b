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
    cpu: CPUModel | None = ORDINARY,
    trace: CallTrace | None = None,
) -> TrialRun:
    """One run. Every fourth seed has the schedule `Policy.PCT`, the others `Policy.UNIFORM`.

    `trace` is told what happens, which changes nothing about it. Raises `ConfigurationError` if the
    agent cannot be made, or the scenario's faults do not fit it.
    """
    plan = scenario.plan()
    network = Network() if plan is not None and plan.needs_network else None
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
        cpu=cpu,
        deadline_secs=scenario.timeout_secs,
        executor_secs=_MODEL_SECS if caller.manner is Manner.SPOKEN else _EXECUTOR_SECS,
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


def hold_scenario(
    agent: Function,
    scenario: Scenario,
    *,
    seed: int | None = None,
    cpu: CPUModel | None = ORDINARY,
) -> HeldCall:
    """One call. Raises `ExpectationError` and whatever else goes wrong."""
    held = hold(agent, scenario, seed=seed, cpu=cpu)
    call = held.outcome.result()
    if held.problems:
        raise AssertionError(str(Failure(seed, held.problems)))
    return call


def try_seeds(
    agent: Function,
    scenario: Scenario,
    seeds: Iterable[int],
    *,
    cpu: CPUModel | None = ORDINARY,
    told: Callable[[int, Failure | None], None] | None = None,
) -> Report:
    """Holds the call with each seed; `told` of each as it is done."""
    runs, failures = 0, dict[int, Failure]()
    for seed in seeds:
        failure = try_seed(agent, scenario, seed, cpu=cpu)
        runs += 1
        if failure is not None:
            failures[seed] = failure
        if told is not None:
            told(seed, failure)
    return Report(scenario.name, runs, failures)


def try_seed(
    agent: Function, scenario: Scenario, seed: int, *, cpu: CPUModel | None = ORDINARY
) -> Failure | None:
    """What fell short with one seed."""
    problems = hold(agent, scenario, seed=seed, cpu=cpu).problems
    return Failure(seed, problems) if problems else None


def _problems(outcome: RunResult[HeldCall], caller: Caller, scenario: Scenario) -> list[Problem]:
    """What fell short, the cause first, and what is the same only once."""
    error = outcome.error
    stuck = isinstance(error, SimulationError)
    found: list[Problem] = []
    if stuck:
        what, _, story = f"{type(error).__name__}: {error}".partition("\n")
        found.append(Problem(ShortfallKind.STUCK, what, story))
    if scenario.errors_matter:  # they are what led to the rest, if anything here is
        for frame in caller.errors:
            if not isinstance(frame.exception, StepEnded):
                said = f"{frame.processor or 'a part'} reported: {frame.error}"
                found.append(Problem(ShortfallKind.ERROR, said))
    if isinstance(error, ExpectationError):
        what = f"{error.step}: {error.what}" if error.step else error.what
        found.append(Problem(ShortfallKind.EXPECTATION, what, error.story))
    elif error is not None and not stuck:
        found.append(Problem(ShortfallKind.EXCEPTION, f"{type(error).__name__}: {error}"))
    for kind, title, lines in (
        # Of a run that got stuck everything is left.
        (ShortfallKind.LEFT_RUNNING, "a task was left running", () if stuck else outcome.leaked),
        (ShortfallKind.UNRETRIEVED, "an exception was not retrieved", outcome.unhandled),
        (ShortfallKind.BLOCKING, "this would stop every conversation", outcome.blocking_calls),
    ):
        found += [Problem(kind, f"{title}: {line}") for line in lines]
    return list({problem.key: problem for problem in reversed(found)}.values())[::-1]
