"""Tools as each vendor takes them, judged by the vendors' rules."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from antiphon.providers.vendor_tools import (
    ANTHROPIC,
    GEMINI,
    LOCAL,
    OPENAI,
    own_name,
    tools_for,
    vendor_choice,
    vendor_name,
)
from antiphon.services.contracts import LLMRequest, ToolSpec
from tests.providers.checkers.all_four import CHECKS, complaints
from tests.providers.llm_contract import WEATHER, user

ALL = (OPENAI, ANTHROPIC, GEMINI, LOCAL)
NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}


def tool(parameters: Any, name: str = "f") -> ToolSpec:
    return ToolSpec(name=name, description="Does it.", parameters=parameters)


def rewritten(parameters: Any) -> dict[str, Any]:
    (found,) = tools_for([tool(parameters)], OPENAI)
    return found.parameters


@pytest.mark.parametrize(
    ("schema", "accepted", "refused"),
    [
        ({}, [{}], []),
        ({"type": "object"}, [{}], []),
        ({"properties": {"x": True}}, [{"x": 1}, {}], []),
        ({"properties": {"x": False, "y": {"type": "string"}}}, [{"y": "a"}], [{"y": 1}]),
        (
            {"properties": {"x": {"type": "string", "nullable": True}}},
            [{"x": None}, {"x": "a"}],
            [{"x": 1}],
        ),
        (
            {"properties": {"x": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"type": "integer"}}},
            [{"x": 1}],
            [{"x": "a"}],
        ),
        (
            {"$ref": "#/definitions/A~1b", "definitions": {"A/b": {"required": ["q"]}}},
            [{"q": 1}],
            [{}],
        ),
        (
            {"properties": {"x": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": NODE}},
            [{"x": {"next": {"next": {}}}}],
            [{"x": 1}],
        ),
        (
            {"properties": {"x": {"$ref": "#y"}}, "$defs": {"Y": {"$anchor": "y", "type": "null"}}},
            [{"x": None}],
            [{"x": 1}],
        ),
        (
            {
                "anyOf": [
                    {"properties": {"x": {"type": "string"}, "z": {}}, "required": ["x", "z"]},
                    {"properties": {"y": {"type": "string"}, "z": {}}, "required": ["y", "z"]},
                ]
            },
            [{"x": "a", "z": 1}, {"y": "a", "z": 1}],
            [{"x": "a"}],
        ),
        (
            {
                "type": "object",
                "allOf": [{"properties": {"x": {"type": "string"}}}, {"required": ["x"]}],
            },
            [{"x": "a"}],
            [{}, {"x": 1}],
        ),
        ({"properties": {"x": {"type": "array"}}}, [{"x": [1]}], [{"x": 1}]),
        ({"properties": {"x": {"type": "float"}, "y": {"type": "file"}}}, [{"x": 1.5, "y": 1}], []),
        (
            {"properties": {"x": {"type": "integer", "minimum": 1, "exclusiveMinimum": True}}},
            [{"x": 2}],
            [{"x": 1}],
        ),
        (
            {"properties": {"x": {"type": "array", "items": [{"type": "string"}, {}]}}},
            [{"x": ["a", 1]}],
            [{"x": [1]}],
        ),
        ({"required": ["x"]}, [{"x": 1}], [{}]),
        ({"properties": {"x": {"type": "string", "required": True}}}, [{"x": "a"}], []),
        ({"additionalProperties": {"type": "integer"}}, [{"a": 1}], [{"a": "b"}]),
        ({"patternProperties": {"^n": {"type": "integer"}}}, [{"n1": 1}], [{"n1": "b"}]),
        ({"type": ["object", "null"], "properties": {"x": {"pattern": "("}}}, [{"x": "a"}], []),
    ],
)
def test_schemas_are_rewritten(
    schema: dict[str, Any], accepted: list[Any], refused: list[Any]
) -> None:
    """Every vendor takes the tool, and its schema still says what was meant."""
    request = LLMRequest(messages=(user("Hi"),), tools=(tool(schema), WEATHER))
    assert complaints(request) == []
    validator = Draft202012Validator(rewritten(schema))
    assert all(validator.is_valid(value) for value in accepted)
    assert not any(validator.is_valid(value) for value in refused)
    for rules in ALL:
        assert len(tools_for(request.tools, rules)) == 2


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"$ref": "#/$defs/Gone"}}},
        {"properties": {"x": {"$ref": "https://example.com/schema.json"}}},
        {"type": "array"},
        {"anyOf": [{"type": "string"}]},
        {"properties": ["x"]},
        {"properties": {"x": 3}},
        {"properties": {"x": {"default": object()}}},
    ],
)
def test_one_tool_is_left_out_and_the_others_are_sent(
    schema: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be rewritten is left out of every vendor's request, and logged once."""
    name = f"bad_{abs(hash(str(sorted(schema))))}_{len(str(schema))}"
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            for rules in ALL:
                left = tools_for((tool(schema, name), WEATHER), rules)
                assert [one.name for one in left] == [WEATHER.name]
    assert len([r for r in caplog.records if name in r.getMessage()]) == len(ALL)


