"""Sentences out of a stream: never too early, never changed."""

from __future__ import annotations

import random

import pytest

from antiphon.text.sentences import SentenceSplitter, split

TEXTS: dict[str, tuple[str, str, list[str]]] = {
    "numbers": ("en", "It is 3.14 now. Yes.", ["It is 3.14 now. ", "Yes."]),
    "titles": ("en", "Dr. Who met Mr. Smith. Fine.", ["Dr. Who met Mr. Smith. ", "Fine."]),
    "times": (
        "en",
        "We meet at 5 p.m. today. Or at 6 p.m. Tomorrow?",
        ["We meet at 5 p.m. today. ", "Or at 6 p.m. ", "Tomorrow?"],
    ),
    "money": ("en", "It costs $3.50. Okay?", ["It costs $3.50. ", "Okay?"]),
    "abbreviations": ("en", "Take e.g. the U.S. Army. Go.", ["Take e.g. the U.S. Army. ", "Go."]),
    "marks in a row": ("en", "Really?! Yes!!! Well...", ["Really?! ", "Yes!!! ", "Well..."]),
    "quotes": ("en", 'He said "Hi!" and left. I too.', ['He said "Hi!" and left. ', "I too."]),
    "emoji": ("en", "Great! 😀 Let's go. 🎉", ["Great! ", "😀 Let's go. ", "🎉"]),
    "Chinese": ("zh", "你好。今天天气很好！你呢？", ["你好。", "今天天气很好！", "你呢？"]),
    "Japanese": ("ja", "こんにちは。元気ですか？", ["こんにちは。", "元気ですか？"]),
    "Hindi": ("hi", "नमस्ते। कैसे हो? ठीक।", ["नमस्ते। ", "कैसे हो? ", "ठीक।"]),
    "lists": ("en", "- one\n- two\n\nThree.", ["- one\n", "- two\n\n", "Three."]),
    "links": ("en", "See https://a.b/c.d?e=1. Done.", ["See https://a.b/c.d?e=1. ", "Done."]),
    "German": ("de", "Das ist z. B. gut. Ja.", ["Das ist z. B. gut. ", "Ja."]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_sentences(name: str) -> None:
    """Where sentences end, in several languages and kinds of text."""
    language, text, expected = TEXTS[name]
    assert list(split(text, language)) == expected


@pytest.mark.parametrize("name", TEXTS)
def test_a_stream_is_cut_like_the_whole(name: str) -> None:
    """However a text is cut into pieces, the same sentences come out, and nothing is lost."""
    language, text, expected = TEXTS[name]
    for seed in range(100):
        rng, at, out = random.Random(seed), 0, list[str]()
        splitter = SentenceSplitter(language)
        while at < len(text):
            size = rng.randint(1, 5)
            out += splitter.push(text[at : at + size])
            at += size
        assert out + splitter.flush() == expected


def test_a_sentence_waits_for_what_follows() -> None:
    """Only the next word shows that "3." was the end."""
    splitter = SentenceSplitter()
    assert splitter.push("It is 3.") == []
    assert splitter.push(" ") == []
    assert splitter.pending == "It is 3. "
    assert splitter.push("Yes") == ["It is 3. "]


def test_the_first_clause_comes_early_if_wanted() -> None:
    """A voice that speaks piece by piece need not wait for the whole first sentence."""
    splitter = SentenceSplitter(first_clause=True)
    pieces = splitter.push("In the beginning, there was nothing, or so. Then came 1,000 things.")
    assert pieces[0] == "In the beginning, there was nothing, or so. "
    splitter.reset()
    words = ["In ", "the ", "beginning, ", "there "]
    early = [piece for word in words for piece in splitter.push(word)]
    assert early == ["In the beginning, "]
    assert splitter.push("was light, and so on. Now") == ["there was light, and so on. "]


def test_numbers_and_short_beginnings_are_no_clauses() -> None:
    """A comma within a number, or after one word, cuts nothing."""
    splitter = SentenceSplitter(first_clause=True)
    assert splitter.push("Well, ") == []
    assert splitter.push("1,") == []
    assert splitter.push("000 of them came") == []


def test_a_text_without_end_is_cut_at_a_space() -> None:
    """A model that never ends a sentence is heard all the same."""
    splitter = SentenceSplitter(longest=50)
    pieces = splitter.push("word " * 30)
    assert pieces
    assert all(len(piece) <= 50 and piece.endswith(" ") for piece in pieces)
    assert "".join([*pieces, *splitter.flush()]) == "word " * 30


def test_random_text_is_never_changed() -> None:
    """Whatever comes, the pieces joined are the text."""
    alphabet = ["a", "B", " ", "\n", ".", "?", "!", "3", ",", "'", '"', "。", "好", "😀", "(", ")"]
    for seed in range(400):
        rng = random.Random(seed)
        text = "".join(rng.choice(alphabet) for _ in range(rng.randint(0, 60)))
        splitter, out = SentenceSplitter(first_clause=rng.random() < 0.5), list[str]()
        for char in text:
            out += splitter.push(char)
        assert "".join(out + splitter.flush()) == text
        assert splitter.pending == ""
