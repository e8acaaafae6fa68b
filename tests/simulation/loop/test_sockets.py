"""Real sockets on the virtual-time loop: refused by default, and real when they are allowed."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from antiphon.simulation.errors import SimulationError
from antiphon.simulation.loop.virtual_time import (
    DeadlockError,
    DeterminismError,
    VirtualDeadlineError,
    run,
)
from antiphon.simulation.network.network import Network

HERE = "127.0.0.1"


def now() -> float:
    return asyncio.get_running_loop().time()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


@contextmanager
def silent_server(answer: bytes = b"", after: float = 0.0) -> Iterator[int]:
    """A real server in a real thread: answers what it is sent after so many real seconds."""
    listener = socket.create_server((HERE, 0))
    listener.settimeout(10.0)

    def serve() -> None:
        with suppress(TimeoutError), listener.accept()[0] as connection:
            connection.settimeout(10.0)
            while connection.recv(1000):
                time.sleep(after)
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        thread.join()
        listener.close()


def test_they_are_refused_unless_asked_for() -> None:
    """The error names the call, and says what allows it."""

    async def reader() -> None:
        asyncio.get_running_loop().add_reader(0, print)

    async def unix() -> None:
        await asyncio.open_unix_connection("/nowhere")

    for main, call in (
        (lambda: asyncio.open_connection(HERE, 9), "create_connection"),
        (lambda: asyncio.start_server(echo, HERE, 0), "create_server"),
        (reader, "add_reader"),
        (unix, "create_unix_connection"),
    ):
        with pytest.raises(DeterminismError, match=rf"loop\.{call}\(\).*allow_sockets=True"):
            run(main())


def test_a_server_and_a_client_talk_over_the_real_loopback() -> None:
    """Listening, connecting by name, sending and closing are real, under a seed as without."""

    async def main() -> bytes:
        server = await asyncio.start_server(echo, HERE, 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port, family=socket.AF_INET)
        writer.write(b"x" * 500_000)
        writer.write_eof()
        data = await reader.read()
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return data

    for seed in (None, 1, 2):
        assert run(main(), seed=seed, allow_sockets=True) == b"x" * 500_000


def test_time_is_real_while_a_socket_is_open_and_jumps_when_none_is() -> None:
    """A timeout on a silent connection fires after its real time; afterwards an hour is nothing."""

    async def main(port: int) -> None:
        reader, writer = await asyncio.open_connection(HERE, port)
        began, real = now(), time.perf_counter()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        assert now() - began == pytest.approx(0.2)
        assert time.perf_counter() - real >= 0.19
        writer.close()
        await writer.wait_closed()
        real = time.perf_counter()
        await asyncio.sleep(3600)
        assert time.perf_counter() - real < 1.0

    with silent_server() as port:
        run(main(port), allow_sockets=True, timeout_secs=4000)


def test_an_answer_that_comes_in_time_is_in_time() -> None:
    """A timeout longer than the other side takes does not fire, whatever goes on meanwhile."""

    async def main(port: int) -> float:
        reader, writer = await asyncio.open_connection(HERE, port)

        async def tick() -> None:
            for _ in range(20):
                await asyncio.sleep(0.02)

        ticking = asyncio.create_task(tick())
        began = now()
        writer.write(b"hello")
        assert await asyncio.wait_for(reader.read(10), 5.0) == b"yes"
        took = now() - began
        writer.close()
        await writer.wait_closed()
        await ticking
        return took

    with silent_server(b"yes", after=0.15) as port:
        assert 0.1 < run(main(port), allow_sockets=True) < 2.0


def test_datagrams_names_readers_and_calls_on_sockets() -> None:
    """UDP, `getaddrinfo`, `add_reader` and the loop's `sock_` calls work."""

    class Collector(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            got.set_result(data)

    got: asyncio.Future[bytes]

    async def main() -> None:
        nonlocal got
        loop = asyncio.get_running_loop()
        got = loop.create_future()
        receiver, _ = await loop.create_datagram_endpoint(Collector, local_addr=(HERE, 0))
        address = receiver.get_extra_info("sockname")
        sender, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=address
        )
        sender.sendto(b"datagram")
        assert await got == b"datagram"
        sender.close()
        receiver.close()
        found = await loop.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)
        assert found[0][4][1] == 80
        near, far = socket.socketpair()
        with near, far:
            near.setblocking(False)
            far.setblocking(False)
            await loop.sock_sendall(near, b"pair")
            assert await loop.sock_recv(far, 10) == b"pair"
            readable = loop.create_future()
            loop.add_reader(far, readable.set_result, None)
            near.send(b"x")
            await readable
            assert loop.remove_reader(far)

    run(main(), allow_sockets=True)


