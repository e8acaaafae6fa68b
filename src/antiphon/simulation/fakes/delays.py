"""How long a fake takes: a number of seconds, or a distribution drawn from the run's seed."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable

from antiphon.simulation.loop.loop import VirtualTimeLoop

Delay = float | Callable[[random.Random], float]
"""Seconds, or a function that draws them."""

_Z99 = 2.326
"""The 99th percentile of the normal distribution, in standard deviations."""


def uniform(low_secs: float, high_secs: float) -> Delay:
    """Evenly between two bounds, in seconds."""
    return lambda rng: rng.uniform(low_secs, high_secs)


def lognormal(median_secs: float, p99_secs: float) -> Delay:
    """The usual shape of a network service's latency: a median and a long tail."""
    sigma = math.log(p99_secs / median_secs) / _Z99
    return lambda rng: median_secs * math.exp(rng.gauss(0.0, sigma))


def stream(name: str) -> random.Random:
    """The running virtual-time loop's stream of that name; under another loop a fixed one."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualTimeLoop):
        return loop.stream(name)
    return random.Random(name)


def stand_still(secs: float) -> None:
    """Lets the whole machine wait for so many virtual seconds; does nothing on another loop."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualTimeLoop):
        loop.spend(secs)


def draw(delay: Delay, rng: random.Random) -> float:
    """The seconds of one occasion, never negative."""
    return max(0.0, delay(rng) if callable(delay) else delay)


async def wait(delay: Delay, rng: random.Random) -> None:
    """Waits for as long as the delay says this time; does not suspend for 0 seconds."""
    secs = draw(delay, rng)
    if secs > 0.0:
        await asyncio.sleep(secs)
