"""What comes out of a voice's service, whatever the voice does and whenever somebody interrupts."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from antiphon.errors import ConnectivityError
from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.base import DataFrame, Frame, UninterruptibleFrame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.speech import TTSSpeakFrame, TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import LLMTextFrame, TTSTextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import SpeechAudio, TTSCapabilities, TTSEvent, WordTime
from antiphon.services.tts import TTSService
from antiphon.simulation.fakes.voice import Listener, speak_word
from antiphon.simulation.loop.virtual_time import run

RATE = 8_000
SECS_PER_WORD = 0.05
SEEDS = 480
GROUPS = 4


class Must(UninterruptibleFrame, DataFrame):
    """Must come out exactly once, in order."""

    number: int


class OddVoice:
    """Speaks correctly, and in every other respect as it likes: early, late, in odd pieces,
    reporting its words before, after or not at all, reading ahead or not, and sometimes failing.
    """

    name = "odd-voice"

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.piecewise = rng.random() < 0.5
        self.words = rng.choice(("none", "before", "after", "late"))
        self.failing = rng.random() < 0.15
        self.capabilities = TTSCapabilities(
            sample_rate=RATE, word_times=self.words != "none", piecewise=self.piecewise
        )
        self.failed = False

    async def connect(self) -> None:
        """Nothing to prepare."""

    async def close(self) -> None:
        """Nothing to release."""

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        """Each word is a tone that spells it."""
        rng, at = self.rng, 0.0
        ahead: list[str] = []
        if not self.piecewise and rng.random() < 0.5:
            ahead = [piece async for piece in text]
        late: list[WordTime] = []
        async for piece in _chain(ahead, text):
            for word in piece.split():
                if self.failing and rng.random() < 0.05:
                    self.failed = True
                    raise ConnectivityError("the line is dead")
                pcm = speak_word(word, sample_rate=RATE, secs=SECS_PER_WORD)
                report = WordTime(word, at, at + len(pcm) / 2 / RATE)
                at = report.end_secs
                if self.words == "before":
                    yield report
                while pcm:
                    size = rng.choice((1, 3, 160, 999, 10_000))
                    chunk, pcm = pcm[:size], pcm[size:]
                    if rng.random() < 0.1:
                        await asyncio.sleep(rng.choice((0.0, 0.01, 0.2)))
                    yield SpeechAudio(chunk)
                late.append(report)
                if self.words == "after" or (self.words == "late" and rng.random() < 0.3):
                    for held in late:
                        yield held
                    late.clear()
        for held in late if self.words == "late" else ():
            yield held


async def _chain(first: list[str], rest: AsyncIterator[str]) -> AsyncIterator[str]:
    for piece in first:
        yield piece
    async for piece in rest:
        yield piece


class Sink(FrameProcessor):
    """Keeps what comes out."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.cuts: list[int] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Everything but interruptions: where they cut is noted by those who interrupt."""
        if not isinstance(frame, InterruptionFrame):
            self.frames.append(frame)
            await self.push_frame(frame, direction)


