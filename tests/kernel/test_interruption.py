"""An interruption is one step: what it drops, what it spares, and whom it never waits for."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import Emitter, FrameProcessor, handles
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Custom, Ear, Mark, Relay, Shout, Slow, Vow, Word, conversation


def test_queued_interruptible_frames_are_gone_at_once() -> None:
    """After an interruption none of the frames queued before it is handled anywhere."""

    async def main() -> tuple[list[str], list[str]]:
        slow, ear = Slow(1), Ear()
        async with conversation(Relay(), slow, ear) as talk:
            await talk.say(*(Word(str(n)) for n in range(500)))
            await asyncio.sleep(2.5)
            await talk.interrupt()
            await talk.say(Word("after"))
            await asyncio.sleep(10)
        return slow.begun, ear.texts

    begun, texts = run(main())
    assert begun == ["0", "1", "2", "after"]
    assert texts == ["0", "1", "after"]


def test_a_queued_uninterruptible_frame_survives_any_number_of_interruptions() -> None:
    """It is handled exactly once, in order, also behind an interruptible frame being handled."""

    async def main() -> list[str]:
        slow, ear = Slow(1), Ear()
        async with conversation(slow, ear) as talk:
            await talk.say(Word("a"), Vow("1"), Word("b"), Vow("2"), Mark("c"))
            for _ in range(7):
                await asyncio.sleep(0.1)
                await talk.interrupt()
            await asyncio.sleep(10)
        return ear.texts

    assert run(main()) == ["1", "2"]


def test_a_queued_uninterruptible_frame_does_not_delay_the_interruption() -> None:
    """The slow interruptible handler in front of it is cancelled at once."""

    async def main() -> tuple[list[float], float]:
        slow = Slow(60)
        async with conversation(slow, Ear(), end=False) as talk:
            await talk.say(Word("slow"), Vow("kept"))
            await asyncio.sleep(1)
            start = asyncio.get_running_loop().time()
            await talk.interrupt()
            await asyncio.sleep(0.001)
            return list(slow.stopped), start

    stopped, start = run(main())
    assert stopped == [start]


def test_an_uninterruptible_frame_being_handled_is_never_cancelled() -> None:
    """Its handler runs to the end; interruptible frames behind it are dropped at once."""

    async def main() -> tuple[list[str], list[float]]:
        slow, ear = Slow(2), Ear()
        async with conversation(slow, ear) as talk:
            await talk.say(Vow("kept"), Word("dropped"))
            for _ in range(5):
                await asyncio.sleep(0.2)
                await talk.interrupt()
            await asyncio.sleep(10)
        return ear.texts, slow.stopped

    assert run(main()) == (["kept"], [])


@pytest.mark.parametrize("kind", [Word, Mark])
def test_a_handler_being_cancelled_pushes_into_the_void(kind: type[Word | Mark]) -> None:
    """Interruptible frames pushed while being cancelled, or from finally, reach nobody."""

    async def late(self: Custom, frame: Word | Vow) -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await self.push_frame(kind("while cancelled"))
            raise
        finally:
            await self.push_frame(kind("from finally"))
            await self.push_frame(Vow("kept"))
            await self.push_frame(Shout("urgent"))

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(Custom(late), Relay(), ear) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(1)
            await talk.interrupt()
            await asyncio.sleep(1)
        return ear.texts

    assert sorted(run(main())) == ["kept", "urgent"]


def test_nothing_stale_comes_out_of_a_parallel_branch() -> None:
    """Branches are interrupted in the same step as everything else."""

    async def main() -> tuple[list[str], list[list[str]]]:
        ear = Ear()
        slow = [Slow(1), Slow(3)]
        branches = ParallelPipeline([slow[0]], [slow[1], Relay()])
        async with conversation(branches, ear) as talk:
            await talk.say(Word("a"), Vow("b"), Word("c"))
            await asyncio.sleep(0.5)
            await talk.interrupt()
            await asyncio.sleep(30)
        return ear.texts, [part.begun for part in slow]

    assert run(main()) == (["b"], [["a", "b"]] * 2)


def test_a_providers_stream_that_answers_late_is_void() -> None:
    """An emitter bound to a request pushes nothing interruptible once the request is void."""

    class Provider(FrameProcessor):
        """A long-lived loop that answers each request three times, slowly."""

        def __init__(self) -> None:
            super().__init__()
            self.emitters: list[tuple[str, Emitter]] = []

        @handles(Word)
        async def ask(self, frame: Word, direction: FrameDirection) -> None:
            if not self.emitters:
                self.create_task(self.loop(), name="receive")
            self.emitters.append((frame.text, self.emitter()))

        async def loop(self) -> None:
            for _ in range(3):
                await asyncio.sleep(1)
                for text, emitter in self.emitters:
                    await emitter.push_frame(Word(f"{text} {emitter.live}"))
                    await emitter.push_frame(Vow(f"kept {text}"))

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(Provider(), ear) as talk:
            await talk.say(Word("old"))
            await asyncio.sleep(1.5)
            await talk.interrupt()
            await talk.say(Word("new"))
            await asyncio.sleep(3)
        return ear.texts

    assert run(main()) == [
        "old True",
        "kept old",
        *["kept old", "new True", "kept new"] * 2,
    ]


def test_interrupting_ten_slow_processors_reaches_the_last_within_one_loop_iteration() -> None:
    """Handlers that each need 100 ms to stop do not add up: all are told in the same instant."""

    async def main() -> tuple[list[float], list[float], float]:
        parts = [Slow(60, stopping=0.1) for _ in range(10)]
        async with conversation(*parts) as talk:
            for part in parts:
                await part.queue_frame(Word("busy"))
            await asyncio.sleep(1)
            start = asyncio.get_running_loop().time()
            await talk.interrupt()
            await asyncio.sleep(0)  # one turn of the loop
            now = asyncio.get_running_loop().time()
            assert now == start
            told = [time for part in parts for time in part.told]
            await asyncio.sleep(1)
            return told, [time for part in parts for time in part.stopped], start

    told, stopped, start = run(main())
    assert told == [start] * 10
    assert stopped == pytest.approx([start + 0.1] * 10)


def test_the_handler_that_interrupts_goes_on_in_the_new_epoch() -> None:
    """It is not cancelled, what it pushes afterwards arrives, what it pushed before does not."""

    async def interrupting(self: Custom, frame: Word | Vow) -> None:
        await self.push_frame(Word("before"))
        await self.broadcast_interruption()
        await asyncio.sleep(1)
        await self.push_frame(Word("after"))

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(Slow(0), Custom(interrupting), Slow(0.5), ear) as talk:
            await talk.say(Word("go"))
            await asyncio.sleep(5)
        return ear.texts

    assert run(main()) == ["after"]


def test_a_void_handler_cannot_interrupt() -> None:
    """A handler of an epoch that is over has no say in the next one."""

    async def spiteful(self: Custom, frame: Word | Vow) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.1)
            await self.broadcast_interruption()

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(Custom(spiteful), Slow(1), ear) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(1)
            await talk.interrupt()
            await talk.task._session.stations[1].processor.queue_frame(Word("new"))
            await asyncio.sleep(5)
        return ear.texts

    assert run(main()) == ["new"]


def test_a_processor_finishes_stopping_before_it_handles_the_next_frame() -> None:
    """One handler at a time: the successor waits for the cancelled one, up to its deadline."""
    log: list[str] = []

    async def careful(self: Custom, frame: Word | Vow) -> None:
        log.append(f"begin {frame.text}")
        try:
            await asyncio.sleep(1)
        finally:
            await asyncio.sleep(0.5)
            log.append(f"end {frame.text}")

    async def main() -> None:
        async with conversation(Custom(careful)) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(0.1)
            await talk.interrupt()
            await talk.say(Word("b"))
            await asyncio.sleep(5)

    run(main())
    assert log == ["begin a", "end a", "begin b", "end b"]


class Swallows(FrameProcessor):
    """Ignores its cancellation and works on for ten seconds."""

    @handles(Word)
    async def work(self, frame: Word, direction: FrameDirection) -> None:
        for _ in range(100):
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                continue
        await self.push_frame(Word("far too late"))


def test_a_handler_that_swallows_its_cancellation_is_abandoned_and_named() -> None:
    """After its deadline the processor goes on without it, and an error says who it was."""

    async def main() -> tuple[list[str], list[str], list[float]]:
        swallows, ear = Swallows(), Ear()

        class Next(Swallows):
            pass

        async with conversation(swallows, Relay(), ear) as talk:
            await talk.say(Word("stuck"))
            await asyncio.sleep(0.5)
            await talk.interrupt()
            await talk.say(Vow("behind it"))
            await asyncio.sleep(0.05)
            early = list(ear.texts)
            await asyncio.sleep(15)
        return [*early, "|", *ear.texts], talk.complaints, ear.times

    texts, complaints, _ = run(main())
    assert texts == ["|", "behind it"]
    assert len(complaints) == 1
    assert "Swallows#0 did not stop within 1 s of being cancelled" in complaints[0]


def test_a_handler_that_swallows_its_cancellation_and_returns_is_simply_over() -> None:
    """Returning normally after a cancellation neither skips nor repeats the next frame."""

    async def tough(self: Custom, frame: Word | Vow) -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            return
        await self.push_frame(frame)

    async def main() -> tuple[list[str], list[str]]:
        ear = Ear()
        async with conversation(Custom(tough), ear) as talk:
            await talk.say(Word("a"), Vow("b"), Vow("c"))
            await asyncio.sleep(0.5)
            await talk.interrupt()
            await asyncio.sleep(5)
        return ear.texts, talk.complaints

    assert run(main()) == (["b", "c"], [])


def test_a_handler_that_raises_while_being_cancelled_is_reported() -> None:
    """The error names the processor, and the lane goes on."""

    async def clumsy(self: Custom, frame: Word | Vow) -> None:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            raise RuntimeError("clumsy") from None

    async def main() -> tuple[list[str], list[str]]:
        ear = Ear()
        async with conversation(Custom(clumsy), ear) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(0.5)
            await talk.interrupt()
            await asyncio.sleep(1)
            await talk.say(Word("b"))
            await talk.say(Shout("alive"))
            await asyncio.sleep(5)
        return ear.texts, talk.complaints

    texts, complaints = run(main())
    assert texts == ["alive"]
    assert ["clumsy" in text for text in complaints] == [True]


def test_the_consequences_of_a_late_uninterruptible_frame_are_of_the_present() -> None:
    """A frame that survived an interruption is handled in the epoch in which its turn comes."""

    async def answer(self: Custom, frame: Word | Vow) -> None:
        await self.push_frame(Word(f"about {frame.text}"))

    async def main() -> list[str]:
        ear = Ear()
        custom = Custom(answer)
        async with conversation(Slow(1), custom, ear) as talk:
            await talk.say(Vow("result"))
            await asyncio.sleep(0.5)
            await talk.interrupt()
            await asyncio.sleep(5)
        return ear.texts

    assert run(main()) == ["about result"]


def test_an_urgent_handler_goes_on_but_its_content_is_void() -> None:
    """An interruption during an urgent handler spares the handler and voids what it then pushes."""

    class Urgent(FrameProcessor):
        @handles(Shout)
        async def shout(self, frame: Shout, direction: FrameDirection) -> None:
            await asyncio.sleep(1)
            await self.push_frame(Word("void"))
            await self.push_frame(Shout("urgent"))

        @handles(InterruptionFrame)
        async def interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
            await self.push_frame(Word("told"))

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(Urgent(), ear) as talk:
            await talk.say(Shout("a"))
            await asyncio.sleep(0.5)
            await talk.interrupt()
            await asyncio.sleep(5)
        return ear.texts

    assert run(main()) == ["urgent", "told"]
