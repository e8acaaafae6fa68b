"""What both sides of a comparison share: how figures are taken and handed over.

A side is a script with a function for each workload; `main` runs the one that is asked for and
prints its figures as one line of JSON. Imports only the standard library, so that it runs in any
environment.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

SCALE = float(os.environ.get("BENCHMARK_SCALE", "1"))
"""Below one: less work, for a look whether everything still runs."""


def scaled(number: int) -> int:
    """A number of repetitions, at the scale asked for."""
    return max(1, round(number * SCALE))


FRAMES = {1: scaled(4_000), 10: scaled(2_000), 50: scaled(500)}
"""Frames of one throughput run, by the number of processors."""
LATENCY_SAMPLES = scaled(500)
SLOW_HANDLERS = 10
STOPPING_SECS = 0.1
QUEUED_AUDIO = 500
LOSS_TRIALS = scaled(200)
LOSS_PER_TRIAL = 10
SESSIONS = scaled(100)
SPEECH_SECS = max(0.2, 10.0 * SCALE)
"""Of one session, in benchmarks of the output."""
INTERRUPTIONS = scaled(40)

Workload = Callable[..., Awaitable[dict[str, float]]]


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def resident_mb() -> float:
    """Peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def pace_figures(sessions: list[list[float]], cpu_secs: float) -> dict[str, float]:
    """How far the time between two chunks was from 20 ms, in ms; CPU of one session in percent."""
    off = [
        abs(later - earlier - 0.02) * 1e3
        for times in sessions
        for earlier, later in itertools.pairwise(times)
    ]
    spoken = sum(len(times) for times in sessions) * 0.02
    return {
        "p50_ms": percentile(off, 0.5),
        "p99_ms": percentile(off, 0.99),
        "max_ms": max(off),
        "cpu_percent": 100.0 * cpu_secs / spoken,
    }


async def until(condition: Callable[[], bool], timeout: float = 30.0) -> None:
    """Waits for a condition without disturbing what is measured much."""
    deadline = time.perf_counter() + timeout
    while not condition():
        if time.perf_counter() > deadline:
            raise TimeoutError("the workload did not finish")
        await asyncio.sleep(0.001)


def main(workloads: dict[str, Workload]) -> None:
    """Runs `sys.argv[1]` with the integer arguments that follow, and prints its figures."""
    name, *arguments = sys.argv[1:]
    figures: dict[str, Any] = asyncio.run(
        workloads[name](*(int(argument) for argument in arguments))  # type: ignore[arg-type]
    )
    print(json.dumps(figures))
