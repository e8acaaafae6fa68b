"""Tests of `antiphon.transports.playout_line`: when frames come out between the sounds."""

from __future__ import annotations

import pytest

from antiphon.frames.llm import LLMAssistantPushAggregationFrame
from antiphon.frames.text import TTSTextFrame
from antiphon.transports.playout_events import Item
from tests.transports.playing import (
    MS,
    Word,
    began,
    ended,
    plain,
    spoken,
    stage,
    voice,
    word,
)


def test_a_frame_with_nothing_before_it_comes_out_at_once() -> None:
    """Text alone never waits."""
    s = stage()
    s.send(word("a"))
    assert s.texts == ["a"]


def test_a_frame_comes_out_when_the_sound_before_it_was_heard() -> None:
    """Not when it was written: a chunk later."""
    s = stage()
    s.send(voice(7, 0.1), word("a"), voice(8, 0.1), word("b"))
    s.until(1.0)
    assert [at for at, _ in s.delivered] == pytest.approx([0.1, 0.2])


def test_a_word_comes_out_when_its_instant_was_heard() -> None:
    """A pts counts from the announcement of its utterance, however late the sound is played."""
    s = stage()
    s.send(plain(1, 0.5), began(pts=77_000 * MS), spoken("one", 77_100 * MS))
    s.send(voice(7, 0.4), spoken("two", 77_300 * MS), ended())
    s.until(2.0)
    at = {f.text: t for t, f in s.delivered if isinstance(f, TTSTextFrame)}
    assert at == {"one": pytest.approx(0.6), "two": pytest.approx(0.8)}


def test_without_an_announced_time_a_pts_counts_from_the_first_sound() -> None:
    """The conversation's clock at the arrival of the first sound, or that sound's own pts."""
    s = stage(origin=-5.0)
    s.send(voice(7, 0.4), spoken("one", 5_200 * MS))
    s.until(1.0)
    assert s.delivered[0][0] == pytest.approx(0.2)
    s = stage()
    s.send(voice(7, 0.4, pts=900 * MS), spoken("one", 1_200 * MS))
    s.until(1.0)
    assert s.delivered[0][0] == pytest.approx(0.3)


def test_words_that_come_after_their_sound_come_out_at_once_and_in_order() -> None:
    """Late word times are late, never lost."""
    s = stage()
    s.send(began(pts=0), voice(7, 0.4))
    s.until(0.3)
    s.send(spoken("one", 100 * MS), spoken("two", 350 * MS), ended())
    s.until(1.0)
    words = [(round(t, 3), f.text) for t, f in s.delivered if isinstance(f, TTSTextFrame)]
    assert words == [(0.3, "one"), (0.36, "two")]


def test_a_word_beyond_the_end_of_its_utterance_comes_out_at_the_end() -> None:
    """Providers' word times may exceed their audio."""
    s = stage()
    s.send(began(pts=0), voice(7, 0.2), spoken("late", 900 * MS), ended(), word("after"))
    s.until(2.0)
    assert [round(t, 3) for t, _ in s.delivered] == [0.0, 0.2, 0.2, 0.2]


def test_words_without_any_sound_are_given_up_after_the_silence_timeout() -> None:
    """A voice that dies holds nothing back for longer than three seconds."""
    s = stage()
    s.send(began(pts=0), spoken("lost", 500 * MS), word("after"))
    s.until(2.9)
    assert len(s.delivered) == 1
    s.until(3.1)
    assert len(s.delivered) == 3


def test_a_pts_without_an_utterance_follows_the_clock_and_holds_nobody_up() -> None:
    """A frame for later does not stop the frames after it."""
    s = stage()
    s.send(Item(Word("later", pts=1_000 * MS)), word("now"))
    s.until(2.0)
    assert s.texts == ["now", "later"]
    assert s.delivered[1][0] == pytest.approx(1.0)


def test_frames_between_two_utterances_come_out_between_them() -> None:
    """Order holds across utterances."""
    s = stage()
    s.send(began("a", 0), voice(1, 0.1, context_id="a"), spoken("a", 50 * MS, "a"), ended("a"))
    s.send(word("between"), began("b", 0), voice(2, 0.1, context_id="b"))
    s.send(spoken("b", 50 * MS, "b"), ended("b"))
    s.until(1.0)
    names = [
        f.text if isinstance(f, TTSTextFrame | Word) else type(f).__name__ for _, f in s.delivered
    ]
    first, second = names[:3], names[4:]
    assert first == ["TTSStartedFrame", "a", "TTSStoppedFrame"]
    assert names[3] == "between"
    assert second == ["TTSStartedFrame", "b", "TTSStoppedFrame"]


def test_a_word_may_come_before_everything_else_of_its_utterance() -> None:
    """It waits for the sound, and counts from its arrival; nothing overtakes it."""
    s = stage()
    s.send(spoken("w", 200 * MS), word("after"))
    s.until(0.1)
    s.send(voice(7, 0.4), ended())
    s.until(1.0)
    assert [at for at, _ in s.delivered] == pytest.approx([0.2, 0.2, 0.5])


def test_an_utterance_that_was_given_up_goes_on_with_its_words_in_place() -> None:
    """A voice that stalls for longer than the silence timeout does not put its words too early."""
    s = stage()
    s.send(began(pts=0), voice(7, 0.2))
    s.until(10.0)
    s.send(voice(7, 0.4), spoken("w", 500 * MS), ended())
    s.until(20.0)
    assert s.delivered[1][0] == pytest.approx(10.3)


def test_other_sound_within_an_utterance_shifts_its_words() -> None:
    """A beep in the middle delays what comes after it."""
    s = stage()
    s.send(
        began(pts=0), voice(7, 0.1), plain(1, 0.2), voice(7, 0.1), spoken("x", 150 * MS), ended()
    )
    s.until(1.0)
    assert s.delivered[1][0] == pytest.approx(0.36)


def test_a_word_of_an_utterance_that_is_over_keeps_its_place() -> None:
    """Its time may lie ahead of the conversation's clock: it follows no clock any more."""
    s = stage(paced=False)
    s.send(began(pts=0), voice(7, 0.2), ended())
    s.until(0.1)
    s.send(spoken("late", 10_000 * MS), word("after"))
    assert [f.text for _, f in s.delivered if isinstance(f, TTSTextFrame | Word)] == [
        "late",
        "after",
    ]


def test_the_request_to_commit_keeps_its_place_whatever_its_time() -> None:
    """Its pts is for those who read it."""
    s = stage(paced=False)
    s.send(began(pts=0), voice(7, 0.2), ended())
    s.until(0.1)
    s.send(Item(LLMAssistantPushAggregationFrame(pts=10_000 * MS)), word("after"))
    assert [type(f).__name__ for _, f in s.delivered][-2:] == [
        "LLMAssistantPushAggregationFrame",
        "Word",
    ]
