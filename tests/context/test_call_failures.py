"""Calls that go wrong, guards, and where handlers come from."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.frames.llm import LLMMessagesAppendFrame, LLMRunFrame
from antiphon.services.contracts import ToolCall
from antiphon.simulation.fakes.language_model import call
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema
from tests.context.rig import Rig, calls_in, converse
from tests.context.tool_rig import answering, asks, context_with, rig_with

# ---- failures ----


def test_a_handler_that_raises_gives_an_honest_result(caplog: pytest.LogCaptureFixture) -> None:
    """The model reads that it failed, the log how and where, the conversation goes on."""

    async def handler(params: FunctionCallParams) -> None:
        raise RuntimeError("the disk is full")

    rig = converse(rig_with([call("save"), "Sorry."], {"save": handler}), asks)
    (told,) = (text for _, text in calls_in(rig.messages))
    assert json.loads(told) == {"error": "The function `save` failed."}
    assert "'save'" in caplog.text
    assert "the disk is full" in caplog.text
    assert rig.of_role("assistant") == ["Sorry."]


@pytest.mark.parametrize("result", [object(), float("nan"), "x" * 10_000_000])
def test_what_json_cannot_carry_is_told(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The model gets a bounded result that says so, the developer a log with the name."""
    rig = converse(rig_with([call("dump"), "Hm."], {"dump": answering(result)}), asks)
    ((_, told),) = calls_in(rig.messages)
    assert "`dump`" in json.loads(told)["error"]
    assert len(told) < 5_000
    assert "dump" in caplog.text
    assert rig.inferences == 2


def test_lone_surrogates_are_replaced() -> None:
    """A result that UTF-8 cannot carry arrives with replacement characters."""
    rig = converse(rig_with([call("f"), "Hm."], {"f": answering("a\ud800b")}), asks)
    assert calls_in(rig.messages) == [("f", '"a\ufffdb"')]


def test_answering_twice_counts_once(caplog: pytest.LogCaptureFixture) -> None:
    """The second answer is dropped, with a log."""

    async def handler(params: FunctionCallParams) -> None:
        await params.result_callback(1)
        await params.result_callback(2)

    rig = converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    assert calls_in(rig.messages) == [("f", "1")]
    assert rig.inferences == 2
    assert "too late" in caplog.text


def test_answering_after_the_session_is_harmless(caplog: pytest.LogCaptureFixture) -> None:
    """A callback that is kept beyond the end finds nobody, and says so in the log."""
    kept: list[FunctionCallParams] = []

    async def handler(params: FunctionCallParams) -> None:
        kept.append(params)
        await asyncio.sleep(60)

    async def play(rig: Rig) -> None:
        await rig.says("Go.")
        await asyncio.sleep(1)
        await rig.task.cancel("gone")
        await asyncio.sleep(1)
        await kept[0].result_callback("late")

    converse(rig_with([call("f")], {"f": handler}), play)
    assert "too late" in caplog.text


def test_a_call_that_never_answers_times_out() -> None:
    """The handler is stopped, the model told, and the session's default time is used."""
    rig = converse(
        rig_with([call("f"), "Sorry."], {"f": answering(1, 60)}, function_call_timeout_secs=2.0),
        asks,
    )
    ((_, told),) = calls_in(rig.messages)
    assert "did not answer in time" in told
    assert rig.inferences == 2


def test_an_asynchronous_call_that_never_answers_is_told_too() -> None:
    """A developer message says that there will be no result, and the model reacts."""
    options = {"is_async": True, "timeout_secs": 2.0}
    rig = converse(rig_with([call("f")], {"f": answering(1, 60)}, options=options), asks)
    (told,) = rig.of_role("developer")
    assert json.loads(told)["status"] == "timeout"
    assert rig.inferences == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [("{nonsense", "not valid JSON"), ("[1]", "JSON object"), ('{"city": 5}', "'city'")],
)
def test_bad_arguments_become_a_result_that_says_what_is_wrong(arguments: str, says: str) -> None:
    """The handler does not run; the model can try again."""
    ran: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        ran.append(params.arguments)
        await params.result_callback("ok")

    script = [ToolCall("1", "f", arguments), call("f", city="Rome"), "Done."]
    rig = converse(rig_with(script, {"f": handler}), asks)
    first, second = (text for _, text in calls_in(rig.messages))
    assert says in json.loads(first)["error"]
    assert second == '"ok"'
    assert ran == [{"city": "Rome"}]


