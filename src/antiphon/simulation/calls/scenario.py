"""Scenarios: calls written down as data.

    # dinner.yaml
    name: dinner
    agent: bot:make_task          # beside this file, in the present folder, or installed
    steps:
      - says: a table for tonight
      - interrupts: for four
        after: 0.5
      - expects_reply: {within: 2.0, containing: at what time}
      - pauses: 0.8
      - presses: "12#"
      - mumbles
      - hangs_up

YAML is how they are documented; TOML and JSON files of the same shape are read as well. Each step
is one verb of `Caller` with its arguments (see `steps`). `trials` holds them.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.errors import InvalidInputError, UnknownNameError
from antiphon.simulation.calls.caller import Caller, Manner
from antiphon.simulation.calls.steps import ScenarioStep
from antiphon.simulation.fakes.voice import SECS_PER_WORD
from antiphon.simulation.mapping_file import read_mapping

if TYPE_CHECKING:
    from antiphon.simulation.faults.plan import FaultPlan

_KEYS = (
    "name",
    "description",
    "agent",
    "caller",
    "seeds",
    "faults",
    "allow_errors",
    "timeout_secs",
    "steps",
)
_CALLER_KEYS = ("manner", "secs_per_word", "sample_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerSettings:
    """Who calls: see `Caller`."""

    manner: Manner = Manner.CODED
    secs_per_word: float = SECS_PER_WORD
    sample_rate: int = 16_000

    @classmethod
    def parse(cls, given: object) -> CallerSettings:
        """From the name of a manner, or a mapping."""
        if isinstance(given, str):
            given = {"manner": given}
        if not isinstance(given, Mapping):
            raise InvalidInputError(f"caller is {given!r}: {_manners()}, or a mapping")
        _known(given, _CALLER_KEYS, "caller")
        names = {manner.value: manner for manner in Manner}
        manner, settings = str(given.get("manner", "coded")), cls()
        if manner not in names:
            raise UnknownNameError(f"caller: there is no manner {manner!r}: {_manners()}")
        for key in ("secs_per_word", "sample_rate"):
            value = given.get(key, 1)
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise InvalidInputError(f"caller: {key} is {value!r}, no positive number")
        return cls(
            manner=names[manner],
            secs_per_word=float(given.get("secs_per_word", settings.secs_per_word)),
            sample_rate=int(given.get("sample_rate", settings.sample_rate)),
        )

    def make(self) -> Caller:
        """A caller for one call."""
        return Caller(
            manner=self.manner,
            secs_per_word=self.secs_per_word,
            sample_rate=self.sample_rate,
        )


@dataclass(frozen=True, slots=True)
class Scenario:
    """A call as data. What is wrong with it raises `UnknownNameError` or `InvalidInputError` when
    it is made.

    `steps` may be given as in a file, and are kept in one form. `agent` names the function that
    makes the agent, `faults` what goes wrong (see `antiphon.simulation.faults`), `seeds` how many
    runs are wanted. Errors that parts of the agent report make a run fall short, unless there are
    faults, or `allow_errors` says otherwise. A run that takes longer than `timeout_secs` of virtual
    time has got stuck.
    """

    name: str
    steps: tuple[Any, ...]
    agent: str | None = None
    caller: CallerSettings = field(default_factory=CallerSettings)
    faults: Mapping[str, Any] = field(default_factory=dict)
    seeds: int | None = None
    allow_errors: bool | None = None
    timeout_secs: float = 3600.0
    description: str = ""
    path: Path | None = field(default=None, compare=False)
    places: Sequence[str] = field(default=(), compare=False, repr=False)
    """Where each step stands, for errors."""
    script: tuple[ScenarioStep, ...] = field(default=(), init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        places = self.places or [f"step {n} of {self.name}" for n in range(1, len(self.steps) + 1)]
        script = tuple(
            ScenarioStep.parse(step, where) for step, where in zip(self.steps, places, strict=True)
        )
        object.__setattr__(self, "script", script)
        object.__setattr__(self, "steps", tuple(step.plain() for step in script))
        self.plan()

    @classmethod
    def load(cls, path: str | Path) -> Scenario:
        """Reads a file; what is wrong with it is one error that names the file and the step."""
        path = Path(path)
        written = read_mapping(path)
        try:
            return cls._of(written.data, path, written.lines)
        except (InvalidInputError, UnknownNameError) as error:
            if str(path) in str(error):
                raise
            raise type(error)(f"{path}: {error}") from error

    @classmethod
    def _of(cls, data: Mapping[str, Any], path: Path, lines: Sequence[int]) -> Scenario:
        _known(data, _KEYS, "a scenario")
        steps = data.get("steps")
        if not isinstance(steps, list) or not steps:
            raise InvalidInputError(f"{path} has no list of steps")
        places = [f"step {number}" for number in range(1, len(steps) + 1)]
        if len(lines) == len(steps):
            places = [f"line {line}" for line in lines]
        faults = data.get("faults") or {}
        if not isinstance(faults, Mapping):
            raise InvalidInputError(f"faults is {faults!r}: it maps what fails to how it fails")
        return cls(
            str(data.get("name", path.stem)),
            tuple(steps),
            agent=_text(data, "agent"),
            caller=CallerSettings.parse(data.get("caller", {})),
            faults=dict(faults),
            seeds=_count(data, "seeds"),
            allow_errors=_flag(data, "allow_errors"),
            timeout_secs=_timeout(data),
            description=_text(data, "description") or "",
            path=path,
            places=places,
        )

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where its agent is looked for: beside the file, and in the present folder."""
        return (self.path.parent, Path()) if self.path is not None else (Path(),)

    @property
    def errors_matter(self) -> bool:
        """Whether what parts of the agent report makes a run fall short."""
        return not (bool(self.faults) if self.allow_errors is None else self.allow_errors)

    def plan(self) -> FaultPlan | None:
        """Its faults. Raises `UnknownNameError` and `InvalidInputError`."""
        if not self.faults:
            return None
        from antiphon.simulation.faults.plan import FaultPlan

        return FaultPlan.of(self.faults)

    async def play(self, caller: Caller) -> None:
        """The script that `hold_call` wants."""
        for step in self.script:
            await step.play(caller)


def _known(given: Mapping[str, Any], keys: Sequence[str], what: str) -> None:
    for key in given:
        if key not in keys:
            close = difflib.get_close_matches(str(key), keys, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise UnknownNameError(f"{what} has no {key!r}: {hint}it has {', '.join(keys)}")


def _manners() -> str:
    return " or ".join(manner.value for manner in Manner)


def _text(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    if value is not None and not isinstance(value, str):
        raise InvalidInputError(f"{key} is {value!r}, no text")
    return value


def _timeout(data: Mapping[str, Any]) -> float:
    value = data.get("timeout_secs", 3600.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InvalidInputError(f"timeout_secs is {value!r}, no number of seconds above 0")
    return float(value)


def _count(data: Mapping[str, Any], key: str) -> int | None:
    value = data.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidInputError(f"{key} is {value!r}, no whole number above 0")
    return value


def _flag(data: Mapping[str, Any], key: str) -> bool | None:
    value = data.get(key)
    if value is not None and not isinstance(value, bool):
        raise InvalidInputError(f"{key} is {value!r}: true or false")
    return value
