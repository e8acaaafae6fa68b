"""A voice that speaks at a programmable pace; its audio can be read back (`voice.Listener`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from antiphon.errors import ServiceError
from antiphon.services.contracts import SpeechAudio, TTSCapabilities, TTSEvent, WordTime
from antiphon.simulation.fakes.delays import Delay, stream, wait
from antiphon.simulation.fakes.provider import FakeProvider, Faults
from antiphon.simulation.fakes.voice import SECS_PER_WORD, speak_word


class FakeTTSProvider(FakeProvider):
    """Satisfies `TTSProvider`.

    Args:
        first_audio: seconds from a piece of text to its first audio.
        speed: seconds of audio made in one second; `inf` for all at once.
        chunk_secs: seconds of audio in one `SpeechAudio`.
        secs_per_word: how long each word lasts.
        word_times: yields the times of the words as well, each before the audio of the word.
        faults: what goes wrong, by the number of the `synthesize` call.
        connect_error: `connect` raises this once.

    `utterances` holds, for each call, the pieces it was given; `cut_off` counts the calls that were
    closed before they had ended; `running` those that go on.

    """

    name = "fake-tts"

    def __init__(
        self,
        *,
        first_audio: Delay = 0.15,
        speed: float = 5.0,
        chunk_secs: float = 0.1,
        secs_per_word: float = SECS_PER_WORD,
        sample_rate: int = 24_000,
        word_times: bool = True,
        faults: Faults | None = None,
        connect_delay: Delay = 0.0,
        connect_error: ServiceError | None = None,
    ) -> None:
        super().__init__(faults, connect_delay, connect_error)
        self.capabilities: TTSCapabilities = TTSCapabilities(
            sample_rate=sample_rate, word_times=word_times
        )
        self.utterances: list[list[str]] = []
        self._first_audio = first_audio
        self._secs_per_chunk = chunk_secs / speed
        self._chunk_bytes = 2 * round(chunk_secs * sample_rate)
        self._secs_per_word = secs_per_word

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        call, rng = self.planned.begin(), stream(self.name)
        pieces: list[str] = []
        self.utterances.append(pieces)
        self.running += 1
        ended, at = False, 0
        try:
            await call.checkpoint()
            async for piece in text:
                pieces.append(piece)
                await wait(self._first_audio, rng)
                for word, pcm in self._words(piece):
                    if self.capabilities.word_times:
                        yield WordTime(word, self._secs(at), self._secs(at + len(pcm)))
                    at += len(pcm)
                    for start in range(0, len(pcm), self._chunk_bytes):
                        await call.checkpoint()
                        await wait(self._secs_per_chunk, rng)
                        yield SpeechAudio(pcm[start : start + self._chunk_bytes])
            ended = True
        except ServiceError:
            ended = True
            raise
        finally:
            self.running -= 1
            self.cut_off += not ended

    def _words(self, piece: str) -> list[tuple[str, bytes]]:
        rate, secs = self.capabilities.sample_rate, self._secs_per_word
        return [(word, speak_word(word, sample_rate=rate, secs=secs)) for word in piece.split()]

    def _secs(self, size: int) -> float:
        return size / 2 / self.capabilities.sample_rate
