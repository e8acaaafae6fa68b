"""Comparing texts word by word, deaf to case and punctuation."""

from __future__ import annotations

import re

_WORD = re.compile(r"[\w']+")


def words(text: str) -> list[str]:
    """The words of `text`, lower case, without punctuation."""
    return [w.replace("'", "") for w in _WORD.findall(text.lower().replace("\u2019", "'"))]


def rest_of(whole: str, part: str) -> str:
    """What of `whole` comes after the words of `part`, which is its beginning, as written.

    Pieces of `whole` without a word in them (dashes, emoji) belong to what stands before them.
    """
    left = len(words(part))
    position = 0
    for match in re.finditer(r"\S+", whole):
        count = len(words(match.group()))
        if count and left <= 0:
            return whole[match.start() :].strip()
        left -= count
        position = match.end()
    return whole[position:].strip()


def error_rate(reference: str, hypothesis: str) -> float:
    """Word error rate: edits from `hypothesis` to `reference`, over the words of `reference`.

    0.0 for two empty texts, 1.0 for an empty reference and words in the hypothesis.
    """
    want, have = words(reference), words(hypothesis)
    if not want:
        return 1.0 if have else 0.0
    row = list(range(len(have) + 1))
    for i, wanted in enumerate(want, 1):
        diagonal, row[0] = row[0], i
        for j, got in enumerate(have, 1):
            cost = diagonal if wanted == got else diagonal + 1
            diagonal = row[j]
            row[j] = min(cost, row[j] + 1, row[j - 1] + 1)
    return row[-1] / len(want)
