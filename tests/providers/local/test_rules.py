"""The rule-based responder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from antiphon.providers.local.rules import RuleBasedLLMProvider
from antiphon.providers.local.tool_schema import fits
from antiphon.services.contracts import (
    LLMEvent,
    LLMProvider,
    LLMRequest,
    TextDelta,
    TokenUsage,
    ToolCall,
    ToolSpec,
)
from tests.providers.llm_contract import Behaviour, LLMProviderContract


def tool(name: str, description: str, *required: str, **properties: dict[str, Any]) -> ToolSpec:
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(required) or list(properties),
    }
    return ToolSpec(name=name, description=description, parameters=parameters)


STRING = {"type": "string"}
WEATHER = tool(
    "get_current_weather",
    "Get the current weather",
    "location",
    location={"type": "string", "description": "The city, e.g. San Francisco"},
    format={"type": "string", "enum": ["celsius", "fahrenheit"]},
)
TIMER = tool("set_timer", "Set a timer.", seconds={"type": "integer", "minimum": 1})
LIGHT = tool(
    "turn_light",
    "Turn a light on or off",
    room={"type": "string", "enum": ["kitchen", "bedroom", "living room"]},
    on={"type": "boolean"},
)
MUSIC = tool("play_music", "Play a song", song=STRING)
END = tool("end_call", "End the phone call")
TOOLS = (WEATHER, TIMER, LIGHT, MUSIC, END)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def developer(content: Any) -> dict[str, Any]:
    return {
        "role": "developer",
        "content": content if isinstance(content, str) else json.dumps(content),
    }


def called(name: str, *, id: str = "c1", **arguments: Any) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": id, "type": "function", "function": function}],
    }


def result(content: Any, *, id: str = "c1") -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    return {"role": "tool", "tool_call_id": id, "content": text}


def events(
    *messages: dict[str, Any], tools: tuple[ToolSpec, ...] = (), **rest: Any
) -> list[LLMEvent]:
    async def collect() -> list[LLMEvent]:
        provider = RuleBasedLLMProvider()
        await provider.connect()
        request = LLMRequest(messages=messages, tools=tools, **rest)
        return [event async for event in provider.complete(request)]

    return asyncio.run(collect())


def said(*messages: dict[str, Any], tools: tuple[ToolSpec, ...] = (), **rest: Any) -> str:
    found = events(*messages, tools=tools, **rest)
    return "".join(event.text for event in found if isinstance(event, TextDelta))


def calls(
    *messages: dict[str, Any], tools: tuple[ToolSpec, ...] = TOOLS, **rest: Any
) -> list[tuple[str, Any]]:
    found = events(*messages, tools=tools, **rest)
    return [(e.name, json.loads(e.arguments)) for e in found if isinstance(e, ToolCall)]


@pytest.mark.parametrize(
    ("words", "name", "arguments"),
    [
        ("What's the weather in Berlin?", "get_current_weather", {"location": "Berlin"}),
        ("what is the weather like in tokyo", "get_current_weather", {"location": "Tokyo"}),
        ("Will I need an umbrella in Paris?", "get_current_weather", {"location": "Paris"}),
        ("Berlin weather please", "get_current_weather", {"location": "Berlin"}),
        (
            "weather in the United States in Fahrenheit",
            "get_current_weather",
            {"location": "United States", "format": "fahrenheit"},
        ),
        ("Set a timer for ten minutes", "set_timer", {"seconds": 600}),
        ("Set a twenty-five second timer.", "set_timer", {"seconds": 25}),
        ("Turn on the light in the kitchen", "turn_light", {"room": "kitchen", "on": True}),
        ("Switch the bedroom lamp off", "turn_light", {"room": "bedroom", "on": False}),
        ("Play Yesterday by the Beatles", "play_music", {"song": "Yesterday by the Beatles"}),
        ("Okay, goodbye!", "end_call", {}),
    ],
)
def test_a_request_becomes_a_valid_call(words: str, name: str, arguments: dict[str, Any]) -> None:
    """A request in the caller's words becomes one call whose arguments are theirs and valid."""
    (call,) = calls(user(words))
    assert call[0] == name
    assert arguments.items() <= call[1].items()
    spec = next(spec for spec in TOOLS if spec.name == name)
    assert fits(call[1], spec.parameters)


