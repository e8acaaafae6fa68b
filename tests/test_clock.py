"""The clock of a conversation: the loop's time, and dates that follow it."""

from __future__ import annotations

import asyncio
import datetime

from antiphon.clock import Clock
from antiphon.simulation.loop.virtual_time import VirtualTimeLoop, run


def test_time_is_the_loops() -> None:
    """`now` is the loop's time, `get_time` the nanoseconds since the clock was made."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(5)
        clock = Clock()
        await asyncio.sleep(1.25)
        assert clock.now() == loop.time()
        assert clock.get_time() == 1_250_000_000

    run(main())


def test_dates_follow_the_loop() -> None:
    """An hour of virtual time is an hour on the wall; timestamps are ISO 8601 in UTC."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        clock = Clock()
        before = clock.wall()
        assert before == datetime.datetime.fromtimestamp(loop.wall_time(), datetime.UTC)
        await asyncio.sleep(3_600)
        assert clock.wall() - before == datetime.timedelta(hours=1)
        assert (
            datetime.datetime.fromisoformat(clock.timestamp()).utcoffset() == datetime.timedelta()
        )

    run(main())


def test_on_a_plain_loop_the_wall_clock_is_the_systems() -> None:
    """It is read once, so a step of the system's clock does not reorder messages."""

    async def main() -> float:
        clock = Clock()
        return abs((datetime.datetime.now(datetime.UTC) - clock.wall()).total_seconds())

    assert asyncio.run(main()) < 5
