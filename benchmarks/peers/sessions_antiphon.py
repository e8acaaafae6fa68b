"""Whole sessions on Antiphon: each hears its caller, with voice activity, and speaks."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import hearing
import workload as w
from output_antiphon import PIECE, RATE, Ear

from antiphon.audio.energy_vad import EnergyVADModel
from antiphon.audio.vad import VADParams
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.speech import TTSStartedFrame
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.providers.local.vad import SileroVADAnalyzer
from antiphon.transports.output import OutputTransport
from antiphon.turns.vad_driver import VADAnalyzer, VADProcessor


class EnergyAnalyzer(EnergyVADModel):
    """The energy model with its parameters."""

    params = VADParams()


class Call:
    """A running conversation that hears and speaks."""

    def __init__(self, analyzer: VADAnalyzer) -> None:
        self.ear = Ear()
        self.task = PipelineTask(
            Pipeline([VADProcessor(analyzer), OutputTransport(self.ear)]),
            params=PipelineParams(audio_out_sample_rate=RATE),
            idle_timeout_secs=None,
        )
        self.running = asyncio.create_task(self.task.run())

    async def hear(self, pcm: bytes) -> None:
        await self.task.queue_frame(InputAudioRawFrame(audio=pcm, sample_rate=RATE, num_channels=1))

    async def say(self, secs: float) -> None:
        await self.task.queue_frame(TTSStartedFrame(context_id="u"))
        for _ in range(round(secs * 10)):
            await self.task.queue_frame(PIECE)


async def hold(sessions: int, silero: int) -> dict[str, float]:
    """Sessions whose callers talk while they speak, begun at different moments of 20 ms."""
    kind = SileroVADAnalyzer if silero else EnergyAnalyzer
    kind()  # the model is no session's
    before = w.resident_mb()
    calls = [Call(kind()) for _ in range(sessions)]
    await asyncio.sleep(0.5)
    cpu, begins = time.process_time(), time.perf_counter()
    ends = begins + w.SPEECH_SECS
    for call in calls:
        await call.say(w.SPEECH_SECS)
    speaking = [
        hearing.speak_into(call.hear, begins + at * hearing.CHUNK_SECS / sessions, ends)
        for at, call in enumerate(calls)
    ]
    lag, *_ = await asyncio.gather(hearing.worst_lag_ms(ends), *speaking)
    figures = w.pace_figures([call.ear.times for call in calls], time.process_time() - cpu)
    for call in calls:
        await call.task.cancel()
        await call.running
    return {**figures, "lag_ms": lag, "mb": (w.resident_mb() - before) / sessions}


if __name__ == "__main__":
    w.main({"hold": hold})
