"""The simulated network: ordinary clients and servers, ordinary faults, virtual time."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from antiphon.simulation.errors import SimulationError
from antiphon.simulation.loop.virtual_time import run, simulate
from antiphon.simulation.network.network import Network

aiohttp = pytest.importorskip("aiohttp")


def now() -> float:
    return asyncio.get_running_loop().time()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


def test_streams_talk_with_the_latency_of_the_line() -> None:
    """A round trip takes twice the latency; bytes come back in order and whole."""

    async def main() -> None:
        server = await asyncio.start_server(echo, port=7)
        reader, writer = await asyncio.open_connection("example.org", 7)
        connected = now()
        assert connected == pytest.approx(0.1)
        payload = random.Random(1).randbytes(30_000)
        writer.write(payload)
        writer.write_eof()
        assert await reader.read() == payload
        assert now() - connected == pytest.approx(0.1)
        writer.close()
        await writer.wait_closed()
        server.close()

    run(main(), network=Network(latency_secs=0.05))


def test_jitter_and_loss_never_reorder_a_connection() -> None:
    """Whatever the delays, a connection delivers every byte in order."""

    async def main() -> float:
        server = await asyncio.start_server(echo, port=7)
        reader, writer = await asyncio.open_connection("localhost", 7)
        for number in range(200):
            writer.write(b"%04d" % number)
            await asyncio.sleep(0.001)
        got = await reader.readexactly(800)
        assert got == b"".join(b"%04d" % number for number in range(200))
        writer.close()
        server.close()
        await asyncio.sleep(5)
        return now()

    for seed in range(10):
        network = Network(latency_secs=0.02, jitter_secs=0.05, loss=0.05)
        run(main(), seed=seed, network=network, timer_jitter_secs=0.01)


def test_bandwidth_limits_what_arrives() -> None:
    """A hundred thousand bytes at ten thousand a second take ten seconds."""

    async def main() -> float:
        async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            done.set_result(now())
            writer.close()

        done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        await asyncio.start_server(swallow, port=7)
        _, writer = await asyncio.open_connection("localhost", 7)
        writer.write(bytes(100_000))
        writer.close()
        return await done

    assert run(main(), network=Network(bytes_per_sec=10_000)) == pytest.approx(10.0, rel=0.01)


def test_a_slow_reader_makes_the_writer_wait() -> None:
    """`drain` blocks while the other side does not read: nothing grows without bound."""

    async def main() -> None:
        async def lazy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(30)
            await reader.read()
            writer.close()

        await asyncio.start_server(lazy, port=7)
        _, writer = await asyncio.open_connection("localhost", 7)
        for _ in range(10):
            writer.write(bytes(50_000))
            await writer.drain()
        assert now() >= 30
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(1)

    run(main(), network=Network())


def test_connecting_fails_as_it_does_for_real() -> None:
    """Nobody listening and a refused port raise; a broken line hangs until a timeout."""

    async def main() -> None:
        with pytest.raises(ConnectionRefusedError, match=":9"):
            await asyncio.open_connection("localhost", 9)
        server = await asyncio.start_server(echo, "localhost", 7)
        with pytest.raises(OSError, match="in use"):
            await asyncio.start_server(echo, "localhost", 7)
        network.refuse(7)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("localhost", 7)
        network.refuse(7, refused=False)
        network.link(7).broken = True
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection("localhost", 7), 5)
        server.close()

    network = Network()
    run(main(), network=network)


def test_a_reset_reaches_both_sides() -> None:
    """Both ends of a reset connection get a ConnectionResetError, at their time."""
    seen: list[str] = []

    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with pytest.raises(ConnectionResetError):
                await reader.read()
            seen.append("server")

        await asyncio.start_server(serve, port=7)
        reader, _ = await asyncio.open_connection("localhost", 7)
        asyncio.get_running_loop().call_later(1.0, network.reset, 7)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        await asyncio.sleep(1)
        assert network.connections(7) == []

    network = Network()
    run(main(), network=network)
    assert seen == ["server"]


def test_a_stall_delays_and_a_broken_line_swallows() -> None:
    """What was sent during a stall arrives after it; what was sent on a broken line never does."""

    async def main() -> None:
        await asyncio.start_server(echo, port=7)
        reader, writer = await asyncio.open_connection("localhost", 7)
        link = network.link(7)
        link.stall()
        writer.write(b"one")
        asyncio.get_running_loop().call_later(3.0, link.resume)
        assert await reader.readexactly(3) == b"one"
        assert now() == pytest.approx(3.0, abs=0.01)
        link.broken = True
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(3), 60)
        network.reset(7)
        await asyncio.sleep(1)

    network = Network()
    run(main(), network=network, strict=False)


def test_who_writes_to_an_end_that_is_gone_is_reset() -> None:
    """After the server has gone, a write is answered with a reset."""

    async def main() -> None:
        async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        await asyncio.start_server(leave, port=7)
        _, writer = await asyncio.open_connection("localhost", 7)

        async def write_on() -> None:
            for _ in range(100):
                writer.write(b"anybody?")
                await writer.drain()
                await asyncio.sleep(0.01)

        with pytest.raises(ConnectionResetError):
            await write_on()

    run(main(), network=Network())


class Collector(asyncio.DatagramProtocol):
    """Keeps what it receives."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.got.append(data)


