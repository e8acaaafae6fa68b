"""Tests of `antiphon.turns.vad_driver`: where voice activity is detected, and how it is dated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from antiphon.audio.vad import VADParams
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.text import TranscriptionFrame
from antiphon.frames.turns import VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.switch import ServiceSwitcher
from antiphon.kernel.task import PipelineTask
from antiphon.services.stt import STTService
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.vad import FakeVADModel
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.vad_driver import VADProcessor


class Analyzer(FakeVADModel):
    """A voice activity model with parameters."""

    params = VADParams(min_volume=0.0)


def user_half() -> FrameProcessor:
    """The user half of a pair with an analyzer."""
    params = LLMUserAggregatorParams(
        vad_analyzer=Analyzer(),
        user_turn_strategies=UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()]),
    )
    return LLMContextAggregatorPair(LLMContext(), user_params=params).user()


def stt() -> STTService:
    """A transcriber."""
    return STTService(FakeSTTProvider())


def order(pipeline: Pipeline) -> list[str]:
    """The kinds of the processors of a task, in the order in which frames reach them."""
    task = PipelineTask(pipeline)
    return [type(station.processor).__name__ for station in task._session.stations]


V, S, U = "VADProcessor", "STTService", "LLMUserAggregator"


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        (lambda: Pipeline([FrameProcessor(), stt(), user_half()]), ["FrameProcessor", V, S, U]),
        (lambda: Pipeline([FrameProcessor(), user_half()]), ["FrameProcessor", V, U]),
        (lambda: Pipeline([ServiceSwitcher([stt(), stt()]), user_half()]), [V, S, S, U]),
        (lambda: Pipeline([VADProcessor(Analyzer()), stt(), user_half()]), [V, S, U]),
        (lambda: Pipeline([stt(), VADProcessor(Analyzer()), user_half()]), [S, V, U]),
        (
            lambda: Pipeline([ParallelPipeline([stt(), user_half()], [stt(), user_half()])]),
            [V, S, U, V, S, U],
        ),
        (
            lambda: Pipeline(
                [VADProcessor(Analyzer()), ParallelPipeline([stt(), user_half()], [user_half()])]
            ),
            [V, S, U, U],
        ),
    ],
    ids=["stt", "no stt", "switch", "there before", "there after", "branches", "outside"],
)
def test_voice_activity_is_detected_in_front_of_the_transcriber(
    pipeline: Callable[[], Pipeline], expected: list[str]
) -> None:
    """A pair's analyzer gets its processor, before the first transcriber, unless there is one."""
    assert order(pipeline()) == expected


def test_a_pipeline_can_be_wired_again() -> None:
    """Each conversation gets a processor of its own."""
    parts = [stt(), user_half()]

    async def main() -> list[Frame]:
        down, up = await run_test(Pipeline(parts), frames_to_send=[SleepFrame(0.1)])
        return [*down, *up]

    for _ in range(2):
        assert not [f for f in run(main()) if isinstance(f, ErrorFrame)]


def hear(*frames: Frame, start: float = 0.0) -> tuple[list[str], list[str]]:
    """The turns and the errors that frames lead to, on a loop whose clock begins at `start`."""
    turns: list[str] = []
    params = LLMUserAggregatorParams(
        user_turn_strategies=UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()])
    )
    user = LLMContextAggregatorPair(LLMContext(), user_params=params).user()

    @user.event_handler("on_user_turn_stopped")
    def stopped(_: object, by: object, message: object) -> None:
        turns.append(f"{user.clock.now() - start:.1f} s, {type(by).__name__}")

    async def main() -> list[Frame]:
        await asyncio.sleep(start)
        _, up = await run_test(Pipeline([user]), frames_to_send=frames)
        return up

    up = run(main())
    return turns, [f.error for f in up if isinstance(f, ErrorFrame)]


@pytest.mark.parametrize("start", [0.0, 1_000.0])
def test_voice_activity_without_a_time_is_now(start: float) -> None:
    """The turn ends 0.6 s after the end of speech, wherever the loop's clock stands."""
    turns, errors = hear(
        SleepFrame(1.0),
        VADUserStartedSpeakingFrame(),
        SleepFrame(1.0),
        TranscriptionFrame("hello", finalized=True),
        VADUserStoppedSpeakingFrame(),
        SleepFrame(2.0),
        start=start,
    )
    assert errors == []
    assert turns == ["2.6 s, SpeechTimeoutUserTurnStopStrategy"]


@pytest.mark.parametrize("at", [0.0, 1_764_000_000.0, float("nan"), float("inf"), -5.0, 1_002.0])
def test_a_time_of_another_clock_is_refused(at: float) -> None:
    """Wall clocks, zeros and nonsense are one clear error each, and change nothing."""
    turns, errors = hear(VADUserStartedSpeakingFrame(timestamp=at), start=1_000.0)
    assert turns == []
    (error,) = errors
    assert "VADUserStartedSpeakingFrame.timestamp is" in error
    assert "asyncio.get_running_loop().time()" in error
