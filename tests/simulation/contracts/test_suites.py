"""The suites name the broken rule, and what they say repeats it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import StartFrame
from antiphon.frames.text import TextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.simulation.contracts import (
    ContractError,
    ContractRule,
    check_output_sink,
    check_processor,
    check_start_strategy,
    check_stop_strategy,
    check_turn_model,
    check_vad_model,
)
from antiphon.simulation.fakes.vad import FakeTurnModel, FakeVADModel
from antiphon.turns.facts import Fact
from antiphon.turns.opinions import NOTHING, Opinion, StartTurn
from antiphon.turns.strategy import UserTurnStartStrategy, UserTurnStopStrategy
from tests.simulation.planted.processors import Drainer, Voice

TEXTS = [TextFrame("one two"), TextFrame("three four")]


def test_an_error_repeats_itself() -> None:
    """The seed and the case of an error lead to the same error again, without the other runs."""
    with pytest.raises(ContractError) as first:
        check_processor(lambda: Voice(bug=True), frames=TEXTS, seeds=range(7, 9))
    error = first.value
    assert (error.rule, error.seed) == (ContractRule.STALE, 7)
    with pytest.raises(ContractError) as again:
        check_processor(lambda: Voice(bug=True), frames=TEXTS, seeds=[error.seed], only=error.case)
    assert str(again.value) == str(error)
    assert again.value.runs == 2


def test_an_unknown_case_is_refused() -> None:
    """A misspelt case is an error that names the cases there are."""
    with pytest.raises(ValueError, match="there are undisturbed, nothing, all at once"):
        check_processor(Drainer, frames=TEXTS, only="interupted at step 3")


class Swallower(FrameProcessor):
    """Drops frames that it does not know."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TextFrame):
            await self.push_frame(frame, direction)


class Deaf(FrameProcessor):
    """A handler that does not stop when it is cancelled."""

    @handles(TextFrame)
    async def take(self, frame: TextFrame, direction: FrameDirection) -> None:
        for _ in range(100):
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                continue


class Clumsy(FrameProcessor):
    """A handler that raises."""

    @handles(TextFrame)
    async def take(self, frame: TextFrame, direction: FrameDirection) -> None:
        raise KeyError(frame.text)


class Leaky(FrameProcessor):
    """Starts a task that nobody ends."""

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._task = asyncio.get_running_loop().create_task(asyncio.sleep(1e6))


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        (Swallower, ContractRule.KEEPS),
        (Deaf, ContractRule.ENDS),
        (Clumsy, ContractRule.EXCEPTIONS),
        (Leaky, ContractRule.TASKS),
    ],
)
def test_broken_processors_are_found(part: type[FrameProcessor], rule: ContractRule) -> None:
    """Each way to be a bad processor is found as what it is."""
    with pytest.raises(ContractError) as found:
        check_processor(part, frames=TEXTS, seeds=1, end_secs=60.0)
    assert found.value.rule is rule


class Remembering(FakeVADModel):
    """Does not forget at a reset."""

    def probability(self, window: bytes) -> float:
        return max(0.0, super().probability(window) - self.windows / 10_000)


class Certain(FakeVADModel):
    """More than certain."""

    def probability(self, window: bytes) -> float:
        return 2.0 * super().probability(window)


class Moody(FakeTurnModel):
    """An opinion that depends on what it was asked before."""

    async def complete_probability(self, audio: bytes) -> float:
        await super().complete_probability(audio)
        return 1.0 / self.asked


def test_broken_models_are_found() -> None:
    """Models that remember, exceed 1, or change their minds are found."""
    for kind, rule in ((Remembering, ContractRule.PURE), (Certain, ContractRule.VALUES)):
        with pytest.raises(ContractError) as found:
            check_vad_model(kind, seeds=1)
        assert found.value.rule is rule
    with pytest.raises(ContractError) as moody:
        check_turn_model(Moody, seeds=1)
    assert moody.value.rule is ContractRule.PURE


class Alarm(UserTurnStartStrategy):
    """A deadline that stays where it is when it was met."""

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        self.deadline = now + 1.0
        return (StartTurn("anything"),)

    def tick(self, now: float) -> Sequence[Opinion]:
        return NOTHING


class Morning(UserTurnStopStrategy):
    """Decides by the time of the day."""

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        return (StartTurn("late"),) if now > 1000.0 else NOTHING


def test_broken_strategies_are_found() -> None:
    """Deadlines that never pass, and decisions by the clock, are found."""
    with pytest.raises(ContractError) as alarm:
        check_start_strategy(Alarm, seeds=5)
    assert alarm.value.rule is ContractRule.DEADLINES
    with pytest.raises(ContractError) as morning:
        check_stop_strategy(Morning, seeds=5)
    assert morning.value.rule is ContractRule.PURE


class CloseOnce:
    """A sink that must not be closed twice."""

    def __init__(self) -> None:
        self._open = False

    async def open(self, sample_rate: int, num_channels: int) -> None:
        self._open = True

    async def write(self, pcm: bytes) -> None:
        await asyncio.sleep(0)

    async def close(self) -> None:
        if not self._open:
            raise RuntimeError("closed already")
        self._open = False


def test_a_broken_sink_is_found() -> None:
    """A sink that cannot bear a second close is found."""
    with pytest.raises(ContractError, match="closed already"):
        check_output_sink(CloseOnce, seeds=1)
