"""Fake functions: what they answer when, and what becomes of those that misbehave."""

from __future__ import annotations

import asyncio
from typing import Any

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.errors import ServerError
from antiphon.frames.lifecycle import EndFrame, InterruptionFrame
from antiphon.frames.llm import LLMRunFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.services.contracts import LLMRequest
from antiphon.services.llm import LLMService
from antiphon.simulation.fakes.delays import uniform
from antiphon.simulation.fakes.language_model import FakeLLMProvider, Reply, call
from antiphon.simulation.fakes.provider import Fail, Faults, Stall
from antiphon.simulation.fakes.tools import FakeTool
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.schema import ToolsSchema


def use(
    tool: FakeTool, *, interrupt_at: float | None = None, is_async: bool = False, **arguments: Any
) -> list[str]:
    """A model calls the function once; what the context says of it, call by call."""

    def reply(request: LLMRequest) -> Reply:
        asked = any(message.get("tool_calls") for message in request.messages)
        return "Well." if asked else call(tool.name, **arguments)

    async def main() -> list[str]:
        context = LLMContext([{"role": "user", "content": "Hi"}], tools=ToolsSchema([tool.schema]))
        pair = LLMContextAggregatorPair(context)
        llm = LLMService(FakeLLMProvider(reply, first_token=0.0, between_tokens=0.0))
        llm.register_function(tool.name, tool, is_async=is_async)
        task = PipelineTask(Pipeline([pair.user(), llm, pair.assistant()]), idle_timeout_secs=None)
        await task.queue_frame(LLMRunFrame())
        running = asyncio.get_running_loop().create_task(task.run())
        if interrupt_at is not None:
            await asyncio.sleep(interrupt_at)
            await task.queue_frame(InterruptionFrame())
        await asyncio.sleep(30.0)
        await task.queue_frame(EndFrame())
        await running
        wanted = ("tool", "developer")
        return [str(m["content"]) for m in context.get_messages() if m["role"] in wanted]

    return run(main())


def test_a_tool_answers_in_its_time() -> None:
    """By callback or by return, after its latency, with what it was asked."""
    for returns in (False, True):
        tool = FakeTool("book", {"booked": 4}, latency=2.0, returns=returns)
        assert use(tool, people=4) == ['{"booked": 4}']
        (once,) = tool.uses
        assert (once.at, once.arguments, once.answered) == (0.0, {"people": 4}, 2.0)
    tool = FakeTool("add", lambda given: given["a"] + given["b"], latency=uniform(0.5, 0.6))
    assert use(tool, a=1, b=2) == ["3"]
    assert 0.5 <= (tool.uses[0].answered or 0.0) <= 0.6


def test_intermediate_results_come_before_the_last() -> None:
    """Steps are told as they come, of a function that runs in the background."""
    tool = FakeTool("search", "found", steps=[(1.0, "page 1"), (1.0, "page 2")], latency=1.0)
    told = use(tool, is_async=True)
    assert [part for text in told for part in ("page 1", "page 2", "found") if part in text] == [
        "page 1",
        "page 2",
        "found",
    ]


def test_errors_and_strange_results_are_told_as_such() -> None:
    """What a model cannot be told becomes a result that says so."""
    (told,) = use(FakeTool("book", error=RuntimeError("no tables")))
    assert "The function `book` failed" in told
    assert "no tables" not in told
    (told,) = use(FakeTool("book", object()))
    assert "cannot be given to the model" in told


def test_a_tool_that_hangs_or_is_late_is_given_up() -> None:
    """The call ends by its timeout, once; the function is stopped."""
    for tool in (FakeTool("book", hangs=True), FakeTool("book", latency=15.0)):
        (told,) = use(tool)
        assert "did not answer in time" in told
        assert (tool.uses[0].cancelled, tool.uses[0].answered) == (True, None)


def test_a_stubborn_tool_answers_a_call_that_is_over() -> None:
    """An answer after the cancel changes nothing."""
    tool = FakeTool("book", "late", latency=0.8, stubborn=True)
    assert use(tool, interrupt_at=0.3) == ["CANCELLED"]
    assert tool.uses[0].cancelled
    assert tool.uses[0].answered == 0.8


def test_what_goes_wrong_is_planned_by_the_call() -> None:
    """The first call fails, the second is late by its stall, the third is as ever."""
    faults: Faults = {0: Fail(ServerError("closed")), 1: Stall(3.0)}
    tool = FakeTool("book", latency=1.0, faults=faults, returns=True)
    assert "failed" in use(tool)[0]
    assert use(tool) == ['"done"']
    assert use(tool) == ['"done"']
    assert [each.answered for each in tool.uses] == [None, 4.0, 1.0]
