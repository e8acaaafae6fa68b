"""The jitter buffer: in order, without gaps, as late as the line makes it and no later."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Iterator

import pytest

from antiphon.transports.webrtc.jitter import (
    Action,
    JitterBuffer,
    JitterConfig,
    Lost,
    Packet,
    Play,
    Resend,
    Restarted,
    Silence,
)

TICKS = 960
SECS = 0.02
Arrival = tuple[float, Packet]
Left = list[tuple[float, Action]]


def packet(number: int, *, first: int = 0, clock: int = 0, ssrc: int = 1) -> Packet:
    """The packet `number` of a stream whose numbers and clock begin at `first` and `clock`."""
    stamp = (clock + number * TICKS) % (1 << 32)
    return Packet((first + number) % (1 << 16), stamp, number.to_bytes(4, "big"), TICKS, ssrc)


def number_of(action: Play) -> int:
    """The packet that is played."""
    return int.from_bytes(action.payload, "big")


def play(buffer: JitterBuffer, arrivals: Iterable[Arrival]) -> Left:
    """What leaves when, the deadlines kept to the instant."""
    left: Left = []
    queue = [(at, index, each) for index, (at, each) in enumerate(arrivals)]
    heapq.heapify(queue)
    while queue or buffer.deadline is not None:
        due = buffer.deadline
        if due is not None and (not queue or due <= queue[0][0]):
            left += [(due, action) for action in buffer.tick(due)]
            continue
        at, _, each = heapq.heappop(queue)
        left += [(at, action) for action in buffer.receive(each, at)]
    return left


def sent(count: int, delay: Callable[[int], float | None], **kwargs: int) -> Iterator[Arrival]:
    """A packet each 20 ms; `delay` in seconds, None for one that is lost."""
    for number in range(count):
        late = delay(number)
        if late is not None:
            yield number * SECS + late, packet(number, **kwargs)


def test_a_clean_line_costs_no_delay() -> None:
    """Each packet leaves in the instant in which it comes, and no deadline is set."""
    buffer = JitterBuffer()
    for at, each in sent(500, lambda _: 0.03):
        assert [number_of(a) for a in buffer.receive(each, at) if isinstance(a, Play)] == [
            int.from_bytes(each.payload, "big")
        ]
        assert buffer.deadline is None


def test_a_lost_packet_is_waited_for_briefly_and_may_be_recovered() -> None:
    """On a clean line a gap costs at most 20 ms, and the packet behind it comes along."""
    left = play(JitterBuffer(), sent(100, lambda n: None if n == 50 else 0.0))
    lost = [(at, action) for at, action in left if isinstance(action, Lost)]
    assert [(action.position, action.samples) for _, action in lost] == [(50 * TICKS, TICKS)]
    assert lost[0][1].following == packet(51).payload
    assert lost[0][0] - 51 * SECS <= 0.02
    assert [number_of(a) for _, a in left if isinstance(a, Play)] == [*range(50), *range(51, 100)]


def test_packets_that_change_places_are_put_back_in_order() -> None:
    """A packet that is overtaken within the wait is not lost."""
    left = play(JitterBuffer(), sent(100, lambda n: 0.025 if n % 10 == 5 else 0.0))
    assert [number_of(a) for _, a in left if isinstance(a, Play)] == list(range(100))


def test_the_wait_grows_with_the_jitter_of_the_line_and_shrinks_again() -> None:
    """From 10 ms on a clean line to what 50 ms of jitter need, and back within the window."""
    rng = random.Random(3)
    buffer = JitterBuffer()
    play(buffer, sent(200, lambda _: 0.0))
    assert buffer.wait_secs == pytest.approx(0.01)
    rough = [(4.0 + at, each) for at, each in sent(500, lambda _: rng.uniform(0, 0.05))]
    play(buffer, [(at, packet(200 + int.from_bytes(e.payload, "big"))) for at, e in rough])
    assert 0.045 <= buffer.wait_secs <= 0.06
    calm = [(14.0 + at, packet(700 + n)) for n, (at, _) in enumerate(sent(400, lambda _: 0.0))]
    play(buffer, calm)
    assert buffer.wait_secs == pytest.approx(0.01)


def test_numbers_and_timestamps_wrap_around() -> None:
    """65,535 is followed by 0, and the clock's end by its beginning; positions go on."""
    start = {"first": (1 << 16) - 20, "clock": (1 << 32) - 7 * TICKS}
    left = play(JitterBuffer(), sent(50, lambda n: None if n == 20 else 0.0, **start))
    assert [a.position for _, a in left if isinstance(a, Play | Lost)] == [
        n * TICKS for n in range(50)
    ]


def test_what_was_not_sent_is_silence() -> None:
    """After a pause (DTX) the next number comes with a later timestamp: positions stay true."""
    buffer = JitterBuffer()
    buffer.receive(packet(0), 0.0)
    later = Packet(1, 50 * TICKS, b"x", TICKS, 1)
    silence, again = buffer.receive(later, 1.0)
    assert isinstance(silence, Silence)
    assert (silence.position, silence.samples) == (TICKS, 49 * TICKS)
    assert silence.captured == pytest.approx(SECS)
    assert isinstance(again, Play)
    assert again.position == 50 * TICKS


