"""Whole sessions on Pipecat, run by the environment that the benchmark installs it into."""

from __future__ import annotations

import asyncio
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import hearing
import workload as w

warnings.simplefilter("ignore")

from output_pipecat import PIECE, RATE, Output
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import InputAudioRawFrame, TTSAudioRawFrame, TTSStartedFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.audio.vad_processor import VADProcessor


class Call:
    """A running conversation that hears and speaks."""

    def __init__(self) -> None:
        self.output = Output()
        vad = VADProcessor(vad_analyzer=SileroVADAnalyzer(sample_rate=RATE))
        self.task = PipelineTask(
            Pipeline([vad, self.output]),
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
            enable_rtvi=False,
            enable_turn_tracking=False,
            idle_timeout_secs=None,
        )
        self.running = asyncio.create_task(PipelineRunner(handle_sigint=False).run(self.task))

    async def hear(self, pcm: bytes) -> None:
        await self.task.queue_frame(InputAudioRawFrame(pcm, RATE, 1))

    async def say(self, secs: float) -> None:
        await self.task.queue_frame(TTSStartedFrame())
        for _ in range(round(secs * 10)):
            await self.task.queue_frame(TTSAudioRawFrame(PIECE, RATE, 1))


async def hold(sessions: int, silero: int) -> dict[str, float]:
    """Sessions whose callers talk while they speak. Pipecat has no energy model of its own."""
    if not silero:
        raise ValueError("Silero only")
    SileroVADAnalyzer(sample_rate=RATE)
    before = w.resident_mb()
    calls = [Call() for _ in range(sessions)]
    await asyncio.sleep(1.0)
    cpu, begins = time.process_time(), time.perf_counter()
    ends = begins + w.SPEECH_SECS
    for call in calls:
        await call.say(w.SPEECH_SECS)
    speaking = [
        hearing.speak_into(call.hear, begins + at * hearing.CHUNK_SECS / sessions, ends)
        for at, call in enumerate(calls)
    ]
    lag, *_ = await asyncio.gather(hearing.worst_lag_ms(ends), *speaking)
    figures = w.pace_figures([call.output.times for call in calls], time.process_time() - cpu)
    for call in calls:
        await call.task.cancel()
    await asyncio.gather(*(call.running for call in calls), return_exceptions=True)
    return {**figures, "lag_ms": lag, "mb": (w.resident_mb() - before) / sessions}


if __name__ == "__main__":
    w.main({"hold": hold})
