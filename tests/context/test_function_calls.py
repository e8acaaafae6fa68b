"""Function calls in a conversation, from the model's wish to what it is told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from antiphon.frames.tools import FunctionCallResultProperties
from antiphon.simulation.fakes.language_model import call
from antiphon.tools.params import FunctionCallParams
from tests.context.rig import Rig, calls_in, converse
from tests.context.tool_rig import INTERIM, answering, asks, context_with, rig_with

# ---- synchronous calls ----


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"t": 20}, '{"t": 20}'),
        ("Grüße", '"Grüße"'),
        (False, "false"),
        (0, "0"),
        ("", '""'),
        ([], "[]"),
        (None, "COMPLETED"),
    ],
)
def test_the_tool_message_becomes_the_result(result: Any, text: str) -> None:
    """In progress first, then the JSON of whatever was answered; only None is `COMPLETED`."""
    seen: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        await asyncio.sleep(1)
        seen.extend(calls_in(params.context.get_messages()))
        await params.result_callback(result)

    rig = converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    assert seen == [("f", "IN_PROGRESS")]
    assert calls_in(rig.messages) == [("f", text)]
    assert rig.inferences == 2
    assert rig.of_role("assistant") == ["Done."]


def test_what_a_handler_returns_is_its_result_if_it_did_not_answer() -> None:
    """Returning a value is as good as calling the callback."""

    async def handler(params: FunctionCallParams) -> Any:
        return {"t": 20}

    rig = converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    assert calls_in(rig.messages) == [("f", '{"t": 20}')]


def test_run_llm_false_leaves_the_model_alone() -> None:
    """A result may say that the model need not react; it is in the context all the same."""

    async def handler(params: FunctionCallParams) -> None:
        properties = FunctionCallResultProperties(run_llm=False)
        await params.result_callback("quiet", properties=properties)

    rig = converse(rig_with([call("f")], {"f": handler}), asks)
    assert rig.inferences == 1
    assert calls_in(rig.messages) == [("f", '"quiet"')]


def test_on_context_updated_runs_once_after_the_result_is_written() -> None:
    """Although both halves see the result, the callback runs once, and finds it in the context."""
    found: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        async def updated() -> None:
            found.append(calls_in(params.context.get_messages()))

        properties = FunctionCallResultProperties(on_context_updated=updated)
        await params.result_callback(1, properties=properties)

    converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    assert found == [[("f", "1")]]


# ---- asynchronous calls ----


def test_an_asynchronous_call_lets_the_talk_go_on() -> None:
    """Started is said at once, the caller is answered meanwhile, and the result runs the model."""

    async def play(rig: Rig) -> None:
        await rig.says("Weather?")
        await asyncio.sleep(1)
        await rig.says("And you, how are you?")
        await asyncio.sleep(20)

    script = [call("f", city="Rome"), "Fine.", "It is nice in Rome."]
    options = {"is_async": True, "cancel_on_interruption": False}
    rig = converse(rig_with(script, {"f": answering("nice", 5)}, options=options), play)
    (started,) = (m for m in rig.messages if m["role"] == "tool")
    call_id = started["tool_call_id"]
    assert json.loads(started["content"]) == {
        "type": "async_tool",
        "status": "started",
        "tool_call_id": call_id,
    }
    assert [json.loads(text) for text in rig.of_role("developer")] == [
        {
            "type": "async_tool",
            "status": "finished",
            "tool_call_id": call_id,
            "result": "nice",
        }
    ]
    assert rig.of_role("assistant") == ["Fine.", "It is nice in Rome."]
    assert "async_tool" in (rig.provider.requests[0].system_instruction or "")


def test_intermediate_results_enter_one_by_one_and_leave_the_call_open() -> None:
    """Each is a developer message of status `running` and runs the model; the last one finishes."""

    async def handler(params: FunctionCallParams) -> None:
        for step in (1, 2):
            await asyncio.sleep(3)
            await params.result_callback(step, properties=INTERIM)
        await asyncio.sleep(3)
        await params.result_callback(3)

    rig = converse(rig_with([call("f")], {"f": handler}, options={"is_async": True}), asks)
    told = [json.loads(text) for text in rig.of_role("developer")]
    assert [(t["status"], t["result"]) for t in told] == [
        ("running", 1),
        ("running", 2),
        ("finished", 3),
    ]
    assert rig.inferences == 4


def test_intermediate_results_do_not_stop_the_timeout() -> None:
    """The time of a call runs on while it reports progress."""

    async def handler(params: FunctionCallParams) -> None:
        while True:
            await asyncio.sleep(1)
            await params.result_callback("still", properties=INTERIM)

    options = {"is_async": True, "timeout_secs": 3.5}
    rig = converse(rig_with([call("f")], {"f": handler}, options=options), asks)
    told = [json.loads(text)["status"] for text in rig.of_role("developer")]
    assert told == ["running", "running", "running", "timeout"]


def test_a_synchronous_call_has_no_intermediate_results(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They are refused with a log that names the function; the final result counts."""

    async def handler(params: FunctionCallParams) -> None:
        await params.result_callback("half", properties=INTERIM)
        await params.result_callback("whole")

    rig = converse(rig_with([call("lookup"), "Done."], {"lookup": handler}), asks)
    assert calls_in(rig.messages) == [("lookup", '"whole"')]
    assert "'lookup'" in caplog.text


