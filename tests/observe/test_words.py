from __future__ import annotations

import pytest

from antiphon.observe.words import error_rate, rest_of, words


def test_words_are_deaf_to_case_and_punctuation() -> None:
    """Words are compared as they are heard."""
    assert words("It’s 5 o'clock, SIR!") == ["its", "5", "oclock", "sir"]


@pytest.mark.parametrize(
    ("whole", "part", "rest"),
    [
        ("One two three.", "", "One two three."),
        ("One two three.", "one, two", "three."),
        ("One two three.", "One two three.", ""),
        ("One — two.", "one", "two."),
        ("One two.", "one two three", ""),
        ("", "one", ""),
        ("Well-known facts.", "well known", "facts."),
    ],
)
def test_the_rest_is_what_comes_after_the_words_heard(whole: str, part: str, rest: str) -> None:
    """What was not heard is the end of what was generated, as it was written."""
    assert rest_of(whole, part) == rest


@pytest.mark.parametrize(
    ("reference", "hypothesis", "rate"),
    [
        ("a b c d", "A, b c d!", 0.0),
        ("a b c d", "a x c d", 0.25),
        ("a b c d", "a c d", 0.25),
        ("a b c d", "a b b c d", 0.25),
        ("a b", "", 1.0),
        ("", "", 0.0),
        ("", "a", 1.0),
    ],
)
def test_word_error_rate(reference: str, hypothesis: str, rate: float) -> None:
    """Substituted, missing and extra words each count one, over the words of the reference."""
    assert error_rate(reference, hypothesis) == rate
