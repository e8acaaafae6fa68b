"""What is done on behalf of an epoch: by its handlers, their tasks and their emitters."""

from __future__ import annotations

import asyncio

from antiphon.frames.lifecycle import EndFrame, InterruptionFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Custom, Ear, Relay, Slow, Vow, Word, conversation


def test_a_void_handler_cannot_queue_into_itself_or_others() -> None:
    """queue_frame is no way round: an interruptible frame of the older epoch is not handled."""

    async def late(self: Custom, frame: Word | Vow) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            for other in (self, ear):
                await other.queue_frame(Word("stale"))
                await other.queue_frame(Vow("kept"))

    async def notes(self: Custom, frame: Word | Vow) -> None:
        if frame.text == "go":
            await late(self, frame)
        else:
            handled.append(frame.text)

    ear = Ear()
    handled: list[str] = []

    async def main() -> list[str]:
        async with conversation(Custom(notes), ear) as talk:
            await talk.say(Word("go"))
            await asyncio.sleep(1)
            await talk.interrupt()
            await asyncio.sleep(1)
        return ear.texts

    assert run(main()) == ["kept"]
    assert handled == ["kept"]


def test_a_bound_task_ends_with_its_epoch_and_an_unbound_one_goes_on() -> None:
    """An interruption cancels bound tasks; unbound ones push in the epoch of the moment."""

    class Worker(FrameProcessor):
        @handles(Word)
        async def start(self, frame: Word, direction: FrameDirection) -> None:
            self.create_task(self.work("bound"), name="bound", bound=True)
            self.create_task(self.work("free"), name="free")

        async def work(self, text: str) -> None:
            try:
                for number in range(3):
                    await asyncio.sleep(1)
                    await self.push_frame(Word(f"{text} {number}"))
            finally:
                await self.push_frame(Word(f"{text} done"))

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(Worker(), ear) as talk:
            await talk.say(Word("go"))
            await asyncio.sleep(1.5)
            await talk.interrupt()
            await asyncio.sleep(5)
        return ear.texts

    assert run(main()) == ["bound 0", "free 0", "free 1", "free 2", "free done"]


def test_a_bound_task_is_cancelled_in_the_instant_of_the_interruption() -> None:
    """It does not go on computing an answer that nobody will hear."""
    stopped: list[float] = []

    async def works(self: Custom, frame: Word | Vow) -> None:
        async def compute() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                stopped.append(asyncio.get_running_loop().time())

        self.create_task(compute(), name="compute", bound=True)

    async def main() -> float:
        async with conversation(Custom(works)) as talk:
            await talk.say(Word("go"))
            await asyncio.sleep(1)
            await talk.interrupt()
            now = asyncio.get_running_loop().time()
            await asyncio.sleep(1)
            return now

    assert stopped == [run(main())]


def test_an_emitter_interrupts_and_ends_as_its_processor_does() -> None:
    """An InterruptionFrame pushed by a handle is an interruption; an EndFrame ends everybody."""

    class Ends(Relay):
        ends = 0

        @handles(EndFrame)
        async def end(self, frame: EndFrame, direction: FrameDirection) -> None:
            self.ends += 1

    async def main() -> tuple[list[str], int]:
        first, middle, ear = Ends(), Relay(), Ear()
        async with asyncio.timeout(100), conversation(first, middle, Slow(5), ear) as talk:
            await talk.say(Word("cut off"))
            await asyncio.sleep(1)
            await middle.emitter().push_frame(InterruptionFrame())
            await asyncio.sleep(10)
            await middle.emitter().push_frame(EndFrame())
        return ear.texts, first.ends

    assert run(main()) == ([], 1)


def test_who_interrupts_another_conversation_stays_in_its_own() -> None:
    """Interruptions of the one make nothing void that is done for the other, or fail to."""
    other = PipelineTask(Pipeline([Relay()]))

    async def meddles(self: Custom, frame: Word | Vow) -> None:
        await other.queue_frame(InterruptionFrame())
        try:
            await asyncio.sleep(5)
        finally:
            await self.push_frame(Word(frame.text))

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(other) as there, conversation(Custom(meddles), ear) as here:
            await here.say(Word("goes on"))
            await asyncio.sleep(1)
            await there.interrupt()
            await asyncio.sleep(10)
            await here.say(Word("void"))
            await asyncio.sleep(1)
            await here.interrupt()
            await asyncio.sleep(10)
        return ear.texts

    assert run(main()) == ["goes on"]
