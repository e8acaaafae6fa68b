"""Whatever user code raises, wherever the kernel calls it: it is reported, and the talk goes on."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from typing import Any

import pytest

from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import EndFrame, ErrorFrame, StartFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import BaseObserver, FramePushed
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Custom, Ear, Mark, OddError, Relay, Vow, Word, conversation


class WordlessError(Exception):
    """Cannot even be told."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")

    __str__ = __repr__


RAISED = [
    OddError("odd"),
    asyncio.CancelledError(),
    SystemExit(2),
    GeneratorExit(),
    WordlessError(),
]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_a_handler_may_raise_anything(error: BaseException) -> None:
    """The error is reported with the processor's name; the next frame is handled."""

    async def work(self: Custom, frame: Word | Vow) -> None:
        if frame.text == "bad":
            raise error
        await self.push_frame(frame)

    async def main() -> tuple[list[str], list[str]]:
        ear = Ear()
        async with conversation(Custom(work), ear) as talk:
            await talk.say(Word("bad"), Word("good"))
            await asyncio.sleep(1)
            return ear.texts, talk.complaints

    texts, complaints = run(main())
    assert texts == ["good"]
    assert ["Custom#0" in text and "Word#" in text for text in complaints] == [True]


class Fragile(Relay):
    """Raises at one of the kernel's frames, and in its clean-up."""

    def __init__(self, kind: type[StartFrame | EndFrame] | None, error: BaseException) -> None:
        super().__init__()
        self.kind, self.error = kind, error

    @handles(StartFrame, EndFrame)
    async def live(self, frame: StartFrame | EndFrame, direction: FrameDirection) -> None:
        if type(frame) is self.kind:
            raise self.error

    async def cleanup(self) -> None:
        if self.kind is None:
            raise self.error


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("kind", [StartFrame, EndFrame, None])
def test_a_life_goes_on_whatever_is_raised_in_it(
    kind: type[StartFrame | EndFrame] | None,
    error: BaseException,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A start or end that fails is reported; frames are handled and the conversation ends."""

    async def main() -> list[str]:
        fragile, last = Fragile(kind, error), Ear()
        async with asyncio.timeout(60), conversation(fragile, last) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(1)
        return last.texts

    assert run(main()) == ["a"]
    assert "Fragile#0 failed" in caplog.text


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_a_hook_may_raise_anything(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """Its name is logged, and the conversation goes on."""

    async def listen(task: PipelineTask, frame: StartFrame) -> None:
        raise error

    async def main() -> list[str]:
        ear = Ear()
        task = PipelineTask(Pipeline([ear]))
        task.add_event_handler("on_pipeline_started", listen)
        async with conversation(task) as talk:
            await talk.say(Word("a"))
        return ear.texts

    assert run(main()) == ["a"]
    assert "listen of on_pipeline_started failed" in caplog.text


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("bound", [False, True])
def test_a_task_may_raise_anything(error: BaseException, bound: bool) -> None:
    """It is reported as its processor's, and the conversation goes on."""

    async def work(self: Custom, frame: Word | Vow) -> None:
        async def fail() -> None:
            raise error

        if frame.text == "bad":
            self.create_task(fail(), name="failing", bound=bound)
        await self.push_frame(frame)

    async def main() -> tuple[list[str], list[str]]:
        ear = Ear()
        async with conversation(Custom(work), ear) as talk:
            await talk.say(Word("bad"))
            await asyncio.sleep(1)
            await talk.say(Word("good"))
            await asyncio.sleep(1)
            return ear.texts, talk.complaints

    texts, complaints = run(main())
    assert texts == ["bad", "good"]
    assert ["a task of Custom#0 failed" in text for text in complaints] == [True]


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_an_observer_may_raise_anything(error: BaseException) -> None:
    """It goes on being told, and the conversation goes on."""

    class Broken(BaseObserver):
        async def on_push_frame(self, data: FramePushed) -> None:
            seen.append(data.frame)
            raise error

    seen: list[Frame] = []

    async def main() -> list[str]:
        ear = Ear()
        task = PipelineTask(Pipeline([Relay(), ear]), observers=[Broken()])
        async with conversation(task) as talk:
            await talk.say(Word("a"), Word("b"))
            await asyncio.sleep(1)
        return ear.texts

    assert run(main()) == ["a", "b"]
    assert sum(isinstance(frame, Word) for frame in seen) == 4


def test_a_swallowed_cancellation_is_one_handler_less() -> None:
    """A handler that catches its cancellation and returns leaves the lane as it should be."""

    async def work(self: Custom, frame: Word | Vow) -> None:
        if frame.text == "deaf":
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            return
        await self.push_frame(frame)

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(Custom(work), ear) as talk:
            for number in range(3):
                await talk.say(Word("deaf"))
                await asyncio.sleep(1)
                await talk.interrupt()
                await talk.say(Word(str(number)))
                await asyncio.sleep(1)
            assert talk.complaints == []
        return ear.texts

    assert run(main()) == ["0", "1", "2"]


def test_the_users_own_interrupt_ends_the_program() -> None:
    """`KeyboardInterrupt` is no failure of a handler."""

    async def work(self: Custom, frame: Word | Vow) -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        task = PipelineTask(Pipeline([Custom(work)]))
        await task.queue_frame(Word("a"))
        await task.run()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())


