"""Direct functions: schemas from signatures."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest

from antiphon.errors import ConfigurationError, InvalidInputError
from antiphon.tools.schema import ToolsSchema, as_schema
from antiphon.tools.signature import converted


class Unit(enum.Enum):
    C = "celsius"
    F = "fahrenheit"


class Place(pydantic.BaseModel):
    city: str
    country: str = "IT"


class Leg(msgspec.Struct):
    to: str


async def weather(
    params: Any,
    place: Place,
    unit: Unit = Unit.C,
    days: int = 1,
    legs: list[Leg] | None = None,
    mode: Annotated[Literal["short", "long"], "how much to say"] = "short",
    day: dt.date | None = None,
) -> None:
    """Looks up the weather.

    Also tomorrow's.

    Args:
        place: where to look:
            a city
        days (int): how many days
        unit: the scale
    Returns:
        nothing: at all
    """


def test_a_schema_comes_from_the_signature_and_docstring() -> None:
    """Name, description, types, defaults and descriptions are all read."""
    schema = as_schema(weather)
    assert schema.name == "weather"
    assert schema.description == "Looks up the weather. Also tomorrow's."
    assert schema.required == ["place"]
    assert schema.handler is weather
    properties = schema.properties
    assert list(properties) == ["place", "unit", "days", "legs", "mode", "day"]
    assert properties["days"] == {"type": "integer", "description": "how many days"}
    assert properties["unit"]["enum"] == ["celsius", "fahrenheit"]
    assert properties["unit"]["type"] == "string"
    assert properties["place"]["required"] == ["city"]
    assert properties["place"]["description"] == "where to look: a city"
    assert properties["mode"]["description"] == "how much to say"


def test_no_reference_is_left() -> None:
    """Nested types are written out, because some providers know no `$ref`."""
    assert "$ref" not in msgspec.json.encode(as_schema(weather).parameters).decode()


def test_recursive_types_are_cut_off() -> None:
    """A type that contains itself has a finite schema."""

    class Node(pydantic.BaseModel):
        children: list[Node] = []

    async def walk(params: Any, node: Node) -> None:
        """Walks."""

    # The annotation refers to a local class: resolvable only from its own globals.
    walk.__annotations__["node"] = Node
    Node.model_rebuild()
    assert len(msgspec.json.encode(as_schema(walk).parameters)) < 5_000


def test_arguments_arrive_in_the_types_of_the_hints() -> None:
    """Models, enums, structs and dates are made from the model's JSON."""
    given = converted(
        weather,
        {
            "place": {"city": "Rome"},
            "unit": "fahrenheit",
            "legs": [{"to": "Pisa"}],
            "day": "2026-01-02",
        },
    )
    assert given == {
        "place": Place(city="Rome"),
        "unit": Unit.F,
        "legs": [Leg("Pisa")],
        "day": dt.date(2026, 1, 2),
    }


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        ({}, "'place' is missing"),
        ({"place": {}}, "'place' is wrong"),
        ({"place": {"city": "x"}, "unit": "kelvin"}, "'unit' is wrong"),
        ({"place": {"city": "x"}, "nonsense": 1}, "Unknown arguments"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], culprit: str) -> None:
    """The model is told which argument is wrong."""
    with pytest.raises(InvalidInputError, match=culprit):
        converted(weather, arguments)


def test_what_is_no_tool_is_refused_by_name() -> None:
    """Plain functions, ones without `params`, ones with `**kwargs`: each is told what is wrong."""

    def plain(params: Any) -> None: ...

    async def no_params(city: str) -> None: ...

    async def anything(params: Any, **more: Any) -> None: ...

    with pytest.raises(ConfigurationError, match="async function"):
        ToolsSchema(standard_tools=[plain])  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match="'params'"):
        ToolsSchema(standard_tools=[no_params])
    with pytest.raises(ConfigurationError, match="named parameters"):
        ToolsSchema(standard_tools=[anything])


def test_two_tools_of_one_name_are_refused() -> None:
    """The model could not tell them apart."""
    with pytest.raises(ConfigurationError, match="weather"):
        ToolsSchema(standard_tools=[weather, as_schema(weather)])
