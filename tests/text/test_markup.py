"""Units out of a stream: sentences, and stretches between marks."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from antiphon.errors import ConfigurationError
from antiphon.text.markup import (
    MatchAction,
    Pattern,
    TextUnit,
    TokenSplitter,
    UnitAggregator,
)

LINK = Pattern("link", "<url>", "</url>", MatchAction.SKIP)
MOOD = Pattern("mood", "<mood>", "</mood>", MatchAction.REMOVE)
CARD = Pattern("card", "[[", "]]", MatchAction.AGGREGATE)
NAME = Pattern("name", "{", "}", MatchAction.KEEP)
ALL = (LINK, MOOD, CARD, NAME)

Short = tuple[str, str, bool]


def units(text: str, patterns: Sequence[Pattern] = ALL, *, seed: int | None = None) -> list[Short]:
    """The units of a text that comes in random pieces (or whole), in short."""
    aggregator, rng, at = UnitAggregator(patterns=patterns), random.Random(seed), 0
    out: list[TextUnit] = []
    while at < len(text):
        size = len(text) if seed is None else rng.randint(1, 4)
        out += aggregator.push(text[at : at + size])
        at += size
    return [(u.text, u.kind, u.spoken) for u in [*out, *aggregator.flush()]]


CASES: dict[str, tuple[str, list[Short]]] = {
    "text without marks is sentences": (
        "One. Two.",
        [("One. ", "sentence", True), ("Two.", "sentence", True)],
    ),
    "a skipped stretch is shown, with its marks, and not spoken": (
        "See <url>a.b/c. D</url> now. Bye.",
        [
            ("See ", "sentence", True),
            ("<url>a.b/c. D</url>", "link", False),
            (" now. ", "sentence", True),
            ("Bye.", "sentence", True),
        ],
    ),
    "a removed one is neither": (
        "<mood>glad. Very</mood>Hello.",
        [("", "mood", False), ("Hello.", "sentence", True)],
    ),
    "an aggregated one is a unit of its own kind": (
        "Look: [[Visa. 1234]] Good.",
        [("Look: ", "sentence", True), ("Visa. 1234", "card", True), (" Good.", "sentence", True)],
    ),
    "a kept one is text whose stops end nothing": (
        "I am {Dr. A. B. Who. Jr.} Hello.",
        [("I am Dr. A. B. Who. Jr.", "sentence", True), (" Hello.", "sentence", True)],
    ),
    "an open one ends with the text": (
        "See <url>a.b",
        [("See ", "sentence", True), ("<url>a.b", "link", False)],
    ),
    "an open kept mark was text": ("A { b.", [("A { b.", "sentence", True)]),
    "what only looks like a mark is text": (
        "Go < bee. Then <u",
        [
            ("Go < bee. ", "sentence", True),
            ("Then <u", "sentence", True),
        ],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_patterns(case: str) -> None:
    """What becomes of the text between marks."""
    text, expected = CASES[case]
    assert units(text) == expected


@pytest.mark.parametrize("case", CASES)
def test_marks_may_be_cut_in_any_way(case: str) -> None:
    """However the stream is cut, the same units come out."""
    text, expected = CASES[case]
    for seed in range(150):
        assert units(text, seed=seed) == expected


def test_by_default_code_and_thoughts_are_not_spoken() -> None:
    """Program text is shown; a model thinking aloud is dropped."""
    aggregator = UnitAggregator()
    text = "<think>hm. hm</think>Try this: ```py\nprint(1.0)\n``` Good?"
    found = [*aggregator.push(text), *aggregator.flush()]
    assert [u.text for u in found if u.spoken] == ["Try this: ", " Good?"]
    assert [u.text for u in found if not u.spoken] == ["", "```py\nprint(1.0)\n```"]
    assert found[0].matched == "hm. hm"


def test_token_mode_passes_everything_on_at_once() -> None:
    """Blank beginnings wait for something real; everything else goes as it comes."""
    aggregator = UnitAggregator(TokenSplitter(), kind="token")
    out = [[u.text for u in aggregator.push(piece)] for piece in ["\n", " Hel", "lo. ", "I"]]
    assert out == [[], ["\n Hel"], ["lo. "], ["I"]]
    assert aggregator.flush() == []


def test_nothing_is_lost_between_the_marks() -> None:
    """Shown text, joined, is the text that came in, without what was removed."""
    parts = ["Hello. ", "<url>", "</url>", "[[", "]]", "x. ", "<", "u", "]", " "]
    for seed in range(400):
        rng = random.Random(seed)
        text = "".join(rng.choice(parts) for _ in range(rng.randint(0, 12)))
        shown = "".join(part for part, _, _ in units(text, (LINK,), seed=seed))
        assert shown == text


def test_a_reset_forgets_an_open_mark() -> None:
    """After an interruption the next text starts afresh."""
    aggregator = UnitAggregator(patterns=ALL)
    aggregator.push("Hello <url>a")
    aggregator.reset()
    assert [u.text for u in [*aggregator.push("b"), *aggregator.flush()]] == ["b"]


@pytest.mark.parametrize("kind", ["sentence", "word", "token", ""])
def test_kinds_of_our_own_are_refused(kind: str) -> None:
    """A pattern cannot pretend to be a sentence."""
    with pytest.raises(ConfigurationError, match="kind"):
        Pattern(kind, "<", ">")


def test_marks_are_needed() -> None:
    """A pattern without marks matches everywhere: a mistake, said at once."""
    with pytest.raises(ConfigurationError, match="'x'"):
        Pattern("x", "", ">")
