"""Mistakes that programs make get one error each: it names the culprit and the remedy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, NamedTuple, cast

import pytest

from antiphon.errors import AlreadyInPipelineError, ConfigurationError, UnknownEventError
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.runner import PipelineRunner
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from tests.kernel.parts import Ear, Relay, Word, conversation


@pytest.mark.parametrize(
    ("thing", "says"),
    [("hi", "'hi', which is no frame: wrap it"), (None, "None, which"), (Word, "call it")],
)
def test_anything_but_a_frame_is_refused_where_it_is_given(thing: Any, says: str) -> None:
    """Strings, None and classes of frames, at every entrance; nothing of them gets in."""

    async def main() -> list[str]:
        relay, ear = Relay(), Ear()
        said: list[str] = []
        async with conversation(relay, ear) as talk:
            entrances: list[Callable[[Any], Any]] = [
                talk.task.queue_frame,
                relay.push_frame,
                relay.queue_frame,
                relay.emitter().push_frame,
            ]
            if not isinstance(thing, type):  # which broadcast_frame takes
                entrances.append(relay.broadcast_frame)
            for entrance in entrances:
                with pytest.raises(ConfigurationError) as caught:
                    await entrance(thing)
                said.append(str(caught.value))
            await talk.say(Word("fine"))
        assert ear.texts == ["fine"]
        return said

    said = run(main())
    assert all(says in text for text in said)
    assert "the task was given" in said[0]
    assert all("Relay#0 was given" in text for text in said[1:])


def test_a_handler_is_async() -> None:
    """A plain function, or one that yields, is refused when the class is defined."""
    with pytest.raises(ConfigurationError, match=r"Plain\.take .*`async def`"):

        class Plain(FrameProcessor):
            @handles(Word)  # type: ignore[arg-type]
            def take(self, frame: Word, direction: FrameDirection) -> None: ...

    with pytest.raises(ConfigurationError, match=r"Yields\.take .*`yield`"):

        class Yields(FrameProcessor):
            @handles(Word)  # type: ignore[arg-type]
            async def take(self, frame: Word, direction: FrameDirection) -> AsyncIterator[int]:
                yield 1


def test_a_handler_takes_a_frame_and_its_direction() -> None:
    """Another number of arguments is refused when the class is defined."""
    with pytest.raises(ConfigurationError, match=r"Short\.take .*take\(self, frame, direction\)"):

        class Short(FrameProcessor):
            @handles(Word)  # type: ignore[arg-type]
            async def take(self, frame: Word) -> None: ...

    with pytest.raises(ConfigurationError, match=r"Long\.take .*take\(self, frame, direction\)"):

        class Long(FrameProcessor):
            @handles(Word)  # type: ignore[arg-type]
            async def take(self, frame: Word, direction: FrameDirection, more: int) -> None: ...


def test_handles_needs_its_parentheses() -> None:
    """Without them the method is taken for a frame type, and the error shows how it is written."""
    with pytest.raises(ConfigurationError, match=r"as in @handles\(TextFrame\)"):

        class Bare(FrameProcessor):
            @handles  # type: ignore[call-overload]
            async def take(self, frame: Word, direction: FrameDirection) -> None: ...


def test_an_event_handler_needs_a_name() -> None:
    """Without it the function is taken for the name, and the error shows how it is written."""

    async def on_pipeline_started(task: PipelineTask) -> None: ...

    task = PipelineTask(Pipeline([Relay()]))
    with pytest.raises(UnknownEventError, match="takes the name of an event"):
        task.event_handler(cast("str", on_pipeline_started))


def test_a_pipeline_takes_a_list() -> None:
    """One processor by itself is no list of processors."""
    with pytest.raises(ConfigurationError, match="takes a list of processors"):
        Pipeline(cast("list[FrameProcessor]", Relay()))


def test_a_pipeline_that_cannot_be_wired_leaves_its_processors_free() -> None:
    """After the mistake is mended they can be used."""

    async def main() -> list[str]:
        relay, ear = Relay(), Ear()
        with pytest.raises(AlreadyInPipelineError, match="Relay#0"):
            PipelineTask(Pipeline([relay, ear, relay]))
        async with conversation(relay, ear) as talk:
            await talk.say(Word("a"))
            await asyncio.sleep(1)
            return ear.texts

    assert run(main()) == ["a"]


def test_tasks_and_runners_take_what_they_take() -> None:
    """Parameters as a dict, a rate of nothing, a pipeline to run: one error each, at once."""
    with pytest.raises(ConfigurationError, match=r"takes PipelineParams, not \{"):
        PipelineTask(Pipeline([Relay()]), params=cast("PipelineParams", {"enable_metrics": True}))
    with pytest.raises(ConfigurationError, match="audio_in_sample_rate must be more than 0"):
        PipelineParams(audio_in_sample_rate=0)
    with pytest.raises(
        ConfigurationError, match="idle_timeout_secs is a number of seconds, more than 0, or None"
    ):
        PipelineTask(Pipeline([Relay()]), idle_timeout_secs=0)
    with pytest.raises(ConfigurationError, match="takes PipelineTasks, not"):
        asyncio.run(PipelineRunner().run(cast("PipelineTask", Pipeline([Relay()]))))


def test_a_forgotten_await_changes_nothing() -> None:
    """Pushing, pausing and ending take effect at the call."""

    async def main() -> list[str]:
        ear = Ear()
        task = PipelineTask(Pipeline([ear]))
        running = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(1)
        ear.pause_processing_frames()
        task.queue_frame(Word("a"))
        await asyncio.sleep(1)
        assert ear.texts == []
        ear.resume_processing_frames()
        task.stop_when_done()
        await running
        return ear.texts

    assert run(main()) == ["a"]


class Pair(NamedTuple):
    """Like a pair of aggregators."""

    user: Relay
    assistant: Relay


class Line:
    """Like a transport."""

    def input(self) -> Relay:
        return Relay()

    def output(self) -> Relay:
        return Relay()


class Vendor:
    """Like a provider."""

    def synthesize(self, text: str) -> None: ...


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (Pair(Relay(), Relay()), r"a Pair: .*pair\.user and pair\.assistant"),
        (Line(), r"a Line: .*transport\.input\(\) first, and transport\.output\(\)"),
        (Vendor(), r"the provider Vendor: .*TTSService\(provider\)"),
        (Relay, r"the class Relay: call it"),
        ([Relay()], r"the list .*write \*parts"),
        ("stt", r"not 'stt'"),
    ],
)
def test_a_pipeline_says_what_to_write_for_what_it_cannot_hold(part: Any, says: str) -> None:
    """Pairs, transports, providers, classes and lists each have their remedy."""
    with pytest.raises(ConfigurationError, match=says):
        Pipeline([part])


def test_a_pipeline_takes_one_list() -> None:
    """Processors one after the other are refused with the way it is written."""
    with pytest.raises(ConfigurationError, match=r"not 2 arguments: write Pipeline\(\[first"):
        Pipeline(cast("list[FrameProcessor]", Relay()), Relay())


@pytest.mark.parametrize("thing", [Word("a"), None, 5])
def test_queue_frames_takes_several(thing: Any) -> None:
    """One frame is refused with the name of what takes one."""

    async def main() -> None:
        async with conversation(Relay()) as talk:
            with pytest.raises(ConfigurationError, match=r"there is queue_frame\(\)"):
                await talk.task.queue_frames(thing)

    run(main())


@pytest.mark.parametrize("value", [-1, "20", float("nan"), True, None])
@pytest.mark.parametrize("name", ["start_timeout_secs", "end_timeout_secs", "cancel_timeout_secs"])
def test_timeouts_are_seconds(name: str, value: Any) -> None:
    """A negative one, a string, nothing: refused with the parameter's name and the value."""
    with pytest.raises(ConfigurationError, match=f"{name} is a number of seconds.*{value!r}"):
        PipelineTask(Pipeline([Relay()]), **{name: value})


def test_frames_after_the_end_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """With their number and the first of them, whether the end was queued or is over."""

    async def main(early: int, late: int) -> None:
        async with conversation(Relay()) as talk:
            await talk.task.stop_when_done()
            await talk.say(*(Word("early") for _ in range(early)))
        await talk.say(*(Word("late") for _ in range(late)))
        await asyncio.sleep(1)
        await talk.say(Word("later"))
        await asyncio.sleep(1)

    for early, late, says in ((2, 3, "2 frames were"), (0, 3, "3 frames were")):
        caplog.clear()
        run(main(early, late))
        reports = [r.message for r in caplog.records if "after the end" in r.message]
        assert [says in report and "Word#" in report for report in reports] == [True]
