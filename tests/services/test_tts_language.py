"""A voice's service says figures and signs in the language of its settings."""

from __future__ import annotations

import logging
import sys

import pytest

from antiphon.errors import ConfigurationError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import (
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSUpdateSettingsFrame,
)
from antiphon.frames.text import LLMTextFrame, TTSTextFrame
from antiphon.services.tts import TTSService
from antiphon.settings import ServiceSettings, TTSSettings
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.text.locale_words import words_of
from antiphon.text.speakable import Speakable, _numbers_in

WRITTEN = "Es kostet **3,50 €** & 5 %."


class ChangingVoice(FakeTTSProvider):
    """Takes other settings while it runs."""

    def configure(self, settings: ServiceSettings) -> None:
        """Sounds the same in every language."""


def answer(text: str) -> list[Frame]:
    tokens = [LLMTextFrame(token) for token in text.replace(" ", " \0").split("\0")]
    return [LLMFullResponseStartFrame(), *tokens, LLMFullResponseEndFrame(), SleepFrame(sleep=20.0)]


def speak(service: TTSService, frames: list[Frame]) -> tuple[list[str], str, list[str]]:
    """What the voice was given, what is remembered as heard, and the errors."""
    assert isinstance(service.provider, FakeTTSProvider)
    out, up = run(run_test(service, frames_to_send=frames))
    given = ["".join(pieces).strip() for pieces in service.provider.utterances]
    heard = "".join(frame.text for frame in out if isinstance(frame, TTSTextFrame)).strip()
    return given, heard, [frame.error for frame in up if isinstance(frame, ErrorFrame)]


def voice(language: str | None, *, numbers: bool = True) -> TTSService:
    return TTSService(
        ChangingVoice(),
        settings=TTSSettings(language=language),
        text_transforms=[Speakable(numbers=numbers), str.strip],
    )


def test_figures_are_said_in_the_language_of_the_settings() -> None:
    """The voice gets words; what is shown and remembered stays as the model wrote it."""
    given, heard, errors = speak(voice("de-DE"), answer(WRITTEN))
    assert given == ["Es kostet drei Euro und fünfzig Cent und fünf Prozent."]
    assert heard == WRITTEN
    assert errors == []


def test_without_being_asked_figures_are_left_to_the_voice() -> None:
    """Markup and signs are words in that language; most voices read figures well themselves."""
    service = TTSService(FakeTTSProvider(), settings=TTSSettings(language="de"))
    given, _, _ = speak(service, answer(WRITTEN))
    assert given == ["Es kostet 3,50 € und 5 Prozent."]


def test_the_language_changes_while_it_runs() -> None:
    """From the settings frame on, figures are said in the new language, and back in English."""
    frames = [
        *answer("12.05.2026"),
        TTSUpdateSettingsFrame(settings={"language": "fr"}),
        *answer("12/05/2026 à 14h30"),
        TTSUpdateSettingsFrame(settings={"language": None}),
        *answer("12/05/2026 at 2:30 pm"),
    ]
    given, _, errors = speak(voice("de"), frames)
    assert given == [
        "zwölfter Mai zweitausendsechsundzwanzig",
        "douze mai deux mille vingt-six à quatorze heures trente",
        "December fifth, twenty twenty-six at two thirty p.m.",
    ]
    assert errors == []


def test_an_unknown_language_keeps_its_figures_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The voice reads them; the log names the language one time in a process."""
    _numbers_in.cache_clear()  # other tests may have asked for this language
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert speak(voice("tlh"), answer("qaStaHvIS 12 jaj."))[0] == ["qaStaHvIS 12 jaj."]
    assert [record.message for record in caplog.records if "'tlh'" in record.message] == [
        "numbers are not said in the language 'tlh': the voice reads them"
    ]


def test_a_missing_package_leaves_a_running_voice_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """One error says what to install; the settings stay and speech goes on."""
    words_of.cache_clear()
    monkeypatch.setitem(sys.modules, "babel", None)
    change = TTSUpdateSettingsFrame(settings={"language": "el-CY"})
    service = voice("en")
    given, _, errors = speak(service, [change, *answer("It is 5.")])
    assert given == ["It is five."]
    assert len(errors) == 1
    assert "antiphon[text]" in errors[0]
    assert service.settings.language == "en"


def test_numbers_need_sentences() -> None:
    """In token mode "1", "," and "234" are three texts: refused at once; signs are not."""
    with pytest.raises(ConfigurationError, match="token_mode"):
        TTSService(
            FakeTTSProvider(), token_mode=True, text_transforms=[("*", Speakable(numbers=True))]
        )
    TTSService(FakeTTSProvider(), token_mode=True)
