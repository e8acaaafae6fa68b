"""The table of calls."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.frames.tools import FunctionCallFromLLM
from antiphon.tools.calls import CallEnd, CallState, CallTable

ENDS = list(CallEnd)


def asked(*ids: str, group: str | None = "g") -> list[FunctionCallFromLLM]:
    return [FunctionCallFromLLM("f", i, {}, group) for i in ids]


def running(*ids: str, group: str | None = "g") -> CallTable:
    table = CallTable()
    table.announce(asked(*ids, group=group))
    for i in ids:
        table.start(i)
    return table


@pytest.mark.parametrize(("first", "second"), [(a, b) for a in ENDS for b in ENDS])
def test_a_call_ends_once(first: CallEnd, second: CallEnd) -> None:
    """Whichever end comes first counts, and every later one is refused."""
    table = running("a")
    step = table.finish("a", first)
    assert step is not None
    assert step.call.end is first
    assert table.finish("a", second) is None
    ended = table.get("a")
    assert ended is not None
    assert (ended.end, ended.state) == (first, CallState.ENDED)


def test_announcing_twice_changes_nothing() -> None:
    """A call that is known, open or ended, is not entered again."""
    table = running("a")
    assert table.announce(asked("a")) == []
    table.finish("a", CallEnd.RESULT)
    assert table.announce(asked("a")) == []
    assert not table.is_open("a")


@pytest.mark.parametrize("end", ENDS)
def test_a_group_runs_the_model_once_after_its_last_member(end: CallEnd) -> None:
    """However the members end, only the last end owes an inference, if any member wants one."""
    for order in itertools.permutations(["a", "b", "c"]):
        table = running("a", "b", "c")
        first, second, last = order
        steps = [
            table.finish(first, CallEnd.RESULT),
            table.finish(second, end),
            table.finish(last, end),
        ]
        assert [step.run_llm for step in steps if step] == [False, False, True]


def test_a_cancelled_group_owes_nothing() -> None:
    """When every member was cancelled, nobody wants to tell the model."""
    table = running("a", "b")
    steps = [table.finish(i, CallEnd.CANCELLED) for i in "ab"]
    assert [step.run_llm for step in steps if step] == [False, False]


def test_run_llm_of_a_result_is_heard_by_the_group() -> None:
    """`run_llm=False` of one member does not silence the others, and of all members does."""
    table = running("a", "b")
    table.finish("a", CallEnd.RESULT)
    last = table.finish("b", CallEnd.RESULT, wants_run=False)
    assert last is not None
    assert last.run_llm
    table = running("a", "b")
    table.finish("a", CallEnd.RESULT, wants_run=False)
    last = table.finish("b", CallEnd.RESULT, wants_run=False)
    assert last is not None
    assert not last.run_llm


def test_calls_without_a_group_run_the_model_each() -> None:
    """Without a group every result owes an inference."""
    table = running("a", "b", group=None)
    steps = [table.finish(i, CallEnd.RESULT) for i in "ab"]
    assert [step.run_llm for step in steps if step] == [True, True]


def test_an_asynchronous_member_holds_nobody_back() -> None:
    """The synchronous members of an answer do not wait for the asynchronous ones."""
    table = CallTable()
    table.announce(asked("sync", "async"))
    table.start("sync")
    table.start("async", is_async=True)
    step = table.finish("sync", CallEnd.RESULT)
    assert step is not None
    assert step.run_llm
    step = table.finish("async", CallEnd.RESULT)
    assert step is not None
    assert step.run_llm


def test_an_asynchronous_call_that_starts_last_releases_its_group() -> None:
    """A member that turns out to be asynchronous lets go of the group when it starts."""
    table = CallTable()
    table.announce(asked("sync", "later"))
    table.start("sync")
    table.finish("sync", CallEnd.RESULT)
    step = table.start("later", is_async=True)
    assert step is not None
    assert step.run_llm


def test_deadlines_are_those_of_running_calls() -> None:
    """The table's deadline is the earliest of the calls that run; ended calls have none."""
    table = CallTable()
    table.announce(asked("a", "b"))
    assert table.deadline is None
    table.start("a", deadline=5.0)
    table.start("b", deadline=3.0)
    assert table.deadline == 3.0
    assert [call.tool_call_id for call in table.overdue(4.0)] == ["b"]
    table.finish("b", CallEnd.TIMEOUT)
    assert table.deadline == 5.0


def test_twins_are_running_calls_with_the_same_arguments() -> None:
    """Same function and same arguments, and still running: nothing else is a twin."""
    table = CallTable()
    calls = [
        FunctionCallFromLLM("f", "a", {"x": 1}),
        FunctionCallFromLLM("f", "b", {"x": 1}),
        FunctionCallFromLLM("f", "c", {"x": 2}),
        FunctionCallFromLLM("g", "d", {"x": 1}),
    ]
    a, b, c, d = table.announce(calls)
    assert table.twin(b) is None
    table.start("a")
    twin = table.twin(b)
    assert twin is not None
    assert twin.tool_call_id == "a"
    assert table.twin(c) is None
    assert table.twin(d) is None
    assert table.twin(a) is None
    table.finish("a", CallEnd.RESULT)
    assert table.twin(b) is None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["start", "start_async", *ENDS]),
            st.sampled_from("abcd"),
        ),
        max_size=40,
    )
)
def test_any_order_of_events_ends_each_call_once_and_runs_the_group_at_most_once(
    events: list[tuple[object, str]],
) -> None:
    """No sequence of starts and ends makes a call end twice or a group run twice."""
    table = CallTable()
    table.announce(asked(*"abcd"))
    ends: dict[str, int] = {}
    is_async: set[str] = set()
    group_runs = 0
    for what, call_id in events:
        if isinstance(what, CallEnd):
            step = table.finish(call_id, what)
            ends[call_id] = ends.get(call_id, 0) + (step is not None)
            if step is not None and call_id not in is_async:
                group_runs += step.run_llm
        else:
            step = table.start(call_id, is_async=what == "start_async")
            if step is not None and what == "start_async":
                is_async.add(call_id)
                group_runs += step.run_llm
    assert all(count <= 1 for count in ends.values())
    assert group_runs <= 1
    held = [i for i in "abcd" if i not in is_async and ends.get(i, 0) == 0]
    if held:
        assert group_runs == 0
