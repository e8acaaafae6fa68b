"""PipelineRunner: many conversations, and signals."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from antiphon.errors import KernelError
from antiphon.frames.lifecycle import EndFrame, StartFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.runner import PipelineRunner
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Custom, Ear, Relay, Slow, Vow, Word


def test_a_runner_runs_many_tasks_and_raises_what_failed() -> None:
    """All tasks run to their end; the failure of one is raised then."""

    class NeverStarts(FrameProcessor):
        @handles(StartFrame)
        async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
            await asyncio.sleep(1000)

    async def main() -> list[str]:
        ear = Ear()
        good = PipelineTask(Pipeline([Slow(30), ear]))
        bad = PipelineTask(Pipeline([NeverStarts()]), start_timeout_secs=1)
        await good.queue_frames([Word("a"), EndFrame()])
        with pytest.raises(KernelError, match="did not start within 1 s"):
            await PipelineRunner(handle_sigint=False).run(good, bad)
        return ear.texts

    assert run(main()) == ["a"]


def test_a_runner_cancels_everything() -> None:
    """cancel() ends every conversation and returns when they have ended."""

    async def main() -> bool:
        runner = PipelineRunner(handle_sigint=False)
        tasks = [PipelineTask(Pipeline([Relay()])) for _ in range(3)]
        running = asyncio.get_running_loop().create_task(runner.run(*tasks))
        await asyncio.sleep(1)
        assert len(runner.tasks) == 3
        await runner.cancel()
        finished = all(task.has_finished() for task in tasks)
        await running
        return finished

    assert run(main())


@pytest.mark.parametrize("signals", [1, 2])
def test_the_first_signal_ends_gracefully_and_the_second_cancels(signals: int) -> None:
    """SIGINT lets queued frames be handled; a second one does not wait for them."""

    async def main() -> tuple[list[str], list[str]]:
        release = asyncio.Event()
        kinds: list[str] = []

        async def wait(self: Custom, frame: Word | Vow) -> None:
            await release.wait()
            await self.push_frame(frame)

        ear = Ear()
        task = PipelineTask(Pipeline([Custom(wait), ear]))
        task.add_event_handler("on_pipeline_finished", lambda t, f: kinds.append(type(f).__name__))
        await task.queue_frame(Word("a"))

        @task.event_handler("on_pipeline_started")
        async def started(task: PipelineTask, frame: StartFrame) -> None:
            for _ in range(signals):
                os.kill(os.getpid(), signal.SIGINT)
            if signals == 1:
                asyncio.get_running_loop().call_later(0.05, release.set)

        runner = PipelineRunner(grace_secs=30)
        async with asyncio.timeout(10):
            await runner.run(task)
        return ear.texts, kinds

    texts, kinds = asyncio.run(main())
    assert (texts, kinds) == ((["a"], ["EndFrame"]) if signals == 1 else ([], ["CancelFrame"]))


def test_signals_are_seen_as_long_as_one_conversation_runs() -> None:
    """That the first of two runs has ended takes the signal from nobody; the next one is new."""

    async def main() -> list[str]:
        runner = PipelineRunner()
        kinds: list[str] = []
        tasks = [PipelineTask(Pipeline([Relay()])) for _ in range(3)]
        for task in tasks:
            task.add_event_handler(
                "on_pipeline_finished", lambda _, frame: kinds.append(type(frame).__name__)
            )
        loop = asyncio.get_running_loop()
        first, second = (loop.create_task(runner.run(task)) for task in tasks[:2])
        await asyncio.sleep(0)
        await tasks[0].stop_when_done()
        await first
        os.kill(os.getpid(), signal.SIGINT)
        await second
        third = loop.create_task(runner.run(tasks[2]))
        await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGINT)
        await third
        return kinds

    assert asyncio.run(main()) == ["EndFrame", "EndFrame", "EndFrame"]


def test_a_runner_works_where_no_signals_can_be_had() -> None:
    """In a thread of a larger program signals are that program's; conversations run there."""
    finished: list[bool] = []

    def in_a_thread() -> None:
        async def main() -> bool:
            task = PipelineTask(Pipeline([Relay()]))
            await task.stop_when_done()
            await PipelineRunner(handle_sigterm=True).run(task)
            return task.has_finished()

        finished.append(asyncio.run(main()))

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join(10)
    assert finished == [True]


def _held_up(number: signal.Signals, runner: PipelineRunner) -> tuple[str, float]:
    """A conversation whose handler never returns gets a signal: how it ended, and how fast."""

    async def main() -> tuple[str, float]:
        loop = asyncio.get_running_loop()

        async def hang(self: Custom, frame: Word | Vow) -> None:
            os.kill(os.getpid(), number)
            await loop.create_future()

        kinds: list[str] = []
        task = PipelineTask(Pipeline([Custom(hang)]))
        task.add_event_handler("on_pipeline_finished", lambda t, f: kinds.append(type(f).__name__))
        await task.queue_frame(Word("a"))
        start = loop.time()
        async with asyncio.timeout(10):
            await runner.run(task)
        return kinds[0], loop.time() - start

    return asyncio.run(main())


def test_a_graceful_end_that_takes_too_long_becomes_a_cancel() -> None:
    """One signal is enough: after `grace_secs` the conversation is cancelled."""
    how, secs = _held_up(signal.SIGINT, PipelineRunner(grace_secs=0.1))
    assert how == "CancelFrame"
    assert 0.1 <= secs < 5


def test_sigterm_is_handled_where_it_is_wanted() -> None:
    """A service manager's signal ends conversations as Ctrl-C does."""
    runner = PipelineRunner(handle_sigint=False, handle_sigterm=True, grace_secs=0.1)
    assert _held_up(signal.SIGTERM, runner)[0] == "CancelFrame"
