#!/usr/bin/env python3
"""What the kernel costs: frames through chains of processors, interruptions, sessions, imports.

    benchmarks/kernel.py [--scale 0.1] [--json FILE]

`floor` is the same work with bare asyncio (`floor.py`), in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from antiphon import (
    FrameDirection,
    FrameProcessor,
    InterruptionFrame,
    Pipeline,
    PipelineTask,
    TextFrame,
    TranscriptionFrame,
    handles,
)
from benchmarks.floor import Chain

BATCH = 500
SLOW_STOP_SECS = 0.1


class Relay(FrameProcessor):
    """Handles text and pushes it on."""

    @handles(TextFrame)
    async def relay(self, frame: TextFrame, direction: FrameDirection) -> None:
        """Pushes it on."""
        await self.push_frame(frame, direction)


class Bystander(FrameProcessor):
    """Handles something else."""

    @handles(TranscriptionFrame)
    async def listen(self, frame: TranscriptionFrame, direction: FrameDirection) -> None:
        """Never called here."""


class SlowToStop(FrameProcessor):
    """Works for long on a piece of text, and takes its time to stop."""

    @handles(TextFrame)
    async def work(self, frame: TextFrame, direction: FrameDirection) -> None:
        """Passes the text on, works, and stops slowly."""
        await self.push_frame(frame, direction)
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(SLOW_STOP_SECS)


class Sink(FrameProcessor):
    """The last processor: counts what arrives, and says when it has learnt of an interruption."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.wanted = 0
        self.reached = asyncio.Event()
        self.interruption = asyncio.Event()

    @handles(TextFrame)
    async def take(self, frame: TextFrame, direction: FrameDirection) -> None:
        """Counts."""
        self.count += 1
        if self.count == self.wanted:
            self.reached.set()

    @handles(InterruptionFrame)
    async def interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        """Says so."""
        self.interruption.set()

    async def after(self, count: int) -> None:
        """Returns when `count` more frames have arrived."""
        self.wanted = self.count + count
        self.reached.clear()
        await self.reached.wait()


@asynccontextmanager
async def conversation(*processors: FrameProcessor) -> AsyncIterator[tuple[PipelineTask, Sink]]:
    """A running conversation of these processors and a sink."""
    sink = Sink()
    task = PipelineTask(Pipeline([*processors, sink]), idle_timeout_secs=None)
    running = asyncio.create_task(task.run())
    try:
        task.queue_frame(TextFrame("begin"))
        await sink.after(1)
        yield task, sink
    finally:
        await task.cancel()
        await running


async def throughput(processor: type[FrameProcessor], stages: int, frames: int) -> float:
    """Frames per second of CPU through `stages` processors, in batches."""
    async with conversation(*(processor() for _ in range(stages))) as (task, sink):
        started = time.process_time()
        for _ in range(max(1, frames // BATCH)):
            for _ in range(BATCH):
                task.queue_frame(TextFrame("x"))
            await sink.after(BATCH)
        return max(1, frames // BATCH) * BATCH / (time.process_time() - started)


async def floor_throughput(stages: int, frames: int) -> float:
    """The same with bare queues."""
    async with Chain(stages).running() as chain:
        started = time.process_time()
        for _ in range(max(1, frames // BATCH)):
            await chain.push(BATCH)
        return max(1, frames // BATCH) * BATCH / (time.process_time() - started)


async def idle_latency(stages: int, frames: int) -> list[float]:
    """Seconds that single frames take through idle processors, sorted."""
    async with conversation(*(Relay() for _ in range(stages))) as (task, sink):
        took = []
        for _ in range(frames):
            await asyncio.sleep(0)
            started = time.perf_counter()
            task.queue_frame(TextFrame("x"))
            await sink.after(1)
            took.append(time.perf_counter() - started)
        return sorted(took)


async def interruption(stages: int, rounds: int) -> list[float]:
    """Seconds from an interruption until the last processor, past slow ones, knows; sorted."""
    took = []
    for _ in range(rounds):
        async with conversation(*(SlowToStop() for _ in range(stages))) as (task, sink):
            started = time.perf_counter()
            task.queue_frame(InterruptionFrame())
            await sink.interruption.wait()
            took.append(time.perf_counter() - started)
            await asyncio.sleep(SLOW_STOP_SECS * 1.5)
    return sorted(took)


async def sessions(count: int) -> float:
    """Conversations of ten processors begun and ended, per second."""
    started = time.perf_counter()
    for _ in range(count):
        async with conversation(*(Relay() for _ in range(10))):
            pass
    return count / (time.perf_counter() - started)


def import_secs(code: str) -> float:
    """Median CPU seconds that a fresh interpreter takes for `code`, beyond starting at all."""
    program = "import time; t = time.process_time(); {}; print(time.process_time() - t)"
    return statistics.median(
        float(
            subprocess.run(
                [sys.executable, "-c", program.format(code)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for _ in range(5)
    )


def measure(scale: float) -> dict[str, float]:
    """Everything, as name: figure. `scale` multiplies the amount of work."""
    figures: dict[str, float] = {}
    for stages, frames in ((1, 40_000), (10, 10_000), (50, 3_000)):
        amount = int(frames * scale)
        floor = asyncio.run(floor_throughput(stages, amount))
        gc.collect()
        handled = asyncio.run(throughput(Relay, stages, amount))
        passed = asyncio.run(throughput(Bystander, stages, amount))
        figures[f"{stages} processors: floor, frames/s"] = floor
        figures[f"{stages} processors: handled, frames/s"] = handled
        figures[f"{stages} processors: handled, x floor"] = handled / floor
        figures[f"{stages} processors: handled, us/hop"] = 1e6 / handled / (stages + 1)
        figures[f"{stages} processors: passed by, frames/s"] = passed
        figures[f"{stages} processors: passed by, x floor"] = passed / floor
    took = asyncio.run(idle_latency(10, max(20, int(2_000 * scale))))
    figures["10 idle processors: one frame, p50 us"] = took[len(took) // 2] * 1e6
    figures["10 idle processors: one frame, p99 us"] = took[int(len(took) * 0.99)] * 1e6
    took = asyncio.run(interruption(10, max(1, int(10 * scale))))
    figures["interruption past 10 slow processors, ms"] = took[len(took) // 2] * 1e3
    figures["conversations begun and ended, per s"] = asyncio.run(
        sessions(max(5, int(500 * scale)))
    )
    figures["import antiphon, cpu ms"] = import_secs("import antiphon") * 1e3
    figures["import of a pipeline, cpu ms"] = (
        import_secs("from antiphon import Pipeline, PipelineTask") * 1e3
    )
    return figures


def main(arguments: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="how much work, 1 is all")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args(arguments)
    figures = measure(options.scale)
    for name, figure in figures.items():
        print(f"{name:<48} {figure:>14,.2f}")
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
