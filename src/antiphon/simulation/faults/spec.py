"""Faults as data: `{"delay": 2.0, "after": 3}` becomes a `Fault`, a plan a list of `Aim`s.

Everything that is wrong with them is one error, which names the target, what is wrong, and what
there is: a name that nobody knows is an `UnknownNameError`, a value an `InvalidInputError`.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.errors import InvalidInputError, UnknownNameError
from antiphon.frames.base import Frame
from antiphon.simulation.fakes.delays import Delay, lognormal, uniform
from antiphon.simulation.faults.fault import ERRORS, Fault, FaultPlace, FaultVerb
from antiphon.simulation.faults.when import When

CONDITIONS = ("latency_secs", "jitter_secs", "bytes_per_sec", "loss", "duplicate", "reorder")
"""The conditions of a network, by the names of `Link`."""

PROVIDERS = ("stt", "llm", "tts", "realtime")


class TargetKind(enum.Enum):
    """What a target is."""

    PROVIDER = "provider"
    VAD = "vad"
    TURN = "turn"
    FRAMES = "frames"
    TOOLS = "tools"
    NETWORK = "network"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a fault goes: `what` is the word before the first dot, `name` what is behind it."""

    kind: TargetKind
    what: str
    name: str | None

    def __str__(self) -> str:
        return self.what if self.name is None else f"{self.what}.{self.name}"


@dataclass(frozen=True, slots=True)
class Aim:
    """A fault and its target."""

    target: Target
    fault: Fault


_KINDS: Mapping[str, TargetKind] = {
    **dict.fromkeys(PROVIDERS, TargetKind.PROVIDER),
    "vad": TargetKind.VAD,
    "turn": TargetKind.TURN,
    **dict.fromkeys(("input", "output", "into", "from"), TargetKind.FRAMES),
    "tools": TargetKind.TOOLS,
    "network": TargetKind.NETWORK,
    "loop": TargetKind.LOOP,
}

_ALONE = frozenset({TargetKind.LOOP, TargetKind.VAD, TargetKind.TURN})
_ERRORS = ("error", "error_once", "error_from_now_on")
_STREAM_VERBS = ("delay", "slow", "drop", "duplicate", "hang", *_ERRORS)
_VERBS: Mapping[TargetKind, tuple[str, ...]] = {
    TargetKind.PROVIDER: _STREAM_VERBS,
    TargetKind.VAD: ("stall", *_ERRORS),
    TargetKind.TURN: ("delay", "hang", "stall", *_ERRORS),
    TargetKind.FRAMES: _STREAM_VERBS,
    TargetKind.TOOLS: ("delay", "late", "drop", "duplicate", "hang", *_ERRORS),
    TargetKind.NETWORK: (*CONDITIONS, "stall", "refuse", "half_open", "reset"),
    TargetKind.LOOP: ("stall",),
}
_COUNTED = ("after", "every", "times", "chance", "since", "until")
_TIMED = ("at", "every", "times", "chance", "until")
_OPTIONS: Mapping[TargetKind, tuple[str, ...]] = {
    TargetKind.PROVIDER: (*_COUNTED, "on"),
    TargetKind.VAD: _COUNTED,
    TargetKind.TURN: _COUNTED,
    TargetKind.FRAMES: (*_COUNTED, "frames", "upstream"),
    TargetKind.TOOLS: _COUNTED,
    TargetKind.NETWORK: _TIMED,
    TargetKind.LOOP: _TIMED,
}


def aims_of(plan: Mapping[str, Any]) -> tuple[Aim, ...]:
    """All faults of a plan, in its order."""
    if not isinstance(plan, Mapping):
        raise InvalidInputError(f"faults are a mapping of targets to faults, not {plan!r}")
    aims: list[Aim] = []
    for name, given in plan.items():
        target = target_of(name)
        some = given if isinstance(given, list | tuple) else [given]
        aims += [Aim(target, _fault(one, str(target), target.kind)) for one in some]
    return tuple(aims)