@pytest.mark.parametrize(
    "words",
    [
        "Hello there!",
        "How are you?",
        "I love sunny weather",
        "Thank you very much",
        "My name is Ann",
        "What is the capital of Germany?",
        "What is seven times eight?",
        "Who are you?",
        "Do you like pizza?",
        "Why do birds fly?",
        "I went to the movies yesterday",
        "The light was beautiful.",
        "That was really helpful",
    ],
)
def test_small_talk_calls_nothing(words: str) -> None:
    """Talk that asks for no tool gets words and no call."""
    found = events(user(words), tools=TOOLS)
    assert not [event for event in found if isinstance(event, ToolCall)]
    assert [event for event in found if isinstance(event, TextDelta)]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("What is the capital of Germany?", "Berlin"),
        ("How many days are there in a week?", "seven"),
        ("Hi!", "Hello"),
        ("Who are you?", "rules, not a language model"),
        ("Goodbye", "Goodbye"),
        ("Qwertz uiop?", "only a small set of rules"),
        ("My name is Ann", "Nice to meet you"),
    ],
)
def test_what_it_knows(words: str, part: str) -> None:
    """It answers what its tables hold, and says so when they do not."""
    assert part in said(user(words))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"conditions": "Sunny", "temperature": "75"}, "In Berlin it is sunny and 75 degrees."),
        (
            {"conditions": "nice", "temperature_c": 21.5},
            "In Berlin it is nice and 21.5 degrees Celsius.",
        ),
        ({"temperature": "18°C"}, "In Berlin it is 18 degrees Celsius."),
        ({"temperature_celsius": 18}, "In Berlin it is 18 degrees Celsius."),
        ({"error": "no such city"}, "I am sorry, that did not work: no such city."),
        ({"price": 12, "in_stock": True}, "The price is 12 and the in stock is on."),
        ({"status": "ok"}, "That is done."),
        ({"message": "Table booked for two"}, "Table booked for two."),
        ({"name": "The Golden Dragon"}, "It is called The Golden Dragon."),
        ([{"name": "Ada"}, {"name": "Bob"}], "I found 2: Ada and Bob."),
        ([], "I found nothing."),
        ("COMPLETED", "That is done."),
        ("IN_PROGRESS", "I am still working on that."),
        ("42", "The result is 42."),
        ("It rains", "It rains."),
        ("null", "That is done."),
        ("false", "The answer is no."),
        ([""], "I found 1: nothing."),
        ('{"a": [}', '{"a": [}.'),
    ],
)
def test_a_result_is_said_naturally(content: Any, expected: str) -> None:
    """The result of a tool is told in a sentence, whatever its JSON."""
    call = called("get_current_weather", location="Berlin")
    assert said(user("The weather?"), call, result(content), tools=TOOLS) == expected


def test_parallel_results_are_told_together() -> None:
    """Two results of one response are told in one answer, each with its own place."""
    both = called("get_current_weather", id="a", location="Berlin")
    both["tool_calls"] += called("get_current_weather", id="b", location="Rome")["tool_calls"]
    text = said(
        user("Weather?"),
        both,
        result({"conditions": "wet", "temperature": 8}, id="a"),
        result({"conditions": "dry", "temperature": 20}, id="b"),
    )
    assert text == "In Berlin it is wet and 8 degrees. In Rome it is dry and 20 degrees."


def test_news_of_asynchronous_calls_are_told() -> None:
    """A started asynchronous call is acknowledged; its result is told when the developer has it."""
    started = result({"type": "async_tool", "status": "started", "tool_call_id": "c1"})
    talk = [user("Weather in Rome?"), called("get_current_weather", location="Rome"), started]
    first = said(*talk, tools=TOOLS)
    assert "as soon as" in first
    finished = {
        "type": "async_tool",
        "tool_call_id": "c1",
        "status": "finished",
        "result": {"conditions": "dry", "temperature": 20},
    }
    text = said(*talk, assistant(first), developer(finished), tools=TOOLS)
    assert text == "I have the result now. In Rome it is dry and 20 degrees."
    cancelled = {"type": "async_tool", "tool_call_id": "c1", "status": "cancelled"}
    assert "was cancelled" in said(*talk, assistant(first), developer(cancelled), tools=TOOLS)


