"""One end of a simulated UDP line, as an asyncio transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from antiphon.simulation.network.link import Link
from antiphon.simulation.network.tcp import Address, NetworkLoop

_REORDERED_SECS = 0.05
"""How late a datagram is that others overtake."""

Lookup = Callable[[Address], "UDPTransport | None"]


class UDPTransport(asyncio.DatagramTransport):
    """Datagrams are lost, doubled and reordered as the link of the receiver's port says; those sent
    while it is stalled or broken are lost.
    """

    def __init__(
        self,
        loop: NetworkLoop,
        protocol: asyncio.DatagramProtocol,
        local: Address,
        remote: Address | None,
        lookup: Lookup,
        link_of: Callable[[Address], Link],
    ) -> None:
        super().__init__({"sockname": local, "peername": remote, "socket": None})
        self.local: Address = local
        self.remote: Address | None = remote
        self.closed: bool = False
        self._loop = loop
        self.protocol: asyncio.DatagramProtocol = protocol
        self._lookup, self._link_of = lookup, link_of
        self._rng = loop.stream("network")

    def sendto(self, data: bytes | bytearray | memoryview[Any], addr: Any = None) -> None:
        target = addr if addr is not None else self.remote
        if self.closed or target is None:
            return
        to = (str(target[0]), int(target[1]))
        link, rng = self._link_of(to), self._rng
        if link.broken or link.stalled or rng.random() < link.loss:
            return
        for _ in range(2 if rng.random() < link.duplicate else 1):
            secs = link.travel_secs(len(data), rng, reliable=False)
            if rng.random() < link.reorder:
                secs += _REORDERED_SECS
            self._loop.call_at(self._loop.time() + secs, self._arrive, bytes(data), to)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._loop.call_soon(self.protocol.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def _arrive(self, data: bytes, to: Address) -> None:
        receiver = self._lookup(to)
        if receiver is not None and not receiver.closed:
            receiver.protocol.datagram_received(data, self.local)
