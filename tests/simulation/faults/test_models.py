"""Faults of models over audio: by themselves, and in a whole agent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from antiphon.audio.vad import VADParams
from antiphon.errors import (
    ConfigurationError,
    InvalidInputError,
    ServerError,
    UnknownNameError,
)
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.fakes.vad import FakeTurnModel, FakeVADModel
from antiphon.simulation.faults import FaultPlan, faulty
from antiphon.simulation.loop.virtual_time import run
from antiphon.turns.processor import UserTurnProcessor
from antiphon.turns.stop_strategies import TurnAnalyzerUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.vad_driver import VADProcessor

WINDOW = bytes(1024)


class Analyzer(FakeVADModel):
    """A model with its parameters."""

    params = VADParams()


def took(question: Callable[[], Awaitable[float]]) -> tuple[float, float]:
    """The answer, and the seconds until it came."""

    async def main() -> tuple[float, float]:
        answer = await question()
        return answer, asyncio.get_running_loop().time()

    return run(main())


def test_a_model_of_voice_activity_stalls_and_fails() -> None:
    """A stall stops the machine, an error is raised; other windows are the model's own."""
    model = faulty(FakeVADModel([0.7] * 4), {"stall": 0.5, "times": 1}, {"error_once": "server"})

    async def main() -> None:
        with pytest.raises(ServerError, match="a fault was injected"):
            model.probability(WINDOW)
        assert asyncio.get_running_loop().time() == 0.5
        assert model.probability(WINDOW) == 0.7
        assert asyncio.get_running_loop().time() == 0.5

    run(main())


def test_a_turn_model_is_late_and_fails() -> None:
    """It answers so much later, never, or not once; then as it is."""
    late = faulty(FakeTurnModel([0.3], latency=0.0), {"delay": 2.0, "times": 1})
    assert took(lambda: late.complete_probability(b"")) == (0.3, 2.0)
    assert took(lambda: late.complete_probability(b"")) == (0.95, 0.0)
    failing = faulty(FakeTurnModel(), {"error_from_now_on": "server", "after": 1})
    assert took(lambda: failing.complete_probability(b""))[0] == 0.95
    with pytest.raises(ServerError):
        took(lambda: failing.complete_probability(b""))
    hanging = faulty(FakeTurnModel(), {"hang": True})

    async def in_time() -> float:
        return await asyncio.wait_for(hanging.complete_probability(b""), 5.0)

    with pytest.raises(TimeoutError):
        took(in_time)


def test_a_plan_finds_the_models_of_a_pipeline() -> None:
    """The models that processors were given suffer, and are themselves again afterwards."""
    vad, turn = Analyzer([0.5]), FakeTurnModel(latency=0.0)
    stop = TurnAnalyzerUserTurnStopStrategy(turn_analyzer=turn)
    processor = UserTurnProcessor(user_turn_strategies=UserTurnStrategies(stop=[stop]))
    plan = FaultPlan.of({"vad": {"error": "server"}, "turn": {"delay": 1.5}})

    async def main() -> None:
        task = PipelineTask(Pipeline([VADProcessor(vad), processor]))
        injection = plan.inject(task)
        with pytest.raises(ServerError):
            vad.probability(WINDOW)
        await turn.complete_probability(b"")
        assert asyncio.get_running_loop().time() == 1.5
        assert [event.target for event in injection.events] == ["vad", "turn"]
        injection.remove()
        assert vad.probability(WINDOW) == 0.5

    run(main())


def test_what_a_model_cannot_suffer_is_an_error() -> None:
    """A verb of other targets, a name, and a pipeline without a model are told."""
    with pytest.raises(UnknownNameError, match="vad: there is no 'hang', a fault of"):
        FaultPlan.of({"vad": {"hang": True}})
    with pytest.raises(InvalidInputError, match="there is one turn"):
        FaultPlan.of({"turn.x": {"hang": True}})
    with pytest.raises(ConfigurationError, match="is no provider"):
        faulty(object(), {"stall": 1.0})

    async def main() -> None:
        task = PipelineTask(Pipeline([VADProcessor(Analyzer())]))
        with pytest.raises(UnknownNameError, match="turn: no processor of this pipeline was given"):
            FaultPlan.of({"turn": {"hang": True}}).inject(task)

    run(main())
