"""What an edit of the context costs, counted: function calls, and bytes that are allocated."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.messages import IN_PROGRESS, tool_call_message, tool_message
from antiphon.context.pair_state import PairState
from antiphon.context.validate import problems
from antiphon.frames.tools import (
    FunctionCallFromLLM,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
)
from antiphon.services.llm_request import request_of
from antiphon.settings import LLMSettings
from antiphon.tools.registry import FunctionRegistry


def calls_of(work: Callable[[], object]) -> int:
    """How many functions, Python's and C's, are called."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def bytes_of(work: Callable[[], object]) -> int:
    """How many bytes are allocated at most at once."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def conversation(messages: int) -> LLMContext:
    """So many messages, of which the model has been sent all."""
    context = LLMContext()
    for number in range(messages // 2):
        context.add_message({"role": "user", "content": f"question {number}"})
        context.add_message({"role": "assistant", "content": f"answer {number}"})
    context.snapshot()
    return context


def one_call(context: LLMContext) -> None:
    """A call and its result."""
    block = [tool_call_message("a call", "f", {"n": 1}), tool_message("a call", IN_PROGRESS)]
    context.insert(block)
    assert context.answer_call("a call", "done")


def one_turn(context: LLMContext) -> None:
    """Both sides say something, and the state after each is noted."""
    context.add_message({"role": "user", "content": "Hello?"})
    context.snapshot()
    context.insert([{"role": "assistant", "content": "Hello!"}])
    context.snapshot()


@pytest.mark.parametrize("edit", [one_turn, one_call])
def test_an_edit_of_a_long_conversation_calls_as_much_as_one_of_a_short(
    edit: Callable[[LLMContext], None],
) -> None:
    """The history is not read: 10 messages or 5,000 before it make no difference."""
    edit(conversation(2))  # what is looked up once is looked up now
    short, long = conversation(10), conversation(5000)
    assert calls_of(lambda: edit(long)) == calls_of(lambda: edit(short))
    assert problems(long.messages) == []


def test_a_turn_copies_nothing() -> None:
    """Appending behind what a snapshot has, and taking another, allocates no second list."""
    context = conversation(5000)
    one_turn(context)  # the list may grow once
    assert bytes_of(lambda: one_turn(context)) < 5000


def test_a_call_copies_the_history_only_if_a_snapshot_has_it() -> None:
    """The first result after a snapshot costs one copy, those after it none."""
    context = conversation(5000)
    one_call(context)
    context.add_messages([tool_call_message("b", "f", {}), tool_message("b", IN_PROGRESS)])
    assert bytes_of(lambda: context.answer_call("b", "done")) < 5000
    snapshot = context.snapshot()
    assert bytes_of(lambda: context.answer_call("b", "changed")) > 5000
    assert snapshot.messages[-1] == tool_message("b", "done")
    assert context.messages[-1] == tool_message("b", "changed")


@pytest.mark.parametrize("parallel", [True, False])
def test_a_thousand_calls_cost_ten_times_what_a_hundred_do(parallel: bool) -> None:
    """Linear, one after the other or in one answer of which each call names all the others."""

    def run(count: int) -> int:
        shared = PairState(LLMContext())
        asked = tuple(
            FunctionCallFromLLM("f", f"call {n}", {"n": n}, "group" if parallel else None)
            for n in range(count)
        )
        begun = [
            FunctionCallInProgressFrame(
                one.function_name,
                one.tool_call_id,
                one.arguments,
                group_id=one.group_id,
                siblings=asked if parallel else (),
                response_id=7,
            )
            for one in asked
        ]
        ended = [FunctionCallResultFrame("f", one.tool_call_id, {}, "done") for one in asked]
        order = (
            [*begun, *ended] if parallel else [f for p in zip(begun, ended, strict=True) for f in p]
        )

        def work() -> None:
            for frame in order:
                shared.log(frame)

        calls = calls_of(work)
        assert problems(shared.context.messages) == []
        assert len(shared.context.messages) == 2 * count
        return calls

    assert run(1000) < 11 * run(100)


def test_a_request_looks_at_each_message_once() -> None:
    """Building one is linear, with a handful of calls for each message."""

    def build(context: LLMContext) -> int:
        snapshot = context.snapshot()
        return calls_of(
            lambda: request_of(
                snapshot, provider="fake", settings=LLMSettings(), registry=FunctionRegistry()
            )
        )

    base = build(conversation(10))
    assert build(conversation(5010)) - base <= 10 * 5000
