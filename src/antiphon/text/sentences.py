"""Sentences out of a stream of text, as early as one can be sure.

A sentence is released when text *after* it has come: only then is it certain that "3." is not the
beginning of "3.14", or "p." of "p.m.". Where sentences end is decided by `sentencex` (about 300
languages), corrected where titles would be cut from names, and by line breaks. Pieces are cut,
never changed: joined, they are the text that came in.

With `first_clause` the first piece may end at a comma: a voice that speaks piece by piece is heard
that much earlier.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from antiphon.text.voice_tags import ends_in_value
from antiphon.text.well_formed import bounded

# A boundary needs one of these; without one there is no need to ask.
_END_MARK = re.compile(r"[.!?…。！？｡।॥؟۔։។\n]")
# Titles stand before names: no sentence ends with one.
_TITLE = re.compile(
    r"(?:^|[\s(\"'“])(?:dr|mr|mrs|ms|mx|prof|rev|fr|sr|st|gen|col|capt|lt|sgt|gov|sen|rep|hon|pres)"
    r"\.\s*$",
    re.IGNORECASE,
)
# Several initials are the beginning of a name; one may be, which its next word decides ("plan B.
# It works", "J. Tolkien"), when it is there: "To" may still become "Tolkien". So it is where a
# number with a stop is an ordinal: "am 3. Mai", "es sind 3. Man ...".
_INITIAL = re.compile(r"(?:^|[\s(\"'“.])[^\W\d_]\.\s*$")
_INITIALS = re.compile(r"(?:^|[\s(\"'“])(?:[A-ZÀ-ÖØ-ÞΑ-ΩА-Я]\.\s+){2,}$")
_ORDINAL = re.compile(r"\d\.\s*$")
# The number of an item belongs to the item.
_ITEM = re.compile(r"^\s*\d{1,3}[.)]\s*$")
_ORDINAL_LANGUAGES = frozenset("cs da de et fi hr hu is lv nb nn no sk sl tr".split())
# Opening marks behind a space belong to the sentence after them.
_OPENERS = re.compile(r"(?<=\s)(?:[\"'“‘„‚(\[{]+|«\s*)$")
# Closing marks that belong to the sentence before them.
_CLOSERS = "\"'”’»)]}」』】）*_"
_CLAUSE_END = re.compile(r"[,;:—–、，；：](?=\s|[^\s\d])\s*")
_MIN_CLAUSE_CHARS = 12
_MIN_CLAUSE_WORDS = 2
_LINES = re.compile(r"(?<=\n)(?=[^\n])")
_LONGEST = 500
_TAIL = 40
"""Of what comes before a boundary only so much decides."""


class SentenceSplitter:
    """Text in, complete sentences out.

    `language` is BCP 47. `longest`: a piece without an end is cut after so many characters, at a
    space if there is one.
    """

    def __init__(
        self, language: str = "en", *, first_clause: bool = False, longest: int = _LONGEST
    ) -> None:
        # 3 MB of compiled rules: loaded by those who split text, when they do.
        import sentencex

        self.language: str = language.split("-", maxsplit=1)[0].lower()
        self.first_clause = first_clause
        self._longest = longest
        self._segment = sentencex.segment
        self._buffer = ""
        self._released = False

    @property
    def pending(self) -> str:
        """What has come and was not released."""
        return self._buffer

    def push(self, text: str) -> list[str]:
        """Takes a piece of any length; returns the sentences that are complete now."""
        pieces: list[str] = []
        for part in bounded(text, self._longest):
            pieces += self._push(part)
        return pieces

    def _push(self, text: str) -> list[str]:
        last = self._buffer[-1:]
        # Within a word, and within space, nothing is decided.
        undecided = last.isalnum() if text.isalnum() else not (text + last).strip()
        self._buffer += text
        pieces: list[str] = []
        if not undecided and _END_MARK.search(self._buffer):
            *complete, self._buffer = self._segments(self._buffer)
            pieces = complete
        while len(self._buffer) > self._longest:
            pieces.append(self._cut_long())
        if self.first_clause and not self._released and not pieces:
            pieces = self._cut_clause()
        self._released = self._released or any(piece.strip() for piece in pieces)
        return pieces

    def flush(self) -> list[str]:
        """The text is over: the rest, and a fresh start."""
        pieces = self._segments(self._buffer, final=True) if self._buffer else []
        self.reset()
        return pieces

    def reset(self) -> None:
        """Forgets what has come."""
        self._buffer, self._released = "", False

    def _segments(self, text: str, *, final: bool = False) -> list[str]:
        """`text` cut into sentences; the last may be incomplete unless it is `final`."""
        pieces: list[str] = []
        for segment in self._segment(self.language, text):
            for line in _LINES.split(segment) if "\n" in segment else [segment]:
                if pieces and (
                    _belongs(pieces[-1], line) or (not final and self._is_open(pieces[-1], line))
                ):
                    pieces[-1] += line
                    continue
                if not pieces:
                    pieces.append(line)
                    continue
                # Space between two sentences belongs to the first, whoever was seen first.
                lead = len(line) - len(line.lstrip())
                before = pieces[-1] + line[:lead]
                match = _OPENERS.search(before, len(before) - _TAIL)
                at = match.start() if match else len(before)
                pieces[-1] = before[:at]
                pieces.append(before[at:] + line[lead:])
        # A segmenter may drop nothing: what is spoken and what is remembered must agree.
        if "".join(pieces) != text:
            return [text]
        return pieces

    def _is_open(self, before: str, after: str) -> bool:
        """Whether the word `after`, not complete yet, decides if `before` is a sentence."""
        if not after.lstrip().isalpha():
            return False
        ordinals = self.language in _ORDINAL_LANGUAGES
        tail = len(before) - _TAIL
        return bool(_INITIAL.search(before, tail) or (ordinals and _ORDINAL.search(before, tail)))

    def _cut_long(self) -> str:
        at = self._buffer.rfind(" ", 1, self._longest) + 1 or self._longest
        piece, self._buffer = self._buffer[:at], self._buffer[at:]
        return piece

    def _cut_clause(self) -> list[str]:
        for match in _CLAUSE_END.finditer(self._buffer):
            head = self._buffer[: match.end()]
            if match.end() == len(self._buffer):
                break  # what follows may be a digit
            if ends_in_value(head):
                continue
            long_enough = len(head.strip()) >= _MIN_CLAUSE_CHARS
            if long_enough and len(head.split()) >= _MIN_CLAUSE_WORDS:
                self._buffer = self._buffer[match.end() :]
                return [head]
        return []


def _belongs(before: str, after: str) -> bool:
    """Whether what a segmenter cut apart belongs together."""
    if not before.strip():
        return True
    if before.endswith("\n"):
        return not after.strip()
    lead = after.lstrip()
    if not lead:
        return True
    tail = len(before) - _TAIL
    if _TITLE.search(before, tail) or _INITIALS.search(before, tail) or _ITEM.search(before, tail):
        return True
    if ends_in_value(before):
        return True
    return lead == after and not before[-1].isspace() and lead[0] in _CLOSERS


def split(text: str, language: str = "en") -> Sequence[str]:
    """The sentences of a whole text."""
    splitter = SentenceSplitter(language)
    return [*splitter.push(text), *splitter.flush()]
