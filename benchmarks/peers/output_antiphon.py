"""The output's workloads on Antiphon."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import workload as w

from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.transports.output import OutputTransport

RATE = 16_000
PIECE = TTSAudioRawFrame(b"\1\0" * (RATE // 10), RATE, 1, "u")


class Ear:
    """Notes when chunks are written."""

    def __init__(self) -> None:
        self.times: list[float] = []

    async def write(self, pcm: bytes) -> None:
        self.times.append(time.perf_counter())


class Call:
    """A running conversation of nothing but an output."""

    def __init__(self) -> None:
        self.ear = Ear()
        self.task = PipelineTask(
            Pipeline([OutputTransport(self.ear)]),
            params=PipelineParams(audio_out_sample_rate=RATE),
            idle_timeout_secs=None,
        )
        self.running = asyncio.create_task(self.task.run())

    async def say(self, secs: float) -> None:
        await self.task.queue_frame(TTSStartedFrame(context_id="u"))
        for _ in range(round(secs * 10)):
            await self.task.queue_frame(PIECE)
        await self.task.queue_frame(TTSStoppedFrame(context_id="u"))

    async def hang_up(self) -> None:
        await self.task.cancel()
        await self.running


async def pace(sessions: int) -> dict[str, float]:
    """Sessions that speak at once, begun a few milliseconds apart."""
    calls = [Call() for _ in range(sessions)]
    await asyncio.sleep(0.5)
    rng, cpu = random.Random(1), time.process_time()
    for call in calls:
        await call.say(w.SPEECH_SECS)
        await asyncio.sleep(rng.random() * 0.02)
    await asyncio.sleep(w.SPEECH_SECS + 0.5)
    cpu = time.process_time() - cpu
    figures = w.pace_figures([call.ear.times for call in calls], cpu)
    for call in calls:
        await call.hang_up()
    return figures


async def silence() -> dict[str, float]:
    """One session, interrupted in mid-speech again and again."""
    call, rng = Call(), random.Random(2)
    lasts, stale = [], 0
    for _ in range(w.INTERRUPTIONS):
        await call.say(5.0)
        await asyncio.sleep(0.2 + rng.random() * 0.1)
        interrupted = time.perf_counter()
        await call.task.queue_frame(InterruptionFrame())
        await asyncio.sleep(0.15)
        late = [at for at in call.ear.times if at > interrupted]
        lasts.append((late[-1] - interrupted) * 1e3 if late else 0.0)
        stale += len(late)
    await call.hang_up()
    return {"p50_ms": w.percentile(lasts, 0.5), "max_ms": max(lasts), "stale": stale}


if __name__ == "__main__":
    w.main({"pace": pace, "silence": silence})
