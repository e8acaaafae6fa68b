"""Faults of tools, however they were made known to the model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.errors import UnknownNameError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import EndFrame
from antiphon.frames.llm import LLMRunFrame
from antiphon.frames.tools import FunctionCallCancelFrame, FunctionCallResultFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.services.contracts import LLMRequest
from antiphon.services.llm import LLMService
from antiphon.simulation.fakes.language_model import FakeLLMProvider, Reply, call
from antiphon.simulation.faults import FaultPlan
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import ToolsSchema

Ran = list[tuple[str, float]]


def conversation(plan: dict[str, Any]) -> tuple[Ran, list[Frame], str]:
    """A model that calls three functions; which ran when, and how the calls ended."""
    ran: Ran = []

    def note(name: str) -> None:
        ran.append((name, asyncio.get_running_loop().time()))

    async def weather(params: FunctionCallParams, city: str) -> str:
        """The weather.

        Args:
            city: where.
        """
        note(f"weather in {city}")
        return "sunny"

    async def news(params: FunctionCallParams) -> None:
        note("news")
        await params.result_callback("none")

    def reply(request: LLMRequest) -> Reply:
        if request.messages[-1]["role"] == "user":
            return [call("weather", city="Rome"), call("news")]
        return "Well."

    async def main() -> tuple[list[Frame], str]:
        context = LLMContext([{"role": "user", "content": "Hi"}], tools=ToolsSchema([weather]))
        pair = LLMContextAggregatorPair(context)
        llm = LLMService(FakeLLMProvider(reply, first_token=0.0, between_tokens=0.0))
        llm.register_function("news", news)
        task = PipelineTask(Pipeline([pair.user(), llm, pair.assistant()]), idle_timeout_secs=None)
        injection = FaultPlan.of(plan).inject(task)
        ends: list[Frame] = []
        task.set_reached_upstream_filter((FunctionCallResultFrame, FunctionCallCancelFrame))
        task.add_event_handler("on_frame_reached_upstream", lambda _, frame: ends.append(frame))
        await task.queue_frame(LLMRunFrame())
        running = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(30.0)
        await task.queue_frame(EndFrame())
        await running
        injection.remove()
        return ends, "; ".join(str(event) for event in injection.events)

    ends, told = run(main())
    return ran, ends, told


def results(ends: list[Frame]) -> dict[str, Any]:
    """The results by function; None for a call that was cancelled."""
    return {
        frame.function_name: frame.result if isinstance(frame, FunctionCallResultFrame) else None
        for frame in ends
        if isinstance(frame, FunctionCallResultFrame | FunctionCallCancelFrame)
    }


def test_without_a_fault_of_theirs_tools_answer() -> None:
    """Faults of one function leave the other alone; it is the function that is hit, by name."""
    ran, ends, told = conversation({"tools.weather": {"delay": 2.0}})
    assert ran == [("news", 0.0), ("weather in Rome", 2.0)]
    assert results(ends) == {"weather": "sunny", "news": "none"}
    assert told == "fault injected: tools.weather: delay 2.0"


def test_a_tool_that_hangs_is_given_up() -> None:
    """A call that never answers ends by its timeout."""
    ran, ends, _ = conversation({"tools.weather": {"hang": True}})
    assert ran == [("news", 0.0)]
    assert results(ends) == {"weather": None, "news": "none"}


def test_a_late_answer_comes_too_late_or_not() -> None:
    """A function runs at once and answers late, by its result or by its callback."""
    ran, ends, _ = conversation({"tools": {"late": 8.0}})
    assert [secs for _, secs in ran] == [0.0, 0.0]
    assert results(ends) == {"weather": "sunny", "news": "none"}
    _, ends, _ = conversation({"tools": {"late": 12.0}})
    assert results(ends) == {"weather": None, "news": None}


def test_answers_are_lost_doubled_and_fail() -> None:
    """A lost answer is a timeout, a second one is refused, an error is a result that says so."""
    assert results(conversation({"tools.news": {"drop": True}})[1])["news"] is None
    assert len(conversation({"tools": {"duplicate": True}})[1]) == 2
    failed = results(conversation({"tools.news": {"error": "server"}})[1])["news"]
    assert failed == {"error": "The function `news` failed."}


def test_an_unknown_tool_is_named() -> None:
    """A function that nobody has is an error that names those there are."""
    with pytest.raises(UnknownNameError, match=r"no tool 'wether'.* there are news, weather"):
        conversation({"tools.wether": {"hang": True}})


def test_what_is_removed_is_gone() -> None:
    """A registry is as before when the faults have been removed."""

    async def main() -> Callable[..., Any] | None:
        llm = LLMService(FakeLLMProvider())

        async def news(params: FunctionCallParams) -> str:
            return "none"

        llm.register_function("news", news)
        task = PipelineTask(Pipeline([llm]))
        injection = FaultPlan.of({"tools": {"hang": True}}).inject(task)
        injected = llm.functions.find("news")
        assert injected is not None
        assert injected.handler is not news
        injection.remove()
        injection.remove()
        found = llm.functions.find("news")
        return found.handler if found is not None and found.handler is news else None

    assert run(main()) is not None


def test_a_pipeline_without_tools_says_so() -> None:
    """Faults of tools where nothing calls any are one clear error."""

    async def main() -> None:
        task = PipelineTask(Pipeline([LLMContextAggregatorPair(LLMContext()).user()]))
        FaultPlan.of({"tools": {"hang": True}}).inject(task)

    with pytest.raises(UnknownNameError, match="nothing in this pipeline calls tools"):
        run(main())
