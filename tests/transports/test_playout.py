"""Tests of `antiphon.transports.playout`: one behaviour each."""

from __future__ import annotations

import pytest

from antiphon.errors import InvalidInputError
from antiphon.frames.base import DataFrame
from antiphon.frames.text import TTSTextFrame
from antiphon.transports.playout import Playout
from antiphon.transports.playout_events import (
    Acknowledged,
    Cancel,
    ClearSink,
    Credit,
    Drain,
    Drained,
    InterruptPlayout,
    Item,
    KeyTones,
    Overflow,
    PausePlayout,
    PlayoutConfig,
    ResumePlayout,
    Sound,
    Speaking,
    Started,
    Stopped,
    Write,
)
from tests.transports.playing import (
    CHUNK,
    CHUNK_SECS,
    MS,
    RATE,
    Stage,
    Vital,
    Word,
    began,
    ended,
    plain,
    spoken,
    stage,
    voice,
    word,
)

# ---- sound and pace ---------------------------------------------------------------------------


def test_sound_is_written_in_chunks_at_real_time() -> None:
    """Half a second of sound is 25 chunks of 20 ms, the first at once."""
    s = stage()
    s.send(voice(7, 0.5))
    s.until(2.0)
    times = [at for at, _ in s.writes]
    assert times == pytest.approx([i * CHUNK_SECS for i in range(25)])
    assert {len(write.pcm) for _, write in s.writes} == {2 * CHUNK}
    assert s.heard == [7] * (RATE // 2)


def test_an_hour_of_sound_does_not_drift() -> None:
    """The last chunk of an hour, each woken up to 2 ms late, is due to the microsecond."""
    machine = Playout(PlayoutConfig(sample_rate=100, chunk_ms=40, limit_secs=4000.0))
    s = Stage(machine, lateness=lambda: 0.002)
    s.send(Sound(b"\1\0" * 360_000))
    s.until(4000.0)
    assert len(s.writes) == 90_000
    assert s.writes[-1][0] == pytest.approx(3600 - 0.04 + 0.002, abs=1e-5)
    assert machine.pacer.skipped_secs == 0.0


def test_the_clock_is_the_number_of_samples_written() -> None:
    """Padding included, nothing else."""
    s = stage()
    s.send(voice(7, 0.033), ended())
    s.until(1.0)
    assert s.machine.samples_written == sum(len(w.pcm) for _, w in s.writes) // 2 == 2 * CHUNK


def test_after_a_stall_at_most_the_burst_is_made_up_for() -> None:
    """Half a second without attention: three chunks at once, then the pace; the rest is later."""
    s = stage(max_burst_chunks=3)
    s.send(voice(7, 2.0))
    s.until(0.1)
    s.now = 0.6
    s.until(1.0)
    burst = [at for at, _ in s.writes if at == 0.6]
    assert len(burst) == 3
    after = [at for at, _ in s.writes if at > 0.6]
    assert after == pytest.approx([0.61 + i * 0.02 for i in range(len(after))], abs=1e-5)
    assert s.machine.pacer.skipped_secs == pytest.approx(0.45, abs=0.021)


def test_sound_that_comes_late_is_not_a_stall() -> None:
    """After a pause in the sound the pace begins anew, without a burst."""
    s = stage()
    s.send(voice(7, 0.04))
    s.until(1.0)
    s.send(voice(8, 0.1))
    s.until(2.0)
    times = [at for at, w in s.writes if w.pcm[0] == 8]
    assert times == pytest.approx([1.0 + i * 0.02 for i in range(5)])


def test_an_incomplete_chunk_waits_for_its_rest_within_an_utterance() -> None:
    """Pieces of 7 ms make whole chunks without a gap of padding in the voice."""
    s = stage()
    s.send(began())
    for index in range(20):
        s.until(index * 0.007)
        s.send(voice(index + 1, 0.007))
    s.send(ended())
    s.until(1.0)
    pcm = b"".join(w.pcm for _, w in s.writes)
    last = max(i for i in range(0, len(pcm), 2) if pcm[i : i + 2] != b"\0\0")
    assert b"\0\0" not in [pcm[i : i + 2] for i in range(0, last, 2)]
    assert s.heard == [v for v in range(1, 21) for _ in range(56)]


def test_the_end_of_an_utterance_is_flushed_with_silence_at_once() -> None:
    """The last incomplete chunk is due when it is due, not after a wait."""
    s = stage()
    s.send(began(), voice(7, 0.03), ended())
    s.until(1.0)
    assert [at for at, _ in s.writes] == pytest.approx([0.0, 0.02])
    assert s.heard == [7] * 240


def test_an_incomplete_chunk_that_stays_alone_is_flushed_after_two_chunks() -> None:
    """Sound without an end comes out too."""
    s = stage()
    s.send(plain(7, 0.005))
    s.until(1.0)
    assert [at for at, _ in s.writes] == pytest.approx([0.04])


def test_a_chunk_that_waited_for_its_rest_is_heard_later() -> None:
    """What comes out behind it waits until it was heard, as long after it was written as ever."""
    s = stage()
    s.send(began(), voice(7, 0.02))
    s.until(0.011)
    s.send(voice(7, 0.01), word("after"))
    s.until(1.0)
    written = s.writes[-1][0]
    (heard,) = [at for at, frame in s.delivered if isinstance(frame, Word)]
    assert heard == pytest.approx(written + CHUNK_SECS)


def test_two_utterances_in_a_row_join_without_a_gap() -> None:
    """What waits already is not padded in between."""
    s = stage()
    s.send(began("a"), voice(1, 0.03, context_id="a"), ended("a"))
    s.send(began("b"), voice(2, 0.03, context_id="b"), ended("b"))
    s.until(1.0)
    assert [at for at, _ in s.writes] == pytest.approx([0.0, 0.02, 0.04])
    assert s.heard == [1] * 240 + [2] * 240
    assert [w.context_id for _, w in s.writes] == ["a", "a", "b"]


def test_unpaced_everything_comes_at_once_and_in_order() -> None:
    """For files: no time passes, order holds."""
    s = stage(paced=False)
    s.send(began(), voice(7, 10.0), word("after"), ended())
    s.until(0.0)
    assert len(s.writes) == 500
    assert s.texts == ["after"]
    assert len(s.all(Started)) == len(s.all(Stopped)) == 1


def test_a_continuous_output_is_never_silent_in_the_sense_of_not_writing() -> None:
    """Silence is written when there is nothing to say, and is marked as such."""
    s = stage(continuous=True)
    s.until(0.5)
    s.send(voice(7, 0.1))
    s.until(0.999)
    assert len(s.writes) == 50
    assert [w.sound for _, w in s.writes].count(True) == 5


def test_a_lead_writes_sound_before_it_is_heard() -> None:
    """60 ms of lead are four chunks at the beginning; frames still wait until they are heard."""
    s = stage(lead_secs=0.06)
    s.send(began(), voice(7, 0.2), word("after"), ended())
    s.until(1.0)
    assert [at for at, _ in s.writes[:6]] == pytest.approx([0.0, 0.0, 0.0, 0.0, 0.02, 0.04])
    assert s.delivered[1][0] == pytest.approx(0.2)


# ---- who is heard -----------------------------------------------------------------------------


def test_the_agent_speaks_from_its_first_chunk_until_it_was_heard() -> None:
    """Started comes before the first chunk, Stopped when the last has been heard, not written."""
    s = stage()
    s.send(began(), voice(7, 0.3), ended())
    s.until(1.0)
    assert s.all(Started) == [0.0]
    assert s.all(Stopped) == pytest.approx([0.3])
    kinds = [type(action) for _, action in s.log]
    assert kinds.index(Started) < kinds.index(Write)


def test_speaking_is_repeated_at_most_every_fifth_of_a_second() -> None:
    """Once at the beginning, then every 0.2 s."""
    s = stage()
    s.send(began(), voice(7, 1.0), ended())
    s.until(2.0)
    assert s.all(Speaking) == pytest.approx([0.0, 0.2, 0.4, 0.6, 0.8])


def test_other_sound_is_not_speech() -> None:
    """A beep does not make the agent speak."""
    s = stage()
    s.send(plain(7, 0.5))
    s.until(1.0)
    assert not s.all(Started)


def test_a_pause_of_the_voice_within_an_utterance_is_still_speech() -> None:
    """A slow provider does not make the agent stop and start."""
    s = stage()
    s.send(began(), voice(7, 0.2))
    s.until(1.5)
    s.send(voice(7, 0.2), ended())
    s.until(3.0)
    assert len(s.all(Started)) == 1
    assert s.all(Stopped) == pytest.approx([1.7])


def test_an_utterance_that_never_ends_is_ended_after_three_seconds_of_silence() -> None:
    """Counted from its last sound heard."""
    s = stage()
    s.send(began(), voice(7, 0.2))
    s.until(10.0)
    assert s.all(Stopped) == pytest.approx([3.2])


def test_with_the_next_utterance_announced_the_agent_does_not_stop_between() -> None:
    """Two announced utterances are one stretch of speech."""
    s = stage()
    s.send(began("a"), voice(1, 0.2, context_id="a"), ended("a"), began("b"))
    s.until(0.5)
    s.send(voice(2, 0.2, context_id="b"), ended("b"))
    s.until(1.0)
    assert len(s.all(Started)) == len(s.all(Stopped)) == 1


def test_stopped_comes_after_the_frames_of_its_moment() -> None:
    """The last word is out before anybody hears that the agent stopped."""
    s = stage()
    s.send(began(pts=0), voice(7, 0.1), spoken("last", 100 * MS), ended(), word("end"))
    s.until(1.0)
    assert isinstance(s.log[-1][1], Stopped)


# ---- interruption -----------------------------------------------------------------------------


def test_an_interruption_silences_at_once() -> None:
    """No chunk is written after it; the agent has stopped; the other side is told to clear."""
    s = stage()
    s.send(began(pts=0), voice(7, 5.0), spoken("w", 3_000 * MS), word("gone"), ended())
    s.until(1.01)
    actions = s.send(InterruptPlayout())
    assert [type(action) for action in actions] == [ClearSink, Stopped]
    s.until(9.0)
    assert s.writes[-1][0] <= 1.01
    assert len(s.delivered) == 1
    assert s.machine.buffered_secs == 0.0


def test_what_may_not_be_dropped_comes_out_in_order_and_sound_goes_on() -> None:
    """Frames behind dropped sound come out at once, behind kept sound after it."""
    s = stage()
    s.send(voice(1, 1.0), Item(Vital("first")), plain(2, 0.1, interruptible=False))
    s.send(word("gone"), voice(3, 1.0), Item(Vital("second")), plain(4, 0.1, interruptible=False))
    s.send(Item(Vital("third")))
    s.until(0.5)
    s.send(InterruptPlayout())
    assert s.texts == ["first"]
    s.until(5.0)
    assert s.texts == ["first", "second", "third"]
    assert [v for v in s.heard if v != 1] == [2] * 800 + [4] * 800
    assert s.all(Stopped) == [0.5]


def test_a_voice_that_may_not_be_interrupted_goes_on_speaking() -> None:
    """No Stopped while it is heard."""
    s = stage()
    s.send(began(), voice(1, 1.0, interruptible=False), ended())
    s.until(0.5)
    s.send(InterruptPlayout())
    s.until(3.0)
    assert s.heard == [1] * RATE
    assert s.all(Started) == [0.0]
    assert s.all(Stopped) == pytest.approx([1.0])


def test_a_fade_is_heard_only_where_it_was_asked_for() -> None:
    """10 ms of falling sound in one last chunk."""
    s = stage(fade_out_secs=0.01)
    s.send(began(), voice(1000, 5.0), ended())
    s.until(1.001)
    s.send(InterruptPlayout())
    s.until(9.0)
    assert s.writes[-1][0] <= 1.02 + 1e-9
    tail = s.heard[51 * CHUNK :]
    assert 70 <= len(tail) <= 80
    assert tail == sorted(tail, reverse=True)


def test_after_an_interruption_the_next_utterance_is_played_from_its_beginning() -> None:
    """Also under the same name, with a time base of its own."""
    s = stage()
    s.send(began(pts=0), voice(1, 5.0), spoken("old", 4_000 * MS))
    s.until(1.0)
    s.send(
        InterruptPlayout(),
        began(pts=90_000 * MS),
        voice(2, 0.2),
        spoken("new", 90_100 * MS),
        ended(),
    )
    s.until(3.0)
    assert [v for v in s.heard if v != 1] == [2] * 1600
    assert [f.text for _, f in s.delivered if isinstance(f, TTSTextFrame)] == ["new"]
    assert len(s.all(Started)) == len(s.all(Stopped)) == 2


# ---- pause, keys, acknowledgement, bounds, end ------------------------------------------------


def test_a_pause_holds_sound_and_frames_and_resumes_where_it_was() -> None:
    """Nothing is lost, nothing is written meanwhile, and the agent still speaks."""
    s = stage()
    s.send(began(), voice(7, 0.4), word("after"), ended())
    s.until(0.19)
    s.send(PausePlayout())
    s.until(10.0)
    assert len(s.writes) == 10
    assert not s.all(Stopped)
    s.send(ResumePlayout())
    s.until(20.0)
    assert s.heard == [7] * 3200
    assert s.all(Stopped) == pytest.approx([10.2])
    assert s.machine.pacer.skipped_secs == 0.0


def test_an_interruption_lifts_a_pause() -> None:
    """What was paused is void; what may not be dropped goes on."""
    s = stage()
    s.send(voice(7, 1.0), plain(2, 0.1, interruptible=False), PausePlayout())
    s.until(5.0)
    s.send(InterruptPlayout())
    s.until(6.0)
    assert s.heard == [2] * 800


def test_key_tones_go_before_everything_and_delay_it() -> None:
    """Keys pressed at once are heard at once, whole; the voice goes on after them."""
    s = stage()
    s.send(began(), voice(7, 0.2), word("after"), ended())
    s.until(0.05)
    s.send(KeyTones(plain(1, 0.1).pcm))
    s.until(1.0)
    assert s.heard == [7] * 480 + [1] * 800 + [7] * 1120
    assert s.delivered[1][0] == pytest.approx(0.3)


def test_acknowledgements_show_how_late_things_are_heard() -> None:
    """With 300 ms on the way, frames come out 300 ms later."""
    s = stage()
    s.send(began(), voice(7, 1.0), word("after"), ended())
    s.until(0.32)
    s.send(Acknowledged(CHUNK))
    s.until(3.0)
    assert s.delivered[1][0] == pytest.approx(1.3)
    assert s.all(Stopped) == pytest.approx([1.3])


def test_acknowledgements_of_what_was_cleared_say_nothing() -> None:
    """Some lines acknowledge everything when they are cleared."""
    s = stage()
    s.send(voice(7, 5.0))
    s.until(1.0)
    s.send(InterruptPlayout())
    s.until(2.0)
    s.send(Acknowledged(s.machine.samples_written))
    assert s.machine.pacer.latency == 0.0


def test_a_buffer_that_fills_asks_the_voice_to_wait_and_later_to_go_on() -> None:
    """Once above the high mark, once below the low mark."""
    s = stage(high_water_secs=2.0, low_water_secs=1.0)
    first = s.send(voice(7, 1.5))
    second = s.send(voice(7, 1.0), voice(7, 1.0))
    assert not any(isinstance(action, Credit) for action in first)
    assert [action for action in second if isinstance(action, Credit)] == [Credit(True, 2.5)]
    s.until(2.0)
    assert s.all(Credit) == [0.0]
    s.until(3.5)
    assert s.all(Credit) == pytest.approx([0.0, 2.52], abs=0.021)


def test_an_interruption_gives_credit_at_once() -> None:
    """The next answer need not wait for a buffer that is empty."""
    s = stage()
    s.send(voice(7, 10.0))
    assert Credit(False, 0.0) in s.send(InterruptPlayout())


def test_a_voice_that_does_not_listen_loses_what_is_beyond_the_limit() -> None:
    """One report for one overflow; memory stays bounded."""
    s = stage(limit_secs=10.0)
    actions = s.send(*(voice(7, 1.0) for _ in range(50)))
    assert sum(isinstance(action, Overflow) for action in actions) == 1
    assert s.machine.buffered_secs == 10.0


def test_draining_ends_when_all_was_heard_and_silence_after_it() -> None:
    """Sound, frames, then the end's silence; nothing is due afterwards."""
    s = stage(end_silence_secs=0.4)
    s.send(began(), voice(7, 0.2), word("bye"), Item(Word("far", pts=99_000 * MS)), Drain())
    s.until(50.0)
    assert s.texts == ["bye", "far"]
    assert s.all(Drained) == pytest.approx([0.6])
    assert s.machine.deadline is None
    assert len(s.writes) == 30


def test_draining_what_is_empty_ends_at_once() -> None:
    """A conversation without a sound does not wait for silence."""
    s = stage(end_silence_secs=2.0)
    assert Drained() in s.send(Drain())


def test_a_continuous_output_drains_too() -> None:
    """Silence between sounds is not something to wait for."""
    s = stage(continuous=True)
    s.until(1.0)
    s.send(voice(7, 0.2), Drain())
    s.until(5.0)
    assert s.all(Drained) == pytest.approx([1.22], abs=0.021)


def test_an_interruption_while_draining_ends_it() -> None:
    """The goodbye is cut, the end comes at once."""
    s = stage()
    s.send(began(), voice(7, 9.0), Item(Vital("v")), Drain())
    s.until(1.0)
    s.send(InterruptPlayout())
    s.until(1.1)
    assert s.texts == ["v"]
    assert s.all(Drained)


def test_cancelling_drops_everything_for_good() -> None:
    """Stopped still pairs with Started; nothing is taken afterwards."""
    s = stage()
    s.send(began(), voice(7, 1.0), Item(Vital("v")))
    s.until(0.1)
    assert [type(action) for action in s.send(Cancel())] == [ClearSink, Stopped]
    assert s.send(voice(7, 1.0), word("a")) == []
    assert s.machine.deadline is None
    assert s.machine.tick(5.0) == []


def test_half_a_sample_is_refused_and_nothing_else_is_lost() -> None:
    """One clear error; the stream goes on."""
    s = stage()
    with pytest.raises(InvalidInputError, match="3 bytes"):
        s.send(Sound(b"abc"))
    s.send(plain(7, 0.02))
    s.until(1.0)
    assert s.heard == [7] * CHUNK


@pytest.mark.parametrize("options", [{"chunk_ms": 25}, {"chunk_ms": 0}, {"sample_rate": 11_025}])
def test_chunks_are_multiples_of_ten_milliseconds(options: dict[str, int]) -> None:
    """Impossible settings are refused when they are made."""
    with pytest.raises(InvalidInputError, match="10 ms"):
        PlayoutConfig(**options)  # type: ignore[arg-type]


def test_frames_of_any_kind_have_their_place() -> None:
    """The machine does not care what a frame is."""
    s = stage()

    class Odd(DataFrame):
        pass

    s.send(plain(1, 0.1), Item(Odd()))
    s.until(1.0)
    assert isinstance(s.delivered[0][1], Odd)
