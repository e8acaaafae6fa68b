"""A sealed run gets its entropy and its clocks from the seed, and gives the world back."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
import uuid

import pytest

from antiphon.simulation.loop.virtual_time import WALL_ANCHOR, run


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
