"""Mistakes of those who build a bot: refused where they are made, with what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from antiphon import (
    AntiphonError,
    LLMService,
    RealtimeService,
    STTService,
    TTSService,
    TTSSpeakFrame,
    VADParams,
)
from antiphon.simulation import FakeLLMProvider, FakeTTSProvider

SERVICES: list[Callable[[Any], object]] = [LLMService, STTService, TTSService, RealtimeService]


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("wrong", ["gpt-4o", None, {"model": "x"}, FakeLLMProvider])
def test_a_service_takes_a_provider(service: Callable[[Any], object], wrong: object) -> None:
    """The name of a model, a dict, a class or nothing is refused, and the value is named."""
    with pytest.raises(AntiphonError, match=r"Service takes a provider, not ") as told:
        service(wrong)
    assert repr(wrong)[:80] in str(told.value)


def test_settings_are_a_type() -> None:
    """Settings as a dict are refused with the class that they need."""
    settings: Any = {"model": "x"}
    with pytest.raises(AntiphonError, match=r"settings={'model'.*LLMService.Settings\("):
        LLMService(FakeLLMProvider([]), settings=settings)
    with pytest.raises(AntiphonError, match=r"TTSService: settings=.*TTSService.Settings\("):
        TTSService(FakeTTSProvider(), settings=settings)


@pytest.mark.parametrize("wrong", [5, None, b"hello", ["hello"]])
def test_what_is_spoken_is_text(wrong: Any) -> None:
    """A `TTSSpeakFrame` of anything else than a string is refused."""
    with pytest.raises(AntiphonError, match=r"TTSSpeakFrame\(text\) takes a string, not "):
        TTSSpeakFrame(wrong)


@pytest.mark.parametrize(
    ("name", "value"),
    [("stop_secs", "0.2"), ("start_secs", None), ("confidence", "high"), ("min_volume", True)],
)
def test_parameters_of_voice_activity_are_numbers(name: str, value: Any) -> None:
    """A parameter that is no number is named with its value."""
    with pytest.raises(AntiphonError, match=rf"VADParams\({name}=...\) takes a number, not "):
        VADParams(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"), [("stop_secs", -1), ("start_secs", float("inf")), ("confidence", 1.5)]
)
def test_parameters_of_voice_activity_have_bounds(name: str, value: Any) -> None:
    """A parameter out of its range is named with its value."""
    with pytest.raises(AntiphonError, match=rf"VADParams\({name}={value}\)"):
        VADParams(**{name: value})
