"""The rule-based responder on words and schemas that nobody foresaw."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.providers.local.rules import RuleBasedLLMProvider
from antiphon.providers.local.rules_results import say_result
from antiphon.providers.local.rules_schema import fits
from antiphon.services.contracts import LLMEvent, LLMRequest, ToolCall, ToolSpec

WORDS = (
    "set a timer for ten minutes in Berlin and Paris the weather please play on off kitchen What's "
    "seven plus 3 % of hello goodbye who are you message to Anna saying that it's 5 o'clock "
    "hundred -1 1e9 ,,, ? . 99999999999999999999 é 日本 divided by zero"
).split()
SCALARS = st.one_of(
    st.sampled_from(
        [
            {"type": "string"},
            {"type": "string", "maxLength": 3},
            {"type": "string", "pattern": "^[A-Z]{2}$"},
            {"type": "string", "format": "date"},
            {"type": "integer"},
            {"type": "integer", "minimum": 5, "maximum": 7},
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "boolean"},
            {"enum": ["on", "off", 3, None]},
            {"const": "x"},
            {"type": ["string", "null"], "default": None},
            {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            {"$ref": "#/$defs/color"},
            {},
        ]
    )
)
SCHEMAS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(
            lambda a, b: {"type": "object", "properties": {"a": a, "b": b}, "required": ["a"]},
            inner,
            inner,
        ),
    ),
    max_leaves=4,
)
NAMES = st.sampled_from(["city", "minutes", "to", "message", "room", "on", "date", "x", "query"])


@st.composite
def tools(draw: st.DrawFn) -> ToolSpec:
    """Tools with any parameters."""
    properties = draw(st.dictionaries(NAMES, SCHEMAS, max_size=4))
    required = draw(st.sets(st.sampled_from(sorted(properties)))) if properties else set()
    parameters: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "required": sorted(required),
        "$defs": {"color": {"enum": ["red", "green"]}},
    }
    name = draw(st.sampled_from(["set_timer", "getWeather", "play-music", "end_call", "x"]))
    return ToolSpec(name=name, description="Set a timer in a city", parameters=parameters)


SENTENCES = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)


def events(request: LLMRequest) -> list[LLMEvent]:
    async def collect() -> list[LLMEvent]:
        return [event async for event in RuleBasedLLMProvider().complete(request)]

    return asyncio.run(collect())


@settings(max_examples=300, deadline=None)
@given(
    st.lists(SENTENCES, min_size=1, max_size=3),
    st.lists(tools(), max_size=3, unique_by=lambda tool: tool.name),
)
def test_calls_are_always_valid(said: list[str], advertised: list[ToolSpec]) -> None:
    """Whatever is said and advertised, every call names a tool and satisfies its schema."""
    messages = tuple({"role": "user", "content": text} for text in said)
    request = LLMRequest(messages=messages, tools=tuple(advertised))
    by_name = {tool.name: tool for tool in advertised}
    for event in events(request):
        if isinstance(event, ToolCall):
            parameters = by_name[event.name].parameters
            assert fits(json.loads(event.arguments), parameters), event


@settings(max_examples=200, deadline=None)
@given(SENTENCES, tools())
def test_a_required_call_is_always_made(said: str, tool: ToolSpec) -> None:
    """With the choice "required" there is a call, valid but for patterns that nobody can guess."""
    request = LLMRequest(
        messages=({"role": "user", "content": said},), tools=(tool,), tool_choice="required"
    )
    calls = [event for event in events(request) if isinstance(event, ToolCall)]
    assert calls
    if "pattern" not in json.dumps(tool.parameters):
        assert all(fits(json.loads(call.arguments), tool.parameters) for call in calls)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["temperature", "conditions", "error", "city", "name", "items", "ok", ""]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_every_result_is_a_sentence(result: Any) -> None:
    """Any JSON is told in words that end like a sentence."""
    said = say_result(result)
    assert said.strip()
    assert said.endswith((".", "!", "?"))
