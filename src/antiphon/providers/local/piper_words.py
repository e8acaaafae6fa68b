"""When which word of a text is heard, from how long each sound of its clauses takes.

Theory of operation
-------------------
There are three rows of words:

* the *given* ones, of a piece of text as the service wrote it;
* the *read* ones, of the clauses that became of it ("5km" is read as "5 kilometers");
* the *sounds*: the phonemes, in words of their own ("80" is two, a lone quote none).

Each row becomes the next in a way that takes the words around into account and does not tell which
word became which. `parts_of` finds out: by what each word becomes alone, and where that is not
what became of all together, by likeness. As many words as cannot be told apart share one time:
that of all of them. Every given word gets a time; one that is not said (emoji) that of the place
where it stands. Starts and ends never decrease.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from itertools import accumulate

from antiphon.providers.local.piper_text import speakable
from antiphon.services.contracts import Struct, WordTime


class Span(Struct):
    """From when until when, in seconds."""

    start: float
    end: float


_ONE_SOUND = re.compile(r"[\"'(]*[A-Za-z]+(?:'[A-Za-z]+)?[\"'),.;:?!]*")
Group = tuple[range, range]
"""Words of one row, and the words of the other that are theirs."""


def parts_of(
    words: Sequence[str],
    parts: Sequence[str],
    alone: Callable[[str], str],
    key: Callable[[str], str],
) -> list[range]:
    """Which of the `parts` each of the `words` became, both in order.

    `alone` tells what a word becomes by itself; `key` is what is the same in parts that are alike.
    """
    own = [alone(word).split() for word in words]
    by_count = _counted([len(those) for those in own], len(parts))
    if by_count is not None:
        return by_count
    owners = [word for word, those in enumerate(own) for _ in those]
    found: list[range | None] = [None] * len(words)
    row = [key(part) for those in own for part in those]
    for mine, theirs in aligned(row, [key(part) for part in parts]):
        for at in mine:
            known = found[owners[at]]
            found[owners[at]] = range(theirs.start if known is None else known.start, theirs.stop)
    last, borders = 0, list[tuple[int, int]]()
    for those in found:
        last = last if those is None else those.stop
        borders.append((last if those is None else those.start, last))
    for at in range(len(borders) - 2, -1, -1):  # a silent word may stand amid a time that is shared
        borders[at] = min(borders[at][0], borders[at + 1][0]), borders[at][1]
    return [range(start, stop) for start, stop in borders]


def word_sounds(clause: str, sounds: Sequence[str], phonemes: Callable[[str], str]) -> list[range]:
    """Which of the `sounds` (the words of the clause's phonemes) are those of each of its words."""
    words = clause.split()
    # Phonemes of a word that is in no dictionary take 20 ms: whether it is one word is seen.
    counts = [1 if _ONE_SOUND.fullmatch(word) else len(phonemes(word).split()) for word in words]
    by_count = _counted(counts, len(sounds))
    return parts_of(words, sounds, phonemes, _bare) if by_count is None else by_count


def _counted(counts: Sequence[int], total: int) -> list[range] | None:
    """So many parts for each word; None if these are not all."""
    if sum(counts) != total:
        return None
    ends = list(accumulate(counts))
    return [range(end - count, end) for count, end in zip(counts, ends, strict=True)]


def _bare(sound: str) -> str:
    """Without stress and length, which depend on the words around."""
    return "".join(char for char in sound if char.isalpha() and char not in "ˈˌː")


def _is_word(text: str) -> bool:
    return any(map(str.isalnum, text))


def aligned(row: Sequence[str], other: Sequence[str]) -> list[Group]:
    """Matches two rows of words: every word of both is in exactly one group, in order.

    Only a word for which the other row has nothing stands against an empty range.
    """
    groups: list[Group] = []
    matcher = SequenceMatcher(None, row, other, autojunk=False)
    for _, begin, end, other_begin, other_end in matcher.get_opcodes():
        if end - begin == other_end - other_begin:
            groups += [
                (range(begin + at, begin + at + 1), range(other_begin + at, other_begin + at + 1))
                for at in range(end - begin)
            ]
        elif other_begin == other_end:
            nothing = range(other_begin, other_begin)
            groups += [(range(at, at + 1), nothing) for at in range(begin, end)]
        elif begin < end:
            groups.append((range(begin, end), range(other_begin, other_end)))
        elif groups:  # more is said than is written: that belongs to the word before
            own, theirs = groups[-1]
            groups[-1] = own, range(theirs.start, other_end)
        elif row:
            groups.append((range(0), range(other_end)))
    if len(groups) > 1 and not groups[0][0]:  # ... or to the first one
        (_, before), (own, theirs) = groups[:2]
        groups[:2] = [(own, range(before.start, max(theirs.stop, before.stop)))]
    return groups


class PieceWords:
    """The words of one piece of text, and their times as its clauses are spoken one by one."""

    def __init__(self, piece: str, clauses: Sequence[str]) -> None:
        given = piece.split()
        read = [word for clause in clauses for word in clause.split()]
        same = [_key(word) for word in given] == [_key(word) for word in read]
        parts = (
            [range(at, at + 1) for at in range(len(given))]
            if same
            else parts_of(given, read, speakable, _key)
        )
        # Marks that stand alone are no words, even where they are said ("&").
        self._left = deque(pair for pair in zip(given, parts, strict=True) if _is_word(pair[0]))
        self._spans: list[Span] = []

    def spoken(self, spans: Sequence[Span]) -> list[WordTime]:
        """The words whose times are known with another clause, of whose words these are the
        times.
        """
        self._spans += spans
        found: list[WordTime] = []
        while self._left and max(self._left[0][1].stop, 1) <= len(self._spans):
            word, read = self._left.popleft()
            if read:
                start, end = self._spans[read.start].start, self._spans[read.stop - 1].end
            else:
                start = end = self._here(read.start)
            found.append(WordTime(word, start, end))
        return found

    def _here(self, place: int) -> float:
        """When that place among the words that are read is reached."""
        return self._spans[place - 1].end if place else self._spans[0].start

    def unsaid(self, at: float) -> list[WordTime]:
        """The words that are left when all clauses are spoken: those of a piece that has none."""
        left = [WordTime(word, at, at) for word, _ in self._left]
        self._left.clear()
        return left


def _key(word: str) -> str:
    """What stays of a word however it is written."""
    folded = unicodedata.normalize("NFKD", word.casefold())
    letters = "".join(char for char in folded if char.isascii() and char.isalnum())
    return letters or word
