"""Tests of `antiphon.audio.recorder`."""

from __future__ import annotations

import random

import numpy as np

from antiphon.audio.pcm import deinterleave, to_samples
from antiphon.audio.recorder import TrackSide, TurnClip, TwoTracks, as_channels

RATE = 8_000


def steady(value: int, secs: float) -> bytes:
    return np.full(round(secs * RATE), value, "<i2").tobytes()


def test_pieces_are_placed_to_the_sample_where_they_were_heard() -> None:
    """Silence before, between and after; both tracks are equally long."""
    line = TwoTracks(RATE)
    line.add(TrackSide.CALLER, steady(1, 1.0), at=0.0)
    line.add(TrackSide.AGENT, steady(2, 0.5), at=1.5)
    line.add(TrackSide.CALLER, steady(3, 0.5), at=3.0)
    caller, agent = (to_samples(track) for track in line.finish())
    assert len(caller) == len(agent) == round(3.5 * RATE)
    assert np.flatnonzero(caller == 3)[0] == 3 * RATE
    assert np.flatnonzero(agent)[[0, -1]].tolist() == [1.5 * RATE, 2 * RATE - 1]


def test_jitter_does_not_tear_a_stream_and_an_hour_does_not_drift() -> None:
    """Pieces of 20 ms, up to 60 ms late, from a sender 100 ppm slow, stay within the tolerance."""
    rng, line, worst = random.Random(1), TwoTracks(RATE), 0.0
    piece, heard = steady(7, 0.02), 0
    for index in range(180_000):
        at = index * 0.02 * 1.0001 + rng.random() * 0.06
        before = line._tracks[TrackSide.CALLER].end / RATE
        line.add(TrackSide.CALLER, piece, at=at)
        worst = max(worst, abs(at - before))
        if index % 500 == 0:
            line.advance(at)
            heard += int(np.count_nonzero(to_samples(line.take()[0])))
    caller, _ = line.finish()
    assert heard + np.count_nonzero(to_samples(caller)) == 180_000 * 160
    assert worst < 0.2
    assert abs(line.secs - 3600.36) < 0.2


def test_a_slow_sender_is_put_right_in_its_pauses_only() -> None:
    """Twenty minutes from a sender 200 ppm slow and up to 60 ms late: no word is torn."""
    rng, line = random.Random(2), TwoTracks(RATE)
    for index in range(60_000):
        talks = index % 1_000 < 900
        at = index * 0.02 * 1.0002 + rng.random() * 0.06
        line.add(TrackSide.CALLER, steady(900 if talks else 0, 0.02), at=at)
    caller, _ = line.finish()
    edges = np.flatnonzero(np.diff((to_samples(caller) != 0).astype(int), prepend=0))
    assert len(edges) == 2 * 60, "each 18 seconds are one stretch of sound"
    assert set(np.diff(edges)[::2].tolist()) == {18 * RATE}
    assert abs(line.secs - 1200.24) < 0.2


def test_a_fast_sender_is_held_back_in_its_pauses_only() -> None:
    """Soundless pieces are left out while the track is ahead; nothing that was said is."""
    line = TwoTracks(RATE)
    spoken = 0
    for index in range(60_000):
        talks = index % 100 < 50
        line.add(TrackSide.CALLER, steady(900 if talks else 0, 0.02), at=index * 0.02 * 0.999)
        spoken += talks * 160
    caller, _ = line.finish()
    assert np.count_nonzero(to_samples(caller)) == spoken
    assert abs(line.secs - 60_000 * 0.02 * 0.999) < 0.2


def test_what_was_taken_and_the_tail_are_the_whole() -> None:
    """Taking in between changes nothing, and the tail is never cut."""
    for seed in range(50):
        rng = random.Random(seed)
        once, often = TwoTracks(RATE), TwoTracks(RATE)
        got = [b"", b""]
        now = 0.0
        for _ in range(60):
            side = rng.choice(list(TrackSide))
            piece = steady(rng.randrange(1, 9), rng.choice([0.01, 0.02, 0.3]))
            now += rng.random()
            for line in (once, often):
                line.add(side, piece, at=now)
            if rng.random() < 0.3:
                for index, track in enumerate(often.take()):
                    got[index] += track
        for index, track in enumerate(often.finish(now + 2.0)):
            got[index] += track
        whole = once.finish(now + 2.0)
        assert tuple(got) == whole
        assert len(whole[0]) == len(whole[1])


def test_time_that_passes_in_silence_is_kept() -> None:
    """`advance` lets a quiet side be taken; `finish` can reach beyond the last sound."""
    line = TwoTracks(RATE, tolerance_secs=0.1)
    line.add(TrackSide.CALLER, steady(1, 1.0), at=0.0)
    assert line.take() == (b"", b"")
    line.advance(2.0)
    caller, agent = line.take()
    assert caller == steady(1, 1.0)
    assert agent == bytes(len(caller))
    assert line.waiting_bytes == 0
    assert len(line.finish(2.0)[0]) == 2 * RATE


def test_the_caller_is_left_and_the_agent_right() -> None:
    """Two channels keep the sides apart, one mixes them."""
    caller, agent = steady(5, 0.01), steady(7, 0.01)
    assert deinterleave(as_channels(caller, agent, 2), 2) == [caller, agent]
    assert as_channels(caller, agent, 1) == steady(12, 0.01)


def test_a_clip_has_the_sound_of_its_turn_and_a_little_before() -> None:
    """The preroll is kept at all times and never grows."""
    clip = TurnClip(RATE, preroll_secs=0.5)
    for _ in range(100):
        clip.add(steady(1, 0.02))
    assert clip.stop() == b""
    clip.start()
    clip.add(steady(2, 1.0))
    assert clip.stop() == steady(1, 0.5) + steady(2, 1.0)
    clip.start()
    assert clip.stop() == b""


def test_a_recording_taken_in_parts_is_the_one_taken_whole() -> None:
    """With pieces of any size, late by any backlog, no sound turns up twice or later."""
    for seed in range(100):
        rng = random.Random(f"parts {seed}")
        whole, parts = TwoTracks(RATE), TwoTracks(RATE)
        pieces: list[tuple[float, TrackSide, float, bytes]] = []
        at = rng.uniform(0.0, 0.5)
        while at < 20.0:
            secs = rng.choice([0.02, 0.1, 0.4, 0.8])
            late = secs + rng.choice([0.0, 0.0, rng.uniform(0.0, 0.1)])
            pieces.append((at + late, TrackSide.CALLER, at, loud(rng, secs)))
            at += secs
        at = rng.uniform(0.0, 3.0)
        while at < 20.0:
            pieces.append((at, TrackSide.AGENT, at, loud(rng, 0.02)))
            at += rng.choice([0.02] * 20 + [rng.uniform(0.2, 3.0)])
        caller, agent = bytearray(), bytearray()
        for now, side, heard_at, pcm in sorted(pieces, key=lambda piece: piece[0]):
            whole.add(side, pcm, heard_at)
            parts.add(side, pcm, heard_at)
            if parts.waiting_bytes > 3_200:
                parts.advance(now)
                first, second = parts.take()
                caller += first
                agent += second
        first, second = parts.finish(22.0)
        assert (bytes(caller + first), bytes(agent + second)) == whole.finish(22.0), f"seed {seed}"


def loud(rng: random.Random, secs: float) -> bytes:
    return np.full(round(secs * RATE), rng.randint(1_000, 20_000), "<i2").tobytes()