def test_a_schema_that_unfolds_without_end_is_left_out_quickly() -> None:
    """References that double twenty times over, or a thousand levels, hold nothing up."""
    doubling: dict[str, Any] = {"D0": {"type": "string"}}
    for level in range(1, 30):
        inner = {"$ref": f"#/$defs/D{level - 1}"}
        doubling[f"D{level}"] = {"type": "object", "properties": {"a": inner, "b": inner}}
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(300):
        deep = {"type": "object", "properties": {"x": deep}}
    begun = time.perf_counter()
    bomb = {"$ref": "#/$defs/D29", "$defs": doubling}
    assert tools_for([tool(bomb), tool(deep, "g"), WEATHER], OPENAI)[0].name == WEATHER.name
    assert time.perf_counter() - begun < 2.0


def test_a_loop_of_references_ends() -> None:
    """A reference to itself, directly or around a corner, is any value."""
    around = {"$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"$ref": "#/$defs/A"}}}
    for schema in ({"$ref": "#"}, {"properties": {"x": {"$ref": "#/$defs/A"}}, **around}):
        assert rewritten(schema)["type"] == "object"


def test_names_have_a_way_back() -> None:
    """Names that differ stay apart when they are cleaned, in tools, calls and choices."""
    names = ["a.b", "a:b", "a b", "9x", "", "ü", "x" * 500, "fine_name", "a_b"]
    tools = tuple(tool({}, name) for name in names)
    for rules in ALL:
        theirs = [one.name for one in tools_for(tools, rules)]
        assert len(set(theirs)) == len(names)
        assert [own_name(name, tools, rules) for name in theirs] == names
        assert vendor_name("fine_name", rules) == "fine_name"
    wanted = {"type": "function", "function": {"name": "a.b"}}
    sent = tools_for(tools, OPENAI)
    assert vendor_choice(wanted, sent, OPENAI)["function"]["name"] == sent[0].name
    gone = {"type": "function", "function": {"name": "gone"}}
    assert vendor_choice(gone, sent, OPENAI) == "auto"
    assert vendor_choice("required", (), OPENAI) is None


def test_no_more_tools_than_the_vendor_takes(caplog: pytest.LogCaptureFixture) -> None:
    """The first 128 are sent where that is the limit; of 20,000 the others cost nothing, and are
    logged as one line.
    """
    tools = tuple(tool({}, f"surplus{number}") for number in range(20_000))
    with caplog.at_level(logging.ERROR):
        begun = time.perf_counter()
        assert len(tools_for(tools, OPENAI)) == 128
        assert len(tools_for(tools, ANTHROPIC)) == 1_000
        assert time.perf_counter() - begun < 1.0
    first, second = [r.getMessage() for r in caplog.records if "surplus" in r.getMessage()]
    assert "surplus128" in first
    assert "19871 more" in first
    assert "surplus1000" in second
    assert len(tools_for(tools[:200], ANTHROPIC)) == 200


KINDS = ["string", "integer", "number", "boolean", "null", "array", "object", "float", "any", 7]
SCALARS: st.SearchStrategy[Any] = st.sampled_from(
    [True, False, {}, None, 3, "x", [], {"type": "string"}]
)


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["x", "y", "a b", "größe"])
    some = st.lists(inner, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.one_of(st.sampled_from(KINDS), st.lists(st.sampled_from(KINDS[:7]))),
            "properties": st.one_of(st.dictionaries(names, inner, max_size=3), st.just([])),
            "required": st.one_of(st.lists(names, max_size=3), st.booleans()),
            "items": st.one_of(inner, some),
            "anyOf": some,
            "oneOf": some,
            "allOf": some,
            "not": inner,
            "additionalProperties": inner,
            "patternProperties": st.dictionaries(names, inner, max_size=2),
            "nullable": st.booleans(),
            "enum": st.lists(st.sampled_from(["a", 1, None, True, {}]), max_size=3),
            "const": st.sampled_from([1, "a", None]),
            "$ref": st.sampled_from(["#", "#/$defs/A", "#/$defs/Gone", "#a", "x.json"]),
            "$defs": st.dictionaries(st.just("A"), inner, max_size=1),
            "minimum": st.integers(0, 3),
            "exclusiveMinimum": st.one_of(st.booleans(), st.integers(0, 3)),
            "pattern": st.sampled_from(["^a$", "("]),
            "description": st.sampled_from(["what", 3, "x" * 2_000]),
        },
    )


SCHEMAS = st.recursive(SCALARS, _grown, max_leaves=8)


@pytest.mark.parametrize("vendor", CHECKS)
@settings(max_examples=200, deadline=None)
@given(schemas=st.lists(SCHEMAS.filter(lambda s: isinstance(s, dict)), max_size=3))
def test_every_schema_is_taken_or_left_out(vendor: str, schemas: list[Any]) -> None:
    """Whatever is advertised, the vendor has nothing against the request, and the well-formed tool
    is in it.
    """
    tools = (*(tool(schema, f"f.{at}") for at, schema in enumerate(schemas)), WEATHER)
    request = LLMRequest(messages=(user("Hi"),), tools=tools, tool_choice="auto")
    assert CHECKS[vendor](request) == [], json.dumps(schemas)
    for rules in ALL:
        assert tools_for(tools, rules)[-1].name == WEATHER.name
