"""Small providers and a strategy, each with a bug and without it (`bug=False`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from antiphon.errors import ServerError
from antiphon.services.contracts import (
    AudioChunk,
    Finalize,
    LLMEvent,
    LLMRequest,
    SpeechAudio,
    STTCapabilities,
    TextDelta,
    Transcript,
    TTSCapabilities,
    TTSEvent,
)
from antiphon.simulation.fakes.voice import Listener
from antiphon.turns.facts import Fact, SpeechStarted, SpeechStopped, TranscriptReceived, TurnStopped
from antiphon.turns.opinions import EndTurn, Opinion, RunInference
from antiphon.turns.strategy import UserTurnStopStrategy


class LockedVoice:
    """One connection, used by one utterance at a time. Bug: a cancel leaves it locked."""

    name = "locked"
    capabilities = TTSCapabilities(sample_rate=16_000)

    def __init__(self, *, bug: bool = False) -> None:
        self._bug = bug
        self._lock = asyncio.Lock()

    async def connect(self) -> None:
        await asyncio.sleep(0.01)

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        if self._bug:
            await self._lock.acquire()
            async with aclosing(self._speak(text)) as events:
                async for event in events:
                    yield event
            self._lock.release()
        else:
            async with self._lock, aclosing(self._speak(text)) as events:
                async for event in events:
                    yield event

    async def _speak(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        async for piece in text:
            for _ in piece.split():
                await asyncio.sleep(0.02)
                yield SpeechAudio(bytes(640))

    async def close(self) -> None:
        await asyncio.sleep(0)


class VendorError(Exception):
    """What a vendor's library raises."""


class ThinVendor:
    """Translates a vendor's errors. Bug: not those in the middle of the stream."""

    name = "thin"
    model = "m"

    def __init__(self, *, bug: bool = False, fails_at: int = 1_000) -> None:
        self._bug, self._fails_at = bug, fails_at
        self._calls = 0

    async def _out(self) -> None:
        self._calls += 1
        await asyncio.sleep(0.01)
        if self._calls > self._fails_at:
            raise VendorError("overloaded")

    async def connect(self) -> None:
        try:
            await self._out()
        except VendorError as error:
            raise ServerError("cannot connect") from error

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        for number in range(4):
            try:
                await self._out()
            except VendorError as error:
                if self._bug and number > 1:
                    raise
                raise ServerError("overloaded") from error
            yield TextDelta("word ")

    async def close(self) -> None:
        await asyncio.sleep(0)


class Ear:
    """A transcriber with a reader task of its own. Bug: the reader outlives a call cut short."""

    name = "ear"
    capabilities = STTCapabilities()

    def __init__(self, *, bug: bool = False) -> None:
        self._bug = bug

    async def connect(self) -> None:
        await asyncio.sleep(0.01)

    async def transcribe(
        self, audio: AsyncIterator[AudioChunk | Finalize]
    ) -> AsyncGenerator[Transcript, None]:
        heard: asyncio.Queue[Transcript | None] = asyncio.Queue()
        reader = asyncio.get_running_loop().create_task(self._read(audio, heard), name="reader")
        try:
            while (transcript := await heard.get()) is not None:
                yield transcript
        except asyncio.CancelledError:
            reader.cancel()
            raise
        except GeneratorExit:
            if not self._bug:
                reader.cancel()
            raise

    async def _read(
        self, audio: AsyncIterator[AudioChunk | Finalize], heard: asyncio.Queue[Transcript | None]
    ) -> None:
        listener, words = Listener(), list[str]()
        async for item in audio:
            if isinstance(item, AudioChunk):
                words += listener.hear(item.pcm)
            else:
                await heard.put(Transcript(text=" ".join(words), final=True, finalized=True))
                words.clear()
        if words:
            await heard.put(Transcript(text=" ".join(words), final=True))
        await heard.put(None)

    async def close(self) -> None:
        await asyncio.sleep(0)


class Patience(UserTurnStopStrategy):
    """A turn is over after a silence, with words. Bug: words after the silence do not count."""

    def __init__(self, *, bug: bool = False) -> None:
        super().__init__()
        self._bug = bug
        self._text = self._silent = False

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        match event:
            case SpeechStarted():
                self._silent, self.deadline = False, None
            case SpeechStopped():
                self.deadline = now + 0.5
            case TranscriptReceived(text=text, final=True) if text.strip():
                self._text = True
                if self._silent and not self._bug:
                    return self._end()
            case TurnStopped():
                self._text = self._silent = False
                self.deadline = None
        return ()

    def tick(self, now: float) -> Sequence[Opinion]:
        self.deadline = None
        self._silent = True
        return self._end() if self._text else ()

    def _end(self) -> Sequence[Opinion]:
        return (RunInference("silence"), EndTurn("silence"))
