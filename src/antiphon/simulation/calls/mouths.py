"""How what a scripted caller says gets into the pipeline: as sound, or as facts.

`SoundMouth` sends 20 ms of sound every 20 ms, silence when nothing is said: whoever listens in the
pipeline does its work. `FactMouth` sends no sound at all but what would have been found in it:
voice activity, transcripts, and when. It costs a third of the sound, and needs neither a voice
activity detector nor a transcriber in the pipeline; those that are there have nothing to do.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from antiphon.frames.base import Frame
from antiphon.frames.speech import STTMuteFrame
from antiphon.frames.text import InterimTranscriptionFrame, TranscriptionFrame
from antiphon.frames.turns import (
    UserSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.simulation.calls.voices import CodedVoice, SyntheticVoice
from antiphon.simulation.fakes.delays import Delay, draw, stream
from antiphon.simulation.fakes.voice import SECS_PER_WORD

if TYPE_CHECKING:
    from antiphon.transports.input import InputTransport

CHUNK_SECS = 0.02


class Mouth(Protocol):
    """Speaks into one line. `attach` comes first, `run` is the line's task until `close`."""

    def attach(self, line: InputTransport) -> None:
        """The line is there."""

    async def run(self) -> None:
        """What goes on while the line is open."""

    def close(self) -> None:
        """The line is gone: whoever is saying something may stop."""

    async def say(self, text: str) -> None:
        """Says a text; returns when it is said."""

    async def mumble(self, secs: float) -> None:
        """Makes a sound without words; returns after so many seconds."""


class SoundMouth:
    """Speaks with a voice, by default the coded one; `sample_rate` in Hz."""

    def __init__(self, voice: SyntheticVoice | None = None, *, sample_rate: int = 16_000) -> None:
        self.voice: SyntheticVoice = CodedVoice() if voice is None else voice
        self.sample_rate = sample_rate
        self._line: InputTransport | None = None
        self._saying = bytearray()
        self._said = asyncio.Event()
        self._open = True

    def attach(self, line: InputTransport) -> None:
        self._line = line

    async def run(self) -> None:
        assert self._line is not None
        loop, line = asyncio.get_running_loop(), self._line
        ended: asyncio.Future[None] = loop.create_future()
        timer: asyncio.TimerHandle | None = None

        def tick(at: float) -> None:
            nonlocal timer
            if ended.done():
                return
            if not self._open:
                ended.set_result(None)
                return
            timer = loop.call_at(at + CHUNK_SECS, tick, at + CHUNK_SECS)
            line.push_audio(self._next_chunk(), self.sample_rate)

        try:
            tick(loop.time())
            await ended
        finally:
            if timer is not None:
                timer.cancel()

    def close(self) -> None:
        self._open = False
        self._said.set()

    async def say(self, text: str) -> None:
        await self._sound(self.voice.speak(text, self.sample_rate))

    async def mumble(self, secs: float) -> None:
        await self._sound(self.voice.mumble(secs, self.sample_rate))

    async def _sound(self, pcm: bytes) -> None:
        if self._open and pcm:
            self._said.clear()
            self._saying += pcm
            await self._said.wait()

    def _next_chunk(self) -> bytes:
        size = 2 * round(CHUNK_SECS * self.sample_rate)
        if not self._saying:
            return bytes(size)
        chunk = bytes(self._saying[:size])
        del self._saying[:size]
        if not self._saying:
            self._said.set()
        return chunk.ljust(size, b"\0")


class FactMouth:
    """Tells what a detector and a transcriber would have found.

    Voice activity is announced `start_secs` after it began and `stop_secs` after it ended, like
    that of `VADParams`; each word is an interim transcript as it ends, and `latency` after the
    announced end of the voice the final one comes. What is shorter than `start_secs` is not
    noticed. A sound without words has an empty transcript.
    """

    def __init__(
        self,
        *,
        secs_per_word: float = SECS_PER_WORD,
        start_secs: float = 0.2,
        stop_secs: float = 0.2,
        latency: Delay = 0.2,
        interim: bool = True,
    ) -> None:
        self.secs_per_word = secs_per_word
        self._start_secs, self._stop_secs = start_secs, stop_secs
        self._latency, self._interim = latency, interim
        self._line: InputTransport | None = None
        self._words: list[str] = []
        self._voice = False
        """Voice activity was announced, and its end was not."""
        self._utterance = 0
        self._open = True

    def attach(self, line: InputTransport) -> None:
        self._line = line

    async def run(self) -> None:
        # A transcriber would answer each end of speech with the silence it heard.
        await self._push(STTMuteFrame(mute=True))

    def close(self) -> None:
        self._open = False

    async def say(self, text: str) -> None:
        words = text.split()
        if words:
            await self._make(words, len(words) * self.secs_per_word)

    async def mumble(self, secs: float) -> None:
        await self._make([], secs)

    async def _make(self, words: list[str], secs: float) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._utterance += 1
        moments: list[tuple[float, str | None]] = [
            (number * self.secs_per_word, word) for number, word in enumerate(words, 1)
        ]
        if not self._voice and secs >= self._start_secs:
            moments.append((self._start_secs, None))
        for offset, word in sorted(moments, key=lambda moment: moment[0]):
            await asyncio.sleep(max(0.0, began + offset - loop.time()))
            if word is None:
                self._voice = True
                since = loop.time() - began
                started = VADUserStartedSpeakingFrame(start_secs=since, timestamp=loop.time())
                await self._push(started)
            else:
                await self._tell(word)
        await asyncio.sleep(max(0.0, began + secs - loop.time()))
        if self._voice and self._open:
            assert self._line is not None
            ending = self._ended(self._utterance, loop.time())
            self._line.create_task(ending, name="end of the caller's voice")

    async def _tell(self, word: str) -> None:
        self._words.append(word)
        if self._voice:
            await self._push(UserSpeakingFrame())
        if self._interim:
            await self._push(
                InterimTranscriptionFrame(" ".join(self._words), timestamp=self._timestamp())
            )

    async def _ended(self, utterance: int, at: float) -> None:
        """The caller was silent from `at`, unless something else was said meanwhile."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, at + self._stop_secs - loop.time()))
        if utterance != self._utterance:
            return
        self._voice = False
        text, self._words = " ".join(self._words), []
        now = loop.time()
        await self._push(VADUserStoppedSpeakingFrame(stop_secs=now - at, timestamp=now))
        await asyncio.sleep(draw(self._latency, stream("caller")))
        transcript = TranscriptionFrame(text, timestamp=self._timestamp(), finalized=True)
        await self._push(transcript)

    def _timestamp(self) -> str:
        assert self._line is not None
        return self._line.clock.timestamp()

    async def _push(self, frame: Frame) -> None:
        assert self._line is not None
        if self._open:
            await self._line.push_frame(frame)
