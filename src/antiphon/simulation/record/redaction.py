"""Personal data taken out of what is recorded.

Theory of operation
-------------------
A rule finds text. Applied to one frame that is easy; but an answer streams in pieces ("ali", "ce@",
"example.org"), and words arrive one by one. So the texts of one source and type form a *stream*,
and a piece is settled only when `REACH` characters have followed it, or `QUIET_NS` without another
piece have passed: until then its hand-over waits, and with it all that came later, so that the
order stays. At most `HELD` hand-overs wait; beyond that the oldest are settled as they are.

Rules are applied to the pieces joined. The first piece of a match gets the label, the others lose
their part. Keys of the telephone are a stream, too; those that are found become 0. Everything else
that is text, at any depth, is redacted by itself.
"""

from __future__ import annotations

import difflib
import re
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from antiphon.errors import UnknownNameError
from antiphon.simulation.record.record_file import FrameRecord, HandOver

REACH = 200
QUIET_NS = 10_000_000_000
HELD = 5_000
_TEXTS = ("text", "raw_text", "button")
_OPAQUE = "$opaque"
_DIGIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|\d)"

Span = tuple[int, int, str]
"""From, to, and what takes its place."""


class RedactionRule(msgspec.Struct, frozen=True):
    """What `pattern` finds becomes `[label]`."""

    pattern: re.Pattern[str]
    label: str = "redacted"

    def spans(self, text: str) -> list[Span]:
        """Where it applies."""
        return [(*found.span(), f"[{self.label}]") for found in self.pattern.finditer(text)]


AnyRule = RedactionRule | re.Pattern[str] | Callable[[str], str]
"""A rule, a pattern, or a function from text to redacted text."""

EMAILS = RedactionRule(
    re.compile(
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\b\w+(?: dot \w+)* at \w+(?: dot \w+)+",
        re.IGNORECASE,
    ),
    "e-mail",
)
"""WrittenFile, and as it is said: alice at example dot org."""

PHONE_NUMBERS = RedactionRule(
    re.compile(
        r"(?!\d{4}-\d\d-\d\d(?!\d))(?<![\w.])[+(]*\d(?:[\s()./-]*\d){6,}(?![\w-])"
        rf"|\b{_DIGIT}(?:[\s,-]+{_DIGIT}){{5,}}\b",
        re.IGNORECASE,
    ),
    "phone number",
)
"""Seven digits or more, with what people put between them; or six or more said in English."""


def names(*given: str) -> RedactionRule:
    """Finds these names, as whole words, in any case."""
    longest_first = sorted(given, key=len, reverse=True)
    words = "|".join(r"\s+".join(map(re.escape, name.split())) for name in longest_first)
    return RedactionRule(re.compile(rf"\b(?:{words})\b", re.IGNORECASE), "name")


def rule_named(text: str) -> RedactionRule:
    """A rule by what it is called on a command line: `emails`, `phone-numbers`, `names:Ann,Bo`.

    Raises `UnknownNameError` for any other.
    """
    kind, _, given = text.partition(":")
    found = [name.strip() for name in given.split(",") if name.strip()]
    if kind == "names" and found:
        return names(*found)
    plain = {"emails": EMAILS, "phone-numbers": PHONE_NUMBERS}
    if text not in plain:
        raise UnknownNameError(
            f"nothing is known to redact by the name {text!r}: there are emails, phone-numbers and "
            f"names:NAME,NAME"
        )
    return plain[text]


class Redactor:
    """Applies rules, in their order."""

    def __init__(self, rules: Iterable[AnyRule]) -> None:
        self._rules = [
            RedactionRule(rule) if isinstance(rule, re.Pattern) else rule for rule in rules
        ]

    def text(self, text: str) -> str:
        """A text, redacted."""
        return self.pieces([text])[0]

    def pieces(self, pieces: list[str]) -> list[str]:
        """Pieces of one text, redacted as a whole; as many as there were."""
        for rule in self._rules:
            text = "".join(pieces)
            spans = (
                rule.spans(text) if isinstance(rule, RedactionRule) else _changes(text, rule(text))
            )
            if spans:
                pieces = _replaced(pieces, spans)
        return pieces

    def value(self, value: Any) -> Any:
        """A value of the codec's with every text in it redacted, and numbers that are long."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            if set(value) == {_OPAQUE}:  # cut at some length: a rule may miss what is left
                kind = re.match(r"<?([\w.]*)", value[_OPAQUE])
                return {_OPAQUE: kind[1] if kind else ""}
            return {self.value(key): self.value(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(part) for part in value]
        if isinstance(value, int) and abs(value) >= 1_000_000:
            text = self.text(str(value))
            return value if text == str(value) else text
        return value

    def frame(self, fields: dict[str, Any]) -> dict[str, Any]:
        """A frame's fields, redacted; its type, and numbers at the top, stay."""
        return {
            key: part if key == "type" or isinstance(part, int) else self.value(part)
            for key, part in fields.items()
        }