def target_of(name: object) -> Target:
    """The target of that name."""
    what, _, rest = str(name).partition(".")
    if what not in _KINDS:
        raise _unknown(f"there is no target {what!r} for faults", what, _KINDS)
    kind = _KINDS[what]
    if what in {"into", "from"} and not rest:
        raise InvalidInputError(f"{what} needs the name of a processor: {what}.NAME")
    if rest and (kind in _ALONE or what in {"input", "output"}):
        raise InvalidInputError(f"{name}: there is one {what}, write it without a name")
    if rest and kind is TargetKind.NETWORK and not rest.isdigit():
        raise InvalidInputError(f"{name}: {rest!r} is no port of a network")
    return Target(kind, what, rest or None)


def fault_of(given: Fault | Mapping[str, Any], what: str) -> Fault:
    """One fault for a target (`"llm"`, `"into.Shout"` ...)."""
    if isinstance(given, Fault):
        return given
    return _fault(given, what, target_of(what).kind)


def _fault(given: object, where: str, kind: TargetKind) -> Fault:
    if not isinstance(given, Mapping) or not given:
        raise InvalidInputError(
            f"{where}: a fault is a mapping such as {{delay: 2.0, after: 3}}, not {given!r}"
        )
    verbs, options = _VERBS[kind], _OPTIONS[kind]
    found = [name for name in given if name in verbs]
    for name in given:
        if name not in verbs and name not in options:
            others = [k.value for k, known in _VERBS.items() if name in known]
            if others:
                raise UnknownNameError(
                    f"{where}: there is no {name!r}, a fault of {', '.join(others)}; there are "
                    f"{', '.join(verbs)}"
                )
            raise _unknown(f"{where}: there is no fault and no condition {name!r}", name, verbs)
    several = len(found) > 1 and not set(found) <= set(CONDITIONS)
    if not found or several:
        raise InvalidInputError(
            f"{where}: a fault has one verb, not {', '.join(found) or 'none'}; "
            f"there are {', '.join(verbs)}"
        )
    text = ", ".join(f"{name} {_plain(value)}" for name, value in given.items())
    read = _Reader(where, given)
    common = read.common(kind)
    if found[0] in CONDITIONS and kind is TargetKind.NETWORK:
        conditions = {name: read.number(name) for name in found}
        return Fault(verb=FaultVerb.CONDITIONS, text=text, conditions=conditions, **common)
    return _with_verb(read, found[0], text, common)


def _with_verb(read: _Reader, name: str, text: str, common: dict[str, Any]) -> Fault:
    if name in _ERRORS:
        when: When = common.pop("when")
        times = 1 if name == "error_once" and when.times is None else when.times
        lasting = name == "error_from_now_on"
        changed = _changed(when, times=times, lasting=lasting)
        return Fault(
            verb=FaultVerb.ERROR, text=text, error=read.error(name), when=changed, **common
        )
    verb = FaultVerb(name)
    if verb in {FaultVerb.DROP, FaultVerb.DUPLICATE}:
        when = common.pop("when")
        chance = read.probability(name)
        if chance is not None and when.chance is not None:
            raise InvalidInputError(f"{read.where}: {name} has a probability and a chance")
        changed = _changed(when, chance=when.chance if chance is None else chance)
        return Fault(verb=verb, text=text, when=changed, **common)
    if verb in {FaultVerb.HANG, FaultVerb.RESET}:
        read.must(name, read.given[name] is True, "write true")
        return Fault(verb=verb, text=text, **common)
    return Fault(verb=verb, text=text, secs=read.secs(name), **common)


def _changed(when: When, **fields: Any) -> When:
    return dataclasses.replace(when, **fields)


