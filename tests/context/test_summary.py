"""Summaries: what they cover, when they are made, how they are applied."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.context.assistant_aggregator import LLMAssistantAggregatorParams
from antiphon.context.llm_context import LLMContext
from antiphon.context.messages import async_tool_text, developer_message, tool_call_message
from antiphon.context.messages import tool_message as answer
from antiphon.context.summary import (
    LLMAutoContextSummarizationConfig,
    LLMContextSummaryConfig,
    SummaryAppliedEvent,
    estimated_tokens,
    plan,
)
from antiphon.context.validate import problems
from antiphon.errors import ConfigurationError
from antiphon.frames.llm import LLMMessagesTransformFrame, LLMSummarizeContextFrame
from antiphon.services.contracts import LLMRequest
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.fakes.provider import Fail, Hang
from tests.context.rig import Rig, calls_in, converse
from tests.context.tool_rig import answering

KEEP_TWO = LLMContextSummaryConfig(min_messages_after_summary=2)
SYSTEM = {"role": "system", "content": "Be nice."}


def talk(count: int) -> list[Any]:
    roles = ["user", "assistant"]
    return [{"role": roles[i % 2], "content": f"m{i}"} for i in range(count)]


def made_call(call_id: str) -> Any:
    return tool_call_message(call_id, "f", {})


def covered(messages: list[Any], open_calls: tuple[str, ...] = ()) -> tuple[int, int] | None:
    made = plan(LLMContext(messages).snapshot(), KEEP_TWO, open_calls)
    return (made.first, made.end) if made else None


# ---- what is covered ----


def test_the_system_message_and_the_last_messages_stay() -> None:
    """Everything between is covered."""
    assert covered([SYSTEM, *talk(8)]) == (1, 7)


def test_too_little_is_not_worth_it() -> None:
    """A single message is not summarized."""
    assert covered(talk(3)) is None
    assert covered([]) is None


def test_a_call_is_not_split_from_its_result() -> None:
    """A boundary that would fall between them moves before the call."""
    messages = [*talk(4), made_call("1"), answer("1", "x"), *talk(1)]
    assert covered(messages) == (0, 4)


def test_an_open_synchronous_call_is_not_swallowed() -> None:
    """Its result has yet to take the place of `IN_PROGRESS`."""
    messages = [*talk(2), made_call("1"), answer("1", "IN_PROGRESS"), *talk(6)]
    assert covered(messages) == (0, 2)


def test_an_open_asynchronous_call_is_not_swallowed() -> None:
    """Started and not finished: it stays, whatever its tool message says to others."""
    started = answer("1", async_tool_text("1", "started"))
    messages = [*talk(2), made_call("1"), started, *talk(6)]
    assert covered(messages) == (0, 2)
    running = developer_message(async_tool_text("1", "running", result=1))
    assert covered([*messages, running]) == (0, 2)
    finished = developer_message(async_tool_text("1", "finished", result=1))
    assert covered([*messages, finished]) == (0, 9)


def test_calls_the_table_knows_to_be_open_stay() -> None:
    """Also when their messages do not show it."""
    messages = [*talk(2), made_call("1"), answer("1", "half"), *talk(6)]
    assert covered(messages, ("1",)) == (0, 2)


@given(
    st.lists(st.sampled_from(["user", "assistant", "call", "open"]), max_size=14),
    st.integers(0, 4),
)
def test_whatever_is_summarized_leaves_a_valid_conversation(kinds: list[str], keep: int) -> None:
    """Open calls are kept whole, and the result is valid."""
    messages: list[Any] = []
    for number, kind in enumerate(kinds):
        if kind in {"call", "open"}:
            text = "IN_PROGRESS" if kind == "open" else "x"
            messages += [made_call(str(number)), answer(str(number), text)]
        else:
            messages.append({"role": kind, "content": f"m{number}"})
    context = LLMContext(messages)
    config = LLMContextSummaryConfig(min_messages_after_summary=keep)
    made = plan(context.snapshot(), config)
    if made is None:
        return
    event = made.apply(context, "S")
    assert event is not None
    assert problems(context.messages) == []
    assert event.preserved_message_count >= keep
    still_open = [c for c in calls_in(context.get_messages()) if c[1] == "IN_PROGRESS"]
    assert len(still_open) == kinds.count("open")


# ---- applying ----


def test_appends_in_between_do_not_matter() -> None:
    """The summary replaces what it covers and nothing else."""
    context = LLMContext([SYSTEM, *talk(6)])
    made = plan(context.snapshot(), KEEP_TWO)
    assert made is not None
    context.add_message({"role": "user", "content": "new"})
    event = made.apply(context, "They talked.")
    assert event == SummaryAppliedEvent(8, 5, 4, 3)
    assert [m["content"] for m in context.get_messages()] == [
        "Be nice.",
        "Conversation summary: They talked.",
        "m4",
        "m5",
        "new",
    ]


def test_a_changed_beginning_is_left_alone() -> None:
    """A summary of something else is never applied."""
    context = LLMContext(talk(6))
    made = plan(context.snapshot(), KEEP_TWO)
    assert made is not None
    context.transform_messages(lambda ms: [{**ms[0], "content": "edited"}, *ms[1:]])
    before = context.get_messages()
    assert made.apply(context, "S") is None
    assert context.get_messages() == before


def test_tokens_are_estimated() -> None:
    """Characters by four, ten per message and tool id, 500 per picture."""
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x" * 999}}]}
    assert estimated_tokens([{"role": "user", "content": "x" * 40}]) == 20
    assert estimated_tokens([picture]) == 510
    assert estimated_tokens([answer("1", "x" * 40)]) == 30


@pytest.mark.parametrize(
    "bad",
    [
        lambda: LLMContextSummaryConfig(target_context_tokens=0),
        lambda: LLMContextSummaryConfig(summary_message_template="no place"),
        lambda: LLMAutoContextSummarizationConfig(
            max_context_tokens=None, max_unsummarized_messages=None
        ),
        lambda: LLMAutoContextSummarizationConfig(max_context_tokens=-1),
    ],
)
def test_configurations_that_make_no_sense_are_refused(bad: Any) -> None:
    """One clear error, when they are built."""
    with pytest.raises(ConfigurationError):
        bad()


def test_a_target_above_the_limit_is_lowered() -> None:
    """To four fifths of the limit: a summary has to make room."""
    config = LLMAutoContextSummarizationConfig(max_context_tokens=1000)
    assert config.summary_config.target_context_tokens == 800


# ---- in a conversation ----


class Scripted(FakeLLMProvider):
    """Answers "ok", and requests for a summary with "S"."""

    def __init__(self, *, summary_faults: Any = None, summary_secs: float = 0.3) -> None:
        super().__init__(self.answer, first_token=summary_secs, faults=summary_faults)

    def answer(self, request: LLMRequest) -> str:
        return "S" if "summarize" in (request.system_instruction or "") else "ok"


def summarizing(provider: Any, messages: list[Any], **auto: Any) -> Rig:
    params = LLMAssistantAggregatorParams(
        enable_auto_context_summarization=bool(auto),
        auto_context_summarization_config=LLMAutoContextSummarizationConfig(
            summary_config=KEEP_TWO, **(auto or {"max_context_tokens": 10**6})
        ),
    )
    return Rig(provider=provider, context=LLMContext(messages), assistant_params=params)


def applied_in(rig: Rig) -> list[SummaryAppliedEvent]:
    events: list[SummaryAppliedEvent] = []
    rig.assistant.add_event_handler("on_summary_applied", lambda _, s, event: events.append(event))
    return events


def test_a_long_conversation_is_summarized_by_itself() -> None:
    """At the limit, beside the answer, once; the event says what changed."""
    events: list[list[SummaryAppliedEvent]] = []

    async def play(rig: Rig) -> None:
        events.append(applied_in(rig))
        await rig.says("Go on.")
        await asyncio.sleep(10)

    rig = converse(lambda: summarizing(Scripted(), talk(10), max_unsummarized_messages=8), play)
    assert len(events[0]) == 1
    assert rig.messages[0]["content"] == "Conversation summary: S"
    assert rig.of_role("assistant")[-1] == "ok"
    assert len(rig.messages) == 4


def test_a_summary_can_be_asked_for() -> None:
    """`LLMSummarizeContextFrame` makes one at once, by the configuration it carries."""
    other = LLMContextSummaryConfig(
        min_messages_after_summary=1, summary_message_template="Before: {summary}"
    )

    async def play(rig: Rig) -> None:
        await rig.send(LLMSummarizeContextFrame(other))
        await asyncio.sleep(5)

    rig = converse(lambda: summarizing(Scripted(), talk(10)), play)
    assert [m["content"] for m in rig.messages] == ["Before: S", "m9"]


def test_another_model_can_make_it() -> None:
    """`llm` is whoever has `run_inference`."""

    class Other:
        async def run_inference(self, context: Any, **how: Any) -> str:
            return "by another"

    config = LLMContextSummaryConfig(min_messages_after_summary=1, llm=Other())

    async def play(rig: Rig) -> None:
        await rig.send(LLMSummarizeContextFrame(config))
        await asyncio.sleep(5)

    rig = converse(lambda: summarizing(Scripted(), talk(10)), play)
    assert rig.messages[0]["content"] == "Conversation summary: by another"
    assert rig.inferences == 0


@pytest.mark.parametrize("times", [1, 2])
def test_a_summary_of_a_changed_conversation_is_made_again_or_dropped(times: int) -> None:
    """Changed once while it was made: made again; changed again: dropped."""

    async def play(rig: Rig) -> None:
        events = applied_in(rig)
        await rig.send(LLMSummarizeContextFrame())
        for _ in range(times):
            await asyncio.sleep(1)
            await rig.send(LLMMessagesTransformFrame(lambda ms: ms[1:]))
            await asyncio.sleep(1.5)
        await asyncio.sleep(5)
        assert len(events) == (times == 1)

    rig = converse(lambda: summarizing(Scripted(summary_secs=2.0), talk(10)), play)
    assert rig.inferences == 2
    assert ("S" in rig.messages[0]["content"]) == (times == 1)
    assert rig.messages[-1]["content"] == "m9"


@pytest.mark.parametrize("fault", [Fail, Hang])
def test_a_summary_that_fails_changes_nothing(fault: Any, caplog: Any) -> None:
    """An error or silence ends in a warning; the next one can be made."""
    from antiphon.errors import InvalidRequestError

    planned = Hang() if fault is Hang else Fail(InvalidRequestError("too long"))
    config = LLMContextSummaryConfig(summarization_timeout=3.0)

    async def play(rig: Rig) -> None:
        await rig.send(LLMSummarizeContextFrame(config))
        await asyncio.sleep(10)
        assert len(rig.messages) == 10
        await rig.send(LLMSummarizeContextFrame(config))
        await asyncio.sleep(10)

    rig = converse(lambda: summarizing(Scripted(summary_faults={0: planned}), talk(10)), play)
    assert "No summary was made" in caplog.text
    assert len(rig.messages) == 5


def test_a_call_that_runs_meanwhile_finds_its_place() -> None:
    """The summary stops before it, and its result is written where it belongs."""

    def make() -> Rig:
        def script(request: LLMRequest) -> Any:
            if "summarize" in (request.system_instruction or ""):
                return "S"
            return "ok" if calls_in(request.messages) else call("f")

        rig = summarizing(FakeLLMProvider(script), talk(8))
        rig.llm.register_function("f", answering("found", 5))
        return rig

    async def play(rig: Rig) -> None:
        await rig.says("Look it up.")
        await asyncio.sleep(2)
        await rig.send(
            LLMSummarizeContextFrame(LLMContextSummaryConfig(min_messages_after_summary=0))
        )
        await asyncio.sleep(10)

    rig = converse(make, play)
    assert rig.messages[0]["content"] == "Conversation summary: S"
    assert calls_in(rig.messages) == [("f", '"found"')]
