"""What the fakes of all kinds of providers have in common: they connect, and count their calls."""

from __future__ import annotations

from antiphon.errors import ServiceError
from antiphon.simulation.fakes.delays import Delay, stream, wait
from antiphon.simulation.fakes.faults import Faults, PlannedFaults


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
        self.connected = False
        self.closed = False
        self.running = 0
        self.cut_off = 0
        self.planned = PlannedFaults(faults)
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