def test_unix_sockets(tmp_path: Path) -> None:
    """So do sockets of the file system."""

    async def main() -> bytes:
        server = await asyncio.start_unix_server(echo, tmp_path / "s")
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(b"hello")
        data = await reader.readexactly(5)
        writer.close()
        await writer.wait_closed()
        server.close()
        return data

    assert run(main(), allow_sockets=True) == b"hello"


def test_aiohttp_and_websockets_run_on_them() -> None:
    """Ordinary servers and clients serve and ask."""
    aiohttp = pytest.importorskip("aiohttp")
    websockets = pytest.importorskip("websockets")
    from aiohttp import web

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text=f"hello {await request.text()}")

    async def chat(socket: Any) -> None:
        async for message in socket:
            await socket.send(message.upper())

    async def main() -> None:
        app = web.Application()
        app.router.add_post("/", hello)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, HERE, 0)
        await site.start()
        port = runner.addresses[0][1]
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://localhost:{port}/", data="you") as response,
        ):
            assert await response.text() == "hello you"
        await runner.cleanup()
        async with websockets.serve(chat, HERE, 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with websockets.connect(f"ws://{HERE}:{port}") as client:
                await client.send("ping")
                assert await client.recv() == "PING"

    run(main(), allow_sockets=True)
    run(main(), seed=1, allow_sockets=True)


def test_threads_wake_a_loop_that_waits_for_sockets() -> None:
    """With both allowed, what a thread has done is noticed while a connection is silent."""

    async def main(port: int) -> float:
        _, writer = await asyncio.open_connection(HERE, port)
        began = now()
        await asyncio.to_thread(time.sleep, 0.05)
        took = now() - began
        writer.close()
        await writer.wait_closed()
        return took

    with silent_server() as port:
        assert 0.0 < run(main(port), allow_sockets=True, allow_threads=True) < 5.0


def test_a_run_that_waits_for_nobody_still_ends() -> None:
    """The run's own deadline holds, in real time; without sockets a deadlock is one."""

    async def main(port: int) -> None:
        reader, writer = await asyncio.open_connection(HERE, port)
        try:
            async with asyncio.timeout(100):
                await reader.read(1)
        finally:
            writer.close()

    async def forever() -> None:
        await asyncio.get_running_loop().create_future()

    with silent_server() as port, pytest.raises(VirtualDeadlineError):
        run(main(port), allow_sockets=True, timeout_secs=0.2)
    with pytest.raises(DeadlockError):
        run(forever(), allow_sockets=True)


def test_processes_stay_refused_and_a_network_is_one_or_the_other() -> None:
    """Allowing sockets allows no processes; real and simulated sockets do not mix."""

    async def process() -> None:
        await asyncio.create_subprocess_exec("true")

    with pytest.raises(DeterminismError, match="subprocess_exec"):
        run(process(), allow_sockets=True)
    with pytest.raises(SimulationError, match="allow_sockets, or a network"):
        run(process(), allow_sockets=True, network=Network())


def test_tls_is_asyncios_own() -> None:
    """A certificate that nobody signed is refused by a real client of a real server."""

    async def main(port: int) -> None:
        await asyncio.open_connection(HERE, port, ssl=True)

    with silent_server(b"no TLS here") as port, pytest.raises(ssl.SSLError):
        run(main(port), allow_sockets=True)
