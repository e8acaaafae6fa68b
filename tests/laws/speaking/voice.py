"""A voice that speaks correctly, and in every other respect as it likes.

Early, late, in pieces of any size, fast or slow, reading its text as it comes or all at once,
telling where its words end before, with or after their sound, or not at all; sometimes it fails,
hangs, or leaves before it has read everything.
"""

from __future__ import annotations

import asyncio
import enum
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from antiphon.errors import ConnectivityError
from antiphon.services.contracts import SpeechAudio, TTSCapabilities, TTSEvent, WordTime
from tests.laws.speaking.record import RATE, Moment, Record, Token

_NUMBER = re.compile(r"\d+")
_PAUSES = {".": 8.0, ",": 4.0, "!": 8.0}
"""As long as so many letters."""


class Words(enum.Enum):
    """When the voice tells where its words end."""

    NEVER = enum.auto()
    EARLY = enum.auto()
    BEFORE = enum.auto()
    AFTER = enum.auto()
    LATE = enum.auto()


class Reading(enum.Enum):
    """How the voice reads."""

    PIECES = enum.auto()
    STREAM = enum.auto()
    WHOLE = enum.auto()


class Trouble(enum.Enum):
    """What goes wrong in one call."""

    FAILS = enum.auto()
    HANGS = enum.auto()
    LEAVES = enum.auto()


class OddVoice:
    """Satisfies `TTSProvider`."""

    name = "odd-voice"

    def __init__(self, record: Record) -> None:
        self.record = record
        self.rng = rng = random.Random(record.rng.random())
        self.words = rng.choice((*Words, Words.BEFORE, Words.AFTER))
        self.reading = rng.choice(tuple(Reading))
        self.capabilities = TTSCapabilities(
            sample_rate=RATE,
            word_times=self.words is not Words.NEVER,
            piecewise=self.reading is Reading.PIECES,
        )
        self.secs_per_letter = rng.choice((0.02, 0.05, 0.08))
        self.secs_per_word = rng.choice((0.04, 0.1, 0.1, 0.25))
        self.speed = rng.choice((0.8, 1.0, 3.0, 20.0, 1e9))
        self.first_audio = rng.choice((0.0, 0.05, 0.4, 1.0))
        self.sizes = rng.choice(((1, 3, 41), (40,), (2, 400, 4_001), (10_000,), (160, 163)))
        self.latest = 0
        self.troubled = 0.4 if rng.random() < 0.25 else 0.0

    async def connect(self) -> None:
        """Nothing to prepare."""

    async def close(self) -> None:
        """Nothing to release."""

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        """Every sample of a word has the value of its number."""
        call = Call(self)
        if self.reading is Reading.WHOLE:
            text = _Read([" ".join([piece async for piece in text])])
        async for piece in text:
            if call.leaves():
                return
            await _wait(self.first_audio * self.rng.random())
            for event in call.speak(piece):
                if isinstance(event, Trouble):
                    self.record.failed = True
                    if event is Trouble.HANGS:
                        await asyncio.get_running_loop().create_future()
                    raise ConnectivityError("the line is dead")
                if isinstance(event, SpeechAudio):
                    await _wait(len(event.pcm) / 2 / RATE / self.speed)
                call.note(event)
                yield event
                self.record.seen(Moment.VOICE)

    def length(self, word: str) -> int:
        """How long a word is, in samples; about as its letters, where its end is not told."""
        if self.words is not Words.NEVER:
            return round(self.secs_per_word * RATE)
        letters = (len(word) + 2) * self.rng.uniform(0.8, 1.25) + _PAUSES.get(word[-1], 0.0)
        return round(letters * self.secs_per_letter * RATE)


class Call:
    """One utterance of a voice."""

    def __init__(self, voice: OddVoice) -> None:
        self.voice, self.record, self.rng = voice, voice.record, voice.rng
        self.at = 0
        self.said: set[int] = set()
        self.saying: Token | None = None
        rng = voice.rng
        self.trouble = rng.choice(tuple(Trouble)) if rng.random() < voice.troubled else None
        self.patience = rng.choice((0, 0, 1, 3))

    def leaves(self) -> bool:
        """Whether it ends with a piece that it was given and does not speak."""
        if self.trouble is not Trouble.LEAVES or self.patience > 0:
            self.patience -= 1
            return False
        self.record.failed = True
        return True

    def speak(self, piece: str) -> Iterator[TTSEvent | Trouble]:
        """What is to come out, in its order."""
        words, reports = self.voice.words, list[WordTime]()
        said = [self._say(word) for word in piece.split()]
        if words is Words.EARLY:
            yield from (report for report, _ in said)
        for report, token in said:
            if self.trouble not in (None, Trouble.LEAVES):
                self.patience -= 1
                if self.patience < 0:
                    yield self.trouble
            if words is Words.BEFORE:
                yield report
            self.saying = token
            pcm = token.number.to_bytes(2, "little") * round(
                (report.end_secs - report.start_secs) * RATE
            )
            while pcm:
                size = self.rng.choice(self.voice.sizes)
                chunk, pcm = pcm[:size], pcm[size:]
                yield SpeechAudio(chunk)
            if words in (Words.AFTER, Words.LATE):
                reports.append(report)
            if words is Words.AFTER or self.rng.random() < 0.3:
                yield from reports
                reports.clear()
        yield from reports

    def note(self, event: TTSEvent) -> None:
        """Something comes out."""
        if isinstance(event, SpeechAudio):
            assert self.saying is not None
            self.saying.yielded += len(event.pcm)
            self.voice.latest = max(self.voice.latest, self.saying.number)
            self.record.overtaken += self.saying.number < self.voice.latest
        else:
            self._token(event.word).told_at = self.record.now()

    def _say(self, word: str) -> tuple[WordTime, Token]:
        """Where a word comes to stand in the sound."""
        token = self._token(word)
        if token.number not in self.said:
            self.said.add(token.number)
            token.samples = 0
        samples, begin = self.voice.length(word), self.at
        self.at += samples
        token.samples += samples
        return WordTime(word, begin / RATE, self.at / RATE), token

    def _token(self, word: str) -> Token:
        found = _NUMBER.search(word)
        assert found is not None, word
        return self.record.tokens[int(found[0])]


class _Read:
    """Text that was read already."""

    def __init__(self, pieces: list[str]) -> None:
        self.pieces = pieces

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        if not self.pieces:
            raise StopAsyncIteration
        return self.pieces.pop(0)


async def _wait(secs: float) -> None:
    if secs > 1e-6:
        await asyncio.sleep(secs)
