"""The same workloads on Pipecat, run by the environment that the benchmark installs it into."""

from __future__ import annotations

import asyncio
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import workload as w

warnings.simplefilter("ignore")
BEFORE_IMPORT = time.perf_counter()

from loguru import logger

logger.remove()

from pipecat.frames.frames import (
    DataFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    StartFrame,
    TextFrame,
    UninterruptibleFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.frame_processor import FrameProcessor

IMPORT_SECS = time.perf_counter() - BEFORE_IMPORT


class Vow(DataFrame, UninterruptibleFrame):
    """Must not be lost."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.__post_init__()
        self.number = number


class Pass(FrameProcessor):
    """Passes everything on, as every processor must."""

    async def process_frame(self, frame: Any, direction: Any) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)


class Sink(FrameProcessor):
    """Counts what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.started = asyncio.Event()
        self.arrived = asyncio.Event()
        self.target = 0

    async def process_frame(self, frame: Any, direction: Any) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, StartFrame):
            self.started.set()
        if isinstance(frame, TextFrame):
            self.count += 1
            if self.count == self.target:
                self.arrived.set()
        await self.push_frame(frame, direction)


class Running:
    """A conversation that has started."""

    def __init__(self, *processors: FrameProcessor) -> None:
        self.sink = Sink()
        self.task = PipelineTask(
            Pipeline([*processors, self.sink]),
            enable_rtvi=False,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
        )

    async def __aenter__(self) -> Any:
        runner = PipelineRunner(handle_sigint=False)
        self.running = asyncio.create_task(runner.run(self.task))
        await self.sink.started.wait()
        return self.task

    async def __aexit__(self, *exc: object) -> None:
        await self.task.cancel()
        await self.running


async def throughput(processors: int, handling: int) -> dict[str, float]:
    """Frames per second through a row of processors; handling or not makes no difference here."""
    running = Running(*(Pass() for _ in range(processors)))
    sink = running.sink
    count = sink.target = w.FRAMES[processors]
    async with running as task:
        start = time.perf_counter()
        for _ in range(count):
            await task.queue_frame(TextFrame("x"))
        await sink.arrived.wait()
        seconds = time.perf_counter() - start
    return {"frames_per_s": count / seconds, "us_per_hop": seconds / count / processors * 1e6}


async def latency() -> dict[str, float]:
    """One frame at a time through ten processors."""
    running = Running(*(Pass() for _ in range(10)))
    sink = running.sink
    times = []
    async with running as task:
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

    async def process_frame(self, frame: Any, direction: Any) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TextFrame):
            try:
                await asyncio.sleep(60)
            finally:
                await asyncio.sleep(w.STOPPING_SECS)
        if isinstance(frame, InterruptionFrame):
            self.told = time.perf_counter()
        await self.push_frame(frame, direction)


async def interruption() -> dict[str, float]:
    """Time from the interruption until the last of ten slow processors knows."""
    first = Pass()
    row = [SlowToStop() for _ in range(w.SLOW_HANDLERS)]
    async with Running(first, *row):
        for processor in row:
            await processor.queue_frame(TextFrame("x"))
        await asyncio.sleep(0.05)
        start = time.perf_counter()
        await first.broadcast_interruption()
        await w.until(lambda: all(processor.told for processor in row))
        return {"ms": (max(processor.told for processor in row) - start) * 1e3}


class Player(FrameProcessor):
    """Counts audio that it is given after the interruption."""

    def __init__(self, pace: float) -> None:
        super().__init__()
        self.pace = pace
        self.interrupted = False
        self.stale = 0

    async def process_frame(self, frame: Any, direction: Any) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputAudioRawFrame):
            self.stale += self.interrupted
            await asyncio.sleep(self.pace)
        await self.push_frame(frame, direction)


async def stale_audio(same_turn: int) -> dict[str, float]:
    """Audio frames handled after the interruption, of 500 queued."""
    first, player = Pass(), Player(0.0 if same_turn else 0.002)
    async with Running(first, player):
        for _ in range(w.QUEUED_AUDIO):
            await first.push_frame(OutputAudioRawFrame(b"\0" * 640, 16_000, 1))
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

    async def process_frame(self, frame: Any, direction: Any) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TextFrame | Vow):
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
        await asyncio.sleep(2.0)
    return {"lost": offered - len(kept), "offered": offered}


async def sessions() -> dict[str, float]:
    """Set-up and tear-down of conversations of ten processors, one after the other."""
    ends = []
    start = time.perf_counter()
    for _ in range(w.SESSIONS):
        async with Running(*(Pass() for _ in range(9))):
            pass
    seconds = time.perf_counter() - start
    for _ in range(5):
        running = Running(*(Pass() for _ in range(9)))
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
