"""Lanes: results on the loop, bounded queues, and nothing left of those who stop waiting."""

from __future__ import annotations

import asyncio
import builtins
import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from antiphon.errors import MissingExtraError, ServerError
from antiphon.providers.local.inference import InferenceQueue, Shared, onnx_session
from antiphon.providers.local.model_store import ModelStore
from antiphon.simulation.loop.virtual_time import VirtualTimeLoop


def test_a_job_runs_beside_the_loop() -> None:
    """A result arrives from another thread, and an exception arrives as itself."""

    async def main() -> None:
        lane = InferenceQueue("test")
        assert await lane.run(threading.current_thread) is not threading.current_thread()
        with pytest.raises(ZeroDivisionError):
            await lane.run(lambda: 1 // 0)
        assert lane.pending == 0

    asyncio.run(main())


def test_a_loop_that_is_closed_leaves_no_jobs_behind() -> None:
    """Jobs that wait when their loop is closed, and never hear of it, do not fill the lane."""
    lane = InferenceQueue("test")
    loop = VirtualTimeLoop(executor_secs=1.0)
    jobs: list[asyncio.Future[None]] = []

    async def main() -> None:
        jobs.extend(lane.submit(lambda: None) for _ in range(5))

    loop.run_until_complete(main())
    assert lane.pending == 5
    loop.close()
    jobs.clear()
    gc.collect()
    assert lane.pending == 0


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What long jobs wait for; opened at the end, since a process waits for its threads."""
    event = threading.Event()
    yield event
    event.set()


def test_a_job_that_nobody_waits_for_is_not_begun(gate: threading.Event) -> None:
    """Cancelling the waiter takes its job out of the lane; the one that runs ends unheard."""

    async def main() -> None:
        lane = InferenceQueue("test", threads=1)
        begun, ran = threading.Event(), list[str]()

        def long() -> str:
            begun.set()
            gate.wait()
            ran.append("long")
            return "long"

        running = asyncio.create_task(lane.run(long))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(lane.run(lambda: ran.append("waiting")))
        await asyncio.sleep(0)
        begun.wait()
        assert (lane.pending, lane.has_free_thread) == (2, False)
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        assert lane.pending == 1
        gate.set()
        assert await lane.run(lambda: "next") == "next"
        assert ran == ["long"]
        assert lane.pending == 0

    asyncio.run(main())


def test_a_full_lane_refuses(gate: threading.Event) -> None:
    """A lane holds a bounded number of jobs; one more is a retryable error that names it."""

    async def main() -> None:
        lane = InferenceQueue("test", threads=1, limit=2)
        jobs = [asyncio.create_task(lane.run(gate.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(ServerError, match="test") as caught:
            await lane.run(gate.wait)
        assert caught.value.retryable
        gate.set()
        await asyncio.gather(*jobs)

    asyncio.run(main())


def test_a_model_is_loaded_once(tmp_path: Path) -> None:
    """Threads that ask at once for one store's model get the same object, loaded once."""
    loads: list[ModelStore] = []
    barrier = threading.Barrier(4)

    def load(store: ModelStore) -> object:
        loads.append(store)
        return object()

    shared = Shared(load)
    found: list[object] = []

    def ask() -> None:
        barrier.wait()
        found.append(shared.get(ModelStore(tmp_path)))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert len(set(map(id, found))) == 1
    assert shared.get(ModelStore(tmp_path / "other")) is not found[0]


def test_without_onnxruntime_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without onnxruntime the error names the feature and the command that installs it."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> ModuleType:
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"Hearing.*pip install 'antiphon\[local\]'"):
        onnx_session(tmp_path / "model.onnx", "Hearing")
