"""Settings of services."""

from __future__ import annotations

import pytest

from antiphon.errors import ConfigurationError, UnknownNameError
from antiphon.settings import LLMSettings, TTSSettings


def test_a_change_makes_new_settings() -> None:
    """The old ones are as they were; `extra` is merged."""
    old = LLMSettings(temperature=0.5, extra={"a": 1})
    new = old.updated({"temperature": 1, "extra": {"b": 2}})
    assert (old.temperature, old.extra) == (0.5, {"a": 1})
    assert (new.temperature, new.extra) == (1.0, {"a": 1, "b": 2})
    assert new.changed_fields(old) == {"temperature", "extra"}


def test_none_resets_a_setting_to_the_providers_default() -> None:
    """A change to None is a change."""
    assert LLMSettings(temperature=0.5).updated({"temperature": None}).temperature is None


def test_an_unknown_name_is_refused_with_a_hint() -> None:
    """The error names the culprit and what was probably meant."""
    with pytest.raises(UnknownNameError, match="did you mean 'voice'"):
        TTSSettings().updated({"vioce": "x"})


def test_a_wrong_type_is_refused() -> None:
    """The error names the setting."""
    with pytest.raises(ConfigurationError, match="temperature"):
        LLMSettings().updated({"temperature": "hot"})


def test_given_fields_win_over_defaults() -> None:
    """Merging takes what was set and leaves the rest."""
    merged = TTSSettings(voice="a", language="en").merged(TTSSettings(voice="b"))
    assert (merged.voice, merged.language) == ("b", "en")
