"""Numbers, money, dates and telephone numbers in the words of many languages."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import MissingExtraError
from antiphon.text.grammar import GRAMMARS
from antiphon.text.local_numbers import LocalNumbers
from antiphon.text.locale_words import words_of
from tests.text.spoken_table import SPOKEN

ROWS = [(tag, text) for tag, rows in SPOKEN.items() for text in rows]


def said(text: str, tag: str) -> str:
    words = words_of(tag)
    assert words is not None
    return LocalNumbers(words)(text)


@pytest.mark.parametrize(("tag", "text"), ROWS)
def test_what_is_written_is_said(tag: str, text: str) -> None:
    """Row by row, as somebody of that language would read it out, or left to the voice."""
    assert said(text, tag) == SPOKEN[tag][text]


def test_every_language_of_the_table_has_a_row_of_its_own() -> None:
    """No language is offered that no test has ever heard."""
    assert set(GRAMMARS) == {tag.split("-")[0] for tag in SPOKEN}


@pytest.mark.parametrize("language", GRAMMARS)
def test_all_whole_numbers_have_words(language: str) -> None:
    """From zero up; beyond the largest they are said digit by digit."""
    for number in (*range(120), 999, 1_000, 1_999, 2_026, 10**6, 10**9 + 1, 10**15 - 1, 10**20):
        words = said(str(number), language)
        assert words
        assert not any(char.isdigit() for char in words), (number, words)


PIECES = (
    "12", "1", "0", "2026", "1.234,56", "1,234.56", "3.14", "07", "€", "$", "%", "km", "°C", "-",
    "–", "/", ":", ".", ",", "12.05.2026", "14:30", "h", "Uhr", "+49 711 1234567", "3.", "2e",
    "2ª", "年", "月", "日", "개", "@", "a@b.de", "(", ")", " ", "\u202f", "١٢", "１２", "½",
)  # fmt: skip
WORDS = st.sampled_from(["hallo", "monde", "привет", "мир", "नमस्ते", "你好", "안녕", "ünï", "ça"])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(tag=st.sampled_from(sorted(SPOKEN)), text=st.text(max_size=60))
def test_no_text_whatever_is_an_error(tag: str, text: str) -> None:
    """Any characters of Unicode, in any language; what has no digits but plain words stays."""
    spoken = said(text, tag)
    if not any(char.isdecimal() or char == "@" or "A" <= char <= "Z" for char in text):
        assert spoken == text


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    tag=st.sampled_from(sorted(SPOKEN)),
    parts=st.lists(
        st.one_of(WORDS, st.lists(st.sampled_from(PIECES), max_size=6).map("".join)), max_size=8
    ),
)
def test_words_between_figures_are_never_lost(tag: str, parts: list[str]) -> None:
    """Whatever figures and signs stand between them, all words come out, in their order."""
    spoken, at = said(" ".join(parts), tag), 0
    for word in (part for part in parts if part in _ALL_WORDS):
        at = spoken.find(word, at)
        assert at >= 0, (word, parts, spoken)
        at += len(word)


_ALL_WORDS = {"hallo", "monde", "привет", "мир", "नमस्ते", "你好", "안녕", "ünï", "ça"}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(tag=st.sampled_from(sorted(SPOKEN)), words=st.lists(WORDS, max_size=6))
def test_words_are_left_alone_however_often(tag: str, words: list[str]) -> None:
    """Text without figures is the same after any number of passes."""
    text = ", ".join(words)
    assert said(said(text, tag), tag) == said(text, tag) == text


def test_grammar_that_no_library_has_is_left_to_the_voice() -> None:
    """Before a noun "1" may be "ein" or "eine"; alone it is "eins"."""
    assert said("1 Katze und 1", "de") == "1 Katze und eins"
    assert said("21 casas y 22 casas", "es") == "21 casas y veintidós casas"


def test_regions_write_and_speak_differently() -> None:
    """Separators, money and number words are those of the region, where it has its own."""
    assert said("1.234", "es") == said("1,234", "es-MX") == "mil doscientos treinta y cuatro"
    assert said("95", "fr") == "quatre-vingt-quinze"
    assert said("95", "fr-CH") == "nonante-cinq"
    assert said("16", "pt-BR") == "dezesseis"


@pytest.mark.parametrize("tag", ["de", "DE", "de-DE", "de_DE", "de-XX", "de-Latn-DE"])
def test_a_language_is_known_by_any_tag(tag: str) -> None:
    """In either case, with either dash, with a region nobody knows."""
    assert said("12,5", tag) == "zwölf Komma fünf"


@pytest.mark.parametrize("tag", ["xx", "tlh", "", "-", "de_"])
def test_strange_tags_are_no_errors(tag: str) -> None:
    """An unknown language is None; a known one with nothing behind the dash is known."""
    assert (words_of(tag) is None) is (not tag.startswith("de"))


@pytest.mark.parametrize("module", ["babel", "unicode_rbnf", "phonenumbers"])
def test_a_missing_package_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install, and is raised when the language is chosen."""
    monkeypatch.setitem(sys.modules, module, None)
    words_of.cache_clear()
    with pytest.raises(MissingExtraError, match=r"antiphon\[text\]"):
        words_of("de")
