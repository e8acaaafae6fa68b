"""What the caller hears and what the pipeline says was heard are the same, to the word.

A random model answers in tokens, the real voice service speaks through a voice whose audio spells
its own words, the output plays, and somebody interrupts at random instants. The words that come out
behind the output are compared with those read back from the sound that was written.
"""

from __future__ import annotations

import asyncio
import random

import pytest

from antiphon.frames.base import ControlFrame, Frame, UninterruptibleFrame
from antiphon.frames.llm import (
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
)
from antiphon.frames.text import LLMTextFrame, TTSTextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.services.tts import TTSService
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.voice import Listener
from antiphon.simulation.virtual_time import run
from antiphon.transports.output import OutputTransport
from antiphon.transports.sinks import CallbackSink

SEEDS = 80
RATE = 8_000
VOCABULARY = ("one", "two", "three", "apple", "river", "music", "o'clock", "always", "green")


class Go(UninterruptibleFrame, ControlFrame):
    """Starts the model; its handler lives through the interruptions it causes."""


class Model(FrameProcessor):
    """Answers at random, and interrupts itself at random."""

    def __init__(self, rng: random.Random, ear: Ear) -> None:
        super().__init__()
        self.rng, self.ear = rng, ear
        self.answers: list[str] = []

    @handles(Go)
    async def go(self, frame: Go, direction: FrameDirection) -> None:
        for _ in range(self.rng.randrange(1, 5)):
            await self.answer()
            secs = self.rng.choice([0.1, 1.0, 3.0]) * self.rng.random()
            await asyncio.sleep(secs if self.rng.random() < 0.7 else 12.0)
            self.ear.epoch += 1
            await self.broadcast_interruption()

    async def answer(self) -> None:
        words = [self.rng.choice(VOCABULARY) for _ in range(self.rng.randrange(1, 14))]
        text = " ".join(words) + "."
        if len(words) > 6:
            text = text.replace(" ", ". ", 1)
        self.answers.append(text)
        await self.push_frame(LLMFullResponseStartFrame())
        for token in text.split(" "):
            await self.push_frame(LLMTextFrame(f"{token} "))
            if self.rng.random() < 0.2:
                await asyncio.sleep(self.rng.random() * 0.1)
        await self.push_frame(LLMFullResponseEndFrame())


class Ear:
    """The sound of each stretch between two interruptions, read back as words."""

    def __init__(self) -> None:
        self.epoch = 0
        self.words: dict[int, list[str]] = {}
        self.listeners: dict[int, Listener] = {}

    def hear(self, pcm: bytes) -> None:
        listener = self.listeners.setdefault(self.epoch, Listener())
        self.words.setdefault(self.epoch, []).extend(listener.hear(pcm))


class Last(FrameProcessor):
    """What comes out behind the output."""

    def __init__(self, ear: Ear) -> None:
        super().__init__()
        self.ear = ear
        self.words: dict[int, list[str]] = {}
        self.ends: dict[int, int] = {}

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TTSTextFrame):
            self.words.setdefault(self.ear.epoch, []).append(frame.text.strip())
        if isinstance(frame, LLMFullResponseEndFrame):
            self.ends[self.ear.epoch] = len(self.words.get(self.ear.epoch, ()))
        await self.push_frame(frame, direction)


def converse(seed: int) -> tuple[Model, Ear, Last]:
    rng = random.Random(seed)
    ear = Ear()
    model, last = Model(rng, ear), Last(ear)
    voice = FakeTTSProvider(
        first_audio=rng.choice([0.0, 0.2, 0.6]),
        speed=rng.choice([0.7, 2.0, 20.0]),
        chunk_secs=rng.choice([0.013, 0.1, 0.4]),
        sample_rate=RATE,
    )

    async def main() -> None:
        output = OutputTransport(CallbackSink(ear.hear))
        task = PipelineTask(
            Pipeline([model, TTSService(voice), output, last]),
            params=PipelineParams(audio_out_sample_rate=RATE),
        )
        await task.queue_frame(Go())
        await task.stop_when_done()
        await task.run()

    run(main(), seed=seed)
    return model, ear, last


@pytest.fixture(scope="module")
def conversations() -> list[tuple[Model, Ear, Last]]:
    return [converse(seed) for seed in range(SEEDS)]


def test_what_is_said_to_be_heard_was_heard(
    conversations: list[tuple[Model, Ear, Last]],
) -> None:
    """Word for word from the beginning; at an interruption the last one may be in the air."""
    words = cut = 0
    for seed, (model, ear, last) in enumerate(conversations):
        for epoch, text in enumerate(model.answers):
            heard, told = ear.words.get(epoch, []), last.words.get(epoch, [])
            assert heard[: len(told)] == told, (seed, epoch)
            assert len(heard) - len(told) <= 1, (seed, epoch)
            assert text.split(" ")[: len(told)] == told, (seed, epoch)
            words, cut = words + len(told), cut + (len(told) < len(text.split(" ")))
    assert words > 5 * SEEDS
    assert cut > SEEDS / 2


def test_an_answer_ends_after_its_last_word_or_not_at_all(
    conversations: list[tuple[Model, Ear, Last]],
) -> None:
    """The end of an answer that was cut off never comes out; that of a whole one is its last."""
    for seed, (model, _, last) in enumerate(conversations):
        for epoch, text in enumerate(model.answers):
            told = last.words.get(epoch, [])
            if epoch in last.ends:
                assert last.ends[epoch] == len(told) == len(text.split(" ")), (seed, epoch)
