"""`check_processor`: what every processor must keep."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from antiphon.frames.audio import InputAudioRawFrame, OutputAudioRawFrame, TTSAudioRawFrame
from antiphon.frames.base import ControlFrame, DataFrame, Frame, SystemFrame, UninterruptibleFrame
from antiphon.frames.lifecycle import CancelFrame, EndFrame, InterruptionFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.text import LLMTextFrame, TextFrame, TranscriptionFrame
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.contract import (
    Findings,
    Main,
    SteppedLoop,
    moments,
    name_of,
    undisturbed,
)
from antiphon.simulation.testing import Recorder
from antiphon.simulation.virtual_time import run_on

BOTH = tuple(FrameDirection)
END_SECS = 30.0
"""How long an end may take."""


class StrangeData(DataFrame):
    """Content of a type that no processor knows."""


class StrangeControl(ControlFrame):
    """A boundary of a type that no processor knows."""


class StrangeVow(UninterruptibleFrame, DataFrame):
    """Uninterruptible content of a type that no processor knows."""


class StrangeNews(SystemFrame):
    """Something urgent of a type that no processor knows."""


STRANGE: tuple[type[Frame], ...] = (StrangeData, StrangeControl, StrangeVow, StrangeNews)


def ordinary_frames() -> list[Frame]:
    """A little of everything that flows in a conversation, empty and huge pieces among it."""
    return [
        UserStartedSpeakingFrame(),
        InputAudioRawFrame(bytes(640), 16_000),
        InputAudioRawFrame(b"", 16_000),
        TranscriptionFrame("hello", finalized=True),
        TranscriptionFrame("x" * 100_000, finalized=True),
        UserStoppedSpeakingFrame(),
        LLMFullResponseStartFrame(),
        LLMTextFrame("Hello"),
        LLMTextFrame(""),
        LLMTextFrame(" and many more words" * 5),
        LLMFullResponseEndFrame(),
        TextFrame("Good morning."),
        TTSAudioRawFrame(bytes(960), 24_000),
        OutputAudioRawFrame(bytes(2 * 24_000 * 3), 24_000),
        BotStartedSpeakingFrame(),
        BotStoppedSpeakingFrame(),
    ]


class _Trial:
    """One conversation with one processor between two recorders."""

    def __init__(self, processor: FrameProcessor, frames: Sequence[Frame]) -> None:
        self.up = Recorder(FrameDirection.UPSTREAM, name="upstream recorder")
        self.down = Recorder(FrameDirection.DOWNSTREAM, name="downstream recorder")
        self.task = PipelineTask(Pipeline([self.up, processor, self.down]), idle_timeout_secs=None)
        self.sent: list[tuple[Frame, FrameDirection]] = []
        self.secs = 0.0
        self._frames = frames

    async def hold(self) -> None:
        """Sends everything, both ways, waits a little, and ends."""
        loop = asyncio.get_running_loop()
        job = loop.create_task(self.task.run(), name="conversation")
        for number, frame in enumerate(self._frames):
            await self.task.queue_frame(frame)
            for direction in BOTH:
                strange = STRANGE[number % len(STRANGE)]()
                self.sent.append((strange, direction))
                await self.task.queue_frame(strange, direction)
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.0)
        ending = loop.time()
        await self.task.stop_when_done()
        await asyncio.wait({job}, timeout=END_SECS)
        self.secs = loop.time() - ending
        if not job.done():
            await self.task.cancel("the suite gives up")
        await job

    def judge(self, findings: Findings, when: str, *, losing: bool) -> None:
        """Strange frames come out once, on the right side; some may be lost to an interruption."""
        counts = {
            FrameDirection.UPSTREAM: Counter(frame.id for frame in self.up.frames),
            FrameDirection.DOWNSTREAM: Counter(frame.id for frame in self.down.frames),
        }
        for frame, direction in self.sent:
            came = counts[direction][frame.id]
            name = f"a frame it does not know ({type(frame).__name__}, {direction.name})"
            if came > 1:
                findings.add(f"{name} came out {came} times", when)
            elif not came and not (losing and frame.interruptible):
                findings.add(f"{name} did not come out", when)
        if self.secs >= END_SECS:
            findings.add(f"the conversation does not end within {END_SECS:g} s", when)


@contextmanager
def _without_log() -> Iterator[None]:
    logger = logging.getLogger("antiphon")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def check_processor(
    factory: Callable[[], FrameProcessor],
    *,
    frames: Callable[[], Sequence[Frame]] = ordinary_frames,
    seeds: Sequence[int] = range(10),
) -> None:
    """Frames it does not know pass once each way; it ends, and stops, whenever it is told to.

    `frames` makes what is sent downstream: something the processor works on should be among it.
    Raises `ContractError`.
    """
    findings = Findings(name_of(factory))
    trial: list[_Trial] = []

    async def main() -> None:
        trial[:] = [_Trial(factory(), frames())]
        await trial[0].hold()

    with _without_log():
        first = undisturbed(main)
        findings.check(first, "undisturbed")
        trial[0].judge(findings, "undisturbed", losing=False)
        for seed in seeds:
            findings.check(undisturbed(main, seed), f"seed {seed}")
            trial[0].judge(findings, f"seed {seed}", losing=False)
        for step in moments(first.steps):
            _disturb(main, trial, findings, step)
    findings.conclude()


_DISTURBANCES: tuple[type[Frame], ...] = (InterruptionFrame, EndFrame, CancelFrame)


def _disturb(main: Main, trial: list[_Trial], findings: Findings, step: int) -> None:
    for kind in _DISTURBANCES:
        trial.clear()

        def act(kind: type[Frame] = kind) -> None:
            if trial:
                trial[0].task.queue_frame(kind())

        when = f"{kind.__name__} at step {step}"
        findings.check(run_on(SteppedLoop(None, step, act), main()), when)
        if kind is InterruptionFrame:
            trial[0].judge(findings, when, losing=True)
