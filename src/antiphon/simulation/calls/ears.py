"""How a scripted caller hears and understands the agent.

| ear | takes the agent's words from | for |
|---|---|---|
| `CodedEar` | the buzz of the fake voice, as it is played | agents with `FakeTTSProvider` |
| `CaptionEar` | the text that the output says is being heard | agents with any voice, or none |
| `TranscribingEar` | the sound that is played, by a transcriber | agents with a real voice |
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from antiphon.audio.pcm import silence
from antiphon.audio.resample import resample
from antiphon.errors import ConnectivityError, InvalidInputError
from antiphon.frames.base import Frame
from antiphon.frames.text import AggregatedTextFrame, TextFrame, TTSTextFrame
from antiphon.services.contracts import AudioChunk, Finalize, STTProvider
from antiphon.simulation.fakes.voice import HeardWord, Listener, begins_a_word
from antiphon.simulation.loop.isolation import beside

CHUNK_SECS = 0.02
_GAP_SECS = 0.2
"""Silence after which a word that is not complete was cut off."""
_EDGE_SECS = 0.3
"""Silence around what is given to a transcriber."""


class Ear(Protocol):
    """Gets all that is played to the caller, and says which words are in it."""

    cut: HeardWord | None
    """The word in which the agent was last cut off, where that can be known."""

    def open(self, sample_rate: int) -> None:
        """The line is there; sound is 16-bit mono PCM at this rate."""

    def hear(self, pcm: bytes) -> list[str]:
        """The words that are complete with this piece of sound."""
        ...

    def read(self, frame: Frame) -> list[str] | None:
        """The words that are complete with a frame that the output handed on, which is being heard.

        None if there is nothing to be heard in it.
        """

    def fell_silent(self) -> None:
        """The agent stopped speaking: a word that is not complete was cut off."""

    def catch_up(self) -> list[str]:
        """The words of sound that was heard and not understood yet."""
        ...


class CodedEar:
    """Reads the words from the sound of the fake voice.

    A word that goes on after a silence where it stopped was held, not cut off.
    """

    def __init__(self) -> None:
        self.cut: HeardWord | None = None
        self._cut_before: HeardWord | None = None
        self._silent = False
        self._listener = Listener()

    def open(self, sample_rate: int) -> None:
        """Nothing depends on the rate."""

    def hear(self, pcm: bytes) -> list[str]:
        if not any(pcm):
            return []
        if self._silent:
            self._silent = False
            if begins_a_word(pcm):
                self._listener.cut()
            elif self._listener.unfinished is not None:
                self.cut = self._cut_before
        return self._listener.hear(pcm)

    def read(self, frame: Frame) -> list[str] | None:
        return None

    def fell_silent(self) -> None:
        if not self._silent and (word := self._listener.unfinished) is not None:
            self._cut_before, self.cut = self.cut, word
        self._silent = True

    def catch_up(self) -> list[str]:
        return []


class CaptionEar:
    """Takes the words from the frames by which the output tells what is heard, or shows text."""

    def __init__(self) -> None:
        self.cut: HeardWord | None = None
        self._partial = ""

    def open(self, sample_rate: int) -> None:
        """Nothing depends on the rate."""

    def hear(self, pcm: bytes) -> list[str]:
        return []

    def read(self, frame: Frame) -> list[str] | None:
        if not isinstance(frame, TextFrame) or not frame.text.strip():
            return None
        if isinstance(frame, AggregatedTextFrame) and not isinstance(frame, TTSTextFrame):
            return None  # an announcement: its words come as they are spoken
        text = frame.text if frame.includes_inter_frame_spaces else f"{frame.text} "
        *whole, self._partial = f"{self._partial}{text}".replace("\n", " ").split(" ")
        return [word for word in whole if word]

    def fell_silent(self) -> None:
        """What is shown is shown whole."""

    def catch_up(self) -> list[str]:
        rest, self._partial = self._partial, ""
        return [rest] if rest else []


class TranscribingEar:
    """Transcribes what was played, by default with the embedded transcriber.

    It listens when it is asked, to all it has not listened to yet, while virtual time stands still.
    """

    def __init__(self, provider: STTProvider | None = None) -> None:
        if provider is None:
            from antiphon.providers.local.stt import LocalSTTProvider

            provider = LocalSTTProvider()
        self.provider = provider
        self.cut: HeardWord | None = None
        self._sample_rate = 0
        self._heard = bytearray()

    def open(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate

    def hear(self, pcm: bytes) -> list[str]:
        self._heard += pcm
        return []

    def read(self, frame: Frame) -> list[str] | None:
        return None

    def fell_silent(self) -> None:
        """Where it was cut off a transcriber cannot tell."""

    def catch_up(self) -> list[str]:
        if not self._heard:
            return []
        pcm = bytes(self._heard)
        self._heard.clear()
        edge = silence(_EDGE_SECS, self._sample_rate)
        rate = self.provider.capabilities.sample_rate
        return beside(self._transcribe(resample(edge + pcm + edge, self._sample_rate, rate)))

    async def _transcribe(self, pcm: bytes) -> list[str]:
        async def audio() -> AsyncIterator[AudioChunk | Finalize]:
            yield AudioChunk(pcm)
            yield Finalize()

        await self.provider.connect()
        words: list[str] = []
        async for transcript in self.provider.transcribe(audio()):
            if transcript.final:
                words += transcript.text.split()
        return words


class Hearing:
    """What the caller heard, and since when the agent has been speaking. The sink of the output.

    Times are the loop's. `since` is None while the agent has not spoken since the caller did.
    """

    def __init__(self, ear: Ear) -> None:
        self.ear = ear
        self.words: list[str] = []
        self.since: float | None = None
        self.until: float = float("-inf")
        self.there: bool = True
        """The line carries sound."""
        self._words_before = 0

    async def open(self, sample_rate: int, num_channels: int) -> None:
        """The line is there."""
        if num_channels != 1:
            raise InvalidInputError(f"a caller hears one channel, not {num_channels}")
        self.ear.open(sample_rate)

    async def write(self, pcm: bytes) -> None:
        """Listens to a chunk of the agent's."""
        if not self.there:
            raise ConnectivityError("the connection broke")
        if any(pcm):
            self._sounds()
        self.words += self.ear.hear(pcm)

    async def close(self) -> None:
        """The line is gone."""
        self.ear.fell_silent()

    def read(self, frame: Frame) -> None:
        """Reads a frame that the output hands on."""
        words = self.ear.read(frame)
        if words is not None:
            self._sounds()
            self.words += words

    def reply(self) -> str:
        """What was heard since the caller spoke last."""
        self.words += self.ear.catch_up()
        return " ".join(self.words[self._words_before :])

    def begin(self) -> None:
        """The caller has spoken: what comes now is another reply."""
        self.reply()
        self.since = None
        self._words_before = len(self.words)

    def _sounds(self) -> None:
        now = asyncio.get_running_loop().time()
        if now > self.until + _GAP_SECS:
            self.ear.fell_silent()
        if self.since is None:
            self.since = now
        self.until = now + CHUNK_SECS
