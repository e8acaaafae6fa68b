"""FrameProcessor: which method gets which frame, and what flows past."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.errors import (
    AlreadyInPipelineError,
    ConfigurationError,
    KernelError,
    NotInPipelineError,
)
from antiphon.frames.base import DataFrame, Frame
from antiphon.frames.lifecycle import EndFrame, InterruptionFrame, StartFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import DOWN, UP, Ear, Relay, Shout, Vow, Word, conversation


class LoudWord(Word):
    """A kind of word."""


class Sorter(FrameProcessor):
    """Has one method for words, and one for a kind of them."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []

    @handles(Word)
    async def word(self, frame: Word, direction: FrameDirection) -> None:
        self.log.append(f"word {frame.text}")

    @handles(LoudWord)
    async def loud(self, frame: LoudWord, direction: FrameDirection) -> None:
        self.log.append(f"loud {frame.text}")


class Loyal(Sorter):
    """Overrides a method by name: the declaration stays."""

    async def word(self, frame: Word, direction: FrameDirection) -> None:
        self.log.append(f"mine {frame.text}")


class Everything(FrameProcessor):
    """Written in the other style: sees all, calls super, pushes all on."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: list[str] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        self.kinds.append(type(frame).__name__)
        await self.push_frame(frame, direction)


def test_the_nearest_type_wins() -> None:
    """A frame goes to the method declared for the nearest of its types."""

    async def main() -> list[str]:
        sorter = Sorter()
        async with conversation(sorter) as talk:
            await talk.say(Word("a"), LoudWord("b"))
        return sorter.log

    assert run(main()) == ["word a", "loud b"]


def test_an_override_keeps_the_declaration() -> None:
    """A subclass that overrides a handler by name gets its frames without declaring them again."""

    async def main() -> list[str]:
        loyal = Loyal()
        async with conversation(loyal) as talk:
            await talk.say(Word("a"), LoudWord("b"))
        return loyal.log

    assert run(main()) == ["mine a", "loud b"]


def test_what_nobody_handles_flows_past_in_both_directions() -> None:
    """A processor without a method for a type lets it through, down and up."""

    async def main() -> tuple[list[str], list[Frame]]:
        ear = Ear()
        arrived: list[Frame] = []
        task = PipelineTask(Pipeline([FrameProcessor(), Sorter(), FrameProcessor(), ear]))
        task.set_reached_upstream_filter((Vow,))
        task.add_event_handler("on_frame_reached_upstream", lambda t, f: arrived.append(f))
        async with conversation(task) as talk:
            await talk.say(Vow("down"))
            await ear.push_frame(Vow("up"), UP)
        return ear.texts, arrived

    texts, arrived = run(main())
    assert texts == ["down"]
    assert [frame.text for frame in arrived if isinstance(frame, Vow)] == ["up"]


def test_a_catch_all_sees_every_frame_and_need_not_care_for_the_life_cycle() -> None:
    """process_frame gets everything once; pushing life-cycle frames on twice does no harm."""

    async def main() -> tuple[list[str], list[str], list[str]]:
        first, second, ear = Everything(), Everything(), Ear()
        async with conversation(first, second, ear) as talk:
            await talk.say(Word("a"), Shout("b"))
            await asyncio.sleep(1)
            await talk.interrupt()
            await asyncio.sleep(1)
        return first.kinds, second.kinds, ear.texts

    first, second, texts = run(main())
    assert first.count("StartFrame") == first.count("InterruptionFrame") == 1
    assert first.count("EndFrame") == 1
    assert sorted(first) == sorted(second)
    assert sorted(texts) == ["a", "b"]


def test_life_cycle_frames_pass_a_processor_that_swallows_everything() -> None:
    """A catch-all that never pushes cannot stop a conversation from ending."""

    class BlackHole(FrameProcessor):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            pass

    async def main() -> bool:
        hole, ear = BlackHole(), Ear()
        async with conversation(hole, ear) as talk:
            await talk.say(Word("gone"))
        return talk.task.has_finished() and not ear.texts

    assert run(main())


def test_broadcast_sends_the_same_frame_both_ways() -> None:
    """One instance goes down and up, whether given as a frame or as a type with its fields."""

    async def main() -> tuple[list[Frame], list[Frame]]:
        above, middle, below = Ear(), Relay(), Ear()
        async with conversation(above, middle, below):
            await middle.broadcast_frame(Shout, text="one")
            await middle.broadcast_frame(Shout("two"))
        return above.frames, below.frames

    up, down = run(main())
    assert [frame.id for frame in up] == [frame.id for frame in down]
    assert len(up) == 2


def test_queue_frame_puts_into_the_processor_itself() -> None:
    """queue_frame is handled by the processor, or flows past it if it does not handle the type."""

    async def main() -> tuple[list[str], list[str]]:
        relay, ear = Relay(), Ear()
        sorter = Sorter()
        async with conversation(sorter, relay, ear):
            await relay.queue_frame(Word("a"))
            await sorter.queue_frame(Vow("b"))
        return relay.seen, ear.texts

    assert run(main()) == (["a", "b"], ["a", "b"])


def test_order_holds_past_a_busy_processor_that_does_not_handle_the_type() -> None:
    """A frame that would flow past waits behind the ones its bystander still works on."""

    class Picky(FrameProcessor):
        @handles(Word)
        async def word(self, frame: Word, direction: FrameDirection) -> None:
            await asyncio.sleep(1)
            await self.push_frame(frame, direction)

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(Picky(), FrameProcessor(), ear) as talk:
            await talk.say(Word("a"), Vow("b"), Word("c"), Vow("d"))
        return ear.texts

    assert run(main()) == ["a", "b", "c", "d"]


def test_urgent_frames_overtake_and_are_handled_beside() -> None:
    """An urgent frame does not wait for the ordered handler in front of it."""

    async def main() -> tuple[list[str], float]:
        class Busy(Relay):
            @handles(Word)
            async def word(self, frame: Word, direction: FrameDirection) -> None:
                await asyncio.sleep(5)
                await self.relay(frame, direction)

        busy = Busy()
        async with conversation(busy, Ear()) as talk:
            start = asyncio.get_running_loop().time()
            await talk.say(Word("slow"), Word("slower"), Shout("now"))
            await asyncio.sleep(20)
        return busy.seen, busy.times[0] - start

    seen, delay = run(main())
    assert seen == ["now", "slow", "slower"]
    assert delay < 0.001


def test_nothing_is_handled_before_the_start_frame() -> None:
    """Frames queued before the start wait until each processor has handled its StartFrame."""

    class Starter(Relay):
        @handles(StartFrame)
        async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
            await asyncio.sleep(2)
            self.seen.append("started")

    async def main() -> list[list[str]]:
        parts = [Starter(), Starter(), Starter()]
        task = PipelineTask(Pipeline(parts))
        await task.queue_frames([Shout("urgent"), Word("early")])
        async with conversation(task):
            pass
        return [part.seen for part in parts]

    for seen in run(main()):
        assert seen[0] == "started"
        assert sorted(seen[1:]) == ["early", "urgent"]


def test_processors_start_side_by_side() -> None:
    """Ten processors that each need two seconds to start are ready after two."""

    class Starter(FrameProcessor):
        @handles(StartFrame)
        async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
            await asyncio.sleep(2)

    async def main() -> float:
        task = PipelineTask(Pipeline([Starter() for _ in range(10)]))
        ready: list[float] = []
        task.add_event_handler(
            "on_pipeline_started", lambda t, f: ready.append(asyncio.get_running_loop().time())
        )
        async with conversation(task):
            await asyncio.sleep(5)
        return ready[0]

    assert run(main()) == pytest.approx(2, abs=0.01)


def test_a_failing_handler_is_reported_and_the_processor_lives_on() -> None:
    """An exception becomes an ErrorFrame upstream naming the processor; the next frame is fine."""

    class Fragile(Relay):
        @handles(Word)
        async def word(self, frame: Word, direction: FrameDirection) -> None:
            if frame.text == "bad":
                raise ValueError("no such word")
            await self.relay(frame, direction)

    async def main() -> tuple[list[str], list[str], list[str | None]]:
        ear = Ear()
        async with conversation(Relay(), Fragile(), ear) as talk:
            await talk.say(Word("a"), Word("bad"), Word("b"))
            await asyncio.sleep(1)
        return ear.texts, talk.complaints, [error.processor for error in talk.errors]

    texts, complaints, culprits = run(main())
    assert texts == ["a", "b"]
    assert culprits == ["Fragile#0"]
    assert "Fragile#0 failed on Word#" in complaints[0]
    assert "no such word" in complaints[0]


def test_pushing_an_end_frame_asks_the_task_to_end() -> None:
    """A processor ends the conversation by pushing an EndFrame; everybody gets one, once."""

    class Ender(Everything):
        @handles(Word)
        async def word(self, frame: Word, direction: FrameDirection) -> None:
            await self.push_frame(frame, direction)
            await self.push_frame(EndFrame(reason="said goodbye"), direction)

    async def main() -> tuple[list[list[str]], list[str]]:
        parts: list[Everything] = [Everything(), Ender(), Everything()]
        ear = Ear()
        task = PipelineTask(Pipeline([*parts, ear]))
        await task.queue_frame(Word("bye"))
        await task.run()
        return [part.kinds for part in parts], ear.texts

    kinds, texts = run(main())
    assert [seen.count("EndFrame") for seen in kinds] == [1, 1, 1]
    assert texts == ["bye"]


def test_only_a_task_starts() -> None:
    """Pushing a StartFrame is refused with an error that says so."""

    async def main() -> None:
        relay = Relay()
        async with conversation(relay):
            with pytest.raises(KernelError, match="only a task starts"):
                await relay.push_frame(StartFrame())

    run(main())


def test_outside_a_pipeline_pushing_says_what_to_do() -> None:
    """A processor without a pipeline raises an error that names it and the remedy."""
    with pytest.raises(NotInPipelineError, match="Relay is in no pipeline: put it into a Pipeline"):
        Relay().push_frame(Word("a"))


def test_a_processor_has_one_place() -> None:
    """Wiring a processor twice is refused."""
    relay = Relay(name="mine")
    PipelineTask(Pipeline([relay]))
    with pytest.raises(AlreadyInPipelineError, match="mine is in a pipeline already"):
        PipelineTask(Pipeline([relay]))


def test_a_processor_may_be_used_again_after_its_conversation() -> None:
    """When a conversation is over its processors can be wired into the next."""

    async def main() -> list[str]:
        ear = Ear()
        for text in ("a", "b"):
            async with conversation(ear) as talk:
                await talk.say(Word(text))
        return ear.texts

    assert run(main()) == ["a", "b"]


def test_two_methods_for_one_type_are_refused() -> None:
    """A class that declares a type twice is an error when it is defined."""
    with pytest.raises(ConfigurationError, match=r"Torn.*both handle Word"):

        class Torn(FrameProcessor):
            @handles(Word)
            async def one(self, frame: Word, direction: FrameDirection) -> None: ...

            @handles(Word)
            async def two(self, frame: Word, direction: FrameDirection) -> None: ...


def test_handles_takes_frame_types() -> None:
    """Decorating with anything but frame types is an error at once."""
    not_a_frame: Any = str
    with pytest.raises(ConfigurationError, match="takes frame types"):
        handles(not_a_frame)


def test_a_full_mailbox_names_the_processor_that_does_not_keep_up() -> None:
    """Pushing at a full mailbox fails with an error naming whose it is."""

    class Tiny(Relay):
        mailbox_capacity = 5

        @handles(Word)
        async def word(self, frame: Word, direction: FrameDirection) -> None:
            await asyncio.sleep(1)

    async def main() -> list[str]:
        async with conversation(Relay(), Tiny()) as talk:
            await talk.say(*(Word(str(n)) for n in range(20)))
            await asyncio.sleep(30)
        return talk.complaints

    complaints = run(main())
    assert complaints
    assert all("the mailbox of Tiny#0 is full" in text for text in complaints)


def test_pause_holds_the_very_next_frame_and_an_interruption_does_not_lift_it() -> None:
    """A paused processor handles nothing ordered until it is resumed, interrupted or not."""

    async def main() -> tuple[list[str], list[str]]:
        relay = Relay()
        async with conversation(relay, Ear()) as talk:
            await relay.pause_processing_frames()
            await talk.say(Vow("a"), Word("b"))
            await asyncio.sleep(1)
            await talk.interrupt()
            await talk.say(Word("c"))
            await asyncio.sleep(1)
            before = list(relay.seen)
            await relay.resume_processing_frames()
            await asyncio.sleep(1)
        return before, relay.seen

    assert run(main()) == ([], ["a", "c"])


def test_names_are_counted_within_the_pipeline() -> None:
    """Unnamed processors are called TypeName#n, the same in every run of a program."""
    parts = [Relay(), Ear(), Relay(), Relay(name="own")]
    PipelineTask(Pipeline(parts))
    assert [part.name for part in parts] == ["Relay#0", "Ear#0", "Relay#1", "own"]


