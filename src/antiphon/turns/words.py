"""Words of transcripts, as far as turn-taking needs them."""

from __future__ import annotations

import re

# Scripts written without spaces: each character counts as a word.
_CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\u0e00-\u0e7f"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:['’][^\W_]+)*")


def words(text: str) -> list[str]:
    """The words of `text`, in lower case, without punctuation."""
    return _WORD.findall(text.lower())


def count_words(text: str) -> int:
    """How many words `text` has."""
    return len(words(text))


def plain(text: str) -> str:
    """`text` in lower case, its words separated by one space, without punctuation."""
    return " ".join(words(text))
