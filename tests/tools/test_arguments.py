"""Arguments as the model writes them."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.errors import InvalidInputError
from antiphon.tools.arguments import check, parsed
from antiphon.tools.schema import FunctionSchema

SCHEMA = FunctionSchema(
    name="book",
    description="Books a table.",
    properties={
        "guests": {"type": "integer"},
        "when": {"type": "string", "enum": ["today", "tomorrow"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "place": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    required=["guests"],
)


def test_no_text_is_no_arguments() -> None:
    """Models send an empty text for functions without parameters."""
    assert parsed("") == {}
    assert parsed("  ") == {}


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', "nonsense", "[" * 100_000])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    """Malformed JSON and JSON that is no object are told apart from arguments."""
    with pytest.raises(InvalidInputError, match="arguments"):
        parsed(text)


def test_good_arguments_pass() -> None:
    """Integral floats are integers, unions fit one of their types, unknown names pass."""
    check(SCHEMA, {"guests": 2.0, "when": "today", "tags": ["a"], "note": None, "other": 1})


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ({}, "'guests' is missing"),
        ({"guests": "2"}, "'guests' has to be of type integer"),
        ({"guests": True}, "'guests' has to be of type integer"),
        ({"guests": 2, "when": "never"}, "'when' has to be one of"),
        ({"guests": 2, "tags": ["a", 1]}, "'tags\\[1\\]' has to be of type string"),
        ({"guests": 2, "place": {}}, "'place.city' is missing"),
        ({"guests": 2, "place": {"city": 5}}, "'place.city' has to be of type string"),
        ({"guests": 2, "note": 5}, "'note' fits none"),
    ],
)
def test_what_is_wrong_is_named(arguments: dict[str, Any], culprit: str) -> None:
    """The error says which argument is wrong and what it should be."""
    with pytest.raises(InvalidInputError, match=culprit):
        check(SCHEMA, arguments)


def test_all_faults_are_told_at_once() -> None:
    """The model need not try once per fault."""
    with pytest.raises(InvalidInputError, match=r"'guests' is missing; 'tags' has to be"):
        check(SCHEMA, {"tags": 1})
    two = FunctionSchema("f", "", {"a": {}, "b": {}}, ["a", "b"])
    with pytest.raises(InvalidInputError, match=r"'a' is missing; 'b' is missing"):
        check(two, {})


DEFS = {"$defs": {"size": {"enum": ["s", "m"]}}, "properties": {"size": {"$ref": "#/$defs/size"}}}


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"properties": {"a": True}}, {"a": [1]}, None),
        ({"properties": {"a": False}}, {}, {"a": 1}),
        ({"properties": {"a": {"type": "string", "nullable": True}}}, {"a": None}, {"a": 5}),
        ({"properties": {"a": {"anyOf": [True, {"type": "string"}]}}}, {"a": 5}, None),
        ({"properties": {"a": {"items": False}}}, {"a": []}, {"a": [1]}),
        (DEFS, {"size": "m"}, {"size": "x"}),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"b": 1}, {"c": 1}),
        ({"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, {"b": 1}),
        ({"additionalProperties": {"type": "integer"}}, {"x": 1}, {"x": "1"}),
        ({"patternProperties": {"^n_": {"type": "integer"}}}, {"n_a": 1, "b": ""}, {"n_a": ""}),
        ({"properties": {"a": {"$ref": "#"}}}, {"a": {"a": {}}}, {"a": 1}),
        ({"properties": {"a": {"const": {"nullable": True}}}}, {"a": {"nullable": True}}, {"a": 1}),
    ],
)
def test_all_of_json_schema_is_understood(
    schema: dict[str, Any], good: dict[str, Any], bad: dict[str, Any] | None
) -> None:
    """Boolean schemas, `nullable`, `$ref`, roots, patterns: what fits passes, the rest is told."""
    tool = FunctionSchema("f", "", schema=schema)
    check(tool, good)
    if bad is not None:
        with pytest.raises(InvalidInputError, match="Wrong arguments for `f`"):
            check(tool, bad)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#/$defs/nowhere"}}},
        {"properties": {"a": {"$ref": "https://example.org/schema.json"}}},
        {"properties": {"a": {"type": "strin"}}},
        {"properties": {"a": {"type": 5}}},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": {"a": {"enum": 5}}},
    ],
)
def test_a_schema_that_cannot_be_read_refuses_nothing(schema: dict[str, Any]) -> None:
    """The call is made, and nothing outside the schema is asked for."""
    check(FunctionSchema("f", "", schema=schema), {"a": "x"})


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": -Infinity}'])
def test_numbers_that_json_has_not_are_refused(text: str) -> None:
    """No vendor takes them back."""
    with pytest.raises(InvalidInputError, match="no JSON"):
        parsed(text)
