"""Turn-taking in whole conversations: model, voice, playout and context included."""

from __future__ import annotations

from pathlib import Path

import pytest

from antiphon.context.user_aggregator import LLMUserAggregatorParams
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.transports.caller_script import Step, Wait, WaitForAgent, WaitForSpeech
from antiphon.turns.backchannel import BackchannelUserTurnStartStrategy
from antiphon.turns.completion import INSTRUCTIONS, SHORT_PROMPT, UserTurnCompletionConfig
from antiphon.turns.completion_strategies import LLMTurnCompletionUserTurnStopStrategy
from antiphon.turns.endpointing import DynamicEndpointingUserTurnStopStrategy
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import FilterIncompleteUserTurnStrategies, UserTurnStrategies
from tests.conversations.rig import converse, says

STORY = "Once upon a time there was a king who had seven sons and a garden."


def judged(incomplete_short_timeout: float = 5.0) -> FilterIncompleteUserTurnStrategies:
    """The model judges; silence asks it."""
    config = UserTurnCompletionConfig(incomplete_short_timeout=incomplete_short_timeout)
    return FilterIncompleteUserTurnStrategies(
        stop=[SpeechTimeoutUserTurnStopStrategy()], config=config
    )


def test_a_complete_turn_is_answered_and_the_marker_is_not_spoken(tmp_path: Path) -> None:
    """The model's mark ends the turn; nobody hears it; the instructions are not in the messages."""
    talk = converse(
        [says("what is the capital of France"), WaitForAgent()],
        ["✓ It is Paris."],
        tmp_path,
        turns=judged(),
    )
    assert talk.heard == "It is Paris."
    assert talk.user_turns == ["what is the capital of France"]
    (request,) = talk.llm.requests
    told = UserTurnCompletionConfig().with_marks(INSTRUCTIONS)
    assert told in (request.system_instruction or "")
    assert all(message["role"] != "system" for message in request.messages)


def test_an_incomplete_turn_stays_open_until_the_caller_goes_on(tmp_path: Path) -> None:
    """Nothing is spoken, and the turn has both parts when it is complete."""
    talk = converse(
        [says("I would like"), Wait(2.5), says("a table for two"), WaitForAgent()],
        ["○", "✓ Very well."],
        tmp_path,
        turns=judged(),
    )
    assert talk.heard == "Very well."
    assert talk.user_turns == ["I would like a table for two"]
    assert len(talk.llm.requests) == 2


def test_a_caller_who_does_not_go_on_is_asked(tmp_path: Path) -> None:
    """After the timeout the model is asked again, and its answer is spoken."""
    talk = converse(
        [says("I would like"), WaitForAgent(timeout_secs=20.0)],
        ["○", "✓ What would you like?"],
        tmp_path,
        turns=judged(incomplete_short_timeout=3.0),
    )
    assert talk.heard == "What would you like?"
    asked = UserTurnCompletionConfig().with_marks(SHORT_PROMPT)
    assert talk.llm.requests[1].messages[-1]["content"] == asked
    assert talk.user_turns == ["I would like"]


def test_going_on_before_the_verdict_voids_it(tmp_path: Path) -> None:
    """The first answer is never heard: one spoken reply for the whole turn."""
    talk = converse(
        [says("tell me about the"), Wait(0.9), says("weather in Paris"), WaitForAgent()],
        ["✓ About what?", "✓ It is sunny."],
        tmp_path,
        turns=judged(),
    )
    assert talk.heard == "It is sunny."
    assert talk.said.removeprefix("✓ ") == "It is sunny."


def test_a_backchannel_does_not_stop_the_agent(tmp_path: Path) -> None:
    """The story is held for a moment and goes on where it stopped: the caller hears all of it."""
    talk = converse(
        [says("tell me a story"), WaitForSpeech(after_secs=1.5), says("mhm"), WaitForAgent()],
        [STORY],
        tmp_path,
        turns=UserTurnStrategies(
            start=[BackchannelUserTurnStartStrategy()], stop=[SpeechTimeoutUserTurnStopStrategy()]
        ),
    )
    assert talk.heard == STORY
    assert talk.user_turns == ["tell me a story"]
    assert [turn.interrupted for turn in talk.assistant_turns] == [False]


def test_words_do_stop_it(tmp_path: Path) -> None:
    """The same strategy lets a real interruption through."""
    talk = converse(
        [
            says("tell me a story"),
            WaitForSpeech(after_secs=1.5),
            says("no stop that please"),
            WaitForAgent(),
        ],
        [STORY, "Alright."],
        tmp_path,
        turns=UserTurnStrategies(
            start=[BackchannelUserTurnStartStrategy()], stop=[SpeechTimeoutUserTurnStopStrategy()]
        ),
    )
    assert talk.heard.endswith("Alright.")
    assert talk.user_turns[-1] == "no stop that please"
    assert talk.assistant_turns[0].interrupted


def test_a_quick_second_sentence_is_answered_with_the_first(tmp_path: Path) -> None:
    """The caller goes on after the end of the turn but before the answer is heard."""
    talk = converse(
        [says("what time is it"), Wait(1.0), says("in London I mean"), WaitForAgent()],
        ["It is noon.", "It is eleven."],
        tmp_path,
        tts=FakeTTSProvider(sample_rate=16_000, first_audio=1.0),
    )
    assert talk.heard == "It is eleven."
    assert talk.messages[-1] == ("assistant", "It is eleven.")


def test_dynamic_endpointing_in_a_conversation(tmp_path: Path) -> None:
    """A caller who pauses is cut off once and then no more."""
    stop = DynamicEndpointingUserTurnStopStrategy()
    sentence: list[Step] = [
        says("I would like"),
        Wait(1.0),
        says("a table for two"),
        WaitForAgent(),
        Wait(1.0),
    ]
    talk = converse(
        sentence * 3,
        lambda _: "Very well.",
        tmp_path,
        turns=UserTurnStrategies(stop=[stop]),
        tts=FakeTTSProvider(sample_rate=16_000, first_audio=0.8),
    )
    assert talk.user_turns == [
        "I would like",
        "a table for two",
        "I would like a table for two",
        "I would like a table for two",
    ]


def test_the_former_flag_is_rewired_with_a_warning() -> None:
    """`filter_incomplete_user_turns` still works."""
    config = UserTurnCompletionConfig(incomplete_short_timeout=1.0)
    params = LLMUserAggregatorParams(
        filter_incomplete_user_turns=True, user_turn_completion_config=config
    )
    with pytest.warns(DeprecationWarning, match="FilterIncompleteUserTurnStrategies"):
        strategies = params.strategies()
    assert isinstance(strategies, FilterIncompleteUserTurnStrategies)
    gate = strategies.stop[-1]
    assert isinstance(gate, LLMTurnCompletionUserTurnStopStrategy)
    assert gate.config is config