def test_news_and_words_are_both_answered() -> None:
    """A result that arrives with the caller's next words loses neither."""
    news = {"type": "async_tool", "tool_call_id": "c1", "status": "finished", "result": "It rains"}
    text = said(
        called("get_current_weather", location="Rome"),
        assistant("I am on it."),
        developer(news),
        user("What is the capital of Italy?"),
    )
    assert text == "I have the result now. It rains. The capital of Italy is Rome."


def test_a_missing_argument_is_asked_for() -> None:
    """It asks for what is missing, and calls once it is told."""
    request = user("How is the weather?")
    question = said(request, tools=TOOLS)
    assert question == "Sure. Which location should I use?"
    (call,) = calls(request, assistant(question), user("Berlin"))
    assert call == ("get_current_weather", {"location": "Berlin"})


def test_tool_choice_is_obeyed() -> None:
    """The choice "none" calls nothing; "required" and a named tool always call, validly."""
    words = user("Weather in Rome?")
    assert calls(words, tool_choice="none") == []
    (forced,) = calls(user("Hello"), tool_choice="required")
    assert forced[0] in {spec.name for spec in TOOLS}
    named = {"type": "function", "function": {"name": "set_timer"}}
    (call,) = calls(words, tool_choice=named)
    assert call[0] == "set_timer"
    assert fits(call[1], TIMER.parameters)


def test_call_ids_are_new_in_the_conversation() -> None:
    """An id that the context has already is not used again."""
    talk = (called("set_timer", id="call_1", seconds=1), result("ok", id="call_1"))
    found = events(*talk, assistant("Done."), user("Weather in Rome?"), tools=TOOLS)
    (identity,) = [event.id for event in found if isinstance(event, ToolCall)]
    assert identity != "call_1"


def test_the_persona_has_a_name() -> None:
    """It takes its name from the system instruction."""
    greeting = said(developer("Please greet the user."), system_instruction="You are Ada, a guide.")
    assert "I am Ada." in greeting


def test_it_knows_what_the_system_instruction_states() -> None:
    """A statement of the persona answers a question about it; orders to the agent are not told."""
    persona = (
        "Your name is Ada and you answer the phone of a hotel. Breakfast is from seven to ten. "
        "Never talk about breakfast prices. The book in every room is Middlemarch."
    )
    text = said(user("Could you tell me about breakfast?"), system_instruction=persona)
    assert text == "Breakfast is from seven to ten."
    text = said(user("Which book is that?"), system_instruction=persona)
    assert text == "The book in every room is Middlemarch."
    assert "Ada" in said(user("What is your name?"), system_instruction=persona)


def test_developer_instructions_after_the_last_words() -> None:
    """An instruction such as an idle reminder is carried out; one about tools is not read out."""
    talk = (user("Hi"), assistant("Hello!"))
    assert "still there" in said(
        *talk, developer("The user has been quiet. Ask if they are there.")
    )
    assert said(*talk, developer('Say "We close now."')) == "We close now."
    assert said(*talk, developer("Tools became unavailable: play_music.")) == ""


def test_words_stream_and_usage_ends() -> None:
    """Text comes word by word with its spaces, and the usage is the last event."""
    found = events(user("What is the capital of Germany?"))
    texts = [event.text for event in found if isinstance(event, TextDelta)]
    assert texts == ["The", " capital", " of", " Germany", " is", " Berlin."]
    assert found[-1] == TokenUsage(6, 6)


def test_the_same_request_gets_the_same_answer() -> None:
    """Two providers given one request answer alike, ids included."""
    talk = (user("Set a timer for ten minutes"),)
    assert events(*talk, tools=TOOLS) == events(*talk, tools=TOOLS)


def test_parts_and_odd_messages_are_read() -> None:
    """Text parts are read, other parts skipped, and missing content is no error."""
    parts = {
        "role": "user",
        "content": [
            {"type": "text", "text": "capital of"},
            {"type": "image_url"},
            {"type": "text", "text": "Peru?"},
        ],
    }
    assert "Lima" in said(parts)
    assert said({"role": "user", "content": None}) != ""
    assert said() == "Hello! I am Antiphon. How can I help you?"


class TestRulesContract(LLMProviderContract):
    @asynccontextmanager
    async def provider(self, behaviour: Behaviour) -> AsyncIterator[LLMProvider]:
        yield RuleBasedLLMProvider()
