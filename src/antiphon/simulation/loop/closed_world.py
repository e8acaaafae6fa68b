"""An event loop without a world: what asyncio offers beyond tasks and timers is refused by name.

Work for threads is done inline at a modelled cost, or in real threads, where that is allowed. With
a simulated network, connections, servers and datagrams exist in memory. A loop that is *open*
(`allow_sockets`) has the real ones, and whatever else needs no process, as asyncio's own loop has.
"""

from __future__ import annotations

import asyncio
import random
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from antiphon.simulation.errors import DeterminismError, SimulationError
from antiphon.simulation.loop.executors import (
    InlineExecutor,
    OutsideWork,
    OutsideWorld,
    RealSockets,
)
from antiphon.simulation.network.network import Network
from antiphon.simulation.network.tls import tls_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_USE_NETWORK = (
    "real sockets cannot be awaited by a virtual clock; use the simulated network, "
    "run(..., network=antiphon.simulation.Network()), pass allow_sockets=True for real "
    "ones (time is real while one is open, and runs differ), or run this code under asyncio.run()"
)
_THREADS = (
    "pass executor_secs=0.001 to run such work inline at a modelled cost (reproducible), "
    "or allow_threads=True for real threads (not reproducible)"
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
    _ready: deque[asyncio.Handle]
    _selector: selectors.BaseSelector
    _process_events: Callable[[list[Any]], None]
    _thread_id: int | None

    may_take_long: bool = False
    """It waits for the outside, or does what was given to an executor: the watchdog looks away."""
    slept_secs: float = 0.0
    """How long that slept."""

    def __init__(
        self,
        network: Network | None = None,
        *,
        executor_secs: float | None = None,
        allow_threads: bool = False,
        allow_sockets: bool = False,
    ) -> None:
        self.threaded: bool = allow_threads
        self.open_world: bool = allow_sockets
        self.reproducible: bool = not (allow_threads or allow_sockets)
        """Whether nothing from outside can change what happens."""
        # Without sockets none of the system's selectors: each would open three files.
        super().__init__(None if allow_sockets else selectors.SelectSelector())
        self._network = network
        self._inline = InlineExecutor(self, executor_secs) if executor_secs is not None else None
        self._work = OutsideWork()
        sockets = RealSockets(self._selector, self._process_events) if allow_sockets else None
        self.outside: OutsideWorld = OutsideWorld(
            self._ready, self._work, sockets, threads=allow_threads
        )
        self._signals: dict[int, tuple[Callable[..., object], tuple[Any, ...]]] = {}
        if allow_sockets and network is not None:
            self.close()
            raise SimulationError("sockets are real or simulated: allow_sockets, or a network")

    def stream(self, name: str) -> random.Random:
        """The random numbers of one use."""
        raise NotImplementedError

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
        tls = tls_of(ssl, options, host or "" if server_hostname is None else server_hostname)
        return await net.connect(protocol_factory, host, port, sock, tls)

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | None = None,
        *,
        ssl: Any = None,
        **options: Any,
    ) -> asyncio.AbstractServer:
        if self.open_world:
            return await super().create_server(protocol_factory, host, port, ssl=ssl, **options)
        net = self._net("create_server")
        return net.listen(protocol_factory, host, port, tls_of(ssl, options, None))

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
            return await self._in_thread(
                None, socket.getaddrinfo, host, port, family, type, proto, flags
            )
        return self._net("getaddrinfo").resolve(host, port, type)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        if self.open_world:
            return await self._in_thread(None, socket.getnameinfo, sockaddr, flags)
        self._net("getnameinfo")
        return str(sockaddr[0]), str(sockaddr[1])

    # ---- threads -------------------------------------------------------------------------------

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if self._thread_id is None or threading.get_ident() == self._thread_id:
            return self.call_soon(callback, *args, context=context)
        if self.reproducible:
            raise DeterminismError("loop.call_soon_threadsafe() from another thread", _THREADS)
        handle = asyncio.Handle(callback, args, self, context)
        self._work.put(handle)
        self._write_to_self()  # type: ignore[attr-defined]
        return handle

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Inline with `executor_secs`, in a real thread with `allow_threads`, refused otherwise."""
        if self._inline is not None:
            return self._inline.submit(func, *args)
        if not self.threaded:
            raise DeterminismError(f"loop.run_in_executor({func!r})", _THREADS)
        return self._in_thread(executor, func, *args)

    def _in_thread(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        self._work.started()
        future: asyncio.Future[T] = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._work.ended)
        return future

    # ---- signals -------------------------------------------------------------------------------

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


_REAL = """
    add_reader remove_reader add_writer remove_writer sock_recv sock_recv_into sock_recvfrom
    sock_recvfrom_into sock_sendall sock_sendto sock_sendfile sock_accept sendfile
    connect_accepted_socket create_unix_connection create_unix_server
"""
for _name in _REAL.split():
    setattr(ClosedWorldLoop, _name, _real(_name))
for _name in ("connect_read_pipe", "connect_write_pipe", "subprocess_shell", "subprocess_exec"):
    setattr(ClosedWorldLoop, _name, _refused(_name))
