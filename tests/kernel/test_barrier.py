"""After an interruption a processor hears of it before it gets a frame of the new epoch."""

from __future__ import annotations

import asyncio

from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import handles
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Ear, Relay, Shout, Vow, Word, conversation


class Tidy(Relay):
    """Takes some seconds to put things in order after an interruption."""

    def __init__(self, secs: float = 1.0) -> None:
        super().__init__()
        self.secs = secs

    @handles(InterruptionFrame)
    async def interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
        self.seen.append("told")
        await asyncio.sleep(self.secs)
        self.seen.append("tidy")


def test_the_interruption_is_handled_before_the_next_frame() -> None:
    """Ordered frames of the new epoch, and ones that survived, wait for the handler to return."""

    async def main() -> list[str]:
        tidy = Tidy()
        async with conversation(tidy, Ear()) as talk:
            await tidy.pause_processing_frames()
            await talk.say(Vow("kept"))
            await tidy.resume_processing_frames()
            await talk.interrupt()
            await talk.say(Word("new"))
            await asyncio.sleep(5)
        return tidy.seen

    for seed in (None, *range(20)):
        assert run(main(), seed=seed) == ["told", "tidy", "kept", "new"]


def test_of_two_interruptions_the_last_one_counts() -> None:
    """Frames wait until the handler of the latest interruption has returned."""

    async def main() -> list[str]:
        tidy = Tidy()
        async with conversation(tidy) as talk:
            await talk.interrupt()
            await talk.interrupt()
            await talk.say(Word("new"))
            await asyncio.sleep(5)
        return tidy.seen

    assert run(main()) == ["told", "tidy", "told", "tidy", "new"]


def test_one_frame_that_interrupts_twice_is_two_interruptions() -> None:
    """The barrier is the later interruption, also when both are the same instance."""

    async def main() -> list[str]:
        tidy, again = Tidy(), InterruptionFrame()
        async with conversation(tidy) as talk:
            await talk.say(again, again, Word("new"))
            await asyncio.sleep(5)
        return tidy.seen

    assert run(main()) == ["told", "tidy", "told", "tidy", "new"]


def test_others_do_not_wait() -> None:
    """Urgent frames, and frames that the processor does not handle, are not held up."""

    async def main() -> tuple[list[str], list[str]]:
        tidy, ear = Tidy(secs=3.0), Ear()
        relay = Relay()
        async with conversation(relay, tidy, ear) as talk:
            await talk.interrupt()
            await talk.say(Shout("urgent"), Word("new"))
            await asyncio.sleep(1)
            early = list(relay.seen)
            await asyncio.sleep(5)
        return early, ear.texts

    early, texts = run(main())
    assert sorted(early) == ["new", "urgent"]
    assert sorted(texts) == ["new", "urgent"]


def test_a_handler_that_never_returns_does_not_hold_frames_for_ever() -> None:
    """After the deadline of urgent handlers it is cancelled and named, and the frames go on."""

    async def main() -> tuple[list[str], list[str]]:
        tidy, ear = Tidy(secs=10_000), Ear()
        async with conversation(tidy, ear) as talk:
            await talk.interrupt()
            await talk.say(Word("new"))
            await asyncio.sleep(60)
        return ear.texts, talk.complaints

    texts, complaints = run(main())
    assert texts == ["new"]
    assert "Tidy#0 did not return from InterruptionFrame#" in complaints[0]


def test_the_end_does_not_wait_for_ever_either() -> None:
    """A conversation ends although an interruption is never done with."""

    async def main() -> bool:
        async with conversation(Tidy(secs=10_000), Ear()) as talk:
            await talk.interrupt()
            await talk.say(Vow("kept"))
        return talk.task.has_finished()

    assert run(main())
