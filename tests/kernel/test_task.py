"""PipelineTask: idle timeout, heartbeat, error policy, filters and hooks; PipelineRunner."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectivityError,
    UnknownEventError,
)
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import CancelFrame, EndFrame, ErrorFrame, StartFrame
from antiphon.frames.turns import BotSpeakingFrame
from antiphon.kernel.branches import Fork, ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.params import ErrorPolicy, PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import UP, Custom, Ear, Relay, Shout, Slow, Vow, Word, conversation


def test_an_idle_conversation_is_cancelled_after_its_timeout() -> None:
    """Without activity the hook fires and the conversation ends at the timeout."""

    async def main() -> tuple[float, list[str], object]:
        task = PipelineTask(Pipeline([Relay()]), idle_timeout_secs=60)
        log: list[str] = []
        last: list[object] = []
        task.add_event_handler("on_idle_timeout", lambda task: log.append("idle"))
        task.add_event_handler("on_pipeline_finished", lambda task, frame: last.append(frame))
        await task.run()
        return asyncio.get_running_loop().time(), log, last[0]

    ended, log, last = run(main())
    assert ended == pytest.approx(60, abs=0.1)
    assert log == ["idle"]
    assert isinstance(last, CancelFrame)
    assert last.reason == "idle timeout"


def test_only_the_chosen_frames_count_as_activity() -> None:
    """A chosen frame anywhere in the pipeline postpones the timeout; other frames do not."""

    async def main() -> float:
        relay = Relay()
        task = PipelineTask(
            Pipeline([Relay(), relay, Ear()]), idle_timeout_secs=60, idle_timeout_frames=(Shout,)
        )
        running = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(50)
        await relay.push_frame(Shout("here"))
        await asyncio.sleep(50)
        await relay.push_frame(Word("does not count"))
        await running
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(110, abs=0.1)


def test_the_default_activity_is_speech_and_the_timeout_may_only_warn() -> None:
    """With cancel_on_idle_timeout=False the hook fires again and again, and the talk goes on."""

    async def main() -> tuple[int, list[str]]:
        task = PipelineTask(
            Pipeline([ear := Ear()]), idle_timeout_secs=10, cancel_on_idle_timeout=False
        )
        fired: list[float] = []
        loop = asyncio.get_running_loop()
        task.add_event_handler("on_idle_timeout", lambda task: fired.append(loop.time()))
        async with conversation(task) as talk:
            await asyncio.sleep(5)
            await talk.say(BotSpeakingFrame())
            await asyncio.sleep(21)
            await talk.say(Word("still there"))
            await asyncio.sleep(1)
        return len(fired), ear.texts

    assert run(main()) == (2, ["still there"])


def test_a_pipeline_that_does_not_flow_misses_its_heartbeat() -> None:
    """on_heartbeat_timeout fires while a processor holds everything up, and only then."""

    async def main() -> tuple[list[float], float]:
        params = PipelineParams(enable_heartbeats=True, heartbeats_monitor_secs=5)
        task = PipelineTask(Pipeline([Slow(12)]), params=params)
        missed: list[float] = []
        loop = asyncio.get_running_loop()
        task.add_event_handler("on_heartbeat_timeout", lambda task: missed.append(loop.time()))
        async with conversation(task) as talk:
            await asyncio.sleep(20)
            assert missed == []
            await talk.say(Word("slow"))
            await asyncio.sleep(40)
        return missed, 20

    missed, start = run(main())
    assert len(missed) == 2
    assert start + 5 <= missed[0] <= start + 7


@pytest.mark.parametrize(
    ("policy", "last"),
    [(ErrorPolicy.CONTINUE, None), (ErrorPolicy.END, EndFrame), (ErrorPolicy.CANCEL, CancelFrame)],
)
def test_the_error_policy_decides_about_lasting_errors(
    policy: ErrorPolicy, last: type[Frame] | None
) -> None:
    """An error that cannot be retried continues, ends or cancels; a passing one never does."""

    async def troubled(self: Custom, frame: Word | Vow) -> None:
        if frame.text == "passing":
            raise ConnectivityError("try again")
        raise AuthenticationError("bad key")

    async def main() -> tuple[bool, list[Frame], list[ErrorFrame]]:
        task = PipelineTask(Pipeline([Custom(troubled)]), error_policy=policy)
        ended: list[Frame] = []
        task.add_event_handler("on_pipeline_finished", lambda task, frame: ended.append(frame))
        async with conversation(task) as talk:
            await talk.say(Word("passing"))
            await asyncio.sleep(1)
            alive = not ended
            await talk.say(Word("lasting"))
            await asyncio.sleep(1)
            early = list(ended)
        return alive, early, talk.errors

    alive, early, errors = run(main())
    assert alive
    assert [type(frame) for frame in early] == ([] if last is None else [last])
    assert [error.retryable for error in errors] == [True, False]
    assert [error.category.value for error in errors] == ["connectivity", "authentication"]


def test_reached_filters_choose_what_the_hooks_see() -> None:
    """Only frames of the chosen types fire, at the end they reach."""

    async def main() -> tuple[list[str], list[str]]:
        relay = Relay()
        task = PipelineTask(Pipeline([relay]))
        up: list[str] = []
        down: list[str] = []
        task.set_reached_upstream_filter((Shout,))
        task.set_reached_downstream_filter((Word, Vow))
        task.add_event_handler("on_frame_reached_upstream", lambda t, f: up.append(f.text))
        task.add_event_handler("on_frame_reached_downstream", lambda t, f: down.append(f.text))
        async with conversation(task) as talk:
            await talk.say(Word("a"), Shout("b"), Vow("c"))
            await relay.push_frame(Shout("d"), UP)
            await relay.push_frame(Word("e"), UP)
            await asyncio.sleep(1)
        return up, down

    assert run(main()) == (["d"], ["a", "c"])


def test_frames_may_enter_at_the_downstream_end() -> None:
    """queue_frame(frame, UPSTREAM) starts at the last processor."""

    async def main() -> list[list[str]]:
        parts = [Relay(), Relay()]
        order: list[str] = []
        async with conversation(*parts) as talk:
            await talk.task.queue_frame(Word("up"), UP)
            await asyncio.sleep(1)
        del order
        return [part.seen for part in parts]

    assert run(main()) == [["up"], ["up"]]


def test_queue_frames_takes_async_iterables() -> None:
    """Frames may come from a generator that takes its time."""

    async def frames() -> object:
        for number in range(3):
            await asyncio.sleep(1)
            yield Word(str(number))

    async def main() -> list[str]:
        ear = Ear()
        async with conversation(ear) as talk:
            await talk.task.queue_frames(frames())  # type: ignore[arg-type]
        return ear.texts

    assert run(main()) == ["0", "1", "2"]


def test_the_hooks_of_a_life_fire_once() -> None:
    """Started with the StartFrame, finished with the frame that ended it."""

    async def main() -> list[str]:
        task = PipelineTask(Pipeline([Ear()]))
        log: list[str] = []

        @task.event_handler("on_pipeline_started")
        async def started(task: PipelineTask, frame: StartFrame) -> None:
            log.append(type(frame).__name__)

        @task.event_handler("on_pipeline_finished")
        async def finished(task: PipelineTask, frame: Frame) -> None:
            await asyncio.sleep(0.5)  # still waited for
            log.append(type(frame).__name__)

        async with conversation(task):
            await asyncio.sleep(1)
        await task.cancel()
        return log

    assert run(main()) == ["StartFrame", "EndFrame"]


def test_an_unknown_event_is_an_error_at_once() -> None:
    """Registering for a misspelt event raises, with a suggestion."""
    task = PipelineTask(Pipeline([Ear()]))
    with pytest.raises(UnknownEventError, match="did you mean 'on_pipeline_started'"):
        task.event_handler("on_pipeline_start")


def test_a_task_takes_a_pipeline() -> None:
    """Anything else is refused when the task is made."""
    with pytest.raises(ConfigurationError, match="takes a Pipeline"):
        PipelineTask([Ear()])  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="made of processors"):
        Pipeline(["ear"])  # type: ignore[list-item]


def test_pipelines_nest() -> None:
    """A pipeline among processors behaves as its processors in a row."""

    async def main() -> tuple[list[str], list[str]]:
        inner, ear = Relay(), Ear()
        nested = Pipeline([Pipeline([inner]), Pipeline([])])
        async with conversation(Relay(), nested, ear) as talk:
            await talk.say(Word("a"))
        return inner.seen, ear.texts

    assert run(main()) == (["a"], ["a"])


def test_a_session_that_fails_does_not_touch_its_neighbour() -> None:
    """Of two conversations in one loop, one may crash and hang while the other goes on."""

    async def hangs(self: Custom, frame: Word | Vow) -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> list[str]:
        ear = Ear()
        bad = PipelineTask(Pipeline([Custom(hangs)]), end_timeout_secs=1000)
        async with conversation(ear) as good, conversation(bad, end=False) as talk:
            await talk.say(Word("x"))
            await asyncio.sleep(1)
            await talk.interrupt()
            await good.say(Word("fine"))
            await asyncio.sleep(1)
        return ear.texts

    assert run(main()) == ["fine"]


def test_frames_may_be_handed_from_one_conversation_to_another() -> None:
    """An interruption of the receiver does not make the giver's work void, nor the other way."""

    async def main() -> tuple[list[str], list[str]]:
        ear = Ear()
        receiver = PipelineTask(Pipeline([ear]))

        async def hand_over(self: Custom, frame: Word | Vow) -> None:
            await asyncio.sleep(1)
            await receiver.queue_frame(frame)
            await ear.queue_frame(Word(f"{frame.text} directly"))

        async with conversation(receiver) as there, conversation(Custom(hand_over)) as here:
            await here.say(Word("a"))
            await asyncio.sleep(0.5)
            await there.interrupt()
            await asyncio.sleep(1)
            await here.say(Word("b"))
            await asyncio.sleep(0.5)
            await here.interrupt()
            await asyncio.sleep(1)
        return ear.texts, here.complaints

    assert run(main()) == (["a", "a directly"], [])


