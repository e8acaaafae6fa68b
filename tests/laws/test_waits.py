"""Law 6: every wait has an owner and a deadline, and one session's failure touches no other."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.errors import StartTimeoutError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import StartFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.record.observer_log import ObserverLog
from tests.laws.plan import Bell, Flavour, Keep, Word
from tests.laws.scenario import silence, sweep


class Pit(FrameProcessor):
    """Never returns from whatever it handles."""

    stop_timeout_secs = 0.5

    @handles(Word, Keep, Bell)
    async def fall(self, frame: Frame, direction: FrameDirection) -> None:
        await asyncio.get_running_loop().create_future()


class Deaf(FrameProcessor):
    """Does not stop for twenty seconds when it is cancelled."""

    stop_timeout_secs = 0.5

    @handles(Word)
    async def persist(self, frame: Word, direction: FrameDirection) -> None:
        until = asyncio.get_running_loop().time() + 20.0
        while (left := until - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                continue


class Relay(FrameProcessor):
    """Notes and passes on."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    @handles(Word, Keep, Bell)
    async def relay(self, frame: Frame, direction: FrameDirection) -> None:
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.01)
        await self.push_frame(frame, direction)


class NeverStarts(FrameProcessor):
    """Hangs in its start."""

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        await asyncio.get_running_loop().create_future()


def test_random_conversations_end_in_time_and_leave_nothing() -> None:
    """Of 500 runs with hanging, refusing and failing parts each ends in time, without a leak."""
    assert sweep(range(500), Flavour.STUCK) == {}


def test_a_start_that_hangs_is_bounded() -> None:
    """A processor that never starts ends the conversation with an error that names it."""

    async def main() -> float:
        task = PipelineTask(Pipeline([Relay(), NeverStarts()]), start_timeout_secs=3.0)
        with pytest.raises(StartTimeoutError, match="NeverStarts"):
            await task.run()
        return asyncio.get_running_loop().time()

    assert run(main()) <= 3.0 + 5.0


@pytest.mark.parametrize("kind", [Word, Keep, Bell])
@pytest.mark.parametrize("count", [1, 6])
def test_an_end_through_hanging_handlers_is_bounded(kind: type[Frame], count: int) -> None:
    """Handlers that never return cost the end their deadline, once each, whatever they handle."""

    async def main() -> float:
        pits = [Pit() for _ in range(count)]
        task = PipelineTask(Pipeline(pits), end_timeout_secs=2.0, cancel_timeout_secs=1.0)
        running = asyncio.get_running_loop().create_task(task.run())
        for pit in pits:
            await asyncio.sleep(0)
            pit.queue_frame(kind())
            pit.queue_frame(kind())
        await task.stop_when_done()
        await asyncio.wait({running}, timeout=600)
        assert running.done()
        return asyncio.get_running_loop().time()

    with silence():
        assert run(main()) <= count * (10.0 if kind is Bell else 4.0) + 25.0


def test_a_handler_that_refuses_to_stop_is_abandoned() -> None:
    """The next frame is handled when the deadline of the refusing handler has passed."""

    async def main() -> float:
        deaf, relay = Deaf(), Relay()
        task = PipelineTask(Pipeline([deaf, relay]), cancel_timeout_secs=1.0)
        running = asyncio.get_running_loop().create_task(task.run())
        await task.queue_frame(Word())
        await asyncio.sleep(1.0)
        await deaf.broadcast_interruption()
        await deaf.push_frame(Keep())
        await task.queue_frame(Word())
        await asyncio.sleep(0.2)
        assert len(relay.times) == 1
        await task.cancel()
        await running
        at = asyncio.get_running_loop().time()
        await asyncio.sleep(60.0)
        return at

    with silence():
        assert run(main()) < 4.0


def _talk(relays: list[Relay], log: ObserverLog) -> PipelineTask:
    return PipelineTask(Pipeline(relays), observers=[log], idle_timeout_secs=None)


@pytest.mark.parametrize("with_neighbour", [False, True])
def test_one_sessions_failure_touches_no_other(with_neighbour: bool) -> None:
    """A conversation is the same to the byte beside one that hangs, fails and is cancelled."""
    log = ObserverLog()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        good = _talk([Relay() for _ in range(5)], log)
        tasks = [loop.create_task(good.run())]
        bad = PipelineTask(Pipeline([Relay(), Pit(), Deaf(), Relay()]), cancel_timeout_secs=1.0)
        if with_neighbour:
            tasks.append(loop.create_task(bad.run()))
            await bad.queue_frames([kind() for kind in (Word, Keep, Bell) for _ in range(20)])
        for step in range(100):
            await good.queue_frame((Word, Keep, Bell)[step % 3]())
            await asyncio.sleep(0.03)
            if step == 50 and with_neighbour:
                cancelling = loop.create_task(bad.cancel())
                tasks.append(cancelling)
        await good.stop_when_done()
        await asyncio.wait(tasks)
        await asyncio.sleep(30.0)

    with silence():
        run(main())
    expected = _alone_log.setdefault("alone", log.text)
    assert len(log.lines) > 500
    assert log.text == expected


_alone_log: dict[str, str] = {}
