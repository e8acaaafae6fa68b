"""What the fakes of all kinds of providers share: they connect, count their calls, and fail by the
number of the call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from antiphon.errors import ServiceError
from antiphon.simulation.fakes.delays import Delay, stream, wait


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
        self.calls: int = 0

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


class FakeProvider:
    """Takes `connect_delay` to connect; the first time that fails with `connect_error`, if given.

    `calls` counts the streams that were asked for, `running` those that go on, `cut_off` those that
    were closed before they had ended; `planned` says what goes wrong in the next.
    """

    name: str = "fake"

    def __init__(
        self,
        faults: Faults | None,
        connect_delay: Delay,
        connect_error: ServiceError | None,
    ) -> None:
        self.connected: bool = False
        self.closed: bool = False
        self.running = 0
        self.cut_off = 0
        self.planned: PlannedFaults = PlannedFaults(faults)
        self._connect_delay = connect_delay
        self._connect_error = connect_error

    @property
    def calls(self) -> int:
        """How often its stream has been asked for."""
        return self.planned.calls

    async def connect(self) -> None:
        await wait(self._connect_delay, stream(self.name))
        error, self._connect_error = self._connect_error, None
        if error is not None:
            raise error
        self.connected = True

    async def close(self) -> None:
        self.closed = True
