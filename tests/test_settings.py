"""Settings as data: changes are whole or nothing, and name their culprit."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.errors import ConfigurationError, UnknownNameError
from antiphon.settings import LLMSettings


def test_a_change_is_a_new_object_and_extra_is_merged() -> None:
    """The old settings stay as they were; what the vendor offers beyond is added up."""
    old = LLMSettings(model="m", temperature=0.5, extra={"a": 1})
    new = old.updated({"temperature": 0.2, "extra": {"b": 2}})
    assert (new.model, new.temperature, new.extra) == ("m", 0.2, {"a": 1, "b": 2})
    assert (old.temperature, old.extra) == (0.5, {"a": 1})
    assert new.changed_fields(old) == {"temperature", "extra"}


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"temprature": 1.0}, UnknownNameError, "did you mean 'temperature'"),
        ({"zzz": 1}, UnknownNameError, "known are .*'extra'"),
        ({"temperature": "hot"}, ConfigurationError, r"LLMSettings .*temperature"),
    ],
)
def test_a_bad_change_is_one_error_that_names_the_culprit(
    change: dict[str, Any], error: type[Exception], says: str
) -> None:
    """A misspelt name gets a suggestion, a wrong value its name."""
    with pytest.raises(error, match=says):
        LLMSettings().updated(change)


def test_defaults_are_overlaid_by_what_is_given() -> None:
    """Only what was set wins: None and nothing extra leave the default."""
    default = LLMSettings(model="m", temperature=0.0, extra={"a": 1})
    merged = default.merged(LLMSettings(temperature=0.0, seed=0))
    assert (merged.model, merged.temperature, merged.seed) == ("m", 0.0, 0)
    assert merged.extra == {"a": 1}
    assert default.merged(None) is default
