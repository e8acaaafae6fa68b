"""What the context says was heard, against real speech cut off and heard by a real transcriber."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import AsyncIterator

import pytest

from antiphon.audio.resample import resample
from antiphon.context.spoken import Pace, SpokenWord
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.services.contracts import AudioChunk, Finalize
from antiphon.services.tts_utterance import Utterance
from antiphon.turns.words import count_words

SENTENCES = (
    "Of course, I can tell you the time, the weather in your town, or a very short joke. ",
    "Yesterday the old man walked slowly along the river and counted seven boats. ",
    "Would you like to hear more about it?",
)
INSTANTS = 20


@pytest.mark.models
def test_the_words_by_estimate_are_those_that_are_heard() -> None:
    """Interrupted anywhere, the estimate and a transcriber of the audio agree within a word, or
    two.
    """
    differences = asyncio.run(_differences())
    assert statistics.mean(abs(d) for d in differences) <= 1.2, differences
    assert sum(abs(d) <= 1 for d in differences) >= 0.8 * len(differences), differences


async def _differences() -> list[int]:
    voice, ear = LocalTTSProvider(variation=0.0), LocalSTTProvider()
    utterance = Utterance(
        "one", voice.capabilities, Pace(), append_to_context=True, opened=0.0, stall_timeout=30.0
    )
    for sentence in SENTENCES:
        utterance.say(sentence, sentence)
    utterance.complete()
    pcm = b""
    async for event in voice.synthesize(utterance.text()):
        utterance.receive(event, 0.0)
        pcm += event.pcm
    utterance.finish()
    rate = voice.capabilities.sample_rate
    total = len(pcm) / 2 / rate
    said = [w for w in [*utterance.heard_by(total), *utterance.rest()] if isinstance(w, SpokenWord)]
    assert "".join(word.text for word in said) == "".join(SENTENCES)
    assert all(word.estimated for word in said)
    rng, out = random.Random(7), list[int]()
    for _ in range(INSTANTS):
        cut = rng.uniform(1.0, total - 0.3)
        written = "".join(word.text for word in said if word.end_secs <= cut)
        audible = resample(pcm[: 2 * int(cut * rate)], rate, ear.capabilities.sample_rate)
        finals = [t async for t in ear.transcribe(_audio(audible)) if t.final]
        heard = " ".join(transcript.text for transcript in finals)
        out.append(count_words(heard) - count_words(written))
    return out


async def _audio(pcm: bytes) -> AsyncIterator[AudioChunk | Finalize]:
    yield AudioChunk(pcm)
    yield Finalize()
