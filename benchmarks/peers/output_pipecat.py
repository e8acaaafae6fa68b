"""The output's workloads on Pipecat, run by the environment that the benchmark installs it into."""

from __future__ import annotations

import asyncio
import random
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import workload as w

warnings.simplefilter("ignore")

from loguru import logger

logger.remove()

from pipecat.frames.frames import (
    InterruptionFrame,
    OutputAudioRawFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams

RATE = 16_000
PIECE = b"\1\0" * (RATE // 10)
CHUNK_SECS = 0.02


class Output(BaseOutputTransport):
    """Notes when chunks are written, and paces itself."""

    def __init__(self) -> None:
        super().__init__(TransportParams(audio_out_enabled=True, audio_out_10ms_chunks=2))
        self.times: list[float] = []
        self.due = 0.0

    async def start(self, frame: Any) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        now = time.perf_counter()
        self.times.append(now)
        self.due = max(now, self.due + CHUNK_SECS)
        await asyncio.sleep(max(0.0, self.due + CHUNK_SECS - now))
        return True


class Call:
    """A running conversation of nothing but an output."""

    def __init__(self) -> None:
        self.output = Output()
        self.task = PipelineTask(
            Pipeline([self.output]),
            params=PipelineParams(audio_out_sample_rate=RATE),
            enable_rtvi=False,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
        )
        self.running = asyncio.create_task(PipelineRunner(handle_sigint=False).run(self.task))

    async def say(self, secs: float) -> None:
        await self.task.queue_frame(TTSStartedFrame())
        for _ in range(round(secs * 10)):
            await self.task.queue_frame(TTSAudioRawFrame(PIECE, RATE, 1))
        await self.task.queue_frame(TTSStoppedFrame())

    async def hang_up(self) -> None:
        await self.task.cancel()
        await self.running


async def pace(sessions: int) -> dict[str, float]:
    """Sessions that speak at once, begun a few milliseconds apart."""
    calls = [Call() for _ in range(sessions)]
    await asyncio.sleep(0.5 + 0.02 * sessions)
    rng, cpu = random.Random(1), time.process_time()
    for call in calls:
        await call.say(w.SPEECH_SECS)
        await asyncio.sleep(rng.random() * 0.02)
    await asyncio.sleep(w.SPEECH_SECS + 0.5)
    cpu = time.process_time() - cpu
    figures = w.pace_figures([call.output.times for call in calls], cpu)
    for call in calls:
        await call.hang_up()
    return figures


async def silence() -> dict[str, float]:
    """One session, interrupted in mid-speech again and again."""
    call, rng = Call(), random.Random(2)
    await asyncio.sleep(1.0)
    lasts, stale = [], 0
    for _ in range(w.INTERRUPTIONS):
        await call.say(5.0)
        await asyncio.sleep(0.2 + rng.random() * 0.1)
        interrupted = time.perf_counter()
        await call.task.queue_frame(InterruptionFrame())
        await asyncio.sleep(0.15)
        late = [at for at in call.output.times if at > interrupted]
        lasts.append((late[-1] - interrupted) * 1e3 if late else 0.0)
        stale += len(late)
    await call.hang_up()
    return {"p50_ms": w.percentile(lasts, 0.5), "max_ms": max(lasts), "stale": stale}


if __name__ == "__main__":
    w.main({"pace": pace, "silence": silence})
