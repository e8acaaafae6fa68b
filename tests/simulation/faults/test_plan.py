"""Plans of faults in whole calls: what an agent's own machinery makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.audio.vad import VADParams
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.errors import InvalidInputError, UnknownNameError
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.switch import ServiceSwitcher
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategyFailover
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.calls.caller import Caller, ExpectationError, HeldCall, hold_call
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeVADModel
from antiphon.simulation.faults import FaultEvent, FaultPlan
from antiphon.simulation.loop.virtual_time import run
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies

RATE = 16_000
ANSWER = "For how many people and at what time"


class Loudness(FakeVADModel):
    """Loudness as voice activity."""

    params = VADParams(min_volume=0.0)


def agent(caller: Caller) -> PipelineTask:
    """A usual agent with fakes; its model has a spare."""
    pair = LLMContextAggregatorPair(
        LLMContext(),
        user_params=LLMUserAggregatorParams(
            vad_analyzer=Loudness(),
            user_turn_strategies=UserTurnStrategies(
                stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.6)]
            ),
        ),
    )
    models = [
        LLMService(FakeLLMProvider(default=ANSWER), name="main"),
        LLMService(FakeLLMProvider(default="The spare model speaks"), name="spare"),
    ]
    return PipelineTask(
        Pipeline(
            [
                caller.input(),
                STTService(FakeSTTProvider(sample_rate=RATE, segmented=True)),
                pair.user(),
                ServiceSwitcher(models, ServiceSwitcherStrategyFailover()),
                TTSService(FakeTTSProvider(sample_rate=RATE)),
                caller.output(),
                pair.assistant(),
            ]
        ),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
    )


def hold(
    plan: dict[str, Any], *, within: float = 4.0, seed: int | None = 1
) -> tuple[HeldCall, list[FaultEvent]]:
    """One question and its answer, with faults."""

    async def script(caller: Caller) -> None:
        await caller.says("a table for tonight please")
        await caller.expects_reply(within=within)

    async def main() -> tuple[HeldCall, list[FaultEvent]]:
        caller = Caller()
        task = agent(caller)
        injection = FaultPlan.of(plan).inject(task)
        try:
            return await hold_call(task, caller, script), injection.events
        finally:
            injection.remove()

    return run(main(), seed=seed)


def test_without_faults_the_agent_answers() -> None:
    """An empty plan changes nothing."""
    call, events = hold({})
    assert call.heard == ANSWER
    assert not events


@pytest.mark.parametrize(
    ("plan", "struck"),
    [
        ({"llm.main": {"error_once": "server"}}, 1),
        ({"tts": {"error_once": "connectivity"}}, 1),
        ({"stt": {"delay": 1.0}}, 1),
        ({"tts": {"delay": 0.7}}, 1),
        ({"llm": {"delay": 0.1, "on": "event", "every": 3}}, 3),
        ({"loop": {"stall": 0.1, "every": 1.0, "until": 4}}, 3),
    ],
)
def test_an_agent_gets_over_what_goes_wrong_once(plan: dict[str, Any], struck: int) -> None:
    """A fault that passes costs time at most; the caller hears the whole answer."""
    call, events = hold(plan)
    assert call.heard == ANSWER
    assert len(events) == struck


def test_a_spare_takes_over_from_a_model_that_fails_for_good() -> None:
    """A fault of one service by its name is that one's, and its switch reacts to it."""
    call, events = hold({"llm.main": {"error_from_now_on": "quota"}})
    assert call.heard == "The spare model speaks"
    assert [str(event) for event in events] == ["fault injected: llm.main: error_from_now_on quota"]


def test_a_lossy_line_loses_words() -> None:
    """Sound that is dropped on its way in is not heard; everything else goes on."""
    with pytest.raises(ExpectationError):
        hold({"input": {"drop": True}})
    call, events = hold({"output": {"drop": True, "every": 2, "frames": ["TTSAudioRawFrame"]}})
    assert len(events) > 10
    assert call.heard != ANSWER


def test_a_seed_repeats_its_faults() -> None:
    """The same seed, the same faults at the same times; another seed, others."""
    plan = {"input": {"drop": 0.02}, "tts": {"delay": {"uniform": [0.1, 0.2]}, "on": "event"}}
    once, again, other = (hold(plan, seed=seed)[1] for seed in (4, 4, 5))
    assert once == again
    assert once != other


def test_a_service_that_is_not_there_is_named() -> None:
    """A target that the pipeline lacks is an error that names what it has; nothing is injected."""
    provider = FakeLLMProvider()

    async def main(plan: dict[str, Any]) -> None:
        task = PipelineTask(Pipeline([LLMService(provider, name="main")]))
        FaultPlan.of(plan).inject(task)

    with pytest.raises(UnknownNameError, match=r"llm\.man: .* there are main"):
        run(main({"llm": {"hang": True}, "llm.man": {"hang": True}}))
    assert "complete" not in vars(provider)
    with pytest.raises(UnknownNameError, match=r"tts: .* there are none"):
        run(main({"tts": {"hang": True}}))


def test_the_words_of_yaml_1_1_are_words() -> None:
    """`on` is a key, and `off`, `yes` and `no` are no truth values."""
    plan = FaultPlan.parse("tts: {error_once: server, on: connect}")
    assert plan == FaultPlan.of({"tts": {"error_once": "server", "on": "connect"}})
    with pytest.raises(InvalidInputError, match="write true"):
        FaultPlan.parse("tts: {hang: yes}")
