"""What is physically there to win: a queue and a task per stage with bare asyncio, nothing else."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import workload as w


@asynccontextmanager
async def chain(stages: int) -> AsyncIterator[list[asyncio.Queue[object]]]:
    """Queues in a row, each emptied into the next by a task of its own."""
    queues: list[asyncio.Queue[object]] = [asyncio.Queue() for _ in range(stages + 1)]

    async def stage(index: int) -> None:
        source, target = queues[index], queues[index + 1]
        while True:
            target.put_nowait(await source.get())

    tasks = [asyncio.create_task(stage(index)) for index in range(stages)]
    try:
        yield queues
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def throughput(processors: int, _handling: int) -> dict[str, float]:
    """Items per second through a row of stages."""
    count = w.FRAMES[processors]
    async with chain(processors) as queues:
        start = time.perf_counter()
        for number in range(count):
            queues[0].put_nowait(number)
        for _ in range(count):
            await queues[-1].get()
        seconds = time.perf_counter() - start
    return {"frames_per_s": count / seconds, "us_per_hop": seconds / count / processors * 1e6}


async def latency() -> dict[str, float]:
    """One item at a time through ten stages."""
    times = []
    async with chain(10) as queues:
        for number in range(w.LATENCY_SAMPLES):
            start = time.perf_counter()
            queues[0].put_nowait(number)
            await queues[-1].get()
            times.append((time.perf_counter() - start) * 1e6)
            await asyncio.sleep(0.001)
    return {"p50_us": w.percentile(times, 0.5), "p99_us": w.percentile(times, 0.99)}


if __name__ == "__main__":
    w.main({"throughput": throughput, "latency": latency})
