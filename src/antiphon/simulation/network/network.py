"""A network in memory, on which ordinary asyncio clients and servers run unmodified.

    network = Network(latency_secs=0.03, jitter_secs=0.01)
    run(main(), seed=5, network=network)        # aiohttp, websockets, asyncio streams ...

Names resolve to made-up addresses; a server listens on a port of any host, or of the one it names.
TLS is spoken with a server that was given a certificate (`ssl=`), as everywhere. A client that asks
a plain server for it gets a plain connection, so that programs that insist on `https:` and `wss:`
reach a plain server here.

Faults can be injected at any moment, by the server's port: `link(port)` are its conditions
(`stall`, `resume`, `broken`, loss ...), `reset(port)` breaks its connections, `refuse(port)` lets
nobody connect.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import socket
from collections.abc import Callable
from typing import Any

from antiphon.simulation.errors import SimulationError
from antiphon.simulation.network.link import Link
from antiphon.simulation.network.tcp import Address, NetworkLoop, TCPTransport
from antiphon.simulation.network.tls import TLS
from antiphon.simulation.network.udp import UDPTransport

Factory = Callable[[], asyncio.BaseProtocol]

_CLIENT_HOST = "10.0.0.1"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_ANY = {"", "0.0.0.0", "::"}  # noqa: S104 - nothing listens for real


class ListeningSocket:
    """What a server shows in place of its socket."""

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto: int = socket.IPPROTO_TCP

    def __init__(self, address: Address) -> None:
        self._address = address

    def getsockname(self) -> Address:
        """Host and port."""
        return self._address

    def setsockopt(self, *options: Any) -> None:
        """Options make no difference here."""


class SimulatedServer(asyncio.AbstractServer):
    """A listening port."""

    def __init__(
        self, network: Network, address: Address, factory: Factory, tls: TLS | None
    ) -> None:
        self.factory = factory
        self.tls = tls
        self.sockets: tuple[ListeningSocket, ...] = (ListeningSocket(address),)
        self._network, self._address = network, address

    def close(self) -> None:
        self._network.listeners.pop(self._address, None)
        self.sockets = ()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def is_serving(self) -> bool:
        return bool(self.sockets)

    async def start_serving(self) -> None:
        pass

    async def serve_forever(self) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.close()

    async def wait_closed(self) -> None:
        pass


class Network:
    """One network for one run. The arguments are those of `Link`: the conditions everywhere.

    `connections` are the ends of all TCP connections, client's before server's, in the order in
    which they were made; those that are over are left out.
    """

    def __init__(
        self,
        *,
        latency_secs: float = 0.001,
        jitter_secs: float = 0.0,
        bytes_per_sec: float | None = None,
        loss: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
    ) -> None:
        self._default = Link(
            latency_secs=latency_secs,
            jitter_secs=jitter_secs,
            bytes_per_sec=bytes_per_sec,
            loss=loss,
            duplicate=duplicate,
            reorder=reorder,
        )
        self.listeners: dict[Address, SimulatedServer] = {}
        self._links: dict[int, Link] = {}
        self._refused: set[int] = set()
        self._connections: list[tuple[int, TCPTransport]] = []
        self._datagrams: dict[Address, UDPTransport] = {}
        self._ports = itertools.count(40_000)
        self._hosts: dict[str, str] = {}
        self._dialled: dict[int, Address] = {}
        self._loop: NetworkLoop | None = None

    def bind(self, loop: NetworkLoop) -> None:
        """Belongs to this loop from now on. Raises `SimulationError` the second time."""
        if self._loop is not None:
            raise SimulationError("a Network serves one run: make a new one for each")
        self._loop = loop

    # ---- faults -------------------------------------------------------------------------------

    def link(self, port: int) -> Link:
        """The conditions of everything that a server's port sends and gets."""
        if port not in self._links:
            self._links[port] = self._default.copy()
        return self._links[port]

    @property
    def default(self) -> Link:
        """The conditions that ports begin with."""
        return self._default

    @property
    def ports(self) -> list[int]:
        """The ports that have been used, or whose conditions have been asked for."""
        return list(self._links)

    def connections(self, port: int) -> list[TCPTransport]:
        """Both ends of the connections with a server's port that are still there."""
        self._connections = [entry for entry in self._connections if not entry[1].lost]
        return [transport for number, transport in self._connections if number == port]

    def reset(self, port: int) -> None:
        """Breaks every connection with a server's port."""
        for transport in self.connections(port):
            transport.reset()

    def hang_up(self) -> None:
        """Closes everything, both sides of it, without a word: the run is over."""
        for _, transport in self._connections:
            transport.abort()
        for datagrams in self._datagrams.values():
            datagrams.close()

    def refuse(self, port: int, refused: bool = True) -> None:
        """Refuses new connections to a port, or accepts them again."""
        (self._refused.add if refused else self._refused.discard)(port)

    # ---- what the loop asks -------------------------------------------------------------------

    def listen(
        self, factory: Factory, host: str | None, port: int | None, tls: TLS | None = None
    ) -> SimulatedServer:
        """Opens a port (0 or None: a free one); `OSError` if it is taken."""
        name = "*" if host is None or host in _ANY else self._address(host)
        address = (name, port or next(self._ports))
        if address in self.listeners:
            raise OSError(errno.EADDRINUSE, f"address already in use: {host}:{port}")
        server = self.listeners[address] = SimulatedServer(self, address, factory, tls)
        return server

    async def dial(self, sock: socket.socket, address: Any) -> None:
        """`loop.sock_connect`: the connection itself is made by `connect` with this socket."""
        target = (str(address[0]), int(address[1]))
        await self._open(target)
        self._dialled[sock.fileno()] = target

    async def connect(
        self,
        factory: Factory,
        host: str | None,
        port: int | None,
        sock: socket.socket | None,
        tls: TLS | None = None,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connects; `ConnectionRefusedError` if nobody listens, `ssl.SSLError` as TLS has it."""
        if sock is not None:
            target = self._dialled.pop(sock.fileno())
            sock.close()
            server = self._server(target)
        else:
            target = (self._address(host or "localhost"), int(port or 0))
            server = await self._open(target)
        loop, link = self._running(), self.link(target[1])
        local = (_CLIENT_HOST, next(self._ports))
        ready: asyncio.Future[None] | None = None
        line: asyncio.BaseProtocol
        line = client_side = factory()
        transport: asyncio.Transport | None = None
        accepting = server.factory()
        if server.tls is not None:
            accepting, _ = server.tls.wrapped(loop, accepting, None)
            if tls is not None:
                ready = asyncio.get_running_loop().create_future()
                line, transport = tls.wrapped(loop, client_side, ready)
        client = TCPTransport(loop, line, link, local, target)
        accepted = TCPTransport(loop, accepting, link, target, local)
        client.outgoing.peer, accepted.outgoing.peer = accepted, client
        self._connections += [(target[1], client), (target[1], accepted)]
        accepting.connection_made(accepted)
        line.connection_made(client)
        if ready is not None:
            try:
                await ready
            except BaseException:
                client.close()
                raise
        return transport or client, client_side

    def open_datagrams(
        self, factory: Callable[[], asyncio.DatagramProtocol], local: Any, remote: Any
    ) -> tuple[UDPTransport, asyncio.DatagramProtocol]:
        """Opens a UDP port."""
        host = self._address(local[0]) if local and local[0] not in _ANY else _CLIENT_HOST
        address = (host, (local[1] if local else 0) or next(self._ports))
        target = (self._address(remote[0]), int(remote[1])) if remote else None
        protocol = factory()
        transport = UDPTransport(
            self._running(), protocol, address, target, self._receiver, self._datagram_link
        )
        self._datagrams[address] = transport
        protocol.connection_made(transport)
        return transport, protocol

    def resolve(self, host: str | bytes | None, port: Any, kind: int) -> list[Any]:
        """What `getaddrinfo` answers: one made-up IPv4 address per name."""
        name = host.decode() if isinstance(host, bytes) else host or "localhost"
        kind = kind or socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 0, "", (self._address(name), int(port or 0)))]

    # ---- inside -------------------------------------------------------------------------------

    def _running(self) -> NetworkLoop:
        if self._loop is None:
            raise SimulationError("this Network belongs to no run: pass it as run(network=...)")
        return self._loop

    async def _open(self, target: Address) -> SimulatedServer:
        await self.link(target[1]).open_up(self._running().stream("network"))
        return self._server(target)

    def _server(self, target: Address) -> SimulatedServer:
        server = self.listeners.get(target) or self.listeners.get(("*", target[1]))
        if server is None or target[1] in self._refused:
            raise ConnectionRefusedError(
                errno.ECONNREFUSED, f"connection refused: {target[0]}:{target[1]}"
            )
        return server

    def _address(self, host: str) -> str:
        if host in _LOOPBACK:
            return "127.0.0.1"
        if host.replace(".", "").isdigit():
            return host
        number = len(self._hosts) + 1
        return self._hosts.setdefault(host, f"10.1.{number // 256}.{number % 256}")

    def _receiver(self, address: Address) -> UDPTransport | None:
        host = self._address(address[0])
        exact = self._datagrams.get((host, address[1]))
        return exact or self._datagrams.get((_CLIENT_HOST, address[1]))

    def _datagram_link(self, to: Address) -> Link:
        return self.link(to[1])