def test_datagrams_are_lost_doubled_and_reordered() -> None:
    """A tenth is lost, a tenth doubled, some come late, and one seed gives one result."""

    async def main() -> list[bytes]:
        loop = asyncio.get_running_loop()
        collector = Collector()
        await loop.create_datagram_endpoint(lambda: collector, local_addr=("media.example", 5000))
        sender, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=("media.example", 5000)
        )
        for number in range(1000):
            sender.sendto(b"%d" % number)
            await asyncio.sleep(0.02)
        await asyncio.sleep(1)
        sender.close()
        return collector.got

    def received(seed: int) -> list[int]:
        network = Network(latency_secs=0.03, loss=0.1, duplicate=0.1, reorder=0.1)
        return [int(data) for data in run(main(), seed=seed, network=network)]

    got = received(1)
    assert got == received(1) != received(2)
    assert 850 < len(set(got)) < 950
    assert len(got) - len(set(got)) > 50
    assert got != sorted(got)


def test_aiohttp_runs_unmodified() -> None:
    """A server and a client of aiohttp talk HTTP and a websocket, through names and ports."""
    from aiohttp import web

    async def hello(request: web.Request) -> web.Response:
        return web.json_response({"hello": await request.text()})

    async def chat(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data.upper())
        return socket

    async def main() -> float:
        app = web.Application()
        app.router.add_post("/", hello)
        app.router.add_get("/ws", chat)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "api.example", 8080).start()
        async with aiohttp.ClientSession() as session:
            async with session.post("http://api.example:8080/", data="you") as response:
                assert await response.json() == {"hello": "you"}
            async with session.ws_connect("http://api.example:8080/ws") as socket:
                await socket.send_str("ping")
                assert await socket.receive_str() == "PING"
        await runner.cleanup()
        return now()

    outcomes = [
        simulate(main(), seed=seed, network=Network(latency_secs=0.02)) for seed in (1, 1, 2)
    ]
    for outcome in outcomes:
        assert 0.1 < outcome.result() < 2.0
    assert outcomes[0].fingerprint == outcomes[1].fingerprint


def test_websockets_runs_unmodified_and_notices_a_dead_line() -> None:
    """A client of websockets talks, and its keepalive ends a half-open connection in time."""
    websockets = pytest.importorskip("websockets")

    async def serve(socket: Any) -> None:
        try:
            async for message in socket:
                await socket.send(message[::-1])
        except websockets.ConnectionClosed:
            pass

    async def main() -> float:
        async with websockets.serve(serve, "agent.example", 9000, ping_interval=None) as server:
            async with websockets.connect("ws://agent.example:9000") as socket:
                await socket.send("abc")
                assert await socket.recv() == "cba"
            async with websockets.connect("ws://agent.example:9000", ping_interval=5) as socket:
                network.link(9000).broken = True
                started = now()
                with pytest.raises(websockets.ConnectionClosed):
                    await socket.recv()
                took = now() - started
            network.link(9000).broken = False
            network.reset(9000)
            server.close()
        return took

    for seed in (None, 1, 2):
        network = Network(latency_secs=0.03)
        assert 5 < run(main(), seed=seed, network=network) < 60


def test_a_network_serves_one_run() -> None:
    """Used a second time, or in no run at all, it says so."""

    async def nothing() -> None:
        pass

    network = Network()
    run(nothing(), network=network)
    with pytest.raises(SimulationError, match="one run"):
        run(nothing(), network=network)


def test_a_graceful_close_delivers_everything_first() -> None:
    """What was written before `close` arrives whole, then the end; nobody sees an error."""
    seen: list[tuple[int, float]] = []

    async def main() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            data = await reader.read()
            seen.append((len(data), now()))
            writer.close()
            await writer.wait_closed()

        await asyncio.start_server(serve, port=7)
        _, writer = await asyncio.open_connection("localhost", 7)
        writer.write(bytes(300_000))
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(10)
        assert network.connections(7) == []

    network = Network(latency_secs=0.05, bytes_per_sec=100_000)
    run(main(), network=network)
    ((size, at),) = seen
    assert size == 300_000
    assert at == pytest.approx(3.15, abs=0.01)


def test_a_half_open_connection_tells_nobody() -> None:
    """When the line breaks, neither side hears of the other's close."""

    async def main() -> None:
        ended: list[str] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await asyncio.wait_for(reader.read(), 600)
            except TimeoutError:
                ended.append("gave up")
            writer.transport.abort()

        await asyncio.start_server(serve, port=7)
        _, writer = await asyncio.open_connection("localhost", 7)
        network.link(7).broken = True
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(599)
        assert ended == []
        await asyncio.sleep(2)
        assert ended == ["gave up"]

    network = Network()
    run(main(), network=network)
