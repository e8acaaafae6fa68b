"""Real speech, really interrupted: what the context says was heard, and what a transcriber hears.

The embedded voice speaks through the voice's service and the real output; at random instants
somebody cuts in. What was written to the sink is transcribed by the embedded transcriber, which
knows nothing of the text and makes what it can of the word that was cut: mostly all of it, while to
the context a word has been heard when its end has.
"""

from __future__ import annotations

import asyncio
import functools
import random
import re

import numpy as np
import pytest

from antiphon.audio.pcm import to_float
from antiphon.audio.resample import resample
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.errors import MissingModelError
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.text import LLMTextFrame
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.services.tts import TTSService
from antiphon.simulation.loop.virtual_time import run
from antiphon.transports.output import OutputTransport
from antiphon.transports.sinks import CallbackSink

ANSWERS = tuple(
    """
    The library opens at nine in the morning and closes late in the evening. On Sunday it is open \
    for children, who can listen to stories.
    Of course, I can tell you the time, the weather in your town, or a very short joke. Would you \
    like to hear more about it?
    Yesterday the old man walked slowly along the river and counted seven boats. Then he went \
    home and wrote a long letter to his daughter.
    """.strip().splitlines()
)
RATE = 24_000
INSTANTS = 20


def plain(text: str) -> list[str]:
    """The words, without case and punctuation."""
    return re.findall(r"[a-z]+", text.lower())


async def interrupted_after(secs: float, answer: str, voice: LocalTTSProvider) -> tuple[str, bytes]:
    """What the context says was heard, and the sound that was."""
    sound: list[bytes] = []
    context = LLMContext()
    assistant = LLMContextAggregatorPair(context).assistant()
    output = OutputTransport(CallbackSink(sound.append))
    task = PipelineTask(
        Pipeline([TTSService(voice), output, assistant]),
        params=PipelineParams(audio_out_sample_rate=RATE),
    )
    running = asyncio.get_running_loop().create_task(task.run())
    await task.queue_frame(LLMFullResponseStartFrame())
    for token in re.findall(r"\S+\s*", answer):
        await task.queue_frame(LLMTextFrame(token))
    await task.queue_frame(LLMFullResponseEndFrame())
    await asyncio.sleep(secs)
    await task.queue_frame(InterruptionFrame())
    await task.stop_when_done()
    await running
    said = [message["content"] for message in context.get_messages()]
    return " ".join(said), b"".join(sound)


def words_heard(transcript: list[str], answer: list[str]) -> int:
    """How many words of the answer a transcript has: those of the beginning that it is nearest
    to, by the number of words that differ.
    """
    row = list(range(len(answer) + 1))
    for heard in transcript:
        row, last = [row[0] + 1], row
        for index, word in enumerate(answer):
            row.append(min(last[index] + (heard != word), last[index + 1] + 1, row[-1] + 1))
    return min(range(len(row)), key=lambda count: (row[count], -count))


@pytest.mark.models
def test_context_and_transcript_agree_within_a_word() -> None:
    """At twenty random instants of spoken answers: the word at the cut, or none."""
    found = run(differences(seed=7), executor_secs=0.1)
    assert len(found) == INSTANTS
    assert max(abs(off) for off, _, _ in found) <= 1, found


async def differences(seed: int) -> list[tuple[int, str, str]]:
    """By how many words the transcript has more than the context, and both, for each instant."""
    rng = random.Random(seed)
    voice, transcriber = LocalTTSProvider(variation=0.0), LocalSTTProvider()
    try:
        await voice.connect()
        await transcriber.connect()
    except MissingModelError as error:
        pytest.skip(str(error))
    # The same clause sounds the same each time: it need not be computed twenty times.
    voice._speak = functools.cache(voice._speak)  # type: ignore[method-assign]
    found = []
    for _ in range(INSTANTS):
        answer = rng.choice(ANSWERS)
        said, sound = await interrupted_after(rng.uniform(0.8, 8.0), answer, voice)
        audio = to_float(
            resample(sound, RATE, transcriber.capabilities.sample_rate) + bytes(16_000)
        )
        transcript = transcriber.read(audio.astype(np.float32))
        assert plain(said) == plain(answer)[: len(plain(said))]
        off = words_heard(plain(transcript), plain(answer)) - len(plain(said))
        found.append((off, said[-25:], transcript[-25:]))
    return found
