"""What goes wrong in a fake provider, by the number of the call.

    FakeLLMProvider(["Hello."], faults={0: Fail(ServerError("overloaded")), 2: Hang(after=3)})

`after` counts the events (transcripts, tokens, pieces of audio) that come out before it happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from antiphon.errors import ServiceError


@dataclass(frozen=True, slots=True)
class Fail:
    """The call raises; a broken connection is `Fail(ConnectivityError(...))`."""

    error: ServiceError
    after: int = 0


@dataclass(frozen=True, slots=True)
class Hang:
    """The call never goes on."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Stall:
    """The call pauses for some seconds and then goes on."""

    secs: float
    after: int = 0


Fault = Fail | Hang | Stall
Faults = Mapping[int, Fault] | Callable[[int], Fault | None]


def from_now_on(fault: Fault, call: int = 0) -> Faults:
    """Every call from the given one on goes wrong in the same way."""
    return lambda number: fault if number >= call else None


class PlannedFaults:
    """Counts calls, and the events of each, and lets the planned faults happen."""

    def __init__(self, faults: Faults | None) -> None:
        self._faults = faults if faults is not None else {}
        self.calls = 0

    def begin(self) -> FaultyCall:
        """The next call."""
        number, self.calls = self.calls, self.calls + 1
        faults = self._faults
        return FaultyCall(faults(number) if callable(faults) else faults.get(number))


class FaultyCall:
    """One call: `checkpoint` stands before each of its events, and before its end."""

    def __init__(self, fault: Fault | None) -> None:
        self._fault = fault
        self._events = 0

    async def checkpoint(self) -> None:
        """Lets the fault happen if its time has come."""
        fault = self._fault
        if fault is None:
            return
        self._events += 1
        if self._events <= fault.after:
            return
        self._fault = None
        if isinstance(fault, Fail):
            raise fault.error
        if isinstance(fault, Stall):
            await asyncio.sleep(fault.secs)
        else:
            await asyncio.get_running_loop().create_future()
