"""Text as it is said."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import ConfigurationError, InvalidInputError, MissingExtraError
from antiphon.text.locale_words import words_of
from antiphon.text.markdown import strip_markdown
from antiphon.text.numbers import cardinal, digits, ordinal, speak_numbers, year
from antiphon.text.speakable import (
    Speakable,
    Transform,
    has_words,
    in_language,
    speakable,
    strip_emoji,
    transformed,
)

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
    "2**8": "2 to the power of 8",
    "a 10x10 grid": "a 10 by 10 grid",
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
    "the 5th of May": "the fifth of May",
    "$5-10": "five to ten dollars",
    "$5 – $10.50": "five to ten point five zero dollars",
    "10:30-11:30 am": "ten thirty to eleven thirty a.m.",
    "1980-1990": "nineteen eighty to nineteen ninety",
    "7-11": "seven to eleven",
    "123-45-6789": "123-45-6789",
    "2026-05-12T14:30:00Z": "2026-05-12T14:30:00Z",
    "24/7 and 2:1": "24/7 and 2:1",
    "COVID-19, F-16": "COVID-19, F-16",
    "10^6 and %20": "10^6 and %20",
    "-3 and 2 - 1 = 1": "minus three and two - one = one",
    "pages 10 – 12": "pages ten to twelve",
    "call 555-0123": "call five five five, zero one two three",
    "867-5309": "eight six seven, five three zero nine",
    "pages 980-1020": "pages nine hundred eighty to one thousand twenty",
    "+49 170 1234567": "plus four nine, one seven zero, one two three four five six seven",
    "1-800-555-0199": "one, eight zero zero, five five five, zero one nine nine",
    "1-800-GO-HOME": "one, eight zero zero, GO, HOME",
    "In 1999": "In nineteen ninety-nine",
    "Between 1998 and 2001": "Between nineteen ninety-eight and two thousand one",
    "in March 1999": "in March nineteen ninety-nine",
    "In 1500 dollars": "In one thousand five hundred dollars",
    "10x10": "ten by ten",
    "www.example.com": "w w w dot example dot com",
    "ann+news@example.com": "ann plus news at example dot com",
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


LOCAL_SYMBOLS = {
    ("de", "Salz & Pfeffer"): "Salz und Pfeffer",
    ("de", "**20 %** von 5 °C"): "20 Prozent von 5 Grad Celsius",
    ("fr", "sel & poivre = 12,5 %"): "sel et poivre égale 12,5 pour cent",
    ("tr", "tuz & 20 %"): "tuz ve yüzde 20",
    ("zh", "20%"): "百分之20",
    ("ru", "соль & 5 %"): "соль и 5 %",
    ("xx", "a & b = 5 % | c"): "a & b = 5 % , c",
}


@pytest.mark.parametrize(("language", "text"), LOCAL_SYMBOLS)
def test_symbols_are_words_of_the_language(language: str, text: str) -> None:
    """No English "and" or "percent" in other languages; what is not known stays."""
    assert speakable(text, language) == LOCAL_SYMBOLS[language, text]


KEPT = {
    "1️⃣ and ①": "1 and ①",
    "5㎏ ㎡": "5㎏ ㎡",
    "क्‍ष and സ്‍": "क्‍ष and സ്‍",
    "🇩🇪🏴󠁧󠁢󠁥󠁮󠁧󠁿👩‍🚀x": "x",
    "℃ № ™ ©": "℃ № ™ ©",
}


@pytest.mark.parametrize("text", KEPT)
def test_only_pictures_are_dropped(text: str) -> None:
    """Letters and digits in frames, joined letters and signs are said; pictures are not."""
    assert strip_emoji(text) == KEPT[text]


def test_a_date_is_no_list() -> None:
    """A number with a stop may be the day of a month; a dash is a bullet."""
    assert strip_markdown("3. Mai\n- zwei") == "3. Mai\nzwei"


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    st.text(
        alphabet=st.one_of(st.sampled_from("ab1 .*_~`#>-+|()[]!\n\\\"'&=%°…•"), st.characters()),
        max_size=80,
    )
)
def test_markup_goes_and_every_letter_stays(text: str) -> None:
    """Whatever the markup: no letter or digit is lost, and nothing is an error."""
    if "```" in text or "](" in text or "http" in text:
        return  # a fence's language and an address are not said (more in test_every_letter.py)
    assert _letters(strip_markdown(text)) == _letters(text)
    kept = "".join(c for c in text if unicodedata.category(c) not in ("So", "Sk"))
    assert _letters(strip_emoji(kept)) == _letters(kept)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=60), st.sampled_from(["en", "en-GB", "de", "tr", "zh", "tlh"]))
def test_nothing_is_an_error(text: str, language: str) -> None:
    """Any characters of Unicode, with and without numbers."""
    Speakable(language)(text)
    Speakable(language, numbers=True)(text)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(["hallo", "world", "ça", "мир", "你好", "नमस्ते", "o'clock", "well-known"])
    ),
    st.sampled_from(["en", "de", "fr", "ru", "ja", "hi", "tlh"]),
)
def test_plain_words_stay_as_they_are(words: list[str], language: str) -> None:
    """Text without figures, marks and signs is the same after any number of passes."""
    text, say = ", ".join(words), Speakable(language, numbers=True)
    assert say(text) == text
    assert say(say(text)) == text


def test_british_dates_begin_with_the_day() -> None:
    """American ones with the month; a date of the other kind stays as it is."""
    american, british = Speakable("en", numbers=True), Speakable("en-GB", numbers=True)
    assert american("05/04/2026") == "May fourth, twenty twenty-six"
    assert british("05/04/2026") == "April fifth, twenty twenty-six"
    assert Speakable("en_US", numbers=True)("05/04/2026") == american("05/04/2026")


def test_transforms_follow_a_language_if_they_can() -> None:
    """A plain function stays; what is localized is asked for the language."""
    german = in_language([str.strip, Speakable(numbers=True)], "de")
    assert transformed(" 5 & 6 ", "sentence", german) == "fünf und sechs"
    assert transformed(" 5 & 6 ", "sentence", in_language(german, "en")) == "five and six"


def test_a_transform_that_gives_no_text_is_named() -> None:
    """One that is async at once, any other when it is used."""

    async def later(text: str) -> str:
        return text

    wrong: list[Transform] = [later]  # type: ignore[list-item]
    with pytest.raises(ConfigurationError, match=r"later.* is async.*plain function"):
        in_language(wrong, "en")
    broken: list[Transform] = [str.split]  # type: ignore[list-item]
    with pytest.raises(InvalidInputError, match=r"split.* returned list, not text"):
        transformed("One two", "sentence", in_language(broken, "en"))


def test_a_transform_may_be_for_units_of_one_kind() -> None:
    """A card's number is spelled, the sentences around it are not."""
    spell = ("card", " ".join)
    transforms = in_language([spell, str.upper], "en")
    assert transformed("4111", "card", transforms) == "4 1 1 1"
    assert transformed("in 1999", "sentence", transforms) == "IN 1999"


def test_without_numbers_no_package_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Symbols are words of a table; numbers say what to install, at once."""
    for module in ("babel", "unicode_rbnf", "phonenumbers"):
        monkeypatch.setitem(sys.modules, module, None)
    assert Speakable("da")("salt & peber 5 %") == "salt og peber 5 procent"
    words_of.cache_clear()
    with pytest.raises(MissingExtraError, match=r"antiphon\[text\]"):
        Speakable("da-DK", numbers=True)
