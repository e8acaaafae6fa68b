"""Datagrams on the simulated network: each of the line's conditions, alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.network.network import Network


def now() -> float:
    return asyncio.get_running_loop().time()


class Collector(asyncio.DatagramProtocol):
    """Keeps what it receives and when; answers what asks for it."""

    def __init__(self) -> None:
        self.got: list[tuple[bytes, float]] = []
        self.lost: list[Exception | None] = []
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.got.append((data, now()))
        if data.endswith(b"?"):
            assert self._transport is not None
            self._transport.sendto(b"yes", addr)


async def line() -> tuple[Collector, Collector, asyncio.DatagramTransport]:
    """A server's end, a client's, and the client's transport."""
    loop = asyncio.get_running_loop()
    _, server = await loop.create_datagram_endpoint(Collector, local_addr=("media.example", 5000))
    transport, client = await loop.create_datagram_endpoint(
        Collector, remote_addr=("media.example", 5000)
    )
    return server, client, transport


async def exchange(
    count: int, before: Callable[[int], None] = lambda number: None
) -> list[tuple[int, float]]:
    """Sends `count` datagrams, one every 20 ms: which arrived, and how long each took."""
    server, _, transport = await line()
    sent: list[float] = []
    for number in range(count):
        before(number)
        sent.append(now())
        transport.sendto(b"%d" % number)
        await asyncio.sleep(0.02)
    await asyncio.sleep(2.0)
    transport.close()
    return [(int(data), at - sent[int(data)]) for data, at in server.got]


def test_latency_and_jitter() -> None:
    """Each datagram takes the latency and up to the jitter more; jitter may reorder them."""
    got = run(exchange(50), network=Network(latency_secs=0.03))
    assert [took for _, took in got] == pytest.approx([0.03] * 50)
    got = run(exchange(200), seed=1, cpu=None, network=Network(latency_secs=0.03, jitter_secs=0.1))
    assert all(0.03 <= took <= 0.1301 for _, took in got)
    assert max(took for _, took in got) > 0.1
    assert [number for number, _ in got] != sorted(number for number, _ in got)


def test_loss_and_duplicates_and_reordering_each_alone() -> None:
    """One condition does what its name says, and nothing else."""
    lost = [n for n, _ in run(exchange(300), seed=1, network=Network(loss=0.2))]
    assert lost == sorted(set(lost))
    assert 200 < len(lost) < 280
    doubled = [n for n, _ in run(exchange(300), seed=1, network=Network(duplicate=0.2))]
    assert doubled == sorted(doubled)
    assert sorted(set(doubled)) == list(range(300))
    assert 330 < len(doubled) < 390
    mixed = [n for n, _ in run(exchange(300), seed=1, network=Network(reorder=0.2))]
    assert sorted(mixed) == list(range(300)) != mixed


def test_a_stall_and_a_broken_line_lose_what_is_sent_meanwhile() -> None:
    """Nobody repeats a datagram: what is sent while nothing flows never arrives."""
    for fault in ("stall", "broken"):
        network = Network()

        def before(number: int, network: Network = network, fault: str = fault) -> None:
            link = network.link(5000)
            if fault == "broken":
                link.broken = 10 <= number < 20
            elif number == 10:
                link.stall()
            elif number == 20:
                link.resume()

        got = [number for number, _ in run(exchange(30, before), network=network)]
        assert got == [*range(10), *range(20, 30)]


def test_bandwidth() -> None:
    """A datagram of a thousand bytes takes a second at a thousand bytes a second."""

    async def main() -> float:
        server, _, transport = await line()
        transport.sendto(bytes(1000))
        await asyncio.sleep(5)
        transport.close()
        return server.got[0][1]

    network = Network(latency_secs=0.5, bytes_per_sec=1000)
    assert run(main(), network=network) == pytest.approx(1.5)


def test_a_server_answers_whoever_asked() -> None:
    """The sender's address is told, and leads back."""

    async def main() -> list[bytes]:
        _, client, transport = await line()
        transport.sendto(b"there?")
        await asyncio.sleep(1)
        transport.close()
        return [data for data, _ in client.got]

    assert run(main(), network=Network()) == [b"yes"]


def test_a_closed_end_neither_sends_nor_gets() -> None:
    """Closing is told once; what is still on its way is nobody's."""

    async def main() -> None:
        server, client, transport = await line()
        transport.sendto(b"there?")
        transport.close()
        transport.close()
        assert transport.is_closing()
        transport.sendto(b"after?")
        await asyncio.sleep(1)
        assert [data for data, _ in server.got] == [b"there?"]
        assert client.got == []
        assert client.lost == [None]

    run(main(), network=Network())
