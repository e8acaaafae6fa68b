"""Speech on this machine: Piper's voice "joe", English.

The voice computes a whole clause at once, so an utterance is spoken clause by clause: the first is
kept short and can be heard after about 0.1 s, and while it is heard the next ones are computed.
The times of a clause's words come before its audio.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from functools import partial

import msgspec

from antiphon.audio.pcm import to_bytes
from antiphon.errors import ConfigurationError
from antiphon.providers.local.english import only_english
from antiphon.providers.local.inference import SPEAKING, InferenceQueue, Shared
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.piper import SAMPLE_RATE, Piper, Spoken, Voicing
from antiphon.providers.local.piper_text import clauses, speakable
from antiphon.providers.local.piper_words import PieceWords, Span
from antiphon.services.contracts import SpeechAudio, TTSCapabilities, TTSEvent, WordTime
from antiphon.settings import ServiceSettings, TTSSettings

_BYTES_PER_SEC = SAMPLE_RATE * 2
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
        lane: InferenceQueue = SPEAKING,
    ) -> None:
        """`speed`, `pitch` (0.5 to 2) and `variation` (0 to 1.5): see `piper.Voicing`.

        Another pitch makes another speaker of the same voice: 1.25 for a caller, say.
        """
        _check_range("speed", speed, 0.5, 2.0)
        _check_range("pitch", pitch, 0.5, 2.0)
        _check_range("variation", variation, 0.0, 1.5)
        self.capabilities: TTSCapabilities = TTSCapabilities(
            sample_rate=SAMPLE_RATE, word_times=True, piecewise=True
        )
        self._voicing = self._own = Voicing(speed=speed, pitch=pitch, variation=variation)
        self._store = store or ModelStore()
        self._lane = lane

    async def connect(self) -> None:
        """Loads the voice; MissingModelError or MissingExtraError say what to run."""
        ready = await self._lane.run(partial(self._speak, "Ready.", self._voicing))
        told = ready.words is not None  # not by a file of somebody's own
        self.capabilities = msgspec.structs.replace(self.capabilities, word_times=told)

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

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        """Audio in chunks of 40 ms, and the times of all words, those of a clause before its audio.

        Pieces without anything to say (emoji, dashes) are silent.
        """
        said, voicing = _Said(tells_times=self.capabilities.word_times), self._voicing
        async for piece in text:
            parts = clauses(speakable(piece), first=said.nothing)
            words = PieceWords(piece, parts)
            for clause in parts:
                spoken = await self._lane.run(partial(self._speak, clause, voicing))
                for event in said.add(clause, spoken, words):
                    yield event
            for event in said.end_piece(words):
                yield event

    def _speak(self, clause: str, voicing: Voicing) -> Spoken:
        return _VOICE.get(self._store).speak(clause, voicing)


class _Said:
    """What an utterance has said so far."""

    def __init__(self, *, tells_times: bool) -> None:
        self._tells_times = tells_times
        self._bytes = 0
        self._breath = b""
        self._waiting: list[WordTime] = []

    @property
    def nothing(self) -> bool:
        """Whether there was no sound yet."""
        return not self._bytes

    def add(self, clause: str, spoken: Spoken, words: PieceWords) -> Iterator[TTSEvent]:
        """One more clause; the words of it, and those that waited for a sound, come first."""
        breath = self._breath if len(spoken.audio) else b""
        at = (self._bytes + len(breath)) / _BYTES_PER_SEC
        if spoken.words is not None:
            spans = [Span(at + word.start, at + word.end) for word in spoken.words]
            self._waiting += words.spoken(spans)
        if not len(spoken.audio):
            return
        yield from self._told()
        for chunk in _chunks(breath + to_bytes(spoken.audio)):
            self._bytes += len(chunk)
            yield SpeechAudio(chunk)
        self._breath = _BREATH if clause.endswith((".", "?", "!")) else b""

    def end_piece(self, words: PieceWords) -> Iterator[TTSEvent]:
        """The words of which nothing was said, as soon as there has been a sound."""
        if self._tells_times:
            self._waiting += words.unsaid(self._bytes / _BYTES_PER_SEC)
        if self._bytes:
            yield from self._told()

    def _told(self) -> Iterator[WordTime]:
        yield from self._waiting
        self._waiting.clear()


def _check_range(setting: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigurationError(
            f"the local voice's {setting} goes from {low} to {high}, not {value}"
        )


def _chunks(pcm: bytes) -> Iterator[bytes]:
    for start in range(0, len(pcm), _CHUNK_BYTES):
        yield pcm[start : start + _CHUNK_BYTES]
