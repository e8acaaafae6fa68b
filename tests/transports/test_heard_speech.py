"""Real speech, really interrupted: what is said to be heard and what a transcriber hears agree."""

from __future__ import annotations

import asyncio
import random
import re

import numpy as np
import pytest

from antiphon.audio.pcm import to_float
from antiphon.audio.resample import resample
from antiphon.errors import MissingModelError
from antiphon.frames.base import ControlFrame, Frame, UninterruptibleFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.text import LLMTextFrame, TTSTextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.services.tts import TTSService
from antiphon.simulation.virtual_time import run
from antiphon.transports.output import OutputTransport
from antiphon.transports.sinks import CallbackSink

ANSWER = (
    "The library opens at nine in the morning and closes late in the evening. "
    "On Sunday it is open for children, who can listen to stories."
)
RATE = 24_000
INSTANTS = 6


class Go(UninterruptibleFrame, ControlFrame):
    secs: float


class Reader(FrameProcessor):
    """Gives the answer, and interrupts it."""

    @handles(Go)
    async def go(self, frame: Go, direction: FrameDirection) -> None:
        await self.push_frame(LLMFullResponseStartFrame())
        for token in re.findall(r"\S+\s*", ANSWER):
            await self.push_frame(LLMTextFrame(token))
        await self.push_frame(LLMFullResponseEndFrame())
        await asyncio.sleep(frame.secs)
        await self.broadcast_interruption()


class Words(FrameProcessor):
    """The words that come out behind the output."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    @handles(TTSTextFrame)
    async def note(self, frame: Frame, direction: FrameDirection) -> None:
        assert isinstance(frame, TTSTextFrame)
        self.told += plain(frame.text)


def plain(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


async def interrupted_after(secs: float, voice: LocalTTSProvider) -> tuple[list[str], bytes]:
    """The words said to be heard, and the sound that was."""
    sound: list[bytes] = []
    words = Words()
    output = OutputTransport(CallbackSink(sound.append))
    task = PipelineTask(
        Pipeline([Reader(), TTSService(voice), output, words]),
        params=PipelineParams(audio_out_sample_rate=RATE),
    )
    await task.queue_frame(Go(secs))
    await task.stop_when_done()
    await task.run()
    return words.told, b"".join(sound)


@pytest.mark.models
def test_context_and_transcript_agree_within_a_word() -> None:
    """At random instants of a spoken answer, by a transcriber that knows nothing of it."""
    rng = random.Random(7)

    async def main() -> list[int]:
        voice, transcriber = LocalTTSProvider(variation=0.0), LocalSTTProvider()
        try:
            await voice.connect()
            await transcriber.connect()
        except MissingModelError as error:
            pytest.skip(str(error))
        differences = []
        for _ in range(INSTANTS):
            told, sound = await interrupted_after(1.0 + 6.0 * rng.random(), voice)
            audio = to_float(resample(sound, RATE, 16_000) + bytes(16_000))
            heard = plain(transcriber.read(audio.astype(np.float32)))
            assert told == plain(ANSWER)[: len(told)]
            differences.append(len(heard) - len(told))
        return differences

    differences = run(main(), executor_secs=0.1)
    # A word cut in two may be transcribed as one more, or as another one: hence the second.
    assert max(map(abs, differences)) <= 2, differences
    assert sum(map(abs, differences)) <= INSTANTS, differences