def test_what_comes_after_it_was_given_up_is_dropped_and_counted() -> None:
    """Nothing leaves twice: neither what is late nor what came before."""
    buffer = JitterBuffer()
    arrivals = [
        (0.0, 0),
        (0.02, 1),
        (0.06, 3),
        (0.4, 2),
        (0.4, 4),
        (0.41, 4),
        (0.42, 6),
        (0.425, 6),
    ]
    left = play(buffer, [(at, packet(n)) for at, n in arrivals])
    assert [number_of(a) for _, a in left if isinstance(a, Play)] == [0, 1, 3, 4, 6]
    assert (buffer.statistics.late, buffer.statistics.duplicates) == (2, 1)
    assert buffer.statistics.lost == 2


def test_another_source_begins_a_new_stream() -> None:
    """A new source does, or numbers that are far off twice in a row; a stray packet does not."""
    buffer = JitterBuffer()
    for n in range(3):
        buffer.receive(packet(n), n * SECS)
    assert buffer.receive(packet(30_000), 0.06) == []
    (on,) = buffer.receive(packet(3), 0.06)
    assert isinstance(on, Play)
    other = buffer.receive(packet(0, first=500, clock=77, ssrc=9), 0.08)
    assert [type(a) for a in other] == [Restarted, Play]
    assert buffer.receive(packet(40_000, ssrc=9), 0.1) == []
    jumped = buffer.receive(packet(40_001, ssrc=9), 0.12)
    assert [type(a) for a in jumped] == [Restarted, Play, Play]
    assert [a.position for a in jumped if isinstance(a, Play)] == [5 * TICKS, 6 * TICKS]


def test_missing_packets_are_asked_for_once_while_that_can_help() -> None:
    """With a short round trip; the wait then is long enough for the answer."""
    buffer = JitterBuffer()
    buffer.round_trip_secs = 0.04
    buffer.receive(packet(0), 0.0)
    asked = buffer.receive(packet(3), 0.06)
    assert asked == [Resend((1, 2))]
    assert buffer.receive(packet(4), 0.08) == []
    assert buffer.deadline == pytest.approx(0.12)
    buffer.receive(packet(1), 0.1)
    assert [type(a) for a in buffer.receive(packet(2), 0.11)] == [Play, Play, Play]
    buffer.round_trip_secs = 0.2
    assert buffer.receive(packet(6), 0.2) == []


def test_an_hour_of_a_clock_that_runs_fast_does_not_drift() -> None:
    """`captured` stays within 5 ms of the packet's coming though the other clock gains 100 ppm."""
    rng = random.Random(1)
    buffer = JitterBuffer()
    for n in range(180_000):
        at = n * SECS / 1.0001 + rng.uniform(0, 0.004)
        (action,) = buffer.receive(packet(n), at)
        assert isinstance(action, Play)
        assert abs(action.captured - at) < 0.005


@pytest.mark.parametrize("seed", range(60))
def test_every_position_leaves_once_in_order_and_in_time(seed: int) -> None:
    """On any line: what leaves has no gap and no overlap, each packet that comes in time is played,
    and none waits for longer than the longest wait.
    """
    rng = random.Random(seed)
    jitter, loss, twice = rng.uniform(0, 0.12), rng.uniform(0, 0.2), rng.uniform(0, 0.1)
    config = JitterConfig()
    buffer = JitterBuffer(config)
    buffer.round_trip_secs = rng.choice([None, 0.03, 0.3])
    start = {"first": rng.randrange(1 << 16), "clock": rng.randrange(1 << 32)}
    # The first comes first: with it a stream begins.
    delays = [0.0, *(rng.uniform(0, jitter) + SECS for _ in range(399))]
    arrivals = [
        (at, each)
        for at, each in sent(
            400, lambda n: delays[n] if rng.random() >= loss or not n else None, **start
        )
        for _ in range(1 + (rng.random() < twice))
    ]
    came = {int.from_bytes(each.payload, "big"): at for at, each in arrivals}
    left = play(buffer, arrivals)
    position = 0
    for at, action in left:
        if isinstance(action, Resend):
            continue
        assert isinstance(action, Play | Lost)
        assert action.position == position
        position += TICKS
        if isinstance(action, Play):
            assert action.position == number_of(action) * TICKS
            assert at - came[number_of(action)] <= config.max_wait_secs + 1e-9
        elif action.following is not None:
            assert action.following == packet(action.position // TICKS + 1).payload
    played = {number_of(a) for _, a in left if isinstance(a, Play)}
    assert buffer.held == 0
    assert len(played) + buffer.statistics.lost == position // TICKS
    assert len(came) - len(played) <= buffer.statistics.late
