"""The kernel's workloads on Antiphon."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import workload as w

BEFORE_IMPORT = time.perf_counter()

from antiphon.frames.audio import OutputAudioRawFrame
from antiphon.frames.base import DataFrame, UninterruptibleFrame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.text import TextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask

IMPORT_SECS = time.perf_counter() - BEFORE_IMPORT


class Vow(UninterruptibleFrame, DataFrame):
    """Must not be lost."""

    number: int


class Pass(FrameProcessor):
    """Handles text and passes it on."""

    @handles(TextFrame)
    async def text(self, frame: TextFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)


class Sink(FrameProcessor):
    """Counts what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.arrived = asyncio.Event()
        self.target = 0

    @handles(TextFrame)
    async def text(self, frame: TextFrame, direction: FrameDirection) -> None:
        self.count += 1
        if self.count == self.target:
            self.arrived.set()


class Running:
    """A conversation that has started."""

    def __init__(self, *processors: FrameProcessor) -> None:
        self.task = PipelineTask(Pipeline(list(processors)), idle_timeout_secs=None)
        self.started = asyncio.Event()
        self.task.add_event_handler("on_pipeline_started", lambda task, frame: self.started.set())

    async def __aenter__(self) -> PipelineTask:
        self.running = asyncio.create_task(self.task.run())
        await self.started.wait()
        return self.task

    async def __aexit__(self, *exc: object) -> None:
        await self.task.cancel()
        await self.running


async def throughput(processors: int, handling: int) -> dict[str, float]:
    """Frames per second through a row of processors."""
    sink = Sink()
    count = sink.target = w.FRAMES[processors]
    row = [Pass() if handling else FrameProcessor() for _ in range(processors)]
    async with Running(*row, sink) as task:
        start = time.perf_counter()
        for _ in range(count):
            await task.queue_frame(TextFrame("x"))
        await sink.arrived.wait()
        seconds = time.perf_counter() - start
    return {"frames_per_s": count / seconds, "us_per_hop": seconds / count / processors * 1e6}


async def latency() -> dict[str, float]:
    """One frame at a time through ten processors that handle it."""
    sink = Sink()
    times = []
    async with Running(*(Pass() for _ in range(10)), sink) as task:
        for number in range(w.LATENCY_SAMPLES):
            sink.arrived.clear()
            sink.target = number + 1
            start = time.perf_counter()
            await task.queue_frame(TextFrame("x"))
            await sink.arrived.wait()
            times.append((time.perf_counter() - start) * 1e6)
            await asyncio.sleep(0.001)
    return {"p50_us": w.percentile(times, 0.5), "p99_us": w.percentile(times, 0.99)}


class SlowToStop(FrameProcessor):
    """Works on and on, and needs a while to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.told = 0.0

    @handles(TextFrame)
    async def work(self, frame: TextFrame, direction: FrameDirection) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(w.STOPPING_SECS)

    @handles(InterruptionFrame)
    async def interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        self.told = time.perf_counter()


async def interruption() -> dict[str, float]:
    """Time from the interruption until the last of ten slow processors knows."""
    row = [SlowToStop() for _ in range(w.SLOW_HANDLERS)]
    async with Running(*row):
        for processor in row:
            await processor.queue_frame(TextFrame("x"))
        await asyncio.sleep(0.05)
        start = time.perf_counter()
        await row[0].broadcast_interruption()
        await w.until(lambda: all(processor.told for processor in row))
        return {"ms": (max(processor.told for processor in row) - start) * 1e3}


class Player(FrameProcessor):
    """Counts audio that it is given after the interruption."""

    def __init__(self, pace: float) -> None:
        super().__init__()
        self.pace = pace
        self.interrupted = False
        self.stale = 0

    @handles(OutputAudioRawFrame)
    async def play(self, frame: OutputAudioRawFrame, direction: FrameDirection) -> None:
        self.stale += self.interrupted
        await asyncio.sleep(self.pace)


async def stale_audio(same_turn: int) -> dict[str, float]:
    """Audio frames handled after the interruption, of 500 queued."""
    first, player = Pass(), Player(0.0 if same_turn else 0.002)
    async with Running(first, player):
        for _ in range(w.QUEUED_AUDIO):
            await first.push_frame(OutputAudioRawFrame(b"\0" * 640, 16_000))
        if not same_turn:
            await asyncio.sleep(0.05)
        await first.broadcast_interruption()
        player.interrupted = True
        await asyncio.sleep(0.3)
    return {"stale": player.stale}


class Keeper(FrameProcessor):
    """Is slow, and counts vows."""

    def __init__(self, kept: set[int] | None) -> None:
        super().__init__()
        self.kept = kept

    @handles(TextFrame, Vow)
    async def work(self, frame: TextFrame | Vow, direction: FrameDirection) -> None:
        if self.kept is not None and isinstance(frame, Vow):
            self.kept.add(frame.number)
        await asyncio.sleep(0)
        await self.push_frame(frame, direction)


async def losses() -> dict[str, float]:
    """Uninterruptible frames that never arrive, while interruptions fall between them."""
    kept: set[int] = set()
    offered = w.LOSS_TRIALS * w.LOSS_PER_TRIAL
    row = [Keeper(None), Keeper(None), Keeper(kept)]
    async with Running(*row) as task:
        for trial in range(w.LOSS_TRIALS):
            for number in range(w.LOSS_PER_TRIAL):
                await task.queue_frame(Vow(trial * w.LOSS_PER_TRIAL + number))
                await task.queue_frame(TextFrame("x"))
            for _ in range(trial % 5):
                await asyncio.sleep(0)
            await row[trial % 3].broadcast_interruption()
        await asyncio.sleep(0.5)
    return {"lost": offered - len(kept), "offered": offered}


async def sessions() -> dict[str, float]:
    """Set-up and tear-down of conversations of ten processors, one after the other."""
    ends = []
    start = time.perf_counter()
    for _ in range(w.SESSIONS):
        async with Running(*(Pass() for _ in range(9)), Sink()):
            pass
    seconds = time.perf_counter() - start
    for _ in range(5):
        running = Running(*(Pass() for _ in range(9)), Sink())
        async with running as task:
            begin = time.perf_counter()
            await task.stop_when_done()
            await running.running
            ends.append((time.perf_counter() - begin) * 1e3)
    return {"per_s": w.SESSIONS / seconds, "graceful_end_ms": w.percentile(ends, 0.5)}


async def importing() -> dict[str, float]:
    """What importing the core costs."""
    return {"secs": IMPORT_SECS, "resident_mb": w.resident_mb()}


if __name__ == "__main__":
    w.main(
        {
            "throughput": throughput,
            "latency": latency,
            "interruption": interruption,
            "stale_audio": stale_audio,
            "losses": losses,
            "sessions": sessions,
            "importing": importing,
        }
    )
