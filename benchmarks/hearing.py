"""What the sides of `sessions.py` share: what callers say, and how the loop's lag is watched."""

from __future__ import annotations

import asyncio
import math
import random
import struct
import time
from collections.abc import Awaitable, Callable

RATE = 16_000
CHUNK_SECS = 0.02
CHUNK_BYTES = int(RATE * CHUNK_SECS) * 2
LAG_STEP_SECS = 0.005


def caller_sound(secs: float = 4.0) -> bytes:
    """Two seconds of a humming voice, two of faint noise: both sides hear the same."""
    rng, samples = random.Random(3), []
    for at in range(round(secs * RATE)):
        if at < secs * RATE / 2:
            hum = sum(math.sin(2 * math.pi * 140 * k * at / RATE) / k for k in range(1, 6))
            samples.append(int(3_500 * hum * (0.6 + 0.4 * math.sin(2 * math.pi * 4 * at / RATE))))
        else:
            samples.append(rng.randrange(-30, 30))
    return struct.pack(f"<{len(samples)}h", *samples)


SOUND = caller_sound()


async def speak_into(hear: Callable[[bytes], Awaitable[None]], begins: float, ends: float) -> None:
    """Hands over 20 ms of the caller every 20 ms, from `begins` until `ends` (perf_counter)."""
    number = 0
    while (due := begins + number * CHUNK_SECS) < ends:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        at = number * CHUNK_BYTES % (len(SOUND) - CHUNK_BYTES)
        await hear(SOUND[at : at + CHUNK_BYTES])
        number += 1


async def worst_lag_ms(ends: float) -> float:
    """How much later than asked for the loop woke up, at worst."""
    worst = 0.0
    while (asked := time.perf_counter()) < ends:
        await asyncio.sleep(LAG_STEP_SECS)
        worst = max(worst, time.perf_counter() - asked - LAG_STEP_SECS)
    return worst * 1e3
