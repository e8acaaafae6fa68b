"""An event loop without a world: what asyncio offers beyond tasks and timers is refused by name.

With a simulated network, connections, servers and datagrams exist in memory.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, NoReturn, TypeVarTuple

from antiphon.simulation.errors import DeterminismError
from antiphon.simulation.network import Network

Ts = TypeVarTuple("Ts")

_USE_NETWORK = (
    "real sockets cannot be awaited by a virtual clock; use the simulated network, "
    "run(..., network=antiphon.simulation.network.Network()), or run this code under asyncio.run()"
)
_USE_FAKE = "put a fake in its place, or run this code under asyncio.run()"


def _refuse(call: str, instead: str = _USE_NETWORK) -> Any:
    def refuse(_loop: asyncio.AbstractEventLoop, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise DeterminismError(f"loop.{call}()", instead)

    refuse.__name__ = refuse.__qualname__ = call
    return refuse


class ClosedWorldLoop(asyncio.BaseEventLoop):
    """Refuses sockets, pipes and processes with a `DeterminismError` that names the call.

    `network` gives some of it back. Signals come from the program itself (`deliver_signal`).
    """

    _default_executor: Executor | None

    add_reader = _refuse("add_reader")
    remove_reader = _refuse("remove_reader")
    add_writer = _refuse("add_writer")
    remove_writer = _refuse("remove_writer")
    sock_recv = _refuse("sock_recv")
    sock_recv_into = _refuse("sock_recv_into")
    sock_recvfrom = _refuse("sock_recvfrom")
    sock_recvfrom_into = _refuse("sock_recvfrom_into")
    sock_sendall = _refuse("sock_sendall")
    sock_sendto = _refuse("sock_sendto")
    sock_sendfile = _refuse("sock_sendfile")
    sock_accept = _refuse("sock_accept")
    sendfile = _refuse("sendfile")
    start_tls = _refuse("start_tls")
    connect_accepted_socket = _refuse("connect_accepted_socket")
    create_unix_connection = _refuse("create_unix_connection")
    create_unix_server = _refuse("create_unix_server")
    connect_read_pipe = _refuse("connect_read_pipe", _USE_FAKE)
    connect_write_pipe = _refuse("connect_write_pipe", _USE_FAKE)
    subprocess_shell = _refuse("subprocess_shell", _USE_FAKE)
    subprocess_exec = _refuse("subprocess_exec", _USE_FAKE)

    def __init__(self, network: Network | None = None) -> None:
        super().__init__()
        self._network = network
        self._signals: dict[int, tuple[Callable[..., object], tuple[Any, ...]]] = {}

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
        **_options: Any,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        net = self._net("create_connection")
        return await net.connect(protocol_factory, host, port, sock)

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        **_options: Any,
    ) -> asyncio.AbstractServer:
        return self._net("create_server").listen(protocol_factory, host, port)

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.DatagramProtocol],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        **_options: Any,
    ) -> tuple[asyncio.DatagramTransport, asyncio.DatagramProtocol]:
        net = self._net("create_datagram_endpoint")
        return net.open_datagrams(protocol_factory, local_addr, remote_addr)

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        await self._net("sock_connect").dial(sock, address)

    async def getaddrinfo(
        self, host: str | bytes | None, port: Any, *, type: int = 0, **_options: Any
    ) -> list[Any]:
        return self._net("getaddrinfo").resolve(host, port, type)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        self._net("getnameinfo")
        return str(sockaddr[0]), str(sockaddr[1])

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

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass
