"""A sealed run gets its entropy and its clocks from the seed, and gives the world back."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
import uuid

import pytest

from antiphon.simulation.virtual_time import WALL_ANCHOR, run, simulate


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


def test_a_blocking_call_passes_virtual_time_and_is_reported() -> None:
    """`time.sleep` does not sleep: it costs its time at once, and the outcome names its place."""

    async def main() -> float:
        time.sleep(5)  # noqa: ASYNC251
        return asyncio.get_running_loop().time()

    started = time.perf_counter()
    outcome = simulate(main(), seed=1, cpu=None)
    assert outcome.result() == 5.0
    assert time.perf_counter() - started < 2
    assert outcome.blocking_calls[0].startswith("time.sleep(5) at test_sealed.py:")
