"""Tests of `antiphon.transports.guard`."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from antiphon.errors import ConnectivityError
from antiphon.simulation.loop.virtual_time import run
from antiphon.transports.guard import FailureLog, Guard


def log(reports: list[str]) -> FailureLog:
    return FailureLog(
        "the caller's side of the output fails", lambda message, error: reports.append(message)
    )


async def fine() -> None:
    await asyncio.sleep(0.5)


async def hangs() -> None:
    await asyncio.sleep(1e6)


async def fails() -> None:
    raise ConnectionResetError("gone")


async def refuses() -> None:
    raise ConnectivityError("closed")


def test_each_call_has_its_own_deadline() -> None:
    """However long calls before it took, a call may take the whole time, and no more."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        reports: list[str] = []
        guard = Guard(log(reports), 5.0)
        for _ in range(9):
            assert await guard.call(fine)
        began = loop.time()
        assert not await guard.call(hangs)
        assert loop.time() - began == pytest.approx(5.0)
        assert await guard.call(fine)
        guard.close()
        assert reports == ["the caller's side of the output fails: it took nothing for 5 s"]

    run(main())


def test_what_hangs_again_and_again_costs_less_and_less() -> None:
    """Down to a tenth of a second; a success gives the next call the whole time again."""

    async def main() -> None:
        clock = asyncio.get_running_loop().time
        guard = Guard(log([]), 4.0)
        began, took = clock(), []
        for _ in range(8):
            assert not await guard.call(hangs)
            took.append(round(clock() - began, 6))
            began = clock()
        assert took == [4.0, 2.0, 1.0, 0.5, 0.25, 0.125, 0.1, 0.1]
        assert await guard.call(asyncio.sleep, 0.05)
        assert await guard.call(asyncio.sleep, 3.9)
        guard.close()

    run(main())


def test_failures_in_a_row_are_reported_once() -> None:
    """The next report comes after a success."""

    async def main() -> None:
        reports: list[str] = []
        guard = Guard(log(reports), 5.0)
        for call in (fails, refuses, fails, fine, refuses):
            await guard.call(call)
        guard.close()
        assert [report.rsplit(": ")[-1] for report in reports] == ["gone", "closed"]

    run(main())


def test_a_cancelled_caller_is_cancelled() -> None:
    """The end of the conversation is not mistaken for a failure of the other side."""

    async def main() -> None:
        reports: list[str] = []
        guard = Guard(log(reports), 5.0)
        task = asyncio.get_running_loop().create_task(guard.call(hangs))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        guard.close()
        assert reports == []

    run(main())


def test_a_deadline_leaves_nothing_behind() -> None:
    """After a call that ran out of time, also one that swallows its end, the caller waits well."""

    async def swallows() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1e6)

    async def main() -> None:
        reports: list[str] = []
        guard = Guard(log(reports), 5.0)
        task = asyncio.current_task()
        assert task is not None
        assert not await guard.call(hangs)
        assert task.cancelling() == 0
        assert await guard.call(swallows)
        assert task.cancelling() == 0
        await asyncio.sleep(1.0)
        guard.close()

    run(main())


def test_a_cancel_at_the_deadline_is_a_cancel() -> None:
    """Whoever cancels the caller in the moment in which time runs out is not ignored."""

    async def main() -> None:
        guard = Guard(log([]), 5.0)
        task = asyncio.get_running_loop().create_task(guard.call(hangs))
        asyncio.get_running_loop().call_later(5.0, task.cancel)
        await asyncio.wait([task])
        guard.close()
        assert task.cancelled()

    run(main())
