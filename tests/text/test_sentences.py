"""Sentences out of a stream: never too early, never changed."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
import sentencex

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
    "numbered lists": ("en", "Do:\n1. Mix\n2) Bake it\n", ["Do:\n", "1. Mix\n", "2) Bake it\n"]),
    "a number alone": ("en", "How many? 3. That is it.", ["How many? ", "3. That is it."]),
    "links": ("en", "See https://a.b/c.d?e=1. Done.", ["See https://a.b/c.d?e=1. ", "Done."]),
    "initials": ("en", "J. R. R. To wrote it. Yes.", ["J. R. R. To wrote it. ", "Yes."]),
    "a letter at the end": ("en", "We need plan B. It works.", ["We need plan B. ", "It works."]),
    "a quote after a sentence": ("en", 'Yes! "Go." He went.', ["Yes! ", '"Go." ', "He went."]),
    "French quotes": ("fr", "Ah… bon ? « Oui. » Non.", ["Ah… bon ? ", "« Oui. » ", "Non."]),
    "an ordinal": ("de", "Am 3. Mai kam er. Ja.", ["Am 3. Mai kam er. ", "Ja."]),
    "indented lines": ("en", "One.\n  Two.\nThree", ["One.\n  ", "Two.\n", "Three"]),
    "Arabic": ("ar", "مرحبا. كيف حالك؟ جيد.", ["مرحبا. ", "كيف حالك؟ ", "جيد."]),
    "German": ("de", "Das ist z. B. gut. Ja.", ["Das ist z. B. gut. ", "Ja."]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_sentences(name: str) -> None:
    """Where sentences end, in several languages and kinds of text."""
    language, text, expected = TEXTS[name]
    assert list(split(text, language)) == expected


def streamed(language: str, text: str, cuts: Iterable[int]) -> list[str]:
    """The sentences of a text that comes in pieces, cut at these places."""
    splitter, out, at = SentenceSplitter(language), list[str](), 0
    for cut in (*cuts, len(text)):
        out += splitter.push(text[at:cut])
        at = cut
    return out + splitter.flush()


@pytest.mark.parametrize("name", TEXTS)
def test_a_stream_is_cut_like_the_whole(name: str) -> None:
    """Cut at any two places, into pieces of any size, or character by character: the same."""
    language, text, expected = TEXTS[name]
    places = range(1, len(text))
    for first in places:
        assert streamed(language, text, range(first, len(text), first)) == expected
        for second in range(first, len(text)):
            assert streamed(language, text, (first, second)) == expected, (first, second)


SENTENCES = {
    "en": (
        "It is 3.14 now.", "Dr. Who met Mr. Smith.", "At 5 p.m. we go.", "See you at 6 p.m.",
        "Really?!", "Well...", 'He said "Hi!" and left.', "The U.S. Army came.", "Use e.g. this.",
        "Version 2.0.1 is out.", "It costs $3.50.", "Great! 😀", "J. R. R. Tolkien wrote it.",
        "Wait… what?", "1. First.", "- one\n", '"Go." He went.', "On Jan. 5 it was. No. 5 lives.",
    ),
    "de": (
        "Das ist z. B. gut.", "Am 3. Mai kam er.", "Dr. Meier ist da.", "Es kostet 3,50 €.", "Ja!",
        '"Nein." sagte er.', "Der 1. FC siegt.", "Usw. und so fort.", "„Ja.“ Nein.", "Nr. 5 lebt.",
    ),
    "fr": ("C'est M. Dupont.", "« Oui. » Non.", "Il est 14 h 30.", "Ah… bon ?", "Etc."),
    "es": ("¿Qué tal?", "¡Hola! Soy el Sr. López.", "Son 3,50 €.", "EE. UU. es grande.", "Sí."),
    "ru": ("Привет!", "Им. А. С. Пушкина.", "Это 3,5 кг.", "Да… нет?"),
    "hi": ("नमस्ते।", "कैसे हो?", "3.5 किलो।", "ठीक!"),
    "ja": ("こんにちは。", "元気ですか？", "「はい。」と言った。", "3.5です。", "ね！"),
    "zh": ("你好。", "今天3.5度！", "你呢？", "他说：“走吧。”", "好……"),
    "ko": ("안녕하세요.", "3.5입니다.", "네?"),
}  # fmt: skip


@pytest.mark.parametrize("language", SENTENCES)
def test_where_a_stream_is_cut_decides_nothing(language: str) -> None:
    """Random conversations of hard sentences, in random pieces: always what the whole gives."""
    glue = "" if language in ("ja", "zh") else " "
    for seed in range(150):
        rng = random.Random(seed)
        text = glue.join(rng.choice(SENTENCES[language]) for _ in range(rng.randint(1, 5)))
        whole = streamed(language, text, ())
        assert "".join(whole) == text
        places = range(1, len(text))
        some = sorted(rng.sample(places, min(len(places), rng.randint(0, 9))))
        words = [at for at in places if text[at] == " "]
        for cuts in (some, words, places):
            assert streamed(language, text, cuts) == whole, (text, cuts)


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
    splitter.reset()
    assert splitter.push("In the beginning, ") == [], "more space may follow, and belongs to it"
    assert splitter.push(" there") == ["In the beginning,  "]


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


def test_a_segmenter_that_drops_something_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is spoken and what is remembered must agree: then the text comes in one piece."""
    monkeypatch.setattr(sentencex, "segment", lambda language, text: text.split("  "))
    assert list(split("One.  Two.  Three")) == ["One.  Two.  Three"]
