"""Mailbox and Feed: order, bounds, and what survives a reset."""

from __future__ import annotations

import asyncio
import random

import pytest

from antiphon.errors import MailboxFullError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.kernel.mailbox import RESERVE, Feed, Mailbox
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Shout, Vow, Word


def test_the_lanes_keep_their_order() -> None:
    """Items leave each lane in the order in which they came."""
    box: Mailbox[Frame] = Mailbox()
    frames = [Word("a"), Shout("b"), Vow("c"), Shout("d")]
    for frame in frames:
        box.put(frame)
    assert [box.take_urgent(), box.take_urgent(), box.take_urgent()] == [frames[1], frames[3], None]
    assert [box.take_ordered(), box.take_ordered()] == [frames[0], frames[2]]
    assert box.take_ordered() is None


def test_reset_drops_the_interruptible_and_keeps_the_rest_in_order() -> None:
    """After a reset exactly the uninterruptible ordered frames and all urgent ones are left."""
    box: Mailbox[Frame] = Mailbox()
    frames = [Word("a"), Vow("b"), Word("c"), Shout("d"), Vow("e")]
    for frame in frames:
        box.put(frame)
    assert box.reset() == 2
    assert [box.take_ordered(), box.take_ordered(), box.take_ordered()] == [
        frames[1],
        frames[4],
        None,
    ]
    assert box.take_urgent() is frames[3]


def test_has_uninterruptible_is_always_true_to_the_content() -> None:
    """Whatever is put, taken and reset, the flag says what a look through the lane would."""
    rng = random.Random(5)
    for _ in range(200):
        box: Mailbox[Frame] = Mailbox()
        model: list[Frame] = []
        for _ in range(40):
            match rng.randrange(5):
                case 0 | 1:
                    frame = rng.choice([Word, Vow])("x")
                    box.put(frame)
                    model.append(frame)
                case 2:
                    box.put(Shout("x"))
                case 3:
                    taken = box.take_ordered()
                    assert taken is (model.pop(0) if model else None)
                case _:
                    if rng.random() < 0.3:
                        box.reset()
                        model = [frame for frame in model if not frame.interruptible]
            assert box.has_uninterruptible == any(not frame.interruptible for frame in model)


def test_items_may_wrap_a_frame() -> None:
    """With a getter the mailbox judges the frame inside and hands out the item."""
    box: Mailbox[tuple[str, Frame]] = Mailbox(getter=lambda item: item[1])
    box.put(("first", Word("a")))
    vow = ("second", Vow("b"))
    box.put(vow)
    assert box.has_uninterruptible
    box.reset()
    assert box.take_ordered() == vow
    assert not box.has_uninterruptible


def test_a_full_lane_is_an_error_that_names_the_owner() -> None:
    """A mailbox at its capacity refuses content, and says whose it is and which frame it was."""
    box: Mailbox[Frame] = Mailbox(owner="TTS#0", capacity=3)
    for _ in range(3):
        box.put(Word("x"))
    late = Word("late")
    with pytest.raises(MailboxFullError, match=rf"mailbox of TTS#0 is full \(3 .*{late.name}"):
        box.put(late)
    assert len(box) == 3


def test_a_flood_of_content_does_not_keep_out_what_must_not_be_lost() -> None:
    """Uninterruptible frames have a reserve above the capacity, which is bounded as well."""
    box: Mailbox[Frame] = Mailbox(capacity=1)
    box.put(Word("x"))
    for _ in range(RESERVE):
        box.put(Vow("y"))
    with pytest.raises(MailboxFullError):
        box.put(Vow("z"))


def test_live_audio_displaces_the_oldest_audio_and_nothing_else() -> None:
    """A full lane of audio loses its oldest frame, counted; other urgent frames stay."""
    box: Mailbox[Frame] = Mailbox()
    shout = Shout("here")
    box.put(shout)
    audio = [InputAudioRawFrame(bytes(16_000), 8_000) for _ in range(33)]
    for frame in audio:
        box.put(frame)
    assert box.lost == 3
    assert box.take_urgent() is shout
    assert box.take_urgent() is audio[3]
    assert box.urgent_waiting == 29


def test_audio_that_was_withdrawn_and_stays_is_still_known_as_such() -> None:
    """What `withdraw` leaves does not count as something that may not be lost."""
    box: Mailbox[Frame] = Mailbox()
    audio, shout = InputAudioRawFrame(b"", 16_000), Shout("taken")
    box.put(audio)
    box.put(shout)
    assert box.withdraw(lambda frame: frame is audio) == [shout]
    assert box.urgent_waiting == 1
    assert not box.has_vital_urgent


def test_a_feed_ends_after_the_last_item_once_closed() -> None:
    """Everything put before close comes out, nothing put after it."""

    async def main() -> list[int]:
        feed: Feed[int] = Feed()
        feed.put(1)
        loop = asyncio.get_running_loop()
        loop.call_later(1, feed.put, 2)
        loop.call_later(2, feed.close)
        loop.call_later(2, feed.put, 3)
        return [item async for item in feed]

    assert run(main()) == [1, 2]


def test_a_full_feed_is_an_error_that_names_it() -> None:
    """A feed never grows beyond its limit."""
    feed: Feed[int] = Feed(limit=2, name="audio for Deepgram")
    feed.put(1)
    feed.put(2)
    with pytest.raises(MailboxFullError, match="audio for Deepgram is full"):
        feed.put(3)
    assert feed.clear() == 2