# ---- groups ----


def test_a_group_runs_the_model_once_after_its_last_member() -> None:
    """A fast, a slow, a failing, a late and an unknown sibling together cost one inference."""

    async def failing(params: FunctionCallParams) -> None:
        raise ValueError("no network")

    handlers = {
        "fast": answering("fast"),
        "slow": answering("slow", 3),
        "failing": failing,
        "late": answering("late", 60),
        "unknown": None,
    }
    script = [[call(name) for name in handlers], "All done."]
    rig = converse(rig_with(script, handlers, function_call_timeout_secs=5.0), asks)
    assert rig.inferences == 2
    told = dict(calls_in(rig.messages))
    assert told["fast"] == '"fast"'
    assert told["slow"] == '"slow"'
    assert "`failing` failed" in told["failing"]
    assert "did not answer in time" in told["late"]
    assert "not currently available" in told["unknown"]
    sent = dict(calls_in(rig.provider.requests[1].messages))
    assert sent == told


def test_parallel_calls_are_sent_together() -> None:
    """The model finds its calls in one message, as it made them, and other answers' apart."""
    handlers = {"a": answering("a", 1), "b": answering("b")}
    script = [[call("a"), call("b")], call("a"), "Done."]
    rig = converse(rig_with(script, handlers), asks)
    sent = rig.provider.requests[2].messages
    assert [m["role"] for m in sent] == ["user", "assistant", "tool", "tool", "assistant", "tool"]
    assert [c["function"]["name"] for c in sent[1]["tool_calls"]] == ["a", "b"]
    assert [m["content"] for m in sent if m["role"] == "tool"] == ['"a"', '"b"', '"a"']


def test_without_grouping_every_result_runs_the_model() -> None:
    """`group_parallel_tools=False`: each result is answered when it comes."""
    handlers = {"a": answering("a", 1), "b": answering("b", 4)}
    script = [[call("a"), call("b")], "A.", "B."]
    rig = converse(rig_with(script, handlers, group_parallel_tools=False), asks)
    assert rig.inferences == 3


def test_asynchronous_members_do_not_hold_back_the_synchronous_ones() -> None:
    """The model hears of the synchronous result at once, and of the other when it comes."""

    def make() -> Rig:
        rig = Rig(
            [[call("slow"), call("fast")], "Fast.", "Slow."], context=context_with("slow", "fast")
        )
        rig.llm.register_function("slow", answering("slow", 6), is_async=True)
        rig.llm.register_function("fast", answering("fast"))
        return rig

    rig = converse(make, asks)
    assert rig.inferences == 3
    assert dict(calls_in(rig.provider.requests[1].messages))["fast"] == '"fast"'
    assert rig.of_role("assistant") == ["Fast.", "Slow."]


@pytest.mark.parametrize("seed", range(5))
def test_results_that_arrive_together_cost_one_inference(seed: int) -> None:
    """Two ungrouped results while the agent speaks are told in one go when it has finished."""
    handlers = {"a": answering("a", 0.5), "b": answering("b", 0.5)}
    script = [["Let me look that up for you.", call("a"), call("b")], "A and B."]
    rig = converse(rig_with(script, handlers, group_parallel_tools=False), asks, seed=seed)
    assert rig.inferences == 2


def test_calls_run_one_at_a_time_if_asked() -> None:
    """`run_in_parallel=False`: the next starts when the one before has ended."""
    running: list[int] = [0, 0]

    async def handler(params: FunctionCallParams) -> None:
        running[0] += 1
        running[1] = max(running)
        await asyncio.sleep(1)
        running[0] -= 1
        await params.result_callback("ok")

    handlers = {"a": handler, "b": handler, "c": handler}
    script = [[call("a"), call("b"), call("c")], "Done."]
    rig = converse(rig_with(script, handlers, run_in_parallel=False), asks)
    assert running == [0, 1]
    assert rig.inferences == 2
    assert [text for _, text in calls_in(rig.messages)] == ['"ok"'] * 3
