"""Faults of the network and of the machine."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.errors import ConfigurationError
from antiphon.frames.lifecycle import EndFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.faults import FaultPlan, Injection
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.network.network import Network


async def injected(plan: dict[str, Any], network: Network | None = None) -> Injection:
    """A plan in a conversation that only waits."""
    task = PipelineTask(Pipeline([FrameProcessor()]), idle_timeout_secs=None)
    return FaultPlan.of(plan).inject(task, network=network)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says the same again."""
    try:
        while data := await reader.read(100):
            writer.write(data)
    except ConnectionResetError:
        pass
    writer.close()


async def calls(count: int, port: int = 7) -> list[float | str]:
    """How long each of some calls took, one a second; or what went wrong."""
    loop = asyncio.get_running_loop()
    took: list[float | str] = []
    for number in range(count):
        await asyncio.sleep(max(0.0, number - loop.time()))
        began = loop.time()
        try:
            async with asyncio.timeout(5.0):
                reader, writer = await asyncio.open_connection("host", port)
                writer.write(b"x")
                await reader.read(1)
                writer.close()
            took.append(round(loop.time() - began, 3))
        except (OSError, TimeoutError) as error:
            took.append(type(error).__name__)
    return took


def talk(plan: dict[str, Any], count: int = 3) -> list[float | str]:
    """Calls of an echo server over a network with faults."""
    network = Network(latency_secs=0.0)

    async def main() -> list[float | str]:
        server = await asyncio.start_server(echo, port=7)
        injection = await injected(plan, network)
        took = await calls(count)
        injection.remove()
        await asyncio.sleep(5.0)
        server.close()
        return took

    return run(main(), network=network)


def test_conditions_of_the_lines() -> None:
    """Conditions hold for every port or for one, from a time on, and until another."""
    assert talk({"network": {"latency_secs": 0.1}}) == [0.4, 0.4, 0.4]
    assert talk({"network.7": {"latency_secs": 0.1, "at": 0.5}}) == [0.0, 0.4, 0.4]
    assert talk({"network.8": {"latency_secs": 0.1}}) == [0.0, 0.0, 0.0]
    assert talk({"network.7": {"latency_secs": 0.1, "at": 0.5, "until": 1.8}}) == [0.0, 0.4, 0.0]


def test_lines_stall_are_refused_and_vanish() -> None:
    """Each way to lose a line for a while, at its time."""
    assert talk({"network.7": {"stall": 0.7, "at": 0.9}}) == [0.0, 0.6, 0.0]
    assert talk({"network": {"refuse": 0.5, "at": 0.9}}) == [0.0, "ConnectionRefusedError", 0.0]
    assert talk({"network.7": {"half_open": 4.0, "at": 0.9}}, 2) == [0.0, "TimeoutError"]


def test_connections_are_reset() -> None:
    """A reset breaks what is open at its time."""
    network = Network()

    async def main() -> str:
        server = await asyncio.start_server(echo, port=7)
        await injected({"network": {"reset": True, "at": 3.0}}, network)
        reader, writer = await asyncio.open_connection("host", 7)
        try:
            await reader.read(1)
        except ConnectionResetError:
            return f"reset at {asyncio.get_running_loop().time():.1f}"
        finally:
            writer.close()
            server.close()
        return "closed"

    assert run(main(), network=network) == "reset at 3.0"


def test_the_machine_stands_still() -> None:
    """Everybody is late after a stall, as often as it says; and it is an event."""

    async def main() -> tuple[list[float], int]:
        injection = await injected({"loop": {"stall": 0.5, "every": 2.0, "times": 2}})
        loop = asyncio.get_running_loop()
        late = []
        for due in range(1, 8):
            await asyncio.sleep(due - loop.time())
            late.append(round(loop.time() - due, 3))
        return late, len(injection.events)

    assert run(main()) == ([0.0, 0.5, 0.0, 0.5, 0.0, 0.0, 0.0], 2)


def test_the_machine_goes_on_when_the_call_is_over() -> None:
    """No timer of a fault strikes after the conversation."""

    async def main() -> int:
        task = PipelineTask(Pipeline([FrameProcessor()]), idle_timeout_secs=None)
        injection = FaultPlan.of({"loop": {"stall": 0.1, "every": 1.0}}).inject(task)
        await task.queue_frame(EndFrame())
        await task.run()
        await asyncio.sleep(60.0)
        return len(injection.events)

    assert run(main()) == 0


def test_what_is_not_there_cannot_fail() -> None:
    """Without a network, or on a real loop, the error says what to do."""
    with pytest.raises(ConfigurationError, match=r"no simulated network: pass inject\(task, net"):
        run(injected({"network": {"loss": 0.1}}))
    with pytest.raises(ConfigurationError, match="only a loop in virtual time"):
        asyncio.run(injected({"loop": {"stall": 1}}))
