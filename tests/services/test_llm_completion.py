"""Turn completion by markers, from the model's verdict to the turn's end."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.errors import AuthenticationError
from antiphon.frames.llm import (
    LLMMessagesAppendFrame,
    LLMMessagesUpdateFrame,
    LLMRunFrame,
    LLMSetToolsFrame,
    LLMUpdateSettingsFrame,
)
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.switch import ServiceSwitcher
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategyFailover
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.settings import LLMSettings
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.fakes.provider import Fail
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema, ToolsSchema
from antiphon.turns.completion import INSTRUCTIONS, UserTurnCompletionConfig
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


def weather_rig(script: list[Any]) -> Rig:
    """The model judges, and has a tool."""
    made = rig(script)

    async def weather(params: FunctionCallParams) -> None:
        await params.result_callback("sunny")

    made.llm.register_function("get_weather", weather)
    made.context.set_tools(
        ToolsSchema(
            standard_tools=[
                FunctionSchema(
                    name="get_weather", description="The weather", properties={}, required=[]
                )
            ]
        )
    )
    return made


@pytest.mark.parametrize(
    "first",
    [[call("get_weather")], ["✓", call("get_weather")], ["✓ Let me see.", call("get_weather")]],
    ids=["a call alone", "a marker and a call", "a marker, words and a call"],
)
def test_a_call_ends_the_turn_and_the_reply_after_it_is_spoken(first: Any) -> None:
    """A call needs no marker; what the model says about its result is not dropped."""
    stops: list[list[str]] = []

    async def play(made: Rig) -> None:
        stops.append(stops_of(made))
        await made.says("How is the weather?")
        await asyncio.sleep(6)

    made = converse(lambda: weather_rig([first, "✓ It is sunny."]), play)
    assert stops == [["How is the weather?"]]
    assert made.voice.said.endswith("It is sunny.")
    assert "✓" not in made.voice.said
    assert made.inferences == 2


def test_a_prompt_after_the_answer_is_answered_aloud() -> None:
    """An idle caller is spoken to again, as often as the program wants."""

    async def play(made: Rig) -> None:
        await made.says("How are you?")
        for _ in range(2):
            await asyncio.sleep(4)
            nudge = {"role": "developer", "content": "The user is idle."}
            await made.send(LLMMessagesAppendFrame([nudge], run_llm=True))
        await asyncio.sleep(4)

    made = converse(lambda: rig(["✓ Fine.", "✓ Still there?", "✓ Hello?"]), play)
    assert made.voice.said == "Fine.Still there?Hello?"


def test_a_bare_marker_is_no_dead_air() -> None:
    """The turn is over, nothing was said: the model is asked again, and heard."""
    stops: list[list[str]] = []

    async def play(made: Rig) -> None:
        stops.append(stops_of(made))
        await made.says("How are you?")
        await asyncio.sleep(5)

    made = converse(lambda: rig(["✓", "✓ Fine."]), play)
    assert made.voice.said == "Fine."
    assert stops == [["How are you?"]]


def test_a_late_verdict_neither_ends_the_turn_nor_is_spoken() -> None:
    """The caller goes on while the model is about to say that the turn was complete."""
    stops: list[list[str]] = []

    async def play(made: Rig) -> None:
        stops.append(stops_of(made))
        await made.says("Tell me about")
        await asyncio.sleep(0.35)  # the inference has begun, its first token has not come
        await made.says("the weather.", secs=1.0)
        await asyncio.sleep(6)

    made = converse(lambda: rig(["✓ About what?", "✓ It is sunny."]), play)
    assert made.inferences == 2
    assert stops == [["Tell me about the weather."]]
    assert made.voice.said == "It is sunny."


def test_neither_messages_nor_tools_can_lose_the_protocol() -> None:
    """It is composed into each request: replacing everything in the context leaves it there."""

    async def play(made: Rig) -> None:
        await made.says("How are you?")
        await asyncio.sleep(3)
        await made.send(
            LLMMessagesUpdateFrame([{"role": "system", "content": "You are a pirate."}]),
            LLMSetToolsFrame(ToolsSchema(standard_tools=[])),
        )
        await made.says("And now?")
        await asyncio.sleep(3)

    made = converse(lambda: rig(["✓ Fine.", "✓ Arr."]), play)
    told = CONFIG.with_marks(INSTRUCTIONS)
    for request in made.provider.requests:
        assert (request.system_instruction or "").count(told) == 1
        assert sum(message["role"] == "system" for message in request.messages) <= 1
    assert made.voice.said == "Fine.Arr."


def test_switched_off_the_instruction_is_the_programs_own_again() -> None:
    """And answers are spoken as they come."""

    async def play(made: Rig) -> None:
        await made.says("How are you?")
        await asyncio.sleep(3)
        off = LLMUpdateSettingsFrame(settings={"filter_incomplete_user_turns": False})
        await made.send(off)
        await made.send(LLMRunFrame())
        await asyncio.sleep(3)

    made = converse(lambda: rig(["✓ Fine.", "✓ as written"]), play)
    first, second = made.provider.requests
    assert "✓" in (first.system_instruction or "")
    assert second.system_instruction == "Be nice."
    assert made.voice.said == "Fine.✓ as written"


def test_the_warning_about_a_missing_marker_comes_once(caplog: pytest.LogCaptureFixture) -> None:
    """However many answers come without one."""

    async def play(made: Rig) -> None:
        for _ in range(2):
            await made.says("How are you?")
            await asyncio.sleep(4)

    with caplog.at_level(logging.WARNING):
        made = converse(lambda: rig(["Fine.", "Fine again."]), play)
    assert made.voice.said == "Fine.Fine again."
    assert caplog.text.count("without a turn-completion marker") == 1
