"""A text in which some stretches are said already, so that no two rules touch the same one.

Rules are applied one after the other; each sees only what no rule before it has said. So the
digits of a date cannot become a number once more, and words put in cannot be taken for text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

Say = Callable[[re.Match[str]], str | None]
Span = tuple[int, int, str]
"""From, to, and what is said in its place."""


class Draft:
    """`rewrite` and `replace` say stretches; `text` is the result so far."""

    def __init__(self, text: str) -> None:
        self._pieces: list[tuple[str, bool]] = [(text, False)]

    @property
    def text(self) -> str:
        """What is said and what nobody has touched, in order."""
        return "".join(piece for piece, _ in self._pieces)

    def rewrite(self, pattern: re.Pattern[str], say: Say) -> None:
        """Says what matches, where `say` knows how; where it returns None the text stays open.

        Lookarounds of the pattern see the open stretch only.
        """

        def spans(text: str) -> Iterable[Span]:
            for match in pattern.finditer(text):
                if (said := say(match)) is not None:
                    yield match.start(), match.end(), said

        self.replace(spans)

    def replace(self, find: Callable[[str], Iterable[Span]]) -> None:
        """Says the spans that `find` yields of each open stretch, in order, without overlap."""
        pieces: list[tuple[str, bool]] = []
        for piece, said in self._pieces:
            if said:
                pieces.append((piece, True))
                continue
            at = 0
            for start, end, words in find(piece):
                pieces += [(piece[at:start], False), (words, True)]
                at = end
            pieces.append((piece[at:], False))
        self._pieces = [(piece, said) for piece, said in pieces if piece]