@pytest.mark.parametrize(("advertised", "level"), [(True, "ERROR"), (False, "WARNING")])
def test_a_missing_handler_is_a_neutral_result(
    advertised: bool, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in the log if the tool was advertised, a warning if the model made it up."""

    def make() -> Rig:
        context = context_with("f") if advertised else LLMContext()
        return Rig([call("f"), "Sorry."], context=context)

    rig = converse(make, asks)
    assert calls_in(rig.messages) == [("f", '"The function `f` is not currently available."')]
    assert [r.levelname for r in caplog.records if "'f'" in r.getMessage()] == [level]


# ---- guards ----


def test_an_identical_call_that_is_running_is_not_started_twice() -> None:
    """The model is told that it is running already; other arguments are another call."""
    ran: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        ran.append(params.arguments["city"])
        await asyncio.sleep(3)
        await params.result_callback("ok")

    cities = ["Rome", "Rome", "Oslo"]
    rig = converse(rig_with([[call("f", city=c) for c in cities]], {"f": handler}), asks)
    assert ran == ["Rome", "Oslo"]
    second = calls_in(rig.messages)[1][1]
    assert json.loads(second)["status"] == "already_running"


def test_duplicates_may_be_allowed() -> None:
    """Tools for which it makes sense opt out of the guard."""
    ran: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        ran.append(1)
        await asyncio.sleep(1)
        await params.result_callback("ok")

    options = {"allow_duplicates": True}
    converse(rig_with([[call("f"), call("f")]], {"f": handler}, options=options), asks)
    assert ran == [1, 1]


def test_the_model_can_cancel_what_it_may() -> None:
    """`cancel_<name>` is advertised, stops the call, and is itself not announced as a call."""
    started: list[str] = []

    async def play(rig: Rig) -> None:
        rig.llm.add_event_handler(
            "on_function_calls_started",
            lambda _, calls: started.extend(c.function_name for c in calls),
        )
        await rig.says("Look for it.")
        await asyncio.sleep(2)
        await rig.says("Forget it.")
        await asyncio.sleep(5)

    options = {"is_async": True, "cancel_on_interruption": False, "cancellable_by_llm": True}
    script = [call("f"), call("cancel_f"), "Stopped."]
    rig = converse(
        rig_with(script, {"f": answering(1, 60)}, options=options, function_call_timeout_secs=90.0),
        play,
    )
    assert [tool.name for tool in rig.provider.requests[0].tools] == ["f", "cancel_f"]
    assert started == ["f"]
    (told,) = rig.of_role("developer")
    assert json.loads(told)["status"] == "cancelled"
    assert rig.of_role("assistant") == ["Stopped."]


def test_a_cancellation_that_is_not_clear_is_refused_with_the_reason() -> None:
    """None running, or several: the model is told which there are."""
    options = {"is_async": True, "cancellable_by_llm": True}
    script = [
        call("cancel_f"),
        [call("f", city="a"), call("f", city="b"), call("cancel_f")],
        "Hm.",
    ]
    rig = converse(rig_with(script, {"f": answering(1, 5)}, options=options), asks)
    results = [json.loads(text) for name, text in calls_in(rig.messages) if name == "cancel_f"]
    assert results[0] == {"cancelled": None, "reason": "none is running", "running": []}
    assert results[1]["cancelled"] is None
    assert len(results[1]["running"]) == 2


# ---- registration ----


def test_direct_functions_run_with_typed_arguments() -> None:
    """Advertised as they are, they are registered, described and called by themselves."""

    async def add(params: FunctionCallParams, a: int, b: int = 10) -> None:
        """Adds two numbers."""
        await params.result_callback(a + b)

    def make() -> Rig:
        return Rig([call("add", a=5), "Fifteen."], context=LLMContext(tools=[add]))

    rig = converse(make, asks)
    assert calls_in(rig.messages) == [("add", "15")]
    assert rig.provider.requests[0].tools[0].description == "Adds two numbers."


def test_a_handler_carried_by_a_schema_runs() -> None:
    """A schema with a handler needs no registration."""
    schema = FunctionSchema("f", "does f", handler=answering("carried"))
    rig = converse(lambda: Rig([call("f"), "Ok."], context=LLMContext(tools=[schema])), asks)
    assert calls_in(rig.messages) == [("f", '"carried"')]


def test_the_catch_all_answers_every_name() -> None:
    """`None` registers a handler for whatever has none."""

    async def anything(params: FunctionCallParams) -> None:
        await params.result_callback(params.function_name)

    def make() -> Rig:
        rig = Rig([[call("x"), call("y")], "Ok."])
        rig.llm.register_function(None, anything)
        return rig

    rig = converse(make, asks)
    assert calls_in(rig.messages) == [("x", '"x"'), ("y", '"y"')]


def test_an_unregistered_function_is_missing() -> None:
    """What was taken back is not available any more."""

    def make() -> Rig:
        rig = rig_with([call("f"), "Ok."], {"f": answering(1)})()
        rig.llm.unregister_function("f")
        return rig

    rig = converse(make, asks)
    assert "not currently available" in calls_in(rig.messages)[0][1]


def test_repeated_call_ids_are_told_apart() -> None:
    """A model that reuses an id for a second call still gets both answered."""
    script = [ToolCall("same", "f", "{}"), ToolCall("same", "f", "{}"), "Done."]
    rig = converse(rig_with(script, {"f": answering("ok")}), asks)
    assert [text for _, text in calls_in(rig.messages)] == ['"ok"', '"ok"']


# ---- requests from the program ----


def test_a_run_during_a_call_sees_it_in_progress() -> None:
    """The program may run the model at any moment; the request is valid then too."""

    async def play(rig: Rig) -> None:
        await rig.says("Go.")
        await asyncio.sleep(1)
        await rig.send(LLMMessagesAppendFrame([{"role": "user", "content": "x"}], run_llm=True))
        await asyncio.sleep(1)
        await rig.send(LLMRunFrame())
        await asyncio.sleep(10)

    rig = converse(rig_with([call("f"), "A.", "B.", "C."], {"f": answering(1, 3)}), play)
    assert dict(calls_in(rig.provider.requests[1].messages)) == {"f": "IN_PROGRESS"}
    assert rig.of_role("assistant") == ["A.", "B.", "C."]
