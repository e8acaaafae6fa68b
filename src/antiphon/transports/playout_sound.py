"""What waits to be heard: pieces of sound in order, and when which chunk of them is due."""

from __future__ import annotations

import math
from collections import deque

import msgspec

from antiphon.audio.pcm import SAMPLE_BYTES


class Piece(msgspec.Struct):
    """Sound that belongs together. `speech` is the agent's voice, `read` bytes of it are out."""

    pcm: bytes
    speech: bool
    context_id: str | None
    interruptible: bool
    read: int = 0

    @property
    def left(self) -> int:
        return len(self.pcm) - self.read


class HandedOver(msgspec.Struct, frozen=True):
    """What the line was given `at` loop seconds and has not answered for. `silence`: samples of the
    silence at the end; `void`: an interruption came meanwhile.
    """

    tones: bytes
    speech: bool
    silence: int
    at: float
    void: bool = False


class SoundBuffer:
    """Pieces of sound, first in, first out. Positions count samples since the first ever put in."""

    def __init__(self, num_channels: int) -> None:
        self._unit = SAMPLE_BYTES * num_channels
        self._pieces: deque[Piece] = deque()
        self._taken: list[tuple[Piece, int]] = []
        self.waiting: int = 0
        """Samples in the buffer."""
        self.taken: int = 0
        """The position up to which sound was taken out."""

    @property
    def end(self) -> int:
        """The position of the next sample to be put in."""
        return self.taken + self.waiting

    def put(self, piece: Piece) -> None:
        """Appends whole samples."""
        self._pieces.append(piece)
        self.waiting += piece.left // self._unit

    def take(self, samples: int) -> tuple[bytes, Piece | None]:
        """Up to `samples`, and the piece of speech (else any piece) that the first came from."""
        wanted, parts = samples * self._unit, []
        self._taken = []
        source: Piece | None = None
        while wanted and self._pieces:
            piece = self._pieces[0]
            if source is None or (piece.speech and not source.speech):
                source = piece
            part = piece.pcm[piece.read : piece.read + wanted]
            parts.append(part)
            wanted -= len(part)
            piece.read += len(part)
            self._taken.append((piece, len(part)))
            if not piece.left:
                self._pieces.popleft()
        taken = parts[0] if len(parts) == 1 else b"".join(parts)
        count = len(taken) // self._unit
        self.waiting -= count
        self.taken += count
        return taken, source

    @property
    def returnable(self) -> int:
        """Samples of those taken last that `put_back` would put back."""
        return sum(size for _, size in self._taken) // self._unit

    def put_back(self) -> None:
        """Undoes the last `take`, but for what an interruption has dropped since."""
        count, taken = self.returnable, self._taken
        for piece, size in reversed(taken):
            if not self._pieces or self._pieces[0] is not piece:
                self._pieces.appendleft(piece)
            piece.read -= size
        self._taken = []
        self.waiting += count
        self.taken -= count

    def peek_interruptible(self, samples: int) -> bytes:
        """Up to `samples` of what an interruption would cut off next; nothing is taken."""
        if not self._pieces or not self._pieces[0].interruptible:
            return b""
        piece = self._pieces[0]
        return piece.pcm[piece.read : piece.read + samples * self._unit]

    def drop_interruptible(self) -> list[tuple[int, int]]:
        """Keeps what may not be dropped, and says from which positions (start, end) it moved up."""
        kept: deque[Piece] = deque()
        spans: list[tuple[int, int]] = []
        position = self.taken
        for piece in self._pieces:
            start, position = position, position + piece.left // self._unit
            if not piece.interruptible:
                kept.append(piece)
                spans.append((start, position))
        self._taken = [entry for entry in self._taken if not entry[0].interruptible]
        self._pieces, self.waiting = kept, sum(piece.left for piece in kept) // self._unit
        return spans

    @property
    def has_speech(self) -> bool:
        """Whether any of the agent's voice waits."""
        return any(piece.speech for piece in self._pieces)

    def clear(self) -> None:
        """Drops everything."""
        self._pieces.clear()
        self._taken = []
        self.waiting = 0


class _Written(msgspec.Struct, frozen=True):
    heard_at: float
    position: int
    total: int


LONGEST_LATENCY = 5.0
"""Seconds; an acknowledgement that is later than this says something else."""


class Pacer:
    """When the next chunk is due, and which of those written have been heard.

    Chunk follows chunk without drift: the next is due one chunk after the last was *due*. A chunk
    is written `lead` seconds before it is to be heard. After a stall of the program at most
    `max_burst` chunks are written at once; what is beyond is made up for by playing later.
    Unpaced, everything is due at once and heard when it is written.
    """

    def __init__(self, chunk_secs: float, *, paced: bool, lead: float, max_burst: int) -> None:
        self._chunk, self._paced, self._lead = chunk_secs, paced, lead
        # Half a chunk less, so that rounding does not decide how many are written at once.
        self._max_late = (max_burst - 0.5) * chunk_secs
        self._next_play = self._not_before = -math.inf
        self._in_flight: deque[_Written] = deque()
        self._history: deque[_Written] = deque(maxlen=1 + round(30.0 / chunk_secs))
        self.latency: float = 0.0
        """Seconds between the time a sample should be heard and the time it is, as measured."""
        self.skipped_secs: float = 0.0
        """How much later everything is heard because the program stalled."""

    @property
    def write_at(self) -> float:
        """When the next chunk is due to be written."""
        due = self._next_play - self._lead if self._paced else -math.inf
        return max(due, self._not_before)

    @property
    def heard_at(self) -> float | None:
        """When the oldest chunk in flight will have been heard; None: none is in flight."""
        return self._in_flight[0].heard_at + self.latency if self._in_flight else None

    def begin(self, now: float) -> None:
        """There is something to play again: it is due now, unless a chunk is still being heard."""
        self._next_play = max(self._next_play, now)

    def postpone(self, until: float) -> None:
        """The line took nothing: nothing is due before then."""
        self._not_before = until

    def wrote(self, position: int, total: int, now: float) -> None:
        """A chunk was written: it ended at `position`, and `total` samples were written ever."""
        if self._paced:
            self.begin(now if self._next_play == -math.inf else self._next_play)
            late = now - self._next_play - self._max_late
            if late > 0.0:
                self._next_play += late
                self.skipped_secs += late
            self._next_play += self._chunk
        else:
            self._next_play = -math.inf
        written = _Written(self._next_play, position, total)
        self._not_before = -math.inf
        self._in_flight.append(written)
        self._history.append(written)

    def heard(self, now: float) -> int | None:
        """The position up to which everything has been heard; None: no news since last asked."""
        position = None
        while self._in_flight and self._in_flight[0].heard_at + self.latency <= now:
            position = self._in_flight.popleft().position
        return position

    def acknowledge(self, total: int, now: float) -> None:
        """The other side has heard `total` samples: measures the latency."""
        found = None
        while self._history and self._history[0].total <= total:
            found = self._history.popleft()
        if found is not None and self._paced:
            self.latency = min(LONGEST_LATENCY, max(0.0, now - found.heard_at))

    def forget(self, now: float) -> None:
        """What is in flight was thrown away, so the next chunk may be heard soon."""
        self._in_flight.clear()
        self._history.clear()
        if self._lead:
            self._next_play = min(self._next_play, now + self._chunk)
