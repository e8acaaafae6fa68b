"""A step that never ends is ended, and named."""

from __future__ import annotations

import asyncio
import signal
import sys
import time

import pytest

from antiphon.frames.text import TextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.simulation.loop.virtual_time import EndlessStepError, run, simulate
from antiphon.simulation.testing import run_test

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no timer of CPU time")


def spin() -> None:
    while True:
        pass


def burn(secs: float) -> None:
    until = time.thread_time() + secs
    while time.thread_time() < until:
        pass


def test_an_endless_step_is_ended_and_named() -> None:
    """The error names the task, the function, and the line in which it was found."""

    async def stuck() -> None:
        spin()

    async def main() -> None:
        await asyncio.create_task(stuck(), name="the stuck one")

    place = r"'the stuck one' in spin at test_watchdog\.py:\d+, called by .*stuck at"
    with pytest.raises(EndlessStepError, match=place):
        run(main(), step_limit_secs=0.2)


def test_code_that_catches_everything_it_may_does_not_escape() -> None:
    """`except Exception` does not keep an endless step alive."""

    async def main() -> None:
        while True:
            try:
                spin()
            except Exception:  # noqa: BLE001, S112 - that is what it is about
                continue

    with pytest.raises(EndlessStepError):
        run(main(), step_limit_secs=0.2)


def test_an_endless_callback_is_ended() -> None:
    """It need not be a task's step."""

    async def main() -> None:
        asyncio.get_running_loop().call_soon(spin)
        await asyncio.sleep(1)

    with pytest.raises(EndlessStepError, match="a callback in spin"):
        run(main(), step_limit_secs=0.2)


def test_a_handler_that_never_returns_is_found_in_a_pipeline() -> None:
    """What holds a handler up is named, though the kernel reports what handlers raise."""

    class Stuck(FrameProcessor):
        @handles(TextFrame)
        async def handle(self, frame: TextFrame, direction: FrameDirection) -> None:
            spin()

    with pytest.raises(EndlessStepError, match=r"Stuck#0 ordered.*spin at"):
        run(run_test(Stuck(), frames_to_send=[TextFrame("hi")]), step_limit_secs=0.2)


def test_steps_that_end_are_left_alone() -> None:
    """Many steps may take longer together than one may."""

    async def main() -> None:
        for _ in range(8):
            burn(0.05)
            await asyncio.sleep(0)

    run(main(), step_limit_secs=0.2)


def test_what_is_given_to_an_executor_may_take_long() -> None:
    """A model that computes inline is no endless loop."""

    async def main() -> None:
        await asyncio.to_thread(burn, 0.4)

    run(main(), step_limit_secs=0.2, executor_secs=0.01)


def test_watching_changes_nothing() -> None:
    """A run has the same fingerprint with and without it, and the signal is given back."""

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(asyncio.sleep(0.1))

    before = signal.getsignal(signal.SIGPROF)
    fingerprint = simulate(main(), seed=3).fingerprint
    assert simulate(main(), seed=3, step_limit_secs=None).fingerprint == fingerprint
    assert signal.getsignal(signal.SIGPROF) is before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_a_profiler_keeps_its_timer() -> None:
    """Where somebody else listens to the signal, nothing is watched."""

    def theirs(number: int, frame: object) -> None:
        """Nothing."""

    async def main() -> object:
        return signal.getsignal(signal.SIGPROF)

    before = signal.signal(signal.SIGPROF, theirs)
    try:
        assert run(main()) is theirs
    finally:
        signal.signal(signal.SIGPROF, before)