def test_a_handler_that_is_closed_with_its_loop_is_silent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Closing a lane's coroutine is the end of it, and no failure of the handler."""
    stuck: list[asyncio.Task[Any]] = []

    async def work(self: Custom, frame: Word | Vow) -> None:
        stuck.extend(task for task in [asyncio.current_task()] if task is not None)
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        async with conversation(Custom(work), end=False) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(1)
            coro = stuck[0].get_coro()
            assert inspect.iscoroutine(coro)
            coro.close()
            stuck[0].cancel()

    run(main())
    assert "failed on" not in caplog.text


def test_a_task_that_dies_of_a_cancellation_nobody_sent_is_reported() -> None:
    """A reader that awaits something cancelled does not vanish in silence."""

    async def work(self: Custom, frame: Word | Vow) -> None:
        async def read() -> None:
            lost = asyncio.get_running_loop().create_future()
            lost.cancel()
            await lost

        async def rest() -> None:
            await asyncio.get_running_loop().create_future()

        self.create_task(read(), name="reader")
        await self.cancel_task(self.create_task(rest(), name="rest"))

    async def main() -> list[str]:
        async with conversation(Custom(work)) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(1)
            return talk.complaints

    complaints = run(main())
    assert len(complaints) == 1
    assert "a task of Custom#0 failed" in complaints[0]


class Small(Relay):
    """Has room for three frames, and takes ten seconds for each word."""

    mailbox_capacity = 3

    @handles(Word)
    async def slow(self, frame: Word, direction: FrameDirection) -> None:
        await asyncio.sleep(10)
        await self.relay(frame, direction)


class SlowToMark(FrameProcessor):
    """Handles marks, slowly; words wait behind them and flow past."""

    @handles(Mark)
    async def mark(self, frame: Mark, direction: FrameDirection) -> None:
        await asyncio.sleep(1)
        await self.push_frame(frame, direction)


def test_a_bystander_survives_that_the_next_mailbox_is_full() -> None:
    """What waited in it and finds no room is reported, one by one; later frames flow again."""

    async def main() -> tuple[list[str], list[str]]:
        ear = Ear()
        async with conversation(SlowToMark(), Small(), ear) as talk:
            await talk.say(Mark("m"), *(Word(str(n)) for n in range(6)))
            await asyncio.sleep(100)
            await talk.say(Mark("n"), Word("late"))
            await asyncio.sleep(50)
            return ear.texts, talk.complaints

    texts, complaints = run(main())
    assert texts == ["m", "0", "1", "n", "late"]
    assert len(complaints) == 4
    assert all("SlowToMark#0 could not pass on Word#" in text for text in complaints)


def test_the_end_finds_room_in_a_full_mailbox() -> None:
    """Neither capacity nor reserve keeps an EndFrame out."""

    class Full(Small):
        @handles(Vow)
        async def vow(self, frame: Vow, direction: FrameDirection) -> None:
            """Done with at once, when its turn comes."""

    async def main() -> None:
        full = Full()
        async with asyncio.timeout(100), conversation(full) as talk:
            await talk.say(Word("a"), *(Vow(str(n)) for n in range(1002)))

    run(main())


def test_one_branch_without_room_does_not_starve_the_others() -> None:
    """Each branch gets every frame; the error tells whose mailbox is full."""

    async def main() -> tuple[list[str], str]:
        other = Relay()
        async with conversation(ParallelPipeline([Small()], [other]), end=False) as talk:
            await talk.say(*(Word(str(n)) for n in range(3)))
            with pytest.raises(Exception, match="the mailbox of Small#0 is full") as caught:
                await talk.say(Word("3"))
            await asyncio.sleep(1)
            return other.seen, str(caught.value)

    assert run(main())[0] == ["0", "1", "2", "3"]


def test_an_error_that_nobody_can_be_told_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A flood of errors into a stuck handler of errors does not kill those who report."""

    class Stuck(FrameProcessor):
        mailbox_capacity = 1

        @handles(ErrorFrame)
        async def hang(self, frame: ErrorFrame, direction: FrameDirection) -> None:
            await asyncio.sleep(9)

    async def work(self: Custom, frame: Word | Vow) -> None:
        if frame.text != "last":
            raise ValueError(frame.text)
        await self.push_frame(frame)

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(Stuck(), Custom(work), ear, end=False) as talk:
            await talk.say(*(Word(str(n)) for n in range(1100)), Word("last"))
            await asyncio.sleep(1)
            return ear.texts

    assert run(main()) == ["last"]
    assert "nobody could be told: Custom#0 failed" in caplog.text