class _Piece(msgspec.Struct, eq=False):
    """A text of a frame: `end` counts the characters of its stream up to its own end."""

    frame: FrameRecord
    key: str
    text: str
    end: int


class _Stream:
    """Pieces that are not settled, behind those of the last `REACH` characters before them."""

    def __init__(self) -> None:
        self.pieces: deque[_Piece] = deque()
        self.settled = 0
        """How many of the pieces are."""
        self.length = 0
        self.last = 0

    def add(self, frame: FrameRecord, key: str, now: int) -> _Piece:
        """The next piece, at `now` (ns)."""
        text = frame.fields[key] + ("" if frame.glued else " ")
        self.length += len(text)
        self.last = now
        piece = _Piece(frame, key, text, self.length)
        self.pieces.append(piece)
        return piece

    def settle(self, redactor: Redactor) -> str:
        """The redacted text of the first piece that is not settled, which now is."""
        found = redactor.pieces([piece.text for piece in self.pieces])[self.settled]
        piece = self.pieces[self.settled]
        if piece.key == "button" and found != piece.text:  # it must stay a key
            found = "0"
        self.settled += 1
        while self.pieces[0].end < piece.end - REACH:
            self.pieces.popleft()
            self.settled -= 1
        return found if piece.frame.glued else found.removesuffix(" ")


class RedactingQueue:
    """Hand-overs go in as they are and come out redacted, in their order. See the module.

    The records of their frames are changed in place.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._waiting: deque[HandOver] = deque()
        self._streams: dict[tuple[str, str, str], _Stream] = {}
        self._open: dict[FrameRecord, list[tuple[_Stream, _Piece]]] = {}
        self._done: weakref.WeakSet[FrameRecord] = weakref.WeakSet()

    def put(self, given: HandOver) -> Iterator[HandOver]:
        """Takes one; gives those that are settled by it."""
        self._waiting.append(given)
        frame = given.frame
        if frame not in self._done and frame not in self._open:
            self._open[frame] = [
                (stream, stream.add(frame, key, given.time))
                for key in _TEXTS
                if isinstance(frame.fields.get(key), str)
                for stream in [self._stream(given.source, frame.type, key)]
            ]
        while self._waiting and (
            len(self._waiting) > HELD or self._is_settled(self._waiting[0].frame, given.time)
        ):
            yield self._settle()

    def finish(self) -> Iterator[HandOver]:
        """Gives all that are left."""
        while self._waiting:
            yield self._settle()

    def _stream(self, source: str, kind: str, key: str) -> _Stream:
        return self._streams.setdefault((source, kind, key), _Stream())

    def _is_settled(self, frame: FrameRecord, now: int) -> bool:
        return all(
            stream.length - piece.end >= REACH or now - stream.last >= QUIET_NS
            for stream, piece in self._open.get(frame, ())
        )

    def _settle(self) -> HandOver:
        given = self._waiting.popleft()
        frame = given.frame
        if frame in self._open:
            texts = {
                piece.key: stream.settle(self._redactor) for stream, piece in self._open.pop(frame)
            }
            rest = {key: value for key, value in frame.fields.items() if key not in texts}
            redacted = {**self._redactor.frame(rest), **texts}
            frame.fields = {key: redacted[key] for key in frame.fields}
            self._done.add(frame)
        return given


def _replaced(pieces: list[str], spans: list[Span]) -> list[str]:
    """The pieces with spans of their joined text replaced, each in the piece where it begins."""
    found = []
    begin = 0
    for piece in pieces:
        end = begin + len(piece)
        kept, position = [], begin
        for start, stop, label in spans:
            if stop < begin or start >= end or (stop == begin and start < begin):
                continue
            if start >= begin:
                kept.append(piece[position - begin : start - begin])
                kept.append(label)
            position = max(position, min(stop, end))
        kept.append(piece[position - begin :])
        found.append("".join(kept))
        begin = end
    return found


def _changes(text: str, redacted: str) -> list[Span]:
    """What a function did to a text."""
    if text == redacted:
        return []
    matcher = difflib.SequenceMatcher(None, text, redacted, autojunk=False)
    spans = [
        (start, stop, redacted[at:to])
        for tag, start, stop, at, to in matcher.get_opcodes()
        if tag != "equal"
    ]
    if spans and spans[-1][0] == len(text):  # added at the end: to the last character
        start, stop, label = spans.pop()
        if text:
            spans.append((start - 1, stop, text[-1] + label))
    return spans