class Story:
    """One random conversation: what was fed in each stretch between interruptions, and what came
    out.
    """

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.said: list[list[str]] = [[]]
        self.musts = 0
        self.number = 0
        self.sink = Sink()
        self.voice = OddVoice(self.rng)
        policy = ConnectionPolicy(stall_secs=5.0, give_up_secs=0.1)
        self.task = PipelineTask(
            Pipeline([TTSService(self.voice, policy=policy), self.sink]), idle_timeout_secs=None
        )
        run(self._main(), seed=seed, timeout_secs=100_000)

    async def _main(self) -> None:
        started = asyncio.Event()
        self.task.add_event_handler("on_pipeline_started", lambda *_: started.set())

        async def feed() -> None:
            await started.wait()
            await self._feed()

        async with asyncio.TaskGroup() as group:
            group.create_task(self.task.run())
            group.create_task(feed())

    async def _feed(self) -> None:
        rng, task = self.rng, self.task
        for _ in range(rng.randint(2, 8)):
            match rng.choice(("answer", "answer", "speak", "must", "interrupt", "wait")):
                case "answer":
                    await task.queue_frame(LLMFullResponseStartFrame())
                    for _ in range(rng.randint(0, 6)):
                        await self._word()
                    await task.queue_frame(LLMFullResponseEndFrame())
                case "speak":
                    word = self._next()
                    await task.queue_frame(TTSSpeakFrame(f"{word} there."))
                    self.said[-1] += [word, "there."]
                case "must":
                    await task.queue_frame(Must(number=self.musts))
                    self.musts += 1
                case "interrupt":
                    await task.queue_frame(InterruptionFrame())
                    self.sink.cuts.append(len(self.sink.frames))
                    self.said.append([])
                case "wait":
                    await asyncio.sleep(rng.choice((0.0, 0.01, 0.1, 1.0)))
        await asyncio.sleep(rng.choice((0.0, 0.1, 30.0)))
        await task.stop_when_done()

    async def _word(self) -> None:
        rng = self.rng
        word = self._next() + rng.choice(("", "", ".", ",", "!"))
        await self.task.queue_frame(LLMTextFrame(f"{word} "))
        self.said[-1].append(word)
        if rng.random() < 0.2:
            await self.task.queue_frame(Must(number=self.musts))
            self.musts += 1
        if rng.random() < 0.2:
            await asyncio.sleep(rng.choice((0.0, 0.02, 0.3)))

    def _next(self) -> str:
        self.number += 1
        return f"word{self.number}"

    def stretches(self) -> list[list[Frame]]:
        """What came out, cut at the interruptions."""
        cuts = [0, *self.sink.cuts, len(self.sink.frames)]
        return [self.sink.frames[a:b] for a, b in itertools.pairwise(cuts)]


def audible(frames: list[Frame]) -> list[str]:
    """The words in the audio."""
    listener = Listener()
    return listener.hear(b"".join(f.audio for f in frames if isinstance(f, TTSAudioRawFrame)))


def written(frames: list[Frame]) -> list[str]:
    """The words that are said to be heard; those of two utterances are two."""
    texts = [frame for frame in frames if isinstance(frame, TTSTextFrame)]
    spoken = itertools.groupby(texts, key=lambda frame: frame.context_id)
    return " ".join("".join(frame.text for frame in group) for _, group in spoken).split()


@pytest.mark.parametrize("group", range(GROUPS))
def test_laws(group: int) -> None:
    """In every conversation: words come out once and in order, the written ones are the audible
    ones, nothing of before an interruption comes out after it, what must not be lost comes out
    once, utterances pair up.
    """
    heard = 0
    for seed in range(group * SEEDS // GROUPS, (group + 1) * SEEDS // GROUPS):
        story = Story(seed)
        stretches = story.stretches()
        assert len(stretches) == len(story.said), seed
        for index, (said, frames) in enumerate(zip(story.said, stretches, strict=True)):
            spoken, texts = audible(frames), written(frames)
            whole = index == len(stretches) - 1 and not story.voice.failed
            _check_words(said, spoken, texts, whole=whole, failed=story.voice.failed)
            _check_pairs(frames, cut=not whole)
            heard += len(spoken)
        musts = [frame.number for frame in story.sink.frames if isinstance(frame, Must)]
        assert musts == list(range(story.musts)), seed
    assert heard > SEEDS / GROUPS


def _check_words(
    said: list[str], spoken: list[str], texts: list[str], *, whole: bool, failed: bool
) -> None:
    if whole:
        assert spoken == said
        assert texts == said
    if not failed:
        assert spoken == said[: len(spoken)], "something else, or in another order, is audible"
        assert texts == said[: len(texts)], "something else, or in another order, is written"
    assert set(spoken) <= set(said), "something stale is audible"
    assert set(texts) <= set(said), "something stale is written"


def _check_pairs(frames: list[Frame], *, cut: bool) -> None:
    open_id: str | None = None
    last_pts = -1
    for frame in frames:
        match frame:
            case TTSStartedFrame(context_id=context_id, pts=pts):
                assert open_id is None, "an utterance begins within another"
                open_id, last_pts = context_id, pts or 0
            case TTSAudioRawFrame(context_id=context_id):
                assert context_id == open_id, "audio of another utterance"
                assert len(frame.audio) % 2 == 0, "half a sample"
            case TTSTextFrame(context_id=context_id, pts=pts):
                assert context_id == open_id, "a word of another utterance"
                assert pts is not None
                assert pts >= last_pts, "time runs backwards"
                last_pts = pts
            case TTSStoppedFrame(context_id=context_id):
                assert context_id == open_id
                open_id = None
    assert open_id is None or cut, "an utterance never ends"
