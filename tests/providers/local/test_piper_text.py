"""What the local voice is given to read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.providers.local.piper_text import clauses, speakable


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("At 7:30 p.m. or 7:05am.", "At 7 30 p.m. or 7 oh 5 a.m."),
        ("Open 9:00 to 17:00", "Open 9 o'clock to 17 hundred"),
        ("until 5pm", "until 5 p.m."),
        ("on 2026-11-22", "on November 22, 2026"),
        ("Call 555-1234", "Call five five five, one two three four"),
        ("(415) 555-2671", "four one five, five five five, two six seven one"),
        ("It costs $12.50, or 15% off.", "It costs $12.50, or 15% off."),
        ("$2.5 million, €3bn", "2.5 million dollars, 3 billion euros"),
        ("–12 °C and 98.6°F", "minus 12 degrees Celsius and 98.6 degrees Fahrenheit"),
        ("5km, 3 kg, 60 mph", "5 kilometers, 3 kilograms, 60 miles per hour"),
        ("½ of it, 2½, 3/4", "one half of it, 2 and one half, three quarters"),
        ("5-10 people, 3x4", "5 to 10 people, 3 times 4"),
        ("No. 5 vs. 6, e.g. now", "number 5 versus 6, for example now"),
        ("221B Baker St.", "221B Baker Street"),
        ("hello—world – yes - no", "hello, world, yes, no"),
        ("can’t “stop”", 'can\'t "stop"'),
        ("naïve café, Müller, Straße", "naive cafe, Muller, Strasse"),
        ("me@ex.com, https://ex.io/a_b?", "me at ex dot com, ex dot io slash a underscore b?"),
        ("C# & C++", "C sharp and C++"),
        ("**bold** `code` #1 @you", "bold 'code' number 1 at you"),
        ("2 + 2 = 4", "2 plus 2 equals 4"),
        ("👋 😀 — …", ""),
        ("東京", ""),
        ("", ""),
    ],
)
def test_what_would_be_misread_is_written_as_words(written: str, spoken: str) -> None:
    """Times, dates, amounts, symbols and foreign signs become words, or go."""
    assert speakable(written) == spoken


@settings(max_examples=50)
@given(st.text(max_size=200))
def test_any_text_becomes_plain(text: str) -> None:
    """Whatever comes, what remains is plain letters on one line, or nothing to say at all."""
    spoken = speakable(text)
    assert all(character.isascii() or character in "€£" for character in spoken)
    assert "\n" not in spoken
    assert not spoken or any(character.isalnum() for character in spoken)
    for clause in clauses(spoken, first=True):
        assert len(clause) <= 152


def test_sentences_are_kept_whole() -> None:
    """Text is cut at ends of sentences, not at the stops of titles, initials or times."""
    text = "Dr. Smith and J. R. Smith met at 8 a.m. Monday. The U.S. is big! Really? Yes."
    assert clauses(text, first=False) == [
        "Dr. Smith and J. R. Smith met at 8 a.m. Monday.",
        "The U.S. is big!",
        "Really?",
        "Yes.",
    ]


def test_the_first_clause_comes_early() -> None:
    """The first clause of an utterance is cut off if it is worth a breath, later ones are not."""
    text = "I can tell you the time, the weather and a joke if you like."
    assert clauses(text, first=True) == [
        "I can tell you the time,",
        "the weather and a joke if you like.",
    ]
    assert clauses(text, first=False) == [text]
    assert clauses("Well, what would you like to know about it today?", first=True) == [
        "Well, what would you like to know about it today?"
    ]


def test_no_clause_is_endless() -> None:
    """Text without punctuation is cut at spaces, and without spaces anywhere; nothing is lost."""
    words = "word " * 200
    parts = clauses(words, first=True)
    assert max(map(len, parts)) <= 150
    assert " ".join(parts).split() == words.split()
    assert "".join(clauses("x" * 500, first=True)) == "x" * 500