def test_a_push_takes_effect_at_the_call() -> None:
    """What is pushed is on its way before the awaitable is awaited."""

    async def main() -> list[str]:
        relay, ear = Relay(), Ear()
        async with conversation(relay, ear):
            relay.push_frame(Word("unawaited"), DOWN)
            await asyncio.sleep(1)
        return ear.texts

    assert run(main()) == ["unawaited"]


def test_an_interruption_frame_interrupts_whoever_pushes_it() -> None:
    """Pushing a new InterruptionFrame is an interruption; everybody is told once."""

    class Teller(FrameProcessor):
        def __init__(self) -> None:
            super().__init__()
            self.told = 0

        @handles(InterruptionFrame)
        async def interrupted(self, frame: InterruptionFrame, direction: FrameDirection) -> None:
            self.told += 1
            await self.push_frame(frame, direction)

    async def main() -> list[int]:
        parts = [Teller(), Teller(), Teller()]
        async with conversation(*parts):
            await parts[1].push_frame(InterruptionFrame())
            await asyncio.sleep(1)
        return [part.told for part in parts]

    assert run(main()) == [1, 1, 1]


def test_frames_are_compared_by_identity() -> None:
    """Two frames with the same content are two frames."""

    class Plain(DataFrame):
        text: str

    assert Plain("a") != Plain("a")