def test_a_frame_comes_out_of_parallel_branches_once() -> None:
    """What passes several branches unchanged is released once; what a branch makes, each time."""

    class Doubles(FrameProcessor):
        @handles(Word)
        async def double(self, frame: Word, direction: FrameDirection) -> None:
            await self.push_frame(Word(f"{frame.text}{frame.text}"), direction)
            await self.push_frame(frame, direction)

    async def main() -> list[str]:
        ear = Ear()
        nested = ParallelPipeline([Relay()], [ParallelPipeline([], [Relay()])])
        branches = ParallelPipeline([Relay()], [Doubles()], [nested], [])
        async with conversation(branches, ear) as talk:
            for _ in range(3):
                await talk.say(Word("a"))
                await asyncio.sleep(1)
        return sorted(ear.texts)

    assert run(main()) == ["a"] * 3 + ["aa"] * 3


def test_branches_remember_nothing_of_frames_that_are_gone() -> None:
    """What a ParallelPipeline knows of released frames goes when the frames go."""

    class Swallow(FrameProcessor):
        @handles(Word)
        async def swallow(self, frame: Word, direction: FrameDirection) -> None: ...

    async def main() -> int:
        branches = ParallelPipeline([Swallow()], [Relay(), Swallow()])
        async with conversation(branches) as talk:
            for _ in range(1000):
                await talk.say(Word("a"))
            await asyncio.sleep(1)
            fork = talk.task._chain.nodes[0]
            assert isinstance(fork, Fork)
            return sum(len(known) for known in fork._passing.values())

    assert run(main()) <= 2


def test_branches_are_lists() -> None:
    """ParallelPipeline refuses anything but lists of processors, and no branches at all."""
    not_a_list: Any = Relay()
    with pytest.raises(ConfigurationError, match="at least one branch"):
        ParallelPipeline()
    with pytest.raises(ConfigurationError, match="is a list of processors"):
        ParallelPipeline([Relay()], not_a_list)
