"""Units out of a stream of text: sentences, tokens, and stretches between marks.

A `TextUnit` is what a voice speaks in one go, or what is only shown. `UnitAggregator` makes units
of a stream: it looks for *patterns* (a beginning and an end mark), does with what is between them
as each says, and gives the rest to a sentence splitter, or passes it on token by token. A mark may
be cut in any way by the stream: what may be the beginning of one is held back.

| action      | what becomes of the text between the marks                                   |
|-------------|------------------------------------------------------------------------------|
| `REMOVE`    | nothing: neither spoken nor shown                                            |
| `SKIP`      | shown but not spoken, with its marks, in its place: a unit of its own kind   |
| `AGGREGATE` | a unit of its own kind, without the marks, spoken unless its kind is skipped |
| `KEEP`      | part of the text, without the marks, never cut into sentences                |

A pattern that is still open when the text is over is closed there, but for `KEEP`, whose mark was
text.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol

import msgspec

from antiphon.errors import ConfigurationError
from antiphon.text.sentences import SentenceSplitter

_OWN_KINDS = ("sentence", "word", "token")


class TextUnit(msgspec.Struct, frozen=True):
    """A piece of text of a kind. `matched`: what stood between the marks of the pattern that it
    came from, `pattern`: that pattern's kind, which a kept stretch does not have itself.
    """

    text: str
    kind: str = "sentence"
    spoken: bool = True
    matched: str | None = None
    pattern: str | None = None


class MatchAction(enum.Enum):
    """What becomes of the text between two marks."""

    REMOVE = "remove"
    SKIP = "skip"
    AGGREGATE = "aggregate"
    KEEP = "keep"


class Pattern(msgspec.Struct, frozen=True):
    """A pair of marks. `kind` names the units; it cannot be sentence, word or token."""

    kind: str
    start: str
    end: str
    action: MatchAction = MatchAction.SKIP

    def __post_init__(self) -> None:
        if self.kind in _OWN_KINDS or not self.kind:
            raise ConfigurationError(
                f"a pattern cannot be of kind {self.kind!r}: give it a name of its own"
            )
        if not self.start or not self.end:
            raise ConfigurationError(f"the pattern {self.kind!r} needs a start and an end mark")


CODE = Pattern("code", "```", "```", MatchAction.SKIP)
THINK = Pattern("thought", "<think>", "</think>", MatchAction.REMOVE)
DEFAULT_PATTERNS: tuple[Pattern, ...] = (CODE, THINK)
"""What no caller wants to hear: program text, and a model thinking aloud."""


class Splitter(Protocol):
    """What cuts plain text."""

    def push(self, text: str) -> list[str]:
        """Takes a piece; returns what is complete."""
        ...

    def flush(self) -> list[str]:
        """The rest."""
        ...

    def reset(self) -> None:
        """Forgets what has come."""


class TokenSplitter:
    """Passes every piece on as it comes: for voices that take tokens. Blank beginnings wait."""

    def __init__(self) -> None:
        self._held = ""
        self._begun = False

    def push(self, text: str) -> list[str]:
        """The piece, with the blank ones before it."""
        self._held += text
        if not self._begun and not self._held.strip():
            return []
        self._begun, piece, self._held = True, self._held, ""
        return [piece] if piece else []

    def flush(self) -> list[str]:
        """Nothing but blanks can be left."""
        self.reset()
        return []

    def reset(self) -> None:
        """The next piece is the first."""
        self._held, self._begun = "", False


class UnitAggregator:
    """Text in, units out, in order. `kind` is that of ordinary units."""

    def __init__(
        self,
        splitter: Splitter | None = None,
        patterns: Sequence[Pattern] = DEFAULT_PATTERNS,
        *,
        kind: str = "sentence",
    ) -> None:
        self.splitter: Splitter | SentenceSplitter = splitter or SentenceSplitter()
        self.kind = kind
        self._patterns = tuple(patterns)
        self._buffer = ""
        self._open: Pattern | None = None

    def push(self, text: str) -> list[TextUnit]:
        """Takes a piece of any length; returns the units that are complete now."""
        self._buffer += text
        units: list[TextUnit] = []
        while self._step(units):
            pass
        return units

    def flush(self) -> list[TextUnit]:
        """The text is over: the rest, and a fresh start."""
        units: list[TextUnit] = []
        pattern, rest = self._open, self._buffer
        self._open, self._buffer = None, ""
        if pattern is None:
            self._plain(rest, units)
        elif pattern.action is MatchAction.KEEP:
            self._plain(pattern.start + rest, units)
        else:
            self._close(pattern, rest, units, ended=False)
        units += [TextUnit(piece, self.kind) for piece in self.splitter.flush()]
        return units

    def release(self) -> list[TextUnit]:
        """What has come is complete, whatever the splitter thinks; but not in the middle of a
        stretch, whose end is to come.
        """
        return [] if self._open is not None else self.flush()

    def reset(self) -> None:
        """Forgets what has come."""
        self._buffer, self._open = "", None
        self.splitter.reset()

    def _step(self, units: list[TextUnit]) -> bool:
        """Deals with the next mark in the buffer; False when more text must come first."""
        if self._open is not None:
            pattern = self._open
            at = self._buffer.find(pattern.end)
            if at < 0:
                return False
            inside, self._buffer = self._buffer[:at], self._buffer[at + len(pattern.end) :]
            self._open = None
            self._close(pattern, inside, units, ended=True)
            return True
        found = [(at, p) for p in self._patterns if (at := self._buffer.find(p.start)) >= 0]
        if not found:
            held = max((_overlap(self._buffer, p.start) for p in self._patterns), default=0)
            cut = len(self._buffer) - held
            plain, self._buffer = self._buffer[:cut], self._buffer[cut:]
            self._plain(plain, units)
            return False
        at, pattern = min(found, key=lambda match: (match[0], -len(match[1].start)))
        self._plain(self._buffer[:at], units)
        self._buffer = self._buffer[at + len(pattern.start) :]
        self._open = pattern
        return True

    def _plain(self, text: str, units: list[TextUnit]) -> None:
        if text:
            units += [TextUnit(piece, self.kind) for piece in self.splitter.push(text)]

    def _close(self, pattern: Pattern, inside: str, units: list[TextUnit], *, ended: bool) -> None:
        if pattern.action is MatchAction.KEEP:
            # Its end marks are not ends of sentences: it comes out as it is, behind what waits.
            before = "".join(self.splitter.flush())
            units.append(self._unit(before + inside, self.kind, pattern, inside))
            return
        # What comes before a stretch of its own is complete, whatever the splitter thinks.
        units += [TextUnit(piece, self.kind) for piece in self.splitter.flush()]
        if pattern.action is MatchAction.REMOVE:
            units.append(self._unit("", pattern.kind, pattern, inside, spoken=False))
        elif pattern.action is MatchAction.AGGREGATE:
            units.append(self._unit(inside, pattern.kind, pattern, inside))
        else:
            whole = pattern.start + inside + (pattern.end if ended else "")
            units.append(self._unit(whole, pattern.kind, pattern, inside, spoken=False))

    @staticmethod
    def _unit(
        text: str, kind: str, pattern: Pattern, inside: str, *, spoken: bool = True
    ) -> TextUnit:
        return TextUnit(text, kind, spoken, matched=inside, pattern=pattern.kind)


def _overlap(text: str, mark: str) -> int:
    """How many characters at the end of `text` may be the beginning of `mark`."""
    longest = min(len(text), len(mark) - 1)
    return next((size for size in range(longest, 0, -1) if mark.startswith(text[-size:])), 0)
