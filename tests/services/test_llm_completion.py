"""Turn completion by markers, from the model's verdict to the turn's end."""

from __future__ import annotations

import asyncio
from typing import Any

from antiphon.context.conversation import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.errors import AuthenticationError
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.switch import ServiceSwitcher
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategyFailover
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.settings import LLMSettings
from antiphon.simulation.fakes.faults import Fail
from antiphon.simulation.fakes.llm import FakeLLMProvider
from antiphon.simulation.virtual_time import run
from antiphon.turns.completion import UserTurnCompletionConfig
from antiphon.turns.start_strategies import VADUserTurnStartStrategy
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import FilterIncompleteUserTurnStrategies
from tests.context.rig import Rig, Voice, converse

CONFIG = UserTurnCompletionConfig(incomplete_short_timeout=3.0)


def rig(script: list[Any]) -> Rig:
    strategies = FilterIncompleteUserTurnStrategies(
        start=[VADUserTurnStartStrategy()],
        stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.3)],
        config=CONFIG,
    )
    return Rig(script, strategies=strategies, settings=LLMSettings(system_instruction="Be nice."))


def stops_of(made: Rig) -> list[str]:
    stops: list[str] = []
    made.user.add_event_handler("on_user_turn_stopped", lambda _, s, m: stops.append(m.content))
    return stops


def test_a_complete_turn_is_answered_without_its_marker() -> None:
    """The caller hears the text; the context keeps the marker, so that the model goes on."""
    stops: list[list[str]] = []

    async def play(made: Rig) -> None:
        stops.append(stops_of(made))
        await made.says("How are you?")
        await asyncio.sleep(5)

    made = converse(lambda: rig(["✓ Fine, thanks."]), play)
    assert made.voice.said == "Fine, thanks."
    assert made.of_role("assistant") == ["✓ Fine, thanks."]
    assert [turn.content for turn in made.turns] == ["Fine, thanks."]
    assert stops == [["How are you?"]]
    instruction = made.provider.requests[0].system_instruction or ""
    assert instruction.startswith("Be nice.")
    assert "✓" in instruction


def test_an_incomplete_turn_is_not_answered_and_goes_on() -> None:
    """The caller is let finish; both parts are one turn, which ends with the second verdict."""
    stops: list[list[str]] = []

    async def play(made: Rig) -> None:
        stops.append(stops_of(made))
        await made.says("I would like to")
        await asyncio.sleep(1)
        await made.says("book a table.")
        await asyncio.sleep(5)

    made = converse(lambda: rig(["○", "✓ For when?"]), play)
    assert made.voice.said == "For when?"
    assert stops == [["I would like to book a table."]]
    assert made.of_role("assistant") == ["○", "✓ For when?"]


def test_a_caller_who_does_not_go_on_is_asked() -> None:
    """After the timeout the model is asked to invite the caller."""

    async def play(made: Rig) -> None:
        await made.says("I would like to")
        await asyncio.sleep(10)

    made = converse(lambda: rig(["○", "✓ Yes?"]), play)
    assert made.voice.said == "Yes?"
    assert len(made.of_role("developer")) == 1


def test_an_answer_that_is_cut_off_before_its_verdict_gives_none() -> None:
    """The end of a void answer is no verdict: the caller's turn stays open."""
    stops: list[list[str]] = []

    async def play(made: Rig) -> None:
        stops.append(stops_of(made))
        await made.says("How are")
        await asyncio.sleep(0.35)  # the model has been asked and has not begun
        assert made.inferences == 1
        await made.user.broadcast_interruption()
        await asyncio.sleep(1)
        assert stops == [[]]
        assert made.of_role("developer") == []  # nor is the model asked to say it again
        await made.says("you?")
        await asyncio.sleep(5)

    for seed in range(20):
        stops.clear()
        made = converse(lambda: rig(["✓ Too early.", "✓ Fine."]), play, seed=seed)
        assert made.voice.said == "Fine."
        assert stops == [["How are you?"]]


def test_an_answer_without_a_marker_is_spoken() -> None:
    """Better an answer out of protocol than silence."""

    async def play(made: Rig) -> None:
        await made.says("How are you?")
        await asyncio.sleep(5)

    made = converse(lambda: rig(["Fine."]), play)
    assert made.voice.said == "Fine."


def test_the_pair_can_be_unpacked() -> None:
    """`user, assistant = pair` is the way programs write it."""
    made = rig([])
    pair = LLMContextAggregatorPair(made.context)
    user, assistant = pair
    assert user is pair.user()
    assert assistant is pair.assistant()


def test_a_service_that_takes_over_goes_on_by_the_markers() -> None:
    """After a failover the next model is instructed too, and its marker is not spoken."""

    async def main() -> tuple[str, list[str]]:
        broken = FakeLLMProvider(faults={0: Fail(AuthenticationError("bad key"))})
        second = FakeLLMProvider(["✓ Fine, thanks."])
        made, voice = rig([]), Voice(0.1)
        switcher = ServiceSwitcher(
            [LLMService(broken, name="first"), LLMService(second, name="second")],
            strategy=ServiceSwitcherStrategyFailover(),
        )
        pair = LLMContextAggregatorPair(
            LLMContext(),
            user_params=LLMUserAggregatorParams(
                user_turn_strategies=FilterIncompleteUserTurnStrategies(
                    start=[VADUserTurnStartStrategy()],
                    stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.3)],
                    config=CONFIG,
                )
            ),
        )
        made.task = PipelineTask(
            Pipeline([pair.user(), switcher, voice, pair.assistant()]),
            idle_timeout_secs=None,
        )
        stops: list[str] = []
        pair.user().add_event_handler(
            "on_user_turn_stopped", lambda _, s, m: stops.append(m.content)
        )
        running = asyncio.get_running_loop().create_task(made.task.run())
        await asyncio.sleep(0.1)
        await made.says("How are you?")
        await asyncio.sleep(8)
        await made.task.stop_when_done()
        await running
        assert "✓" in (second.requests[0].system_instruction or "")
        return voice.said, stops

    assert run(main()) == ("Fine, thanks.", ["How are you?"])
