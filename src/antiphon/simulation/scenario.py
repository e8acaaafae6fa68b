"""Scenarios: calls written down as data, held again and again with different seeds.

    # dinner.toml
    name = "dinner"
    steps = [
        { says = "a table for tonight" },
        { interrupts = "for four", after = 0.5 },
        { expects_reply = "at what time", within = 2.0 },
        { pauses = 0.8 },
        { presses = "12#" },
        { mumbles = 0.4 },
        { hangs_up = true },
    ]

    report = try_seeds(agent, Scenario.load("dinner.toml"), range(1000))

`agent(caller)` makes the task that is called. TOML, JSON and, where PyYAML is installed, YAML files
are read. Each step is one verb of `Caller` with its arguments.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from antiphon.errors import ConfigurationError, InvalidInputError, UnknownNameError
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.caller import Call, Caller, hold_call
from antiphon.simulation.cpu import ORDINARY, CPUModel
from antiphon.simulation.loop import VirtualTimeLoop
from antiphon.simulation.virtual_time import Outcome, run_on

Agent = Callable[[Caller], PipelineTask]
Step = dict[str, Any]

_VERBS: dict[str, tuple[type | tuple[type, ...], tuple[str, ...]]] = {
    "says": (str, ()),
    "mumbles": ((int, float), ()),
    "pauses": ((int, float), ()),
    "interrupts": (str, ("after", "within")),
    "presses": (str, ()),
    "expects_reply": (str, ("within", "settle")),
    "hangs_up": (bool, ()),
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A call as data. Bad steps raise `UnknownNameError` or `InvalidInputError` when it is made."""

    name: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        for number, step in enumerate(self.steps, 1):
            _check(f"step {number} of {self.name}", step)

    @classmethod
    def load(cls, path: str | Path) -> Scenario:
        """Reads a file; what is wrong with it is one error that names the file and the step."""
        path = Path(path)
        data = _read(path)
        if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
            raise InvalidInputError(f"{path} has no list of steps")
        return cls(str(data.get("name", path.stem)), tuple(data["steps"]))

    async def play(self, caller: Caller) -> None:
        """The script that `hold_call` wants."""
        for step in self.steps:
            await _verb_of(step)(caller, step)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of many runs: how many there were, and what fell short by seed."""

    scenario: str
    runs: int
    failures: dict[int, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """For people: the first failures in full, the seeds of all."""
        if not self.failures:
            return f"{self.scenario}: {self.runs} runs, all as expected"
        lines = [f"{self.scenario}: {len(self.failures)} of {self.runs} runs fell short"]
        for seed, text in list(self.failures.items())[:3]:
            lines.append(f"seed {seed}: {text}")
        lines.append("seeds: " + " ".join(str(seed) for seed in self.failures))
        return "\n".join(lines)


def hold_scenario(
    agent: Agent, scenario: Scenario, *, seed: int | None = None, cpu: CPUModel | None = ORDINARY
) -> Call:
    """One call. Raises `ExpectationError` and whatever else goes wrong."""
    return _hold(agent, scenario, seed, cpu).result()


def try_seeds(
    agent: Agent, scenario: Scenario, seeds: Iterable[int], *, cpu: CPUModel | None = ORDINARY
) -> Report:
    """Holds the call with each seed. What fails a run, and the agent's errors, fall short."""
    runs, failures = 0, dict[int, str]()
    for seed in seeds:
        runs += 1
        outcome = _hold(agent, scenario, seed, cpu)
        wrong = [f"a task was left running: {task}" for task in outcome.leaked]
        wrong += [f"an exception was not retrieved: {report}" for report in outcome.unhandled]
        if outcome.error is not None:
            wrong.insert(0, f"{type(outcome.error).__name__}: {outcome.error}")
        elif outcome.value is not None:
            wrong += [frame.error for frame in outcome.value.errors]
        if wrong:
            failures[seed] = "; ".join(wrong)
    return Report(scenario.name, runs, failures)


def _hold(
    agent: Agent, scenario: Scenario, seed: int | None, cpu: CPUModel | None
) -> Outcome[Call]:
    async def main() -> Call:
        caller = Caller()
        return await hold_call(agent(caller), caller, scenario.play)

    loop = VirtualTimeLoop(seed, cpu=cpu, deadline_secs=3600.0, executor_secs=0.001)
    return run_on(loop, main())


def _check(where: str, step: object) -> None:
    if not isinstance(step, dict):
        raise InvalidInputError(f"{where} is {step!r}: write it as a verb with its arguments")
    verbs = [name for name in step if name in _VERBS]
    if len(verbs) != 1:
        known = ", ".join(_VERBS)
        close = difflib.get_close_matches(next(iter(step), ""), _VERBS, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise UnknownNameError(
            f"{where} needs one of the verbs {known}, and has {list(step)}{hint}"
        )
    kind, options = _VERBS[verbs[0]]
    if not isinstance(step[verbs[0]], kind):
        raise InvalidInputError(f"{where}: {verbs[0]} = {step[verbs[0]]!r} is of the wrong type")
    for name, value in step.items():
        if name == verbs[0]:
            continue
        if name not in options:
            raise UnknownNameError(f"{where}: {verbs[0]} does not know {name!r}")
        if not isinstance(value, int | float):
            raise InvalidInputError(f"{where}: {name} = {value!r} is no number of seconds")


def _verb_of(step: Step) -> Callable[[Caller, Step], Awaitable[object]]:
    verb = next(name for name in step if name in _VERBS)
    return _ACTIONS[verb]


def _options(step: Step) -> dict[str, float]:
    return {name: float(value) for name, value in step.items() if name not in _VERBS}


_ACTIONS: dict[str, Callable[[Caller, Step], Awaitable[object]]] = {
    "says": lambda caller, step: caller.says(step["says"]),
    "mumbles": lambda caller, step: caller.mumbles(step["mumbles"]),
    "pauses": lambda caller, step: caller.pauses(step["pauses"]),
    "interrupts": lambda caller, step: caller.interrupts(step["interrupts"], **_options(step)),
    "presses": lambda caller, step: caller.presses(step["presses"]),
    "expects_reply": lambda caller, step: caller.expects_reply(
        containing=step["expects_reply"], **_options(step)
    ),
    "hangs_up": lambda caller, step: caller.hangs_up(),
}


def _read(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    try:
        if path.suffix == ".toml":
            return tomllib.loads(text)
        if path.suffix == ".json":
            return json.loads(text)
    except ValueError as error:
        raise InvalidInputError(f"{path} cannot be read: {error}") from error
    if path.suffix not in {".yaml", ".yml"}:
        raise InvalidInputError(f"{path}: scenarios are .toml, .json, .yaml or .yml files")
    try:
        return msgspec.yaml.decode(text)
    except ImportError as error:
        raise ConfigurationError(
            f"{path} is YAML, which needs PyYAML: pip install pyyaml, or write it as TOML"
        ) from error
    except msgspec.DecodeError as error:
        raise InvalidInputError(f"{path} cannot be read: {error}") from error
