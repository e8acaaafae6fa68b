"""A sealed run gets its entropy and its clocks from the seed, and gives the world back."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import sys
import time
import uuid
from pathlib import Path

import pytest

from antiphon.simulation.loop.virtual_time import WALL_ANCHOR, run, simulate


async def draw() -> list[object]:
    return [uuid.uuid4(), os.urandom(8), secrets.token_hex(4), random.random(), time.time()]


def test_entropy_and_clocks_follow_the_seed() -> None:
    """Ids, tokens, random numbers and the wall clock are equal for one seed, unequal for others."""
    assert run(draw(), seed=1) == run(draw(), seed=1)
    assert not set(run(draw(), seed=1)[:4]) & set(run(draw(), seed=2)[:4])

    async def wall() -> float:
        await asyncio.sleep(60)
        return time.time()

    assert run(wall(), seed=1, cpu=None) == WALL_ANCHOR.timestamp() + 60


def test_the_world_is_itself_again_afterwards() -> None:
    """After a run, also one that fails, the system's functions and the global state are back."""
    before = (time.time, time.sleep, os.urandom, random.getstate())

    async def fail() -> None:
        random.seed(1)
        raise ValueError("the run fails")

    with pytest.raises(ValueError, match="the run fails"):
        run(fail(), seed=1)
    assert (time.time, time.sleep, os.urandom, random.getstate()) == before


def test_a_module_first_imported_in_a_run_keeps_a_true_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A vendor's SDK that takes `time` by its name while a run is sealed has the system's clock
    afterwards, and that of the next run in the next one; its sleeps are told of that run.
    """
    (tmp_path / "late_sdk.py").write_text(
        "from time import monotonic, sleep, time\n"
        "def now(): return time(), monotonic()\n"
        "def nap(): sleep(2.0)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    async def load() -> None:
        await asyncio.get_running_loop().run_in_executor(None, __import__, "late_sdk")

    run(load(), seed=1, executor_secs=0.001)
    late = sys.modules["late_sdk"]
    assert abs(late.now()[0] - time.time()) < 60
    assert abs(late.now()[1] - time.monotonic()) < 60

    async def later() -> list[float]:
        await asyncio.sleep(5.0)
        late.nap()
        wall, monotonic = late.now()
        return [wall - WALL_ANCHOR.timestamp(), monotonic]

    outcome = simulate(later(), seed=2, cpu=None)
    assert outcome.value == pytest.approx([7.0, 7.0])
    assert len(outcome.blocking_calls) == 1
