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
import re
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from antiphon.errors import ConfigurationError
from antiphon.text.sentences import SentenceSplitter
from antiphon.text.voice_tags import open_tag
from antiphon.text.well_formed import TextJoiner

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
    """Passes every piece on as it comes: for voices that take tokens. Blank beginnings wait, and so
    does a tag for the voice until all of it is there.
    """

    def __init__(self) -> None:
        self._held = ""
        self._begun = False

    def push(self, text: str) -> list[str]:
        """The piece, with what waited before it."""
        self._held += text
        if not self._begun and not self._held.strip():
            return []
        cut = open_tag(self._held)
        piece, self._held = self._held[:cut], self._held[cut:]
        self._begun = self._begun or bool(piece)
        return [piece] if piece else []

    def flush(self) -> list[str]:
        """What may have been a tag was none."""
        held, begun = self._held, self._begun
        self.reset()
        return [held] if held and (begun or held.strip()) else []

    def reset(self) -> None:
        """The next piece is the first."""
        self._held, self._begun = "", False


class UnitAggregator:
    """Text in, units out, in order. `kind` is that of ordinary units.

    `on_error` is told when the splitter raises: it is reset, and the text that it held comes out in
    one piece. Without it the text is lost, and the error goes to whoever pushed.

    Each character is looked at a bounded number of times, however the stream is cut: what is
    between two marks waits in pieces, of which only the newest is searched.
    """

    def __init__(
        self,
        splitter: Splitter | None = None,
        patterns: Sequence[Pattern] = DEFAULT_PATTERNS,
        *,
        kind: str = "sentence",
        on_error: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.splitter: Splitter | SentenceSplitter = splitter or SentenceSplitter()
        self.kind = kind
        self._patterns = tuple(patterns)
        starts = sorted({pattern.start for pattern in patterns}, key=len, reverse=True)
        self._starts = re.compile("|".join(map(re.escape, starts)) or "(?!)")
        self._on_error = on_error
        self._joiner = TextJoiner()
        self._buffer = ""
        """What may be the beginning of a mark."""
        self._open: Pattern | None = None
        self._inside: list[str] = []
        """What came since the open mark, but for the buffer."""
        self._given = ""
        """What the splitter has and has not released."""

    def push(self, text: str) -> list[TextUnit]:
        """Takes a piece of any length; returns the units that are complete now."""
        text = self._buffer + self._joiner.push(text)
        self._buffer = ""
        units: list[TextUnit] = []
        at = 0
        while at < len(text):
            step = self._outside if self._open is None else self._within
            at = step(text, at, units)
        return units

    def flush(self) -> list[TextUnit]:
        """The text is over: the rest, and a fresh start."""
        units = self.push(self._joiner.flush())
        pattern, rest = self._open, "".join([*self._inside, self._buffer])
        self._open, self._inside, self._buffer = None, [], ""
        if pattern is None:
            self._plain(rest, units)
        elif pattern.action is MatchAction.KEEP:
            self._plain(pattern.start + rest, units)
        else:
            self._close(pattern, rest, units, ended=False)
        units += self._ordinary(self._rest())
        return units

    def release(self) -> list[TextUnit]:
        """What has come is complete, whatever the splitter thinks; but not in the middle of a
        stretch, whose end is to come.
        """
        return [] if self._open is not None else self.flush()

    def reset(self) -> None:
        """Forgets what has come."""
        self._joiner.flush()
        self._buffer, self._open, self._inside, self._given = "", None, [], ""
        self.splitter.reset()

    def _outside(self, text: str, at: int, units: list[TextUnit]) -> int:
        """Deals with the text up to the next mark and returns where to go on."""
        found = self._starts.search(text, at)
        if found is None:
            held = max((_overlap(text, at, p.start) for p in self._patterns), default=0)
            cut = len(text) - held
            self._buffer = text[cut:]
            self._plain(text[at:cut], units)
            return len(text)
        self._plain(text[at : found.start()], units)
        self._open = next(p for p in self._patterns if p.start == found[0])
        return found.end()

    def _within(self, text: str, at: int, units: list[TextUnit]) -> int:
        pattern = self._open
        assert pattern is not None
        end = text.find(pattern.end, at)
        if end < 0:
            cut = len(text) - _overlap(text, at, pattern.end)
            self._inside.append(text[at:cut])
            self._buffer = text[cut:]
            return len(text)
        inside = "".join([*self._inside, text[at:end]])
        self._open, self._inside = None, []
        self._close(pattern, inside, units, ended=True)
        return end + len(pattern.end)

    def _plain(self, text: str, units: list[TextUnit]) -> None:
        if not text:
            return
        self._given += text
        try:
            pieces = self.splitter.push(text)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a panic of compiled code too
            pieces = self._recovered(error)
        else:
            self._given = self._given[sum(map(len, pieces)) :]
        units += self._ordinary(pieces)

    def _rest(self) -> list[str]:
        """What the splitter still holds."""
        try:
            pieces = self.splitter.flush()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a panic of compiled code too
            pieces = self._recovered(error)
        self._given = ""
        return pieces

    def _recovered(self, error: BaseException) -> list[str]:
        self.splitter.reset()
        held, self._given = self._given, ""
        if self._on_error is None:
            raise error
        self._on_error(error)
        return [held] if held else []

    def _ordinary(self, pieces: list[str]) -> list[TextUnit]:
        return [TextUnit(piece, self.kind) for piece in pieces]

    def _close(self, pattern: Pattern, inside: str, units: list[TextUnit], *, ended: bool) -> None:
        if pattern.action is MatchAction.KEEP:
            # Its end marks are not ends of sentences: it comes out as it is, behind what waits.
            before = "".join(self._rest())
            units.append(self._unit(before + inside, self.kind, pattern, inside))
            return
        # What comes before a stretch of its own is complete, whatever the splitter thinks.
        units += self._ordinary(self._rest())
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


def _overlap(text: str, at: int, mark: str) -> int:
    """How many characters at the end of `text`, from `at` on, may be the beginning of `mark`."""
    longest = min(len(text) - at, len(mark) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(mark[:size])), 0)
