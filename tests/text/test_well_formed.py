"""Text that every encoder takes, from streams that are cut anywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.text.well_formed import TextJoiner, bounded, well_formed_text
from tests.scale import examples

ANY = st.text(st.characters(exclude_categories=()), max_size=30)
"""Text with lone surrogates too."""


def test_lone_halves_are_replaced_and_pairs_joined() -> None:
    """What UTF-8 cannot carry becomes U+FFFD; the two halves of an emoji become the emoji."""
    assert well_formed_text("Hi \ud83d\ude00!") == "Hi 😀!"
    assert well_formed_text("a\ud83db\ude00c") == "a\ufffdb\ufffdc"
    assert well_formed_text("plain ünd 好") == "plain ünd 好"


@examples()
@given(st.lists(ANY, max_size=6))
def test_how_a_stream_is_cut_does_not_matter(pieces: list[str]) -> None:
    """Joined piece by piece or at once: the same well-formed text, and no half stays behind."""
    joiner = TextJoiner()
    out = "".join([*(joiner.push(piece) for piece in pieces), joiner.flush()])
    assert out == well_formed_text("".join(pieces))
    out.encode()
    assert joiner.flush() == ""


def test_a_text_is_bounded() -> None:
    """Steps joined are the text, and none is longer than allowed."""
    assert bounded("abcdefg", 3) == ["abc", "def", "g"]
    assert bounded("", 3) == []
