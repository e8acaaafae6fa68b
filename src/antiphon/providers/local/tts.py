"""Speech on this machine: Piper's voice "joe", English.

The voice computes a whole clause at once, so an utterance is spoken clause by clause: the first is
kept short and can be heard after about 0.1 s, and while it is heard the next ones are computed.
Word times are not given: the voice does not tell them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from functools import partial

import msgspec

from antiphon.audio.pcm import to_bytes
from antiphon.errors import ConfigurationError
from antiphon.providers.local.english import only_english
from antiphon.providers.local.inference import SPEAKING, Lane, Shared
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.piper import SAMPLE_RATE, Audio, Piper, Voicing
from antiphon.providers.local.piper_text import clauses, speakable
from antiphon.services.contracts import SpeechAudio, TTSCapabilities
from antiphon.settings import ServiceSettings, TTSSettings

_CHUNK_BYTES = SAMPLE_RATE * 40 // 1000 * 2  # 40 ms
# A clause ends in 0.2 s of near silence; between sentences a speaker breathes a little longer.
_BREATH = b"\0\0" * (SAMPLE_RATE * 15 // 100)

_VOICE = Shared(Piper.load)


class LocalTTSProvider:
    """Speaks English with Piper's "joe". Several sessions may use one provider."""

    name = "piper-en-us-joe"

    def __init__(
        self,
        *,
        speed: float = 1.0,
        pitch: float = 1.0,
        variation: float = 1.0,
        store: ModelStore | None = None,
        lane: Lane = SPEAKING,
    ) -> None:
        """`speed`, `pitch` (0.5 to 2) and `variation` (0 to 1.5): see `piper.Voicing`.

        Another pitch makes another speaker of the same voice: 1.25 for a caller, say.
        """
        _check_range("speed", speed, 0.5, 2.0)
        _check_range("pitch", pitch, 0.5, 2.0)
        _check_range("variation", variation, 0.0, 1.5)
        self.capabilities = TTSCapabilities(sample_rate=SAMPLE_RATE, piecewise=True)
        self._voicing = self._own = Voicing(speed=speed, pitch=pitch, variation=variation)
        self._store = store or ModelStore()
        self._lane = lane

    async def connect(self) -> None:
        """Loads the voice; MissingModelError or MissingExtraError say what to run."""
        await self._lane.run(partial(self._speak, "Ready.", self._voicing))

    async def close(self) -> None:
        """Nothing to release: the voice is shared by the process."""

    def configure(self, settings: ServiceSettings) -> None:
        """Changes the speed. Raises `ConfigurationError` for another voice or language."""
        if not isinstance(settings, TTSSettings):
            raise ConfigurationError(f"{self.name} takes TTSSettings, not {settings!r}")
        only_english(self.name, settings.language)
        for what, wanted in (("voice", settings.voice), ("model", settings.model)):
            if wanted not in (None, self.name, "joe"):
                raise ConfigurationError(f"the only local {what} is {self.name}, not {wanted!r}")
        speed = self._own.speed if settings.speed is None else settings.speed
        _check_range("speed", speed, 0.5, 2.0)
        self._voicing = msgspec.structs.replace(self._own, speed=speed)

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[SpeechAudio, None]:
        """Audio in chunks of 40 ms. Pieces without anything to say (emoji, dashes) are silent."""
        breath, first, voicing = b"", True, self._voicing
        async for piece in text:
            for clause in clauses(speakable(piece), first=first):
                audio = await self._lane.run(partial(self._speak, clause, voicing))
                if not len(audio):
                    continue
                for chunk in _chunks(breath + to_bytes(audio)):
                    yield SpeechAudio(chunk)
                first = False
                breath = _BREATH if clause.endswith((".", "?", "!")) else b""

    def _speak(self, clause: str, voicing: Voicing) -> Audio:
        return _VOICE.get(self._store).speak(clause, voicing)


def _check_range(setting: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigurationError(
            f"the local voice's {setting} goes from {low} to {high}, not {value}"
        )


def _chunks(pcm: bytes) -> Iterator[bytes]:
    for start in range(0, len(pcm), _CHUNK_BYTES):
        yield pcm[start : start + _CHUNK_BYTES]
