"""The examples of tools, on a scripted model in virtual time."""

from __future__ import annotations

import asyncio
import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from antiphon.context.conversation import LLMContext
from antiphon.services.contracts import LLMRequest
from antiphon.services.llm import LLMService
from antiphon.simulation.fakes.llm import FakeLLMProvider, call
from antiphon.simulation.virtual_time import run
from tests.context.rig import calls_in


def talk(root: Path, name: str) -> Any:
    return runpy.run_path(str(root / "examples" / "tools" / f"{name}.py"))["talk"]


def news(context: LLMContext) -> list[tuple[str, Any]]:
    told = [m["content"] for m in context.get_messages() if m["role"] == "developer"]
    return [(data["status"], data["result"]) for data in map(json.loads, told)]


def test_async_weather(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The caller is answered while the tool runs, and hears of its result."""
    provider = FakeLLMProvider([call("get_weather", city="Rome"), "Fine.", "It is nice."])
    lines = [(0.0, "How is the weather in Rome?"), (2.0, "And how are you?")]
    context = run(talk(root, "async_weather")(LLMService(provider), lines))
    assert [status for status, _ in news(context)] == ["finished"]
    shown = capsys.readouterr().out
    assert shown.index("(looking it up)") < shown.index("Fine.") < shown.index("It is nice.")


@pytest.mark.parametrize(("grouped", "requests"), [(True, 2), (False, 3)])
def test_parallel_tools(root: Path, grouped: bool, requests: int) -> None:
    """Grouped, both results are answered at once; ungrouped, each when it comes."""
    both = [call("get_weather", city="Rome"), call("get_restaurant", city="Rome")]
    provider = FakeLLMProvider([both], default="Here you are.")
    llm = LLMService(provider, group_parallel_tools=grouped)
    context = run(talk(root, "parallel_tools")(llm, "Rome?"))
    assert len(provider.requests) == requests
    assert [name for name, _ in calls_in(context.get_messages())] == [
        "get_weather",
        "get_restaurant",
    ]


def test_progress(root: Path) -> None:
    """Two reports and the result reach the model, in order."""
    provider = FakeLLMProvider([call("book_table", guests=4)], default="Alright.")
    context = run(talk(root, "progress")(LLMService(provider), "A table for 4."))
    assert [status for status, _ in news(context)] == ["running", "running", "finished"]
    assert news(context)[-1][1] == {"booked": True, "guests": 4}


@pytest.mark.parametrize("notices", [True, False])
def test_tool_changes(root: Path, notices: bool) -> None:
    """The third request has the other tool, and with the notices on the model was told."""
    provider = FakeLLMProvider(default="Yes.")
    lines = ["Soup.", "Salad.", "Pay."]
    context = run(talk(root, "tool_changes")(LLMService(provider), lines, notices=notices))
    names = [[tool.name for tool in request.tools] for request in provider.requests]
    assert names == [["order"], ["order"], ["pay"]]
    told = [m["content"] for m in context.get_messages() if m["role"] == "developer"]
    assert len(told) == notices
    assert all("pay" in text and "order" in text for text in told)


def test_summarize(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The conversation is summarized as it grows, and stays short."""

    def answer(request: LLMRequest) -> str:
        return "A trip." if "summarize" in (request.system_instruction or "") else "Noted."

    lines = ["Rome.", "In May.", "A week.", "A dog.", "And?"]
    context = run(talk(root, "summarize")(LLMService(FakeLLMProvider(answer)), lines))
    texts = [m["content"] for m in context.get_messages()]
    assert "Conversation summary: A trip." in texts
    assert len(texts) <= 8
    assert "messages were summarized" in capsys.readouterr().out


def test_mcp_tools(root: Path) -> None:
    """The server's tool is called and its answer reaches the model."""
    provider = FakeLLMProvider(
        [call("opening_hours", day="Sunday"), "No."], first_token=0.0, between_tokens=0.0
    )
    context = asyncio.run(talk(root, "mcp_tools")(LLMService(provider), "Open on Sunday?"))
    assert calls_in(context.get_messages()) == [("opening_hours", '"closed"')]


def test_vision(root: Path) -> None:
    """The picture follows the call, and the model is asked once with it."""
    provider = FakeLLMProvider([call("look", question="What is it?"), "A cup."])
    context = run(talk(root, "vision")(LLMService(provider), b"jpeg", "What am I holding?"))
    picture, said = context.get_messages()[-2:]
    assert picture["content"][0]["text"] == "What is it?"
    assert said["content"] == "A cup."
    assert len(provider.requests) == 2
