"""Timers take their turn among a processor's urgent frames."""

from __future__ import annotations

import asyncio

from antiphon.frames.lifecycle import StartFrame
from antiphon.kernel.call_frames import Timer
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.simulation.loop.virtual_time import VirtualTimeLoop, run
from tests.kernel.parts import Ear, Shout, Word, conversation


class Waiter(FrameProcessor):
    """Says when its timer fired."""

    timer_: Timer

    def __init__(self) -> None:
        super().__init__()
        self.fired: list[float] = []
        self.log: list[str] = []

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self.timer_ = self.timer(self.due)

    @handles(Shout)
    async def shout(self, frame: Shout, direction: FrameDirection) -> None:
        self.log.append("shout begins")
        await asyncio.sleep(1)
        self.log.append("shout ends")

    async def due(self) -> None:
        self.fired.append(self.clock.now())
        self.log.append("due")
        await self.push_frame(Word("due"))


def test_a_timer_fires_at_its_deadline_and_only_the_last_one_counts() -> None:
    """Arming again replaces the deadline; None takes it back."""

    async def main() -> tuple[list[float], list[str]]:
        waiter, ear = Waiter(), Ear()
        async with conversation(waiter, ear):
            waiter.timer_.arm(1.0)
            waiter.timer_.arm(3.0)
            await asyncio.sleep(5)
            waiter.timer_.arm(6.0)
            waiter.timer_.arm(None)
            await asyncio.sleep(5)
        return waiter.fired, ear.texts

    assert run(main()) == ([3.0], ["due"])


def test_a_timer_waits_for_the_urgent_handler_before_it() -> None:
    """The callback never runs beside an urgent handler of the same processor."""

    async def main() -> list[str]:
        waiter = Waiter()
        async with conversation(waiter) as talk:
            waiter.timer_.arm(0.5)
            await talk.say(Shout("x"))
            await asyncio.sleep(5)
        return waiter.log

    assert run(main()) == ["shout begins", "shout ends", "due"]


def test_a_call_that_is_already_queued_is_dropped_when_disarmed() -> None:
    """Disarming counts even when the deadline has passed and the callback waits for its turn."""

    async def main() -> list[str]:
        waiter = Waiter()
        async with conversation(waiter) as talk:
            waiter.timer_.arm(0.5)
            await talk.say(Shout("x"))
            await asyncio.sleep(0.7)
            waiter.timer_.arm(None)
            await asyncio.sleep(5)
        return waiter.log

    assert run(main()) == ["shout begins", "shout ends"]


def test_a_deadline_that_is_put_off_sets_no_new_timer_of_the_loop() -> None:
    """However often it is put off it fires once, at the last one; brought forward, at that."""

    async def main() -> tuple[list[float], int]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        waiter = Waiter()
        async with conversation(waiter):
            waiter.timer_.arm(1.0)
            before = loop._timers.heap.copy()
            for tick in range(100):
                waiter.timer_.arm(1.5 + tick / 50)
            made = len(loop._timers.heap) - len(before)
            await asyncio.sleep(10)
            waiter.timer_.arm(20.0)
            waiter.timer_.arm(25.0)
            waiter.timer_.arm(12.0)
            await asyncio.sleep(50)
        return waiter.fired, made

    fired, made = run(main())
    assert fired == [1.5 + 99 / 50, 12.0]
    assert made == 0
