"""What the model reads of a result."""

from __future__ import annotations

import dataclasses
import enum
import json
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.tools.results import COMPLETED, MAX_RESULT_CHARS, tool_text


class Color(enum.Enum):
    RED = "red"


class Place(pydantic.BaseModel):
    city: str


@dataclasses.dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (None, COMPLETED),
        (False, "false"),
        (0, "0"),
        ("", '""'),
        ([], "[]"),
        ({}, "{}"),
        ({"t": 20}, '{"t": 20}'),
        ("Grüße", '"Grüße"'),
        (Color.RED, '"red"'),
        (Place(city="Köln"), '{"city": "Köln"}'),
        (Point(1), '{"x": 1}'),
        ((1, 2), "[1, 2]"),
    ],
)
def test_results_are_json_and_only_none_is_absence(result: Any, text: str) -> None:
    """Every value is written as JSON, unescaped; only None becomes `COMPLETED`."""
    assert tool_text("f", result).text == text


@pytest.mark.parametrize(
    "result",
    [float("nan"), {"x": float("inf")}, object(), {"x": lambda: 1}, {(1, 2): 3}, "x" * 10_000_000],
)
def test_what_cannot_be_told_is_an_honest_bounded_result(result: Any) -> None:
    """The model reads which function failed to say something, and the developer gets a problem."""
    told = tool_text("weather", result)
    assert len(told.text) < MAX_RESULT_CHARS
    assert "weather" in json.loads(told.text)["error"]
    assert told.problem is not None
    assert "weather" in told.problem


def test_a_circular_result_does_not_hang() -> None:
    """A list that contains itself is refused like any other."""
    circle: list[Any] = []
    circle.append(circle)
    assert tool_text("f", circle).problem is not None


@given(st.text(st.characters(codec=None), max_size=20))
def test_every_text_can_be_sent(text: str) -> None:
    """Lone surrogates are replaced, pairs joined, and everything else is untouched."""
    told = tool_text("f", {"text": [text]})
    told.text.encode()
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert json.loads(told.text) == {"text": [text]}


def test_halves_of_a_pair_are_joined() -> None:
    """A surrogate pair that was split in two code points is one character."""
    assert tool_text("f", "\ud83d\ude00").value == "😀"
