"""What the output promises on the real kernel, with shuffled steps and computing that costs time.

A source sends random utterances, words and vital frames, and interrupts at random instants, also in
the middle of a step. Every sample and frame carries the number of the interruptions before it, so
what is stale shows at once.
"""

from __future__ import annotations

import asyncio
import random

import numpy as np
import pytest

from antiphon.audio.pcm import to_samples
from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.base import DataFrame, Frame, UninterruptibleFrame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import TTSTextFrame
from antiphon.frames.turns import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams
from antiphon.transports.sinks import AudioSink
from tests.transports.lines import MustBeHeard

SEEDS = 300
RATE = 8_000
KEPT = 1_000


class Go(UninterruptibleFrame, DataFrame):
    """Starts the source; its handler lives through the interruptions it causes."""


class Vital(UninterruptibleFrame, DataFrame):
    number: int


class Word(DataFrame):
    number: int
    epoch: int


class Source(FrameProcessor):
    """Speaks and interrupts at random."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self.rng, self.epoch, self.number = rng, 0, 0
        self.interrupted_at: list[float] = []
        self.vital: list[int] = []
        self.kept_samples = 0

    @handles(Go)
    async def go(self, frame: Go, direction: FrameDirection) -> None:
        for turn in range(self.rng.randrange(2, 5)):
            name = f"u{turn}"
            base = self.clock.get_time()
            if self.rng.random() < 0.5:
                await self.push_frame(TTSStartedFrame(context_id=name, pts=base))
            for _ in range(self.rng.randrange(1, 10)):
                await self.send_something(name, base)
                if self.rng.random() < 0.3:
                    await asyncio.sleep(self.rng.choice([0.0, 0.004, 0.05, 0.3]))
            await self.push_frame(TTSStoppedFrame(context_id=name))
            await asyncio.sleep(self.rng.choice([0.0, 0.01, 0.2, 0.777]))
            if self.rng.random() < 0.7:
                self.interrupted_at.append(self.clock.now())
                self.epoch += 1
                await self.broadcast_interruption()

    async def send_something(self, name: str, base: int) -> None:
        self.number += 1
        count = self.rng.choice([1, 80, 333, 1600, 4000])
        match self.rng.choice("sssswvk"):
            case "s":
                pcm = np.full(count, self.epoch + 1, "<i2").tobytes()
                await self.push_frame(TTSAudioRawFrame(pcm, RATE, 1, name))
            case "w":
                pts = base + self.rng.randrange(10**9)
                text = f"{self.number} {self.epoch}"
                await self.push_frame(TTSTextFrame(text, context_id=name, pts=pts))
                await self.push_frame(Word(self.number, self.epoch))
            case "v":
                self.vital.append(self.number)
                await self.push_frame(Vital(self.number))
            case "k":
                self.kept_samples += count
                pcm = np.full(count, KEPT, "<i2").tobytes()
                await self.push_frame(MustBeHeard(pcm, RATE, 1, name))


class Sink(AudioSink):
    """Sometimes waits, as a socket does."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.chunks: list[tuple[float, list[int]]] = []

    async def write(self, pcm: bytes) -> None:
        now = asyncio.get_running_loop().time()
        self.chunks.append((now, [int(v) for v in to_samples(pcm)]))
        if self.rng.random() < 0.1:
            await asyncio.sleep(self.rng.choice([0.0, 0.003, 0.05]))


class Last(FrameProcessor):
    """Notes what comes out, when."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[tuple[float, Frame]] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        self.log.append((self.clock.now(), frame))
        await self.push_frame(frame, direction)


def converse(seed: int) -> tuple[Source, Sink, Last]:
    rng = random.Random(seed)
    source, sink, last = Source(rng), Sink(rng), Last()
    params = TransportParams(
        audio_out_sample_rate=RATE,
        audio_out_continuous=rng.random() < 0.2,
        audio_out_end_silence_secs=0.0,
    )

    async def main() -> None:
        task = PipelineTask(Pipeline([source, OutputTransport(sink, params), last]))
        await task.queue_frame(Go())
        await task.stop_when_done()
        await task.run()

    run(main(), seed=seed)
    return source, sink, last


@pytest.fixture(scope="module")
def conversations() -> list[tuple[Source, Sink, Last]]:
    return [converse(seed) for seed in range(SEEDS)]


def test_nothing_stale_is_written_after_an_interruption(
    conversations: list[tuple[Source, Sink, Last]],
) -> None:
    """From the instant of the interruption; a chunk that was being written then was heard."""
    for seed, (source, sink, _) in enumerate(conversations):
        for at, values in sink.chunks:
            for value in set(values) - {0, KEPT}:
                if value <= len(source.interrupted_at):
                    assert at <= source.interrupted_at[value - 1], (seed, value)


def test_no_stale_frame_comes_out_after_an_interruption(
    conversations: list[tuple[Source, Sink, Last]],
) -> None:
    """Neither words nor sound nor anything else that may be dropped, from that instant on."""
    for seed, (source, _, last) in enumerate(conversations):
        for at, frame in last.log:
            if isinstance(frame, TTSAudioRawFrame):
                for value in set(to_samples(frame.audio).tolist()) - {0, KEPT}:
                    if value <= len(source.interrupted_at):
                        assert at <= source.interrupted_at[value - 1], (seed, value)
            if isinstance(frame, Word) and frame.epoch < len(source.interrupted_at):
                assert at <= source.interrupted_at[frame.epoch], seed
            if isinstance(frame, TTSTextFrame):
                epoch = int(frame.text.split()[1])
                if epoch < len(source.interrupted_at):
                    assert at <= source.interrupted_at[epoch], seed


def test_vital_frames_and_sound_survive_everything(
    conversations: list[tuple[Source, Sink, Last]],
) -> None:
    """Each exactly once, in order, to the sample."""
    for seed, (source, sink, last) in enumerate(conversations):
        got = [frame.number for _, frame in last.log if isinstance(frame, Vital)]
        assert got == source.vital, seed
        samples = [v for _, values in sink.chunks for v in values]
        assert samples.count(KEPT) == source.kept_samples, seed


def test_frames_come_out_in_the_order_in_which_they_were_sent(
    conversations: list[tuple[Source, Sink, Last]],
) -> None:
    """One ordered stream: words, text and vital frames do not overtake each other."""
    for seed, (_, _, last) in enumerate(conversations):
        numbers = [
            int(frame.text.split()[0]) if isinstance(frame, TTSTextFrame) else frame.number
            for _, frame in last.log
            if isinstance(frame, TTSTextFrame | Word | Vital)
        ]
        assert numbers == sorted(numbers), seed


def test_started_and_stopped_alternate_for_everybody(
    conversations: list[tuple[Source, Sink, Last]],
) -> None:
    """A listener behind the output never sees two starts or two stops in a row."""
    starts = 0
    for seed, (_, _, last) in enumerate(conversations):
        speaking = False
        for _, frame in last.log:
            if isinstance(frame, BotStartedSpeakingFrame):
                assert not speaking, seed
                speaking, starts = True, starts + 1
            elif isinstance(frame, BotStoppedSpeakingFrame):
                assert speaking, seed
                speaking = False
            elif isinstance(frame, BotSpeakingFrame):
                assert speaking, seed
        assert not speaking, seed
    assert starts > SEEDS
