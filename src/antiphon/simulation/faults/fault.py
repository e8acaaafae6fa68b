"""A fault as a value: what it does, and when; and the hand that lets it strike.

A list of faults on one thing is asked in its order; the hits of one occasion all happen.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from antiphon.errors import (
    AuthenticationError,
    AuthorizationError,
    ConnectivityError,
    InvalidRequestError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServiceError,
)
from antiphon.frames.base import Frame
from antiphon.simulation.fakes.delays import Delay, draw, stream
from antiphon.simulation.faults.events import FaultLog
from antiphon.simulation.faults.when import Striker, When


class FaultVerb(enum.Enum):
    """What a fault does."""

    DELAY = "delay"
    SLOW = "slow"
    LATE = "late"
    DROP = "drop"
    DUPLICATE = "duplicate"
    HANG = "hang"
    ERROR = "error"
    STALL = "stall"
    REFUSE = "refuse"
    HALF_OPEN = "half_open"
    RESET = "reset"
    CONDITIONS = "conditions"


class FaultPlace(enum.Enum):
    """What of a provider a fault concerns."""

    CALL = "call"
    EVENT = "event"
    INPUT = "input"
    CONNECT = "connect"


ERRORS: Mapping[str, type[ServiceError]] = {
    kind.category.value: kind
    for kind in (
        AuthenticationError,
        AuthorizationError,
        ConnectivityError,
        InvalidRequestError,
        QuotaError,
        RateLimitError,
        ServerError,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. `text` is how it was written; `spec.fault_of` makes one from data.

    `secs` for verbs that take time, `error` for errors, `conditions` by the names of `Link`.
    `place`: of a provider; None is what is usual for its kind. `frames` (types) and `upstream`: of
    frames. `at`, `again`: of a machine or a network, loop seconds of the first strike and from one
    to the next.
    """

    verb: FaultVerb
    text: str
    when: When = field(default_factory=When)
    secs: Delay = 0.0
    error: type[ServiceError] = ServerError
    conditions: Mapping[str, float] = field(default_factory=dict)
    place: FaultPlace | None = None
    frames: tuple[type[Frame], ...] = ()
    upstream: bool = False
    at: float = 0.0
    again: float | None = None


class Armed:
    """Faults on one thing, with their memory: asks each whether it strikes, and tells the log."""

    def __init__(self, target: str, faults: Sequence[Fault], log: FaultLog) -> None:
        self.target = target
        self.log = log
        self._armed = [(fault, Striker(fault.when)) for fault in faults]

    def strike(
        self, *, verbs: frozenset[FaultVerb] | None = None, frame: Frame | None = None
    ) -> Hits:
        """One occasion, now: of the faults with these verbs, those that hit it."""
        loop = asyncio.get_running_loop()
        rng = stream(f"faults {self.target}")
        hits = Hits()
        for fault, striker in self._armed:
            if verbs is not None and fault.verb not in verbs:
                continue
            if frame is not None and fault.frames and not isinstance(frame, fault.frames):
                continue
            luck = rng.random() if fault.when.chance is not None else 0.0
            if striker.strikes(loop.time(), luck):
                self.log.record(self.target, fault.text)
                hits.add(fault, draw(fault.secs, rng))
        return hits


@dataclass(slots=True)
class Hits:
    """What happens on one occasion: seconds of delay, of handling, of lateness, of a machine
    that stands still, and the rest.
    """

    delay: float = 0.0
    slow: float = 0.0
    late: float = 0.0
    stall: float = 0.0
    copies: int = 1
    drop: bool = False
    hang: bool = False
    error: ServiceError | None = None

    def add(self, fault: Fault, secs: float) -> None:
        """One fault more."""
        match fault.verb:
            case FaultVerb.DELAY:
                self.delay += secs
            case FaultVerb.SLOW:
                self.slow += secs
            case FaultVerb.LATE:
                self.late += secs
            case FaultVerb.STALL:
                self.stall += secs
            case FaultVerb.DROP:
                self.drop = True
            case FaultVerb.DUPLICATE:
                self.copies += 1
            case FaultVerb.HANG:
                self.hang = True
            case FaultVerb.ERROR:
                self.error = fault.error(f"a fault was injected: {fault.text}")
            case _:
                raise AssertionError(f"{fault.text} is no fault of an occasion")

    async def suffer(self) -> None:
        """Waits as long as the hits say, for ever if they do, and raises the error."""
        if self.delay > 0.0:
            await asyncio.sleep(self.delay)
        if self.hang:
            await asyncio.get_running_loop().create_future()
        if self.error is not None:
            raise self.error
