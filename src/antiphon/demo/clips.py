"""The caller's turns as sound.

Most of it is the embedded voice at another pitch, the same each time. The reading is a real
recording of a person, which comes with the package that carries the transcription model; it is
known by its hash, like a model. Where it is not installed, the caller's voice reads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from antiphon.audio.clip import evened
from antiphon.audio.pcm import SAMPLE_BYTES, duration, silence
from antiphon.audio.resample import resample
from antiphon.audio.wav import read_wav
from antiphon.demo.script import Reading, ScriptedPause, Turn
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.registry import Model, ModelFile
from antiphon.services.contracts import SpeechAudio, TTSProvider

SAMPLE_RATE = 16_000
CALLER_PITCH = 1.15

READING = Model(
    name="reading-of-a-tale-of-two-cities",
    purpose="a person reading",
    licence="as its carrier",
    publisher="Useful Sensors, moonshine-voice",
    carriers=("moonshine-voice",),
    optional=True,
    files=(
        ModelFile(
            "two_cities.wav",
            "f3348494d77cb74a02862f5e685ed09faf3e75832c5cc5c80703282c2cd8b52e",
            4_260_326,
            ("moonshine_voice/assets/two_cities.wav",),
        ),
    ),
)
_READ_FROM, _READ_TO = 1.14, 4.72
"""Seconds of the recording: "It was the best of times, it was the worst of times." """


class Clip(msgspec.Struct, frozen=True):
    """One turn: mono PCM at `SAMPLE_RATE`; `recorded`: a person's voice is in it."""

    pcm: bytes
    recorded: bool = False

    @property
    def secs(self) -> float:
        """Length in seconds."""
        return duration(self.pcm, SAMPLE_RATE)


async def clips_of(
    turns: Sequence[Turn], voice: TTSProvider, store: ModelStore | None = None
) -> list[Clip]:
    """The clips of all turns, spoken by `voice` where no recording is."""
    reading = _reading(store)
    return [await _clip(turn, voice, reading) for turn in turns]


async def _clip(turn: Turn, voice: TTSProvider, reading: bytes | None) -> Clip:
    parts: list[bytes] = []
    recorded = False
    for piece in turn.pieces:
        if isinstance(piece, ScriptedPause):
            parts.append(silence(piece.secs, SAMPLE_RATE))
        elif isinstance(piece, Reading) and reading is not None:
            parts.append(reading)
            recorded = True
        else:
            parts.append(await _spoken(piece.text, voice))
    return Clip(b"".join(parts), recorded)


async def _spoken(text: str, voice: TTSProvider) -> bytes:
    async def pieces() -> AsyncIterator[str]:
        yield text

    sound = bytearray()
    async for event in voice.synthesize(pieces()):
        if isinstance(event, SpeechAudio):
            sound += event.pcm
    return evened(resample(bytes(sound), voice.capabilities.sample_rate, SAMPLE_RATE))


def _reading(store: ModelStore | None) -> bytes | None:
    found = ModelStore(store.root if store else None, models=(READING,)).find(READING.name)
    if found is None:
        return None
    pcm = read_wav(found).mono_at(SAMPLE_RATE)
    first, last = (round(secs * SAMPLE_RATE) * SAMPLE_BYTES for secs in (_READ_FROM, _READ_TO))
    return evened(pcm[first:last])
