"""The examples of tools: on a scripted model in virtual time, or on servers of this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.services.contracts import LLMRequest
from antiphon.services.llm import LLMService
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.loop.virtual_time import run
from examples.tools import (
    async_weather,
    mcp_tools,
    parallel_tools,
    progress,
    summarize,
    tool_changes,
    vision,
)
from tests.context.rig import calls_in
from tests.providers.checkers import anthropic, openai_chat
from tests.providers.checkers.all_four import complaints
from tests.providers.servers import anthropic_server, openai_server
from tests.providers.servers.scripted import serving

Talk = Callable[[LLMService], Coroutine[Any, Any, LLMContext]]


def held(talk: Talk, provider: FakeLLMProvider, *, grouped: bool = True) -> LLMContext:
    """Holds the conversation; every request is one that all four providers accept."""
    context = run(talk(LLMService(provider, group_parallel_tools=grouped)))
    for request in provider.requests:
        assert complaints(request) == []
    return context


def news(context: LLMContext) -> list[tuple[str, Any]]:
    told = [m["content"] for m in context.get_messages() if m["role"] == "developer"]
    return [(data["status"], data.get("result")) for data in map(json.loads, told)]


def in_order(shown: str, *texts: str) -> bool:
    at = [shown.index(text) for text in texts]
    return at == sorted(at)


def test_async_weather(capsys: pytest.CaptureFixture[str]) -> None:
    """The caller is answered while the tool runs, and hears of its result afterwards."""
    provider = FakeLLMProvider([call("get_weather", city="Rome"), "Paris.", "It is nice in Rome."])
    context = held(async_weather.talk, provider)
    assert [status for status, _ in news(context)] == ["finished"]
    shown = capsys.readouterr().out
    assert in_order(shown, "tool: get_weather(", "agent: Paris.", "tool: get_weather ->", "nice in")


@pytest.mark.parametrize("vendor", ["openai", "anthropic"])
def test_async_weather_with_a_vendor(vendor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same over the vendor's SDK: requests keep its rules, and the result reaches it."""
    server, check = {
        "openai": (openai_server, openai_chat.complaints),
        "anthropic": (anthropic_server, anthropic.complaints),
    }[vendor]
    monkeypatch.setattr(async_weather, "LOOKUP_SECS", 0.5)
    monkeypatch.setenv(f"{vendor.upper()}_API_KEY", "key")
    replies = [
        server.calling(("call_1", "get_weather", '{"city": "Rome"}')),
        server.speaking("Paris."),
        server.speaking("It is nice in Rome."),
    ]

    async def main() -> LLMContext:
        async with serving(*replies) as scripted:
            monkeypatch.setenv(f"{vendor.upper()}_BASE_URL", scripted.url)
            context = await async_weather.talk(async_weather.llm_of(vendor))
            assert len(scripted.seen) == 3
            for seen in scripted.seen:
                assert check(seen.body) == []
            assert "finished" in json.dumps(scripted.seen[-1].body["messages"])
            return context

    context = asyncio.run(main())
    assert context.get_messages()[-1]["content"] == "It is nice in Rome."


@pytest.mark.parametrize(("grouped", "requests"), [(True, 2), (False, 3)])
def test_parallel_tools(grouped: bool, requests: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Grouped, both results are answered at once; ungrouped, each when it comes."""
    both = [call("get_weather", city="Rome"), call("get_restaurant", city="Rome")]
    provider = FakeLLMProvider([both], default="Here you are.")
    context = held(parallel_tools.talk, provider, grouped=grouped)
    assert len(provider.requests) == requests
    assert calls_in(context.get_messages()) == [
        ("get_weather", '{"city": "Rome", "celsius": 24}'),
        ("get_restaurant", '{"city": "Rome", "restaurant": "Da Enzo"}'),
    ]
    shown = capsys.readouterr().out
    assert in_order(shown, "agent: Here", "get_restaurant ->") != grouped


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    """Two reports and the result reach the model, in order, and each is answered."""
    provider = FakeLLMProvider([call("book_table", guests=4)], default="Alright.")
    context = held(progress.talk, provider)
    assert news(context) == [
        ("running", "The restaurant is being called."),
        ("running", "They are looking for a table."),
        ("finished", {"booked": True, "guests": 4}),
    ]
    assert capsys.readouterr().out.count("agent: Alright.") == 3


def waiter(request: LLMRequest) -> Any:
    """A model that believes what it was told: it pays only once it knows that it can."""
    last = request.messages[-1]
    said = [m["content"] for m in request.messages if m["role"] == "user"]
    notices = [m["content"] for m in request.messages if m["role"] == "developer"]
    if last["role"] == "tool":
        return "Done."
    if said[-1] == "I would like to pay.":
        return call("pay") if any("pay" in text for text in notices) else "I cannot do that."
    return "Yes."


@pytest.mark.parametrize("notices", [True, False])
def test_tool_changes(notices: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """The tools change with the turns; with the notices on, the model knows it, and pays."""
    provider = FakeLLMProvider(waiter)
    context = held(lambda llm: tool_changes.talk(llm, notices=notices), provider)
    by_turn = {
        sum(m["role"] == "user" for m in request.messages): [t.name for t in request.tools]
        for request in provider.requests
    }
    assert by_turn == {1: ["order"], 2: ["order"], 3: ["pay"], 4: ["pay"], 5: ["order"]}
    told = [m["content"] for m in context.get_messages() if m["role"] == "developer"]
    assert len(told) == (2 if notices else 0)
    assert calls_in(context.get_messages()) == (
        [("pay", '{"paid": true, "tip_percent": 10}')] if notices else []
    )
    assert ("I cannot do that." in capsys.readouterr().out) != notices


def test_summarize(capsys: pytest.CaptureFixture[str]) -> None:
    """The conversation is summarized as it grows, and stays short."""

    def answer(request: LLMRequest) -> str:
        return "A trip." if "summarize" in (request.system_instruction or "") else "Noted."

    context = held(summarize.talk, FakeLLMProvider(answer))
    texts = [m["content"] for m in context.get_messages()]
    assert "Conversation summary: A trip." in texts
    assert len(texts) <= 8
    assert "summary: of" in capsys.readouterr().out


def test_mcp_tools(capfd: pytest.CaptureFixture[str]) -> None:
    """The server's tool is called, its answer reaches the model, and the other tool stays away."""
    script: list[Any] = [call("opening_hours", day="Sunday"), "No."]
    provider = FakeLLMProvider(script, first_token=0.0, between_tokens=0.0)
    talk = mcp_tools.talk(LLMService(provider), patience_secs=2.0)
    context = asyncio.run(talk)
    assert calls_in(context.get_messages()) == [("opening_hours", '"closed"')]
    assert [tool.name for tool in provider.requests[0].tools] == ["opening_hours"]
    assert "agent: No." in capfd.readouterr().out


def test_vision(capsys: pytest.CaptureFixture[str]) -> None:
    """The picture follows the call, and the model is asked once with it."""
    provider = FakeLLMProvider([call("look", question="What is it?"), "A cup."])
    context = held(lambda llm: vision.talk(llm, b"jpeg"), provider)
    picture, said = context.get_messages()[-2:]
    assert picture["content"][0]["text"] == "What is it?"
    assert picture["content"][1]["type"] == "image_url"
    assert said["content"] == "A cup."
    assert len(provider.requests) == 2
    assert "camera: a picture of 4 bytes" in capsys.readouterr().out
