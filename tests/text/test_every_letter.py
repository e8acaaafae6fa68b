"""Nothing that can be said is lost between a model and a voice, in any script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.text.links import speak_links
from antiphon.text.markdown import strip_markdown
from antiphon.text.markup import TokenSplitter, UnitAggregator
from antiphon.text.speakable import Speakable, Transform, speakable
from antiphon.text.well_formed import well_formed_text
from tests.scale import examples

LINKS = {
    "请看https://example.com/a，然后告诉我。": "请看example.com，然后告诉我。",
    "https://example.comを見てください。": "example.comを見てください。",
    "ดูที่https://example.com/pathนะครับ": "ดูที่example.comนะครับ",
    "Seen https://example.com/a?": "Seen example.com?",
    "(at http://example.com/a), and": "(at example.com), and",
    "https://www.example.com:8080/x!": "example.com:8080!",
    "https://user:secret@example.com.": "example.com.",
    "http://192.168.0.1/a": "192.168.0.1",
    "https://münchen.de/x ist": "münchen.de ist",
    "no link: http://": "no link: http://",
}


@pytest.mark.parametrize("text", LINKS)
def test_a_link_ends_where_its_address_does(text: str) -> None:
    """Another script, and the marks that end sentences and brackets, are no part of it."""
    assert speak_links(text) == LINKS[text]


MARKUP = {
    "这是**重点**和*这个*内容": "这是重点和这个内容",
    "これは~~古い~~`新しい`値": "これは古い新しい値",
    "3~5天 a*b snake_case": "3~5天 a*b snake_case",
    "[页面](https://a.b/c_(d))很好": "页面很好",
    "[yes](no)": "yes (no)",
    "x**2 and 2 ** 8, **Option 1** 2": "x^2 and 2^8, Option 1 2",
    "| a | b |\n|---|:-:|\n- c\n# d": "| a | b |\n\nc\nd",
}


@pytest.mark.parametrize("text", MARKUP)
def test_markup_of_every_script_goes(text: str) -> None:
    """Marks need no spaces around them, and what is no markup stays."""
    assert strip_markdown(text) == MARKUP[text]


TAGS = {
    'Wait <break time="1s"/> & go': 'Wait <break time="1s"/> and go',
    "<emotion value='a = b'/>**Hi**": "<emotion value='a = b'/>Hi",
    '<prosody rate="90%">5 %</prosody>': '<prosody rate="90%">5 percent</prosody>',
    "a <b and c> d = e": "a <b and c> d equals e",
    "2 < 3": "2 < 3",
}


@pytest.mark.parametrize("text", TAGS)
def test_tags_reach_the_voice_whole(text: str) -> None:
    """What is in a tag is for the voice; what only looks like one is text."""
    assert speakable(text) == TAGS[text]
    assert speakable(text, "tlh").count("<") == text.count("<")


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_tag_is_never_cut(size: int) -> None:
    """Neither between sentences nor between tokens, however the stream is cut."""
    text = 'One. <say value="a. B, and so: on"/>Two. Is 1 < 2? <b'
    for aggregator in (UnitAggregator(), UnitAggregator(TokenSplitter())):
        units = [
            u for at in range(0, len(text), size) for u in aggregator.push(text[at : at + size])
        ]
        units += aggregator.flush()
        assert "".join(unit.text for unit in units) == text
        assert any('<say value="a. B, and so: on"/>' in unit.text for unit in units)


PIECES = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=6),
    st.sampled_from([
        "word ", "重点", "です", "ครับ", " ", "\n", ". ", "。", "**", "*", "_", "~~", "`", "# ",
        "- ",
        "[", "](", ")", "<", ">", '="', "|", "---", "1", "2.5", "%", "&", "=", "!", "?", ", ", "😀",
        "\ud83d",
    ]),
)  # fmt: skip
LANGUAGES = st.sampled_from(["en", "de", "zh", "ja", "th", "tlh"])


@examples()
@given(st.lists(PIECES, max_size=20), LANGUAGES)
def test_letters_and_digits_come_out_in_order(pieces: list[str], language: str) -> None:
    """Through splitter and transforms: said, or in a unit that is shown and not said."""
    say, aggregator = Speakable(language), UnitAggregator(patterns=())
    units = [unit for piece in pieces for unit in aggregator.push(piece)] + aggregator.flush()
    text = well_formed_text("".join(pieces))
    assert "".join(unit.text for unit in units) == text
    _in_order(text, "".join(say(unit.text) for unit in units))


@examples()
@given(
    st.lists(st.sampled_from(["看", "a", "ครับ", " ", ".", "，", "?", ")", "「", "1"])), LANGUAGES
)
def test_a_link_takes_nothing_with_it(around: list[str], language: str) -> None:
    """Whatever script stands before and behind it, all of it is said, and the host."""
    before, after = "".join(around[::2]), "".join(around[1::2])
    link = "https://example.com/p" if after[:1] not in set("a1.?") else "https://example.com/p "
    said = Speakable(language)(f"{before} {link}{after}")
    _in_order(f"{before}example.com{after}", said)


def _in_order(wanted: str, text: str) -> None:
    """Fails where a letter or digit of `wanted` is not in `text`, in its order."""
    found = iter(text)
    missing = [char for char in wanted if char.isalnum() and char not in found]
    assert not missing, (wanted, text)


WORST = [
    "\n", "1. ", "a", " ", "*a ", "[", "[](", "](", "<https://", "https://", "`", "```", "<think>",
    "| ", "- ", "# ", "> ", "_", '<b x="a. ', "2**", "1,", "...", '" ', "J. ", "Dr. ", "。",
    "\ud83d", "a@",
]  # fmt: skip


@pytest.mark.parametrize("worst", WORST)
def test_the_work_grows_with_the_text(worst: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The segmenter and the transforms look at each character a bounded number of times, whether
    the text comes at once or in many deltas.
    """
    import sentencex

    looked = [0]
    honest = sentencex.segment

    def segment(language: str, text: str) -> list[str]:
        looked[0] += len(text)
        return list(honest(language, text))

    monkeypatch.setattr(sentencex, "segment", segment)
    text = (worst * 20_000)[:20_000]
    for step, bound in ((len(text), 4), (50, 25)):
        looked[0] = 0
        aggregator = UnitAggregator()
        units = [
            u for at in range(0, len(text), step) for u in aggregator.push(text[at : at + step])
        ]
        units += aggregator.flush()
        assert looked[0] <= bound * len(text), (step, looked[0] / len(text))
        longest = max((len(unit.text) for unit in units if unit.spoken), default=0)
        assert longest <= 1_000


@pytest.mark.parametrize("size", [2_000, 20_000])
@pytest.mark.parametrize("worst", WORST)
def test_no_mark_makes_a_transform_slow(worst: str, size: int) -> None:
    """Marks that are never closed are not searched for again and again: this ends at once."""
    text = well_formed_text((worst * size)[:size])
    transforms: list[Transform] = [strip_markdown, speak_links, speakable]
    for transform in transforms:
        transform(text)


def test_what_is_between_marks_is_searched_once() -> None:
    """An unclosed thought in many deltas keeps its pieces apart until it ends."""
    aggregator = UnitAggregator()
    aggregator.push("<think>")
    for _ in range(1_000):
        assert aggregator.push("abc <") == []
    assert len(aggregator._buffer) <= len("</think>")
    (unit,) = aggregator.push("</think>")
    assert unit.matched == "abc <" * 999 + "abc <"
