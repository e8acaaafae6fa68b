"""Calls that would stop a real loop are told, those of threads are not, and nothing hangs."""

from __future__ import annotations

import asyncio
import os
import queue
import socket
import subprocess
import threading
import time
from collections.abc import Callable

import pytest

from antiphon.simulation.loop.virtual_time import EndlessStepError, UncleanRunError, run, simulate


@pytest.mark.parametrize("seed", [None, 1])
def test_a_sleep_passes_virtual_time_and_is_reported(seed: int | None) -> None:
    """`time.sleep` does not sleep: it costs its time at once, and its place is told."""

    async def main() -> float:
        time.sleep(5)  # noqa: ASYNC251
        return asyncio.get_running_loop().time()

    started = time.perf_counter()
    outcome = simulate(main(), seed=seed, cpu=None)
    assert outcome.value == 5.0
    assert time.perf_counter() - started < 2
    assert outcome.blocking_calls[0].startswith("time.sleep(5) at test_blocking.py:")
    assert len(outcome.blocking_calls) == 1


def test_a_run_that_blocks_is_not_clean() -> None:
    """`run` complains of a blocking call, unless it is not strict."""

    async def main() -> int:
        time.sleep(1)  # noqa: ASYNC251
        return 3

    with pytest.raises(
        UncleanRunError, match=r"stopped a real loop:\s+time.sleep\(1\) at"
    ) as found:
        run(main())
    assert len(found.value.blocking) == 1
    assert run(main(), strict=False) == 3


def _wait_for_queue() -> None:
    waiting: queue.Queue[int] = queue.Queue()
    with pytest.raises(queue.Empty):
        waiting.get(timeout=0.01)


def _wait_for_thread() -> None:
    thread = threading.Thread(target=str)
    thread.start()
    thread.join()


def _connect() -> None:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


def _run_process() -> None:
    subprocess.run(["true"], check=True)


def _run_shell() -> None:
    os.system("true")  # noqa: S605


BLOCKING = {
    "waiting for a thread": _wait_for_queue,
    "Thread.join": _wait_for_thread,
    "socket.connect": _connect,
    "subprocess.Popen": _run_process,
    "os.system": _run_shell,
}


@pytest.mark.parametrize("call", BLOCKING)
def test_what_waits_for_the_world_is_reported(call: str) -> None:
    """Processes, sockets and locks of threads are told once, with the line that waits."""

    async def main() -> None:
        BLOCKING[call]()

    told = simulate(main()).blocking_calls
    assert len(told) == 1
    assert told[0].startswith(f"{call} at test_blocking.py:")


def _without_blocking() -> None:
    with socket.socket() as client:
        client.setblocking(False)
        with pytest.raises(BlockingIOError):
            client.connect(("127.0.0.1", 9))


def _start_a_thread() -> None:
    threading.Thread(target=str).start()


@pytest.mark.parametrize("call", [_without_blocking, _start_a_thread])
def test_what_does_not_block_is_not_reported(call: Callable[[], None]) -> None:
    """A socket without a timeout and the start of a thread stop nobody."""

    async def main() -> None:
        call()

    assert simulate(main()).blocking_calls == ()


def test_what_is_given_to_threads_may_block() -> None:
    """Work for an executor is not reported; its sleep passes while the others go on."""
    ticks = 0

    async def main() -> tuple[float, int]:
        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.1)
                ticks += 1

        ticking = asyncio.get_running_loop().create_task(tick())
        await asyncio.to_thread(time.sleep, 2.05)
        ticking.cancel()
        return asyncio.get_running_loop().time(), ticks

    assert run(main(), executor_secs=0.0) == (2.05, 20)


def test_a_wait_that_nothing_ends_is_ended() -> None:
    """A step that waits for a thread for ever is an endless step, which names the line."""

    async def main() -> None:
        queue.Queue[int]().get()

    outcome = simulate(main(), step_limit_secs=0.02)
    assert isinstance(outcome.error, EndlessStepError)
    assert "main" in str(outcome.error)


def test_the_calls_are_themselves_again_afterwards() -> None:
    """A run gives back what it replaced, also where a class inherits it."""
    before = (time.sleep, threading.Condition.wait, subprocess.Popen.__init__, os.system)
    assert "connect" not in vars(socket.socket)

    async def main() -> None:
        assert "connect" in vars(socket.socket)

    run(main())
    assert before == (
        time.sleep,
        threading.Condition.wait,
        subprocess.Popen.__init__,
        os.system,
    )
    assert "connect" not in vars(socket.socket)
