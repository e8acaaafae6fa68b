"""Faults of what all share: the network's lines, and the machine.

Each happens at its times, by timers of the loop, until the conversation is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from antiphon.errors import ConfigurationError
from antiphon.simulation.fakes.delays import draw, stream
from antiphon.simulation.faults.events import FaultLog
from antiphon.simulation.faults.fault import Fault, FaultVerb
from antiphon.simulation.faults.when import Striker
from antiphon.simulation.loop.loop import VirtualTimeLoop
from antiphon.simulation.network.link import Link
from antiphon.simulation.network.network import Network

Act = Callable[[float], None]
"""What happens; told for how many seconds."""


class Schedule:
    """One fault, again and again at its times, until `stop` or `over()`."""

    def __init__(
        self, target: str, fault: Fault, log: FaultLog, act: Act, over: Callable[[], bool]
    ) -> None:
        self._target, self._fault, self._log = target, fault, log
        self._act, self._over = act, over
        self._striker = Striker(fault.when)
        self._loop = asyncio.get_running_loop()
        self._rng = stream(f"faults {target}")
        self._timer: asyncio.TimerHandle | None = None
        if fault.at > self._loop.time():
            self._timer = self._loop.call_at(fault.at, self._due)
        else:
            self._due()

    def stop(self) -> None:
        """It strikes no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> None:
        if self._over():
            return
        fault = self._fault
        if fault.again is not None:
            self._timer = self._loop.call_later(fault.again, self._due)
        if self._striker.strikes(self._loop.time(), self._rng.random()):
            self._log.record(self._target, fault.text)
            self._act(draw(fault.secs, self._rng))


def machine_act() -> Act:
    """What `loop: {stall: ...}` does. Raises `ConfigurationError` outside of virtual time."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualTimeLoop):
        raise ConfigurationError("loop: only a loop in virtual time can be made to stand still")
    return loop.spend


class Lines:
    """The lines of a port of a network, or of all ports there are when the fault strikes."""

    def __init__(self, network: Network, port: int | None) -> None:
        self._network, self._port = network, port
        self._loop = asyncio.get_running_loop()

    def act(self, fault: Fault) -> Act:
        """What a fault does to them."""
        acts: dict[FaultVerb, Act] = {
            FaultVerb.CONDITIONS: lambda _: self._change(fault),
            FaultVerb.STALL: self._stall,
            FaultVerb.HALF_OPEN: self._break,
            FaultVerb.REFUSE: self._refuse,
            FaultVerb.RESET: lambda _: self._reset(),
        }
        return acts[fault.verb]

    @property
    def _ports(self) -> list[int]:
        return self._network.ports if self._port is None else [self._port]

    @property
    def _links(self) -> list[Link]:
        links = [self._network.link(port) for port in self._ports]
        return [self._network.default, *links] if self._port is None else links

    def _change(self, fault: Fault) -> None:
        for link in self._links:
            before = {name: vars(link)[name] for name in fault.conditions}
            vars(link).update(fault.conditions)
            if fault.when.until < float("inf"):
                self._loop.call_at(fault.when.until, vars(link).update, before)

    def _stall(self, secs: float) -> None:
        for link in self._links:
            link.stall()
            self._loop.call_later(secs, link.resume)

    def _break(self, secs: float) -> None:
        for link in self._links:
            link.broken = True
            self._loop.call_later(secs, _mend, link)

    def _refuse(self, secs: float) -> None:
        for port in self._ports:
            self._network.refuse(port)
            self._loop.call_later(secs, self._network.refuse, port, False)

    def _reset(self) -> None:
        for port in self._ports:
            self._network.reset(port)


def _mend(link: Link) -> None:
    link.broken = False
