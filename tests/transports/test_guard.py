"""Tests of `antiphon.transports.guard`."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.errors import ConnectivityError
from antiphon.simulation.virtual_time import run
from antiphon.transports.guard import Guard


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
        guard = Guard(lambda message, error: reports.append(message), 5.0)
        for _ in range(9):
            assert await guard.call(fine())
        began = loop.time()
        assert not await guard.call(hangs())
        assert loop.time() - began == pytest.approx(5.0)
        assert await guard.call(fine())
        guard.close()
        assert reports == ["the caller's side of the output fails: it took nothing for 5 s"]

    run(main())


def test_failures_in_a_row_are_reported_once() -> None:
    """The next report comes after a success."""

    async def main() -> None:
        reports: list[str] = []
        guard = Guard(lambda message, error: reports.append(message), 5.0)
        for call in (fails(), refuses(), fails(), fine(), refuses()):
            await guard.call(call)
        guard.close()
        assert [report.rsplit(": ")[-1] for report in reports] == ["gone", "closed"]

    run(main())


def test_a_cancelled_caller_is_cancelled() -> None:
    """The end of the conversation is not mistaken for a failure of the other side."""

    async def main() -> None:
        reports: list[str] = []
        guard = Guard(lambda message, error: reports.append(message), 5.0)
        task = asyncio.get_running_loop().create_task(guard.call(hangs()))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        guard.close()
        assert reports == []

    run(main())
