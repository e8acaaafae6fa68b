"""StreamReader: items in order, errors after them, and no wait without an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from antiphon.kernel.streams import StreamReader, StreamTimeoutError
from antiphon.simulation.loop.virtual_time import run


async def paced(*pauses: float, error: Exception | None = None) -> AsyncGenerator[int, None]:
    """Counts, with pauses before the numbers; then the error, if there is one."""
    for number, pause in enumerate(pauses):
        await asyncio.sleep(pause)
        yield number
    if error is not None:
        raise error


def test_items_come_in_order_and_then_the_end_or_the_error() -> None:
    """Everything that was given before a failure is handed over before it is raised."""

    async def main() -> None:
        reader = StreamReader(paced(0, 0, 1), name="a")
        assert [await reader.next(2) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(StopAsyncIteration):
            await reader.next(2)
        reader = StreamReader(paced(0, 0, error=TimeoutError("of its own")), name="b")
        await asyncio.sleep(1)
        assert [await reader.next(2) for _ in range(2)] == [0, 1]
        with pytest.raises(TimeoutError, match="of its own") as caught:
            await reader.next(2)
        assert not isinstance(caught.value, StreamTimeoutError)

    run(main())


def test_silence_is_a_timeout_and_closing_stops_the_stream() -> None:
    """The stream's own clean-up has run when aclose returns."""
    closed: list[bool] = []

    async def silent() -> AsyncGenerator[int, None]:
        try:
            await asyncio.sleep(60)
            yield 1
        finally:
            await asyncio.sleep(0.5)
            closed.append(True)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        reader = StreamReader(silent(), name="silent")
        with pytest.raises(StreamTimeoutError, match="silent gave nothing for 3 s"):
            await reader.next(3)
        await reader.aclose()
        assert closed == [True]
        return loop.time()

    assert run(main()) == pytest.approx(3.5)


def test_a_stream_that_swallows_its_cancellation_is_abandoned_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its reader waits the grace and no longer."""

    async def stubborn() -> AsyncGenerator[int, None]:
        while not over:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                continue
        yield 1

    over: list[bool] = []

    async def main() -> float:
        loop = asyncio.get_running_loop()
        reader = StreamReader(stubborn(), name="the stream of X", grace_secs=2)
        with pytest.raises(StreamTimeoutError):
            await reader.next(1)
        await reader.aclose()
        taken = loop.time()
        over.append(True)
        await asyncio.sleep(10)
        return taken

    assert run(main()) == pytest.approx(3)
    assert "the stream of X did not stop within 2 s of being closed" in caplog.text
