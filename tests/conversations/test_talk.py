"""Whole conversations: what was said, what was heard, and what the context says about both."""

from __future__ import annotations

import asyncio
from pathlib import Path

from antiphon.kernel.task import PipelineTask
from antiphon.services.contracts import LLMRequest
from antiphon.services.llm import LLMService
from antiphon.simulation.fakes.language_model import Reply, call
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema
from antiphon.transports.caller_script import Wait, WaitForAgent, WaitForSpeech
from tests.conversations.rig import converse, says


def within_a_word(said: str, heard: str) -> bool:
    """Whether what the context says and what was heard agree, but for one word at the cut.

    The word that ends in the very chunk that is on its way to the caller may count or not.
    """
    return said == heard or said == " ".join(heard.split()[:-1])


def test_a_question_is_answered(tmp_path: Path) -> None:
    """The caller's words reach the model, the model's words the caller, and both the context."""
    talk = converse(
        [Wait(0.5), says("what is the capital of France"), WaitForAgent()],
        ["It is Paris. Anything else?"],
        tmp_path,
    )
    assert talk.messages == [
        ("user", "what is the capital of France"),
        ("assistant", "It is Paris. Anything else?"),
    ]
    assert talk.heard == "It is Paris. Anything else?"
    assert talk.user_turns == ["what is the capital of France"]
    assert [(m.content, m.interrupted) for m in talk.assistant_turns] == [(talk.heard, False)]
    assert talk.errors == []


def test_an_agent_may_speak_first(tmp_path: Path) -> None:
    """A run without anything said is a greeting."""
    talk = converse([WaitForAgent(), says("hello"), WaitForAgent()], ["Hi there!", "Yes?"],
                    tmp_path, greets=True)  # fmt: skip
    assert talk.messages == [("assistant", "Hi there!"), ("user", "hello"), ("assistant", "Yes?")]


def test_an_interrupted_agent_said_what_was_heard(tmp_path: Path) -> None:
    """After a barge-in the context holds the words that were played, and no more."""
    story = "Once upon a time there was a king who had seven sons and a very large garden."
    talk = converse(
        [
            says("tell me a story"),
            WaitForSpeech(after_secs=1.6),
            says("no stop that please"),
            WaitForAgent(),
        ],
        [story, "Alright."],
        tmp_path,
    )
    first, second = talk.assistant_turns
    assert first.interrupted
    assert not second.interrupted
    assert 3 <= len(first.content.split()) <= 9
    assert story.startswith(first.content)
    assert talk.heard.endswith(" Alright.")
    assert within_a_word(first.content, talk.heard.removesuffix(" Alright."))
    assert [text for role, text in talk.messages if role == "assistant"] == [
        first.content,
        "Alright.",
    ]
    assert f"{first.content} {first.unheard}".split() == story.split()
    assert talk.llm.requests[1].messages[-2]["content"] == first.content


def test_a_pause_in_mid_sentence_does_not_end_the_turn(tmp_path: Path) -> None:
    """Silence shorter than the strategy's patience joins the pieces into one turn."""
    talk = converse(
        [says("I would like"), Wait(0.5), says("a table for two"), WaitForAgent()],
        ["Very well."],
        tmp_path,
        stop_secs=0.8,
    )
    assert talk.user_turns == ["I would like a table for two"]
    assert len(talk.llm.requests) == 1


WEATHER = FunctionSchema(
    name="get_weather",
    description="Current weather",
    properties={"city": {"type": "string"}},
    required=["city"],
)


def test_a_slow_tool_runs_while_the_talk_goes_on(tmp_path: Path) -> None:
    """An asynchronous call does not hold up the talk; its result is spoken when it comes."""

    def setup(llm: LLMService, task: PipelineTask) -> None:
        async def weather(params: FunctionCallParams) -> None:
            await asyncio.sleep(8)
            await params.result_callback({"conditions": "sunny"})

        llm.register_function(
            "get_weather", weather, cancel_on_interruption=False, is_async=True, timeout_secs=30
        )

    def replies(request: LLMRequest) -> Reply:
        last = request.messages[-1]
        if last["role"] == "developer" and "sunny" in last["content"]:
            return "It is sunny in Rome."
        if last["role"] == "user" and "weather" in last["content"]:
            return [call("get_weather", city="Rome"), "I will look that up."]
        if last["role"] == "tool":
            return "One moment."
        return "Two plus two is four."

    talk = converse(
        [
            says("how is the weather in Rome"),
            WaitForAgent(),
            says("and two plus two"),
            WaitForAgent(),
            Wait(8),
        ],
        replies,
        tmp_path,
        tools=[WEATHER],
        setup=setup,
    )
    assert "Two plus two is four." in talk.heard
    assert talk.heard.endswith("It is sunny in Rome.")
    assert talk.heard.count("sunny") == 1
    assert talk.errors == []


def test_a_synchronous_tool_answers_in_the_same_breath(tmp_path: Path) -> None:
    """The model is run again with the result, once, and what it then says is spoken."""

    def setup(llm: LLMService, task: PipelineTask) -> None:
        async def weather(params: FunctionCallParams) -> None:
            await asyncio.sleep(1)
            await params.result_callback({"conditions": "rain"})

        llm.register_function("get_weather", weather)

    talk = converse(
        [says("how is the weather in Rome"), WaitForAgent(settle_secs=3)],
        [call("get_weather", city="Rome"), "It rains."],
        tmp_path,
        tools=[WEATHER],
        setup=setup,
    )
    assert talk.heard == "It rains."
    assert [message["role"] for message in talk.plain] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]


def test_what_the_context_says_was_heard_in_any_order_of_events(tmp_path: Path) -> None:
    """Interrupted at many instants under many schedules, context and line agree to the word."""
    story = "One two three four five. Six seven eight nine ten eleven twelve. Thirteen fourteen."
    for seed in range(34):
        talk = converse(
            [
                says("count please"),
                WaitForSpeech(after_secs=0.1 + 0.11 * seed),
                says("enough of this"),
                WaitForAgent(),
            ],
            [story, "Alright then."],
            tmp_path,
            seed=seed,
        )
        first, second = talk.assistant_turns
        assert (first.interrupted, second.interrupted) == (True, False), f"seed {seed}"
        assert second.content == "Alright then."
        heard = talk.heard.removesuffix("Alright then.").rstrip()
        assert within_a_word(first.content, heard), f"seed {seed}"
