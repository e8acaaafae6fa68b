"""The jitter buffer: takes RTP packets as they come, gives them in order and without gaps. Pure.

Theory of operation
-------------------
An agent has no loudspeaker to feed in time, so nothing is held back for the sake of an even pace:
a packet that follows the one before leaves in the instant in which it comes, and a clean line costs
no delay at all. Only a gap is waited for, since the packets missing in it may be merely late:

- the wait is as long as packets have lately been late on this line (`JitterBuffer.wait_secs`): next
  to nothing on a clean line, at most `max_wait_secs`;
- while it lasts, packets behind the gap stand in the buffer. If the missing ones come, all leave;
- when it is over each missing packet leaves as a `Lost`, the last one with the packet behind it, in
  which forward error correction may carry a copy. What comes after that is too late and dropped;
- `Resend` asks for missing packets once, when a round trip is shorter than the longest wait.

Sequence numbers and timestamps wrap around; both are counted on. Timestamps that go further than
the packet before them lasted, without a number missing, are silence that was not sent (DTX): it
leaves as `Silence`, so that positions in the stream stay true. A stream that begins anew (another
source, or numbers that are far off twice in a row) begins here anew as well.

Positions are samples of the RTP clock since the stream began. `captured` is when a packet would
have come had the line never been late: its timestamp on the scale of the quickest packets of the
last `window_secs`. It follows a clock that runs fast or slow, so an hour's stream does not drift.

Invariants: what leaves is in order, each position exactly once; the buffer holds at most
`max_wait_secs` of sound; no packet leaves later than `max_wait_secs` after it came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import msgspec

SEQUENCE_NUMBERS = 1 << 16
TIMESTAMPS = 1 << 32
_FAR = 3_000
"""Numbers further ahead than this are another stream's (RFC 3550, appendix A.1: MAX_DROPOUT)."""
_REMEMBERED = 500
"""Packets by which the line is judged at most: a flood of them costs no more than a call."""


class JitterConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of a buffer, in seconds.

    `min_wait_secs` is waited for at least, since two packets often change places; `max_wait_secs`
    at most. `margin` of the packets of the last `window_secs` came within the wait.
    """

    clock_rate: int = 48_000
    min_wait_secs: float = 0.01
    max_wait_secs: float = 0.1
    window_secs: float = 5.0
    margin: float = 0.98
    longest_silence_secs: float = 60.0


class Packet(msgspec.Struct, frozen=True):
    """An RTP packet: its 16-bit number, its 32-bit timestamp, what it carries, and its source.

    `samples`: how long its sound is, on the RTP clock.
    """

    sequence: int
    timestamp: int
    payload: bytes
    samples: int
    ssrc: int = 0


class Play(msgspec.Struct, frozen=True):
    """A packet in its turn."""

    position: int
    payload: bytes
    captured: float


class Lost(msgspec.Struct, frozen=True):
    """A packet of `samples` that did not come; `following` came right after it, or is None."""

    position: int
    samples: int
    following: bytes | None
    captured: float


class Silence(msgspec.Struct, frozen=True):
    """`samples` that were not sent, because nothing was said."""

    position: int
    samples: int
    captured: float


class Resend(msgspec.Struct, frozen=True):
    """The other side may be asked for these packets again (RFC 4585, generic NACK)."""

    sequences: tuple[int, ...]


class Restarted(msgspec.Struct, frozen=True):
    """Another stream begins: a decoder forgets what it heard."""


Action = Play | Lost | Silence | Resend | Restarted


class JitterStatistics(msgspec.Struct):
    """Counts of packets since the beginning."""

    received: int = 0
    lost: int = 0
    late: int = 0
    duplicates: int = 0
    restarts: int = 0


class _Held(msgspec.Struct, frozen=True):
    timestamp: int
    payload: bytes
    samples: int
    came: float


class _Line:
    """How late packets are on this line, against the quickest of them."""

    def __init__(self, config: JitterConfig) -> None:
        self._config = config
        self._transits: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)
        self.base = 0.0

    def note(self, sent: float, now: float) -> None:
        """A packet came `now` that its own clock says was sent at `sent` (seconds, any origin)."""
        transits = self._transits
        transits.append((now, now - sent))
        while transits[0][0] < now - self._config.window_secs:
            transits.popleft()
        self.base = min(transit for _, transit in transits)

    @property
    def wait(self) -> float:
        """Seconds within which all but a few packets came, between the bounds."""
        config = self._config
        late = sorted(transit - self.base for _, transit in self._transits)
        usual = late[min(len(late) - 1, int(len(late) * config.margin))] if late else 0.0
        return min(max(usual, config.min_wait_secs), config.max_wait_secs)


class JitterBuffer:
    """One stream of packets. Times are seconds on the loop's clock; it reads none itself."""

    def __init__(self, config: JitterConfig | None = None) -> None:
        self.config: JitterConfig = config or JitterConfig()
        self.statistics: JitterStatistics = JitterStatistics()
        self.round_trip_secs: float | None = None
        """Of the reports of the other side; None: nothing is asked for again."""
        self._stray: Packet | None = None
        self._position = 0
        self._ssrc: int | None = None
        self._begin(0, 0)

    def _begin(self, sequence: int, timestamp: int) -> None:
        self._next = sequence  # numbers and timestamps count on beyond their wrap
        self._clock = timestamp
        self._usual = self.config.clock_rate // 50
        self._held: dict[int, _Held] = {}
        self._gap_until: float | None = None
        self._asked = sequence
        self._line = _Line(self.config)

    @property
    def deadline(self) -> float | None:
        """When `tick` is to be called, or None."""
        return self._gap_until

    @property
    def wait_secs(self) -> float:
        """How long a missing packet is waited for now."""
        return self._line.wait

    @property
    def held(self) -> int:
        """Packets that stand behind a gap."""
        return len(self._held)

    def receive(self, packet: Packet, now: float) -> list[Action]:
        """A packet came: what leaves because of it."""
        self.statistics.received += 1
        actions: list[Action] = []
        if packet.ssrc != self._ssrc:
            actions += self._restart(packet, first=self._ssrc is None)
        elif not -_FAR < _ahead(packet.sequence, self._next, SEQUENCE_NUMBERS) < _FAR:
            stray, self._stray = self._stray, packet
            if stray is None or _ahead(packet.sequence, stray.sequence, SEQUENCE_NUMBERS) != 1:
                return []
            actions += self._restart(stray, first=False)
            actions += self._take(stray, now)
        self._stray = None
        return actions + self._take(packet, now)

    def tick(self, now: float) -> list[Action]:
        """The deadline has come: what leaves because nothing more is waited for."""
        if self._gap_until is None or now < self._gap_until:
            return []
        return list(self._released(now))

    def _restart(self, packet: Packet, *, first: bool) -> list[Action]:
        self._ssrc = packet.ssrc
        self._begin(packet.sequence, packet.timestamp)
        self.statistics.restarts += not first
        return [] if first else [Restarted()]

    def _take(self, packet: Packet, now: float) -> list[Action]:
        number = self._next + _ahead(packet.sequence, self._next, SEQUENCE_NUMBERS)
        timestamp = self._clock + _ahead(packet.timestamp, self._clock, TIMESTAMPS)
        self._line.note(timestamp / self.config.clock_rate, now)
        if number < self._next:
            self.statistics.late += 1
            return []
        if number in self._held:
            self.statistics.duplicates += 1
            return []
        self._held[number] = _Held(timestamp, packet.payload, packet.samples, now)
        return [*self._asked_for(number), *self._released(now)]

    def _asked_for(self, number: int) -> Iterator[Resend]:
        """A request for the packets that this one shows to be missing."""
        missing = [n for n in range(max(self._asked, self._next), number) if n not in self._held]
        self._asked = max(self._asked, number + 1)
        trip = self.round_trip_secs
        if missing and trip is not None and trip < self.config.max_wait_secs:
            yield Resend(tuple(n % SEQUENCE_NUMBERS for n in missing))

    def _released(self, now: float) -> Iterator[Action]:
        while self._held:
            following = self._held.pop(self._next, None)
            if following is not None:
                self._gap_until = None
                yield from self._in_turn(following)
                continue
            first = min(self._held)
            noticed = min(held.came for held in self._held.values())
            self._gap_until = noticed + self._patience()
            if now < self._gap_until and not self._overfull(first):
                return
            self._gap_until = None
            yield from self._given_up(first)

    def _patience(self) -> float:
        trip = self.round_trip_secs
        asked = 0.0 if trip is None or trip >= self.config.max_wait_secs else 1.5 * trip
        return min(max(self._line.wait, asked), self.config.max_wait_secs)

    def _overfull(self, first: int) -> bool:
        """Tells if the sound behind the gap is longer than anything may be waited for."""
        span = max(held.timestamp for held in self._held.values()) - self._held[first].timestamp
        return span > self.config.max_wait_secs * self.config.clock_rate

    def _in_turn(self, held: _Held) -> Iterator[Action]:
        unsent = held.timestamp - self._clock
        if 0 < unsent <= self.config.longest_silence_secs * self.config.clock_rate:
            yield Silence(self._position, unsent, self._captured(self._clock))
            self._position += unsent
        self._clock = held.timestamp
        yield Play(self._position, held.payload, self._captured(self._clock))
        self._usual = held.samples
        self._advance(held.samples)

    def _given_up(self, first: int) -> Iterator[Lost]:
        following = self._held[first]
        count = first - self._next
        span = following.timestamp - self._clock
        usual = self._usual
        # Timestamps that do not fit the numbers (silence behind the loss) are not stretched.
        each = span // count if 0 < span <= 6 * usual * count else usual
        for left in range(count, 0, -1):
            copy = following.payload if left == 1 else None
            yield Lost(self._position, each, copy, self._captured(self._clock))
            self._advance(each)
        self.statistics.lost += count

    def _advance(self, ticks: int) -> None:
        self._next += 1
        self._clock += ticks
        self._position += ticks

    def _captured(self, clock: int) -> float:
        return clock / self.config.clock_rate + self._line.base


def _ahead(value: int, reference: int, modulus: int) -> int:
    """How far `value`, which wraps at `modulus`, is ahead of `reference`: negative if behind."""
    return (value - reference + modulus // 2) % modulus - modulus // 2
