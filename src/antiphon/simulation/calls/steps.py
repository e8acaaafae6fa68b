"""The steps of a scenario: what may be written, and what it makes the caller do.

A step is one verb of `Caller` with its arguments, written in one of these ways (in YAML):

    - hangs_up                                            the verb alone
    - says: a table for tonight                           with its main argument
    - {interrupts: for four, after: 0.5}                  and others beside it
    - expects_reply: {within: 2.0, containing: at what}   or all by name
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.errors import InvalidInputError, UnknownNameError
from antiphon.simulation.calls.caller import Caller, ExpectationError, check_keys

Value = str | float


@dataclass(frozen=True, slots=True)
class StepVerb:
    """`main` is the argument that needs no name; `read` says how each one is read."""

    read: Mapping[str, Callable[[object], Value]]
    main: str = ""
    needs_main: bool = True


def _words(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(f"{value!r} is of the wrong type: words are written in quotes")
    if not value.strip():
        raise InvalidInputError("there are no words")
    return value


def _keys(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInputError(f"{value!r} is of the wrong type: keys are written in quotes")
    check_keys(value)
    return value


def _secs(value: object) -> float:
    try:
        secs = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        secs = math.nan
    if not 0.0 <= secs < math.inf:
        raise InvalidInputError(f"{value!r} is no number of seconds")
    return secs


VERBS: Mapping[str, StepVerb] = {
    "says": StepVerb({"text": _words}, "text"),
    "pauses": StepVerb({"secs": _secs}, "secs"),
    "interrupts": StepVerb(
        {"text": _words, "after": _secs, "within": _secs}, "text", needs_main=False
    ),
    "mumbles": StepVerb({"secs": _secs}, "secs", needs_main=False),
    "presses": StepVerb({"keys": _keys}, "keys"),
    "expects_reply": StepVerb(
        {"containing": _words, "without": _words, "within": _secs, "settle": _secs},
        "containing",
        needs_main=False,
    ),
    "hangs_up": StepVerb({}),
}


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One step, checked. `where` names it in errors."""

    verb: str
    arguments: Mapping[str, Value]
    where: str

    @classmethod
    def parse(cls, given: object, where: str) -> ScenarioStep:
        """Reads a step. Raises `UnknownNameError` or `InvalidInputError`, which name `where`."""
        if isinstance(given, str):
            given = {given: None}
        if not isinstance(given, Mapping):
            raise InvalidInputError(f"{where} is {given!r}: write it as a verb with its arguments")
        verbs = [name for name in given if name in VERBS]
        if len(verbs) != 1:
            raise UnknownNameError(
                f"{where} needs one of the verbs {', '.join(VERBS)}, and has {list(given)}"
                f"{_meant(str(next(iter(given), '')), VERBS)}"
            )
        name = verbs[0]
        verb, main = VERBS[name], given[name]
        if main == "true" and verb.main in {"", "secs"}:  # YAML's scalars come as text
            main = True
        beside = {key: value for key, value in given.items() if key != name}
        if isinstance(main, Mapping):
            beside |= main
        elif main is not None and main is not True and main != "":
            if not verb.main:
                raise InvalidInputError(f"{where}: {name} takes no argument, and has {main!r}")
            beside = {verb.main: main, **beside}
        elif main is True and verb.main and verb.needs_main:
            raise InvalidInputError(f"{where}: {name} = {main!r} is of the wrong type")
        return cls(name, _arguments(name, verb, beside, where), where)

    def plain(self) -> dict[str, Any]:
        """As data, the same for every way of writing it."""
        return {self.verb: dict(self.arguments)}

    def __str__(self) -> str:
        """As a call of the caller's method."""
        return f"{self.verb}({', '.join(f'{k}={v!r}' for k, v in self.arguments.items())})"

    async def play(self, caller: Caller) -> None:
        """Lets the caller do it. An expectation that is not met says in which step."""
        caller.begins(str(self))
        try:
            await _METHODS[self.verb](caller, **self.arguments)
        except ExpectationError as error:
            error.step = f"{self.where}: {self}"
            raise


_METHODS: Mapping[str, Callable[..., Any]] = {
    "says": Caller.says,
    "pauses": Caller.pauses,
    "interrupts": Caller.interrupts,
    "mumbles": Caller.mumbles,
    "presses": Caller.presses,
    "expects_reply": Caller.expects_reply,
    "hangs_up": Caller.hangs_up,
}


def _arguments(
    name: str, verb: StepVerb, given: Mapping[str, object], where: str
) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for key, value in given.items():
        if key not in verb.read:
            known = f"it knows {', '.join(verb.read)}" if verb.read else "it takes no argument"
            raise UnknownNameError(
                f"{where}: {name} does not know {key!r}{_meant(str(key), verb.read)}; {known}"
            )
        try:
            found[key] = verb.read[key](value)
        except InvalidInputError as error:
            raise InvalidInputError(f"{where}: {name}: {key}: {error}") from error
    if verb.main and verb.needs_main and verb.main not in found:
        raise InvalidInputError(f"{where}: {name} needs {verb.main}")
    return found


def _meant(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
