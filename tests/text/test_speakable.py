"""Text as it is said."""

from __future__ import annotations

import random

import pytest

from antiphon.text.numbers import cardinal, digits, ordinal, speak_numbers, year
from antiphon.text.speakable import has_words, speakable, strip_emoji, strip_markdown

MARKDOWN = {
    "It is **very** good.": "It is very good.",
    "*one* _two_ ***three*** ~~four~~": "one two three four",
    "Use `pip install`.": "Use pip install.",
    "# Title": "Title",
    "- one": "one",
    "3. three": "3. three",
    "> quoted": "quoted",
    "[the page](https://a.b)": "the page",
    "![a cat](cat.png)": "a cat",
    "snake_case_name stays": "snake_case_name stays",
    "2 * 3 * 4": "2 × 3 × 4",
    "---": "",
    "**bold _and_ more**": "bold and more",
}


@pytest.mark.parametrize("text", MARKDOWN)
def test_markdown_is_not_read_out(text: str) -> None:
    """Marks go, words stay."""
    assert strip_markdown(text) == MARKDOWN[text]


SYMBOLS = {
    "salt & pepper": "salt and pepper",
    "20 % off": "20 percent off",
    "21 °C": "21 degrees Celsius",
    "a → b": "a to b",
    "See https://www.example.com/a?b=c now.": "See example.com now.",
    "Well done! 🎉": "Well done! ",
    "x = y": "x equals y",
}


@pytest.mark.parametrize("text", SYMBOLS)
def test_symbols_become_words(text: str) -> None:
    """What a voice would stumble over is said."""
    assert speakable(text) == SYMBOLS[text]


def test_letters_of_all_scripts_stay() -> None:
    """Only pictures go."""
    text = "Ä é ñ 你好 नमस्ते こんにちは 안녕 مرحبا"
    assert strip_emoji(text) == text
    assert strip_emoji("👍🏽👨‍👩‍👧 ok") == " ok"


def test_what_has_words() -> None:
    """Letters and digits can be said."""
    assert has_words("a")
    assert has_words("7")
    assert not has_words(" ... 🎉 \n")


NUMBERS = {
    "That is $3.50.": "That is three dollars and fifty cents.",
    "$1": "one dollar",
    "$0.05": "five cents",
    "€2.5m": "two point five million euros",
    "5 €": "five euros",
    "£0.01": "one penny",
    "$1,234": "one thousand two hundred thirty-four dollars",
    "-$5": "minus five dollars",
    "On 2024-03-05.": "On March fifth, twenty twenty-four.",
    "12/25/1999": "December twenty-fifth, nineteen ninety-nine",
    "March 3rd, 2021": "March third, twenty twenty-one",
    "4 July 1776": "July fourth, seventeen seventy-six",
    "in 1905": "in nineteen oh five",
    "since 2005": "since two thousand five",
    "the 1980s": "the nineteen eighties",
    "at 7:05 pm": "at seven oh five p.m.",
    "at 5 pm": "at five p.m.",
    "at 14:30": "at fourteen thirty",
    "Call +1 555-123-4567.": ("Call plus one, five five five, one two three, four five six seven."),
    "15%": "fifteen percent",
    "3.14": "three point one four",
    "-4 degrees": "minus four degrees",
    "1/2 cup": "one half cup",
    "3/4": "three quarters",
    "10 km": "ten kilometers",
    "1 kg": "one kilogram",
    "the 21st": "the twenty-first",
    "pages 10-12": "pages ten to twelve",
    "1,000,000": "one million",
    "0": "zero",
    "007": "zero zero seven",
    "ID 12345678": "I D one two three four five six seven eight",
    "NASA and the USA": "NASA and the U S A",
    "ann.lee@example.com": "ann dot lee at example dot com",
    "version 2.0.1": "version two point zero point one",
    "B2B and H2O stay": "B2B and H2O stay",
}


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers(text: str) -> None:
    """Money, dates, times, telephone numbers, units, ordinals, acronyms."""
    assert speak_numbers(text) == NUMBERS[text]


def test_whole_numbers() -> None:
    """Words for numbers of all sizes."""
    assert cardinal(0) == "zero"
    assert cardinal(13) == "thirteen"
    assert cardinal(-99) == "minus ninety-nine"
    assert cardinal(1_000_001) == "one million one"
    assert cardinal(10**15) == "one thousand trillion"
    assert [ordinal(n) for n in (1, 2, 3, 12, 20, 100)] == [
        "first",
        "second",
        "third",
        "twelfth",
        "twentieth",
        "one hundredth",
    ]
    assert [year(n) for n in (1066, 1900, 2000, 2024)] == [
        "one thousand sixty-six",
        "nineteen hundred",
        "two thousand",
        "twenty twenty-four",
    ]
    assert digits("20-3") == "two zero, three"


def test_no_digit_is_left_and_words_stay() -> None:
    """Random sums, dates and words: nothing raises, every free-standing number is said."""
    parts = ["$", "12", ".", "5", ",", "000", "/", "-", " ", "pm", "%", "2024", "March", "km", ":"]
    for seed in range(3000):
        rng = random.Random(seed)
        text = " ".join(
            "".join(rng.choice(parts) for _ in range(rng.randint(1, 5))) for _ in range(3)
        )
        spoken = speak_numbers(f"word {text} word")
        assert spoken.startswith("word")
        assert spoken.endswith("word")
