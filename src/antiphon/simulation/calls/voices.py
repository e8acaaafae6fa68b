"""The sound of a scripted caller: a coded voice that costs nothing, or a synthesised one.

What is synthesised is made while virtual time stands still, in a thread and an event loop of its
own, and kept for the process: the run does not notice whether it had to be made.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import Protocol

from antiphon.audio.clip import evened
from antiphon.audio.pcm import SAMPLE_BYTES
from antiphon.audio.resample import resample
from antiphon.services.contracts import SpeechAudio, TTSProvider
from antiphon.simulation.fakes.voice import SECS_PER_WORD, speak, tone
from antiphon.simulation.loop.isolation import beside

CALLER_PITCH = 1.15
"""Another pitch makes another speaker of the embedded voice than the agent."""


class SyntheticVoice(Protocol):
    """Makes 16-bit mono PCM of what the caller wants to say, at the rate of the caller's line."""

    def speak(self, text: str, sample_rate: int) -> bytes:
        """The sound of a text, from its first to its last audible moment."""
        ...

    def mumble(self, secs: float, sample_rate: int) -> bytes:
        """A sound without words."""
        ...


class CodedVoice:
    """The buzz of `fakes.voice`, from which fakes read the words."""

    def __init__(self, secs_per_word: float = SECS_PER_WORD) -> None:
        self.secs_per_word = secs_per_word

    def speak(self, text: str, sample_rate: int) -> bytes:
        return speak(text, sample_rate=sample_rate, secs_per_word=self.secs_per_word)

    def mumble(self, secs: float, sample_rate: int) -> bytes:
        return tone(secs, sample_rate=sample_rate)


class SynthesisedVoice:
    """The voice of a provider, by default the embedded one at another pitch.

    It mumbles "hmm", which a transcriber may well write down.
    """

    def __init__(self, provider: TTSProvider | None = None) -> None:
        if provider is None:
            from antiphon.providers.local.tts import LocalTTSProvider

            provider = LocalTTSProvider(pitch=CALLER_PITCH, variation=0.0)
        self.provider = provider

    def speak(self, text: str, sample_rate: int) -> bytes:
        key = (self.provider.name, text, sample_rate)
        with _LOCK:
            if key not in _SAID:
                sound = beside(self._synthesise(text))
                rate = self.provider.capabilities.sample_rate
                _SAID[key] = evened(resample(sound, rate, sample_rate))
            return _SAID[key]

    def mumble(self, secs: float, sample_rate: int) -> bytes:
        size = round(secs * sample_rate) * SAMPLE_BYTES
        hum = self.speak("Hmm, mmm.", sample_rate)
        return (hum * (size // max(1, len(hum)) + 1))[:size]

    async def _synthesise(self, text: str) -> bytes:
        async def pieces() -> AsyncIterator[str]:
            yield text

        await self.provider.connect()
        sound = bytearray()
        async for event in self.provider.synthesize(pieces()):
            if isinstance(event, SpeechAudio):
                sound += event.pcm
        return bytes(sound)


_SAID: dict[tuple[str, str, int], bytes] = {}
_LOCK = threading.Lock()