class _Reader:
    """Values of one fault, checked."""

    def __init__(self, where: str, given: Mapping[str, Any]) -> None:
        self.where, self.given = where, given

    def must(self, name: str, holds: bool, wanted: str) -> None:
        """Raises `InvalidInputError` unless it holds."""
        if not holds:
            raise InvalidInputError(f"{self.where}: {name} = {self.given[name]!r}: {wanted}")

    def common(self, kind: TargetKind) -> dict[str, Any]:
        """The fields that all verbs share."""
        given = self.given
        timed = kind in {TargetKind.NETWORK, TargetKind.LOOP}
        chance = self.probability("chance") if "chance" in given else None
        fields: dict[str, Any] = {
            "when": When(
                after=self.count("after", 0),
                every=1 if timed else max(1, self.count("every", 1)),
                times=self.count("times", 0) if "times" in given else None,
                chance=chance,
                since=self.number("since") if "since" in given else 0.0,
                until=self.number("until") if "until" in given else float("inf"),
            )
        }
        if timed:
            again = self.number("every") if "every" in given else None
            if again is not None:
                self.must("every", again > 0.0, "it takes seconds above 0")
            first = again if again is not None else 0.0
            fields["at"] = self.number("at") if "at" in given else first
            fields["again"] = again
        if "on" in given:
            places = [place.value for place in FaultPlace]
            self.must("on", given["on"] in places, f"there are {', '.join(places)}")
            fields["place"] = FaultPlace(given["on"])
        if "frames" in given:
            names = given["frames"] if isinstance(given["frames"], list | tuple) else ()
            self.must("frames", bool(names), "write a list of names of frame types")
            fields["frames"] = tuple(self.frame_type(name) for name in names)
        if "upstream" in given:
            self.must("upstream", isinstance(given["upstream"], bool), "write true or false")
            fields["upstream"] = given["upstream"]
        return fields

    def number(self, name: str) -> float:
        """A number that is not negative."""
        value = self.given[name]
        fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        self.must(name, fits, "write a number, 0 or above")
        return float(value)

    def count(self, name: str, default: int) -> int:
        """A whole number that is not negative."""
        value = self.given.get(name, default)
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if name in self.given:
            self.must(name, fits, "write a whole number, 0 or above")
        return int(value)

    def probability(self, name: str) -> float | None:
        """A probability; None for `true`, which is always."""
        value = self.given[name]
        if value is True:
            return None
        self.must(name, self._is_share(value), "write a probability from 0 to 1, or true")
        return float(value)

    def secs(self, name: str) -> Delay:
        """Seconds, or a distribution of them."""
        value = self.given[name]
        if not isinstance(value, Mapping):
            return self.number(name)
        shapes: dict[str, Callable[[float, float], Delay]] = {
            "uniform": uniform,
            "lognormal": lognormal,
        }
        shape, bounds = next(iter(value.items())) if len(value) == 1 else (None, None)
        pair = isinstance(bounds, list | tuple) and len(bounds) == 2
        fits = pair and all(isinstance(b, int | float) and b >= 0 for b in bounds or ())
        wanted = "write seconds, {uniform: [low, high]} or {lognormal: [median, p99]}"
        self.must(name, shape in shapes and fits, wanted)
        assert bounds is not None
        if shape == "lognormal":
            self.must(name, 0.0 < bounds[0] <= bounds[1], "the median is above 0, the p99 above it")
        return shapes[str(shape)](float(bounds[0]), float(bounds[1]))

    def error(self, name: str) -> Any:
        """The class of errors of that kind."""
        value = self.given[name]
        if value not in ERRORS:
            raise _unknown(f"{self.where}: there is no error {value!r}", value, ERRORS)
        return ERRORS[value]

    def frame_type(self, name: object) -> type[Frame]:
        """The frame type of that name."""
        known: dict[str, type[Frame]] = {kind.__name__: kind for kind in _all_below(Frame)}
        if name not in known:
            what = f"{self.where}: there is no frame type {name!r}"
            raise _unknown(what, name, known, short=True)
        return known[str(name)]

    @staticmethod
    def _is_share(value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _all_below(kind: type[Frame]) -> Iterable[type[Frame]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _all_below(one)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {_plain(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_plain(v) for v in value) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unknown(
    what: str, name: object, known: Iterable[str], *, short: bool = False
) -> UnknownNameError:
    names = list(known)
    close = difflib.get_close_matches(str(name), names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else ""
    there = "" if short and close else f"there are {', '.join(names)}"
    return UnknownNameError(f"{what}: {' '.join(part for part in (hint, there) if part)}")
