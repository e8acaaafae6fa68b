"""`run_test`, the observer log, and the proof that one seed is one run, byte for byte."""

from __future__ import annotations

import asyncio
import random

import pytest

from antiphon.frames.audio import OutputAudioRawFrame
from antiphon.frames.base import ControlFrame, DataFrame
from antiphon.frames.lifecycle import EndFrame, ErrorFrame, InterruptionFrame, StartFrame
from antiphon.frames.text import TextFrame
from antiphon.frames.turns import BotSpeakingFrame, UserSpeakingFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.simulation.loop.virtual_time import BUSY, Policy, run, simulate
from antiphon.simulation.record.observer_log import ObserverLog, first_difference
from antiphon.simulation.testing import SleepFrame, run_test


class Shout(FrameProcessor):
    """Shouts after a while, and tells upstream that it did."""

    def __init__(self, secs: float = 0.0) -> None:
        super().__init__()
        self._secs = secs

    @handles(TextFrame)
    async def shout(self, frame: TextFrame, direction: FrameDirection) -> None:
        await asyncio.sleep(self._secs)
        await self.push_frame(TextFrame(frame.text.upper()), direction)
        await self.push_frame(BotSpeakingFrame(), FrameDirection.UPSTREAM)


def test_run_test_returns_what_left_the_processor_on_either_side() -> None:
    """Types and whole frames are compared, per direction; frames come back."""
    down, up = run(
        run_test(
            Shout(0.1),
            frames_to_send=[TextFrame("a"), SleepFrame(sleep=1.0), UserSpeakingFrame()],
            expected_down_frames=[TextFrame("A"), UserSpeakingFrame],
            expected_up_frames=[BotSpeakingFrame],
        )
    )
    assert [type(frame) for frame in (*down, *up)] == [
        TextFrame,
        UserSpeakingFrame,
        BotSpeakingFrame,
    ]


def test_run_test_works_on_a_plain_loop() -> None:
    """Nothing in it needs virtual time."""
    down, _ = asyncio.run(run_test(Shout(), frames_to_send=[TextFrame("a")]))
    assert [frame.text for frame in down if isinstance(frame, TextFrame)] == ["A"]


@pytest.mark.parametrize(
    "expected", [[], [DataFrame, DataFrame], [ControlFrame], [TextFrame("a")], [Shout]]
)
def test_run_test_fails_with_a_table_when_the_frames_differ(expected: list[type]) -> None:
    """Too few, too many, another type, another text: each is an AssertionError that shows both."""
    with pytest.raises(AssertionError, match=r"(?s)downstream frames.*TextFrame\(text='A'\)"):
        run(run_test(Shout(), frames_to_send=[TextFrame("a")], expected_down_frames=expected))


def test_run_test_sends_upstream_and_shows_the_start_if_asked() -> None:
    """Frames may enter at the lower end; the StartFrame is part of the record on request."""
    down, up = run(
        run_test(
            Shout(),
            frames_to_send=[TextFrame("a")],
            frames_to_send_direction=FrameDirection.UPSTREAM,
            expected_up_frames=[TextFrame("A"), BotSpeakingFrame],
            ignore_start=False,
        )
    )
    assert [type(frame) for frame in down] == [StartFrame]
    assert len(up) == 2


def test_run_test_without_end_frame_needs_somebody_to_end() -> None:
    """An EndFrame of the test's own ends it; without one the test fails in bounded time."""
    down, _ = run(
        run_test(Shout(), frames_to_send=[TextFrame("a"), EndFrame()], send_end_frame=False)
    )
    assert [type(frame) for frame in down] == [TextFrame, EndFrame]
    with pytest.raises(AssertionError, match="did not end within 60 s"):
        run(run_test(Shout(), frames_to_send=[], send_end_frame=False))


def test_run_test_shows_errors_and_interruptions() -> None:
    """A failing handler shows up as an ErrorFrame upstream, an interruption downstream."""

    class Fails(FrameProcessor):
        @handles(TextFrame)
        async def fail(self, frame: TextFrame, direction: FrameDirection) -> None:
            await self.broadcast_interruption()
            raise ValueError("no")

    run(
        run_test(
            Fails(),
            frames_to_send=[TextFrame("a")],
            expected_down_frames=[InterruptionFrame],
            expected_up_frames=[ErrorFrame],
        )
    )


def test_run_test_takes_pipelines() -> None:
    """A pipeline or a ParallelPipeline may stand in the place of the processor."""
    sent = [TextFrame("a")]
    run(
        run_test(
            Pipeline([Shout(), Shout()]), frames_to_send=sent, expected_down_frames=[TextFrame("A")]
        )
    )
    run(
        run_test(
            ParallelPipeline([Shout()], [Shout()]),
            frames_to_send=sent,
            expected_down_frames=[TextFrame, TextFrame],
        )
    )


class Chatter(FrameProcessor):
    """Says something in a task of its own, at random times, and is slow about what it hears."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self._words = words

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self.create_task(self._talk(), name="talk")

    @handles(TextFrame)
    async def hear(self, frame: TextFrame, direction: FrameDirection) -> None:
        await asyncio.sleep(0.01)
        await self.push_frame(TextFrame(frame.text + "."), direction)

    async def _talk(self) -> None:
        rng = random.Random(self._words)
        for _ in range(self._words):
            await asyncio.sleep(rng.choice([0.01, 0.02, 0.05]))
            way = rng.choice(list(FrameDirection))
            await self.push_frame(TextFrame("hm"), way)
            if rng.random() < 0.1:
                await self.broadcast_interruption()


def chat_log(seed: int, policy: Policy) -> tuple[str, str]:
    log = ObserverLog()
    audio = OutputAudioRawFrame(audio=bytes(640), sample_rate=16_000)
    coro = run_test(
        Pipeline([Chatter(20), ParallelPipeline([Chatter(15), Shout(0.02)], [Chatter(10)])]),
        frames_to_send=[audio, TextFrame("go"), SleepFrame(sleep=2.0)],
        observers=[log],
    )
    outcome = simulate(coro, seed=seed, policy=policy, cpu=BUSY)
    outcome.result()
    return log.text, outcome.fingerprint


@pytest.mark.parametrize("policy", list(Policy))
def test_one_seed_is_one_run_byte_for_byte(policy: Policy) -> None:
    """Two runs of one seed write the same log; other seeds write other logs."""
    logs = set()
    for seed in range(8):
        (one, print_one), (other, print_other) = (chat_log(seed, policy) for _ in range(2))
        assert first_difference(one, other) is None
        assert print_one == print_other
        assert len(one.splitlines()) > 100
        logs.add(one)
    assert len(logs) == 8


def test_the_log_names_frames_by_order_and_hides_what_differs_between_processes() -> None:
    """No ids, no addresses: frames are numbered as they appear, bytes are shown as a checksum."""
    text, _ = chat_log(1, Policy.FIFO)
    assert "#1 StartFrame()" in text.splitlines()[0]
    assert "audio=<640 bytes " in text
    assert "0x" not in text
    assert "id=" not in text


def test_first_difference_shows_both_lines() -> None:
    """The first line that differs is shown of both logs, also when one is shorter."""
    assert first_difference("a\nb\n", "a\nb\n") is None
    assert first_difference("a\nb\n", "a\nc\n") == "line 2:\n  b\n  c"
    assert first_difference("a\n", "a\nc\n") == "line 2:\n  (ended)\n  c"
