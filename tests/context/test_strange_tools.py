"""What a tool may do that none should: its call ends all the same, and nobody else suffers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair_state import PairState
from antiphon.errors import ToolError
from antiphon.frames.tools import (
    FunctionCallFromLLM,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    FunctionCallResultProperties,
    FunctionCallsStartedFrame,
)
from antiphon.services.llm import LLMService
from antiphon.simulation.fakes.language_model import call
from antiphon.tools.params import FunctionCallParams
from tests.context.rig import Rig, calls_in, converse
from tests.context.tool_rig import asks, context_with, rig_with


class Panic(BaseException):
    """What a library in Rust raises when it gives up."""


class UnspeakableError(Exception):
    """An error that cannot even be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


@pytest.mark.parametrize(
    "error",
    [
        Panic("rust"),
        SystemExit(2),
        GeneratorExit(),
        UnspeakableError(),
        BaseExceptionGroup("several", [Panic()]),
        asyncio.CancelledError(),
        StopAsyncIteration(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_tool_raises_is_a_failed_call(error: BaseException) -> None:
    """The model is told in neutral words and answers; the session goes on."""

    async def handler(params: FunctionCallParams) -> None:
        raise error

    async def play(rig: Rig) -> None:
        await asks(rig)
        await rig.says("And now?")
        await asyncio.sleep(5)

    rig = converse(rig_with([call("f"), "Sorry.", "Now."], {"f": handler}), play)
    (told,) = (text for _, text in calls_in(rig.messages))
    assert "`f`" in json.loads(told)["error"]
    assert rig.of_role("assistant") == ["Sorry.", "Now."]


def test_a_swallowed_cancellation_changes_nothing() -> None:
    """The call has ended when its handler is told to stop; what it does then is dropped."""

    async def handler(params: FunctionCallParams) -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await params.result_callback("after all")

    rig = converse(
        rig_with([call("f"), "Late."], {"f": handler}, function_call_timeout_secs=1.0), asks
    )
    (told,) = (text for _, text in calls_in(rig.messages))
    assert "in time" in told
    assert rig.of_role("assistant") == ["Late."]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("password=hunter2 refused"), "The function `f` failed."),
        (ToolError("There is no table at eight."), "There is no table at eight."),
        (ToolError(), "The function `f` failed."),
    ],
)
def test_only_a_tool_error_speaks_to_the_model(
    error: Exception, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What other exceptions say is for the log."""

    async def handler(params: FunctionCallParams) -> None:
        raise error

    rig = converse(rig_with([call("f"), "Sorry."], {"f": handler}), asks)
    assert [json.loads(text) for _, text in calls_in(rig.messages)] == [{"error": told}]
    assert "'f'" in caplog.text


def test_a_forgotten_await_is_named_and_the_answer_given(caplog: pytest.LogCaptureFixture) -> None:
    """`params.result_callback(...)` without await: the log says what to write."""

    async def handler(params: FunctionCallParams) -> None:
        params.result_callback({"t": 20})

    rig = converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    assert calls_in(rig.messages) == [("f", '{"t": 20}')]
    assert "await params.result_callback(...)" in caplog.text


def test_an_answer_in_a_task_of_its_own_is_awaited() -> None:
    """`create_task(params.result_callback(...))` answers once, whoever comes first."""

    async def handler(params: FunctionCallParams) -> None:
        answer: Any = params.result_callback(1)
        await asyncio.create_task(answer)

    rig = converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    assert calls_in(rig.messages) == [("f", "1")]


@pytest.mark.parametrize(
    ("handler", "works"),
    [
        (lambda params: {"t": 20}, False),
        (lambda params: None, False),
        (lambda params: params.result_callback(20), True),
    ],
)
def test_a_function_that_is_not_async_is_told_what_to_write(
    handler: Callable[..., Any], works: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A sync lambda fails in clear words; one that returns something to be awaited works."""
    rig = converse(rig_with([call("f"), "Done."], {"f": handler}), asks)
    ((_, told),) = calls_in(rig.messages)
    assert told == ("20" if works else '{"error": "The function `f` failed."}')
    assert ("async def" in caplog.text) is not works


@pytest.mark.parametrize(
    "result",
    [
        list(range(3_000_000)),
        {str(n): n for n in range(200_000)},
        [[1, 2, 3]] * 60_000,
        "x" * 2_000_000,
        {"x" * 2_000_000: 1},
    ],
    ids=["list", "dict", "nested", "text", "key"],
)
def test_a_huge_result_is_refused_before_it_is_encoded(
    result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither frames nor context carry it; the model is told how much a result may have."""

    async def handler(params: FunctionCallParams) -> None:
        await params.result_callback(result)

    rig = converse(rig_with([call("f"), "Hm."], {"f": handler}), asks)
    ((_, told),) = calls_in(rig.messages)
    assert "1,000,000" in json.loads(told)["error"]
    assert "`f`" in caplog.text


def test_how_much_a_result_may_have_is_for_the_service_to_say() -> None:
    """`LLMService(max_result_chars=...)`."""

    async def handler(params: FunctionCallParams) -> None:
        await params.result_callback("x" * 100)

    rig = converse(rig_with([call("f"), "Hm."], {"f": handler}, max_result_chars=50), asks)
    ((_, told),) = calls_in(rig.messages)
    assert "more than the 50 characters" in told


def test_the_template_of_a_subclass_is_used() -> None:
    """`MISSING_FUNCTION_CALL_MESSAGE_TEMPLATE` is what the model reads of an unknown function."""

    class Mine(LLMService):
        MISSING_FUNCTION_CALL_MESSAGE_TEMPLATE = "No {function_name} here."

    def rig() -> Rig:
        return Rig([call("f"), "Done."], service=Mine)

    assert calls_in(converse(rig, asks).messages) == [("f", '"No f here."')]


def test_a_tool_without_a_handler_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """An advertised tool that nobody runs is named when the model is first given it."""
    context = context_with("advertised")

    async def play(rig: Rig) -> None:
        await asks(rig)
        await asks(rig)

    converse(lambda: Rig(["One.", "Two."], context=context), play)
    assert caplog.text.count("advertised but have no handler") == 1


# ---- groups ----


def written(*frames: Any) -> tuple[PairState, list[bool]]:
    """The frames of calls in order, and after each if the model is owed a run."""
    shared = PairState(LLMContext())
    owed = []
    for frame in frames:
        shared.log(frame)
        owed.append(shared.gate.owed)
    return shared, owed


def begun(call_id: str, group: str | None = None) -> FunctionCallInProgressFrame:
    return FunctionCallInProgressFrame("f", call_id, {}, group_id=group)


def ended(call_id: str, run: bool | None = None, **more: Any) -> FunctionCallResultFrame:
    return FunctionCallResultFrame("f", call_id, {}, "done", run_llm=run, **more)


def announced(*ids: str, group: str | None = None) -> FunctionCallsStartedFrame:
    return FunctionCallsStartedFrame(tuple(FunctionCallFromLLM("f", i, {}, group) for i in ids))


@pytest.mark.parametrize(
    "frames",
    [
        [announced("1", "2"), begun("1", "g"), begun("2", "g"), ended("1"), ended("2")],
        [announced("1", "2"), begun("1", "g"), ended("1"), begun("2", "g"), ended("2")],
        [begun("1", "g"), announced("1", "2"), ended("1"), begun("2", "g"), ended("2")],
        [announced("1", "2", group="g"), begun("1"), ended("1"), begun("2"), ended("2")],
        [
            announced("1", "2", group="other"),
            begun("1", "g"),
            begun("2", "g"),
            ended("1"),
            ended("2"),
        ],
    ],
)
def test_a_group_is_a_group_however_it_is_announced(frames: list[Any]) -> None:
    """The model is owed one run, after the last of its calls."""
    _, owed = written(*frames)
    assert owed == [False] * (len(frames) - 1) + [True]


def test_calls_announced_together_without_a_group_run_the_model_each() -> None:
    """Nobody has said that they belong together."""
    _, owed = written(announced("1", "2"), begun("1"), begun("2"), ended("1"))
    assert owed[-1]


SILENT = FunctionCallResultProperties(run_llm=False)


@pytest.mark.parametrize(
    ("results", "owed"),
    [
        ([ended("1", True), ended("2", False)], [True, True]),
        ([ended("1"), ended("2", False)], [False, False]),
        ([ended("1", False), ended("2")], [False, True]),
        ([ended("1", False), ended("2", False)], [False, False]),
        ([ended("1"), ended("2", True)], [False, True]),
        ([ended("1"), ended("2", True, properties=SILENT)], [False, False]),
    ],
)
def test_what_a_result_says_of_the_run_holds_in_a_group_too(
    results: list[Any], owed: list[bool]
) -> None:
    """True runs the model at once, False as the last does not; properties before the frame."""
    start = [announced("1", "2", group="g"), begun("1", "g"), begun("2", "g")]
    _, found = written(*start, *results)
    assert found[3:] == owed


def test_the_calls_of_an_event_know_their_conversation() -> None:
    """`FunctionCallFromLLM.context` in `on_function_calls_started`."""
    seen: list[Any] = []

    async def handler(params: FunctionCallParams) -> None:
        await params.result_callback(1)

    async def play(rig: Rig) -> None:
        rig.llm.add_event_handler("on_function_calls_started", lambda _, calls: seen.extend(calls))
        await asks(rig)

    rig = converse(rig_with([call("f"), "Done."], {"f": handler}), play)
    assert [one.context for one in seen] == [rig.context]
