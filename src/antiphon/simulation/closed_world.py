"""An event loop without a world: what asyncio offers beyond tasks and timers is refused by name.

With a simulated network, connections, servers and datagrams exist in memory. A loop that is *open*
(`allow_sockets`) has the real ones, and whatever else needs no process, as asyncio's own loop has.
"""

from __future__ import annotations

import asyncio
import selectors
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from antiphon.simulation.errors import DeterminismError, SimulationError
from antiphon.simulation.network import Network

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_USE_NETWORK = (
    "real sockets cannot be awaited by a virtual clock; use the simulated network, "
    "run(..., network=antiphon.simulation.network.Network()), pass allow_sockets=True for real "
    "ones (time is real while one is open, and runs differ), or run this code under asyncio.run()"
)
_USE_FAKE = "put a fake in its place, or run this code under asyncio.run()"


def _real(call: str) -> Any:
    """A method of asyncio's own loop, for those that are open."""

    def do_it(loop: ClosedWorldLoop, *args: Any, **kwargs: Any) -> Any:
        if not loop.open_world:
            raise DeterminismError(f"loop.{call}()", _USE_NETWORK)
        return getattr(super(ClosedWorldLoop, loop), call)(*args, **kwargs)

    do_it.__name__ = do_it.__qualname__ = call
    return do_it


def _refused(call: str) -> Any:
    def refuse(_loop: asyncio.AbstractEventLoop, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise DeterminismError(f"loop.{call}()", _USE_FAKE)

    refuse.__name__ = refuse.__qualname__ = call
    return refuse


class ClosedWorldLoop(asyncio.SelectorEventLoop):
    """Refuses sockets, pipes and processes with a `DeterminismError` that names the call.

    `network` or `allow_sockets` gives some of it back; processes and pipes stay refused. Signals
    come from the program itself (`deliver_signal`).
    """

    _default_executor: Executor | None
    _selector: selectors.BaseSelector

    add_reader = _real("add_reader")
    remove_reader = _real("remove_reader")
    add_writer = _real("add_writer")
    remove_writer = _real("remove_writer")
    sock_recv = _real("sock_recv")
    sock_recv_into = _real("sock_recv_into")
    sock_recvfrom = _real("sock_recvfrom")
    sock_recvfrom_into = _real("sock_recvfrom_into")
    sock_sendall = _real("sock_sendall")
    sock_sendto = _real("sock_sendto")
    sock_sendfile = _real("sock_sendfile")
    sock_accept = _real("sock_accept")
    sendfile = _real("sendfile")
    connect_accepted_socket = _real("connect_accepted_socket")
    create_unix_connection = _real("create_unix_connection")
    create_unix_server = _real("create_unix_server")
    connect_read_pipe = _refused("connect_read_pipe")
    connect_write_pipe = _refused("connect_write_pipe")
    subprocess_shell = _refused("subprocess_shell")
    subprocess_exec = _refused("subprocess_exec")

    def __init__(self, network: Network | None = None, *, allow_sockets: bool = False) -> None:
        self.open_world = allow_sockets
        """Whether real sockets are allowed."""
        # Without sockets none of the system's selectors: each would open three files.
        super().__init__(None if allow_sockets else selectors.SelectSelector())
        self._network = network
        self._signals: dict[int, tuple[Callable[..., object], tuple[Any, ...]]] = {}
        if allow_sockets and network is not None:
            self.close()
            raise SimulationError("sockets are real or simulated: allow_sockets, or a network")

    def hang_up(self) -> None:
        """Ends every connection of the simulated network."""
        if self._network is not None:
            self._network.hang_up()

    def _net(self, call: str) -> Network:
        if self._network is None:
            raise DeterminismError(f"loop.{call}()", _USE_NETWORK)
        return self._network

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        *,
        sock: socket.socket | None = None,
        ssl: Any = None,
        server_hostname: str | None = None,
        **options: Any,
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        if self.open_world:
            options |= {"host": host, "port": port, "sock": sock, "ssl": ssl}
            options["server_hostname"] = server_hostname
            return await super().create_connection(protocol_factory, **options)
        net = self._net("create_connection")
        return await net.connect(protocol_factory, host, port, sock)

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        **options: Any,
    ) -> asyncio.AbstractServer:
        if self.open_world:
            return await super().create_server(protocol_factory, host, port, **options)
        return self._net("create_server").listen(protocol_factory, host, port)

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.DatagramProtocol],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        **options: Any,
    ) -> tuple[asyncio.DatagramTransport, asyncio.DatagramProtocol]:
        if self.open_world:
            return await super().create_datagram_endpoint(
                protocol_factory, local_addr, remote_addr, **options
            )
        net = self._net("create_datagram_endpoint")
        return net.open_datagrams(protocol_factory, local_addr, remote_addr)

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        if self.open_world:
            await super().sock_connect(sock, address)
        else:
            await self._net("sock_connect").dial(sock, address)

    async def start_tls(self, *args: Any, **options: Any) -> asyncio.Transport | None:
        if not self.open_world:
            self._net("start_tls")
        return await super().start_tls(*args, **options)

    async def getaddrinfo(
        self,
        host: str | bytes | None,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        if self.open_world:
            return await self._ask(socket.getaddrinfo, host, port, family, type, proto, flags)
        return self._net("getaddrinfo").resolve(host, port, type)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        if self.open_world:
            return await self._ask(socket.getnameinfo, sockaddr, flags)
        self._net("getnameinfo")
        return str(sockaddr[0]), str(sockaddr[1])

    def _ask(self, question: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Asks the system in a real thread."""
        raise NotImplementedError

    def add_signal_handler(self, sig: int, callback: Callable[[*Ts], object], *args: *Ts) -> None:
        self._signals[sig] = (callback, args)

    def remove_signal_handler(self, sig: int) -> bool:
        return self._signals.pop(sig, None) is not None

    def deliver_signal(self, sig: int) -> None:
        """Does what the arrival of a signal does: calls the handler added for it, soon."""
        callback, args = self._signals[sig]
        self.call_soon(callback, *args)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Waits for real threads in real time, if there are any."""
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=True)
            self._default_executor = None

    # ---- what asyncio's own loop does inside ---------------------------------------------------

    def _make_self_pipe(self) -> None:
        self._ssock: socket.socket | None = None
        self._csock: socket.socket | None = None
        if self.open_world:
            super()._make_self_pipe()  # type: ignore[misc]

    def _close_self_pipe(self) -> None:
        if self._ssock is not None:
            super()._close_self_pipe()  # type: ignore[misc]
