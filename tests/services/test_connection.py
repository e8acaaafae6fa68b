"""A stream is read in order and no wait for it is endless; a provider is asked again wisely."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from antiphon.errors import (
    AntiphonError,
    AuthenticationError,
    ConfigurationError,
    ConnectivityError,
    QuotaError,
    RateLimitError,
    ServerError,
)
from antiphon.services.connection import SilenceError, StreamReader, as_failure
from antiphon.services.connection_policy import Availability, ConnectionPolicy
from antiphon.simulation.loop.virtual_time import run


async def paced(*pauses: float, error: BaseException | None = None) -> AsyncGenerator[int, None]:
    """Counts, with pauses before the numbers; then the error, if there is one."""
    for number, pause in enumerate(pauses):
        await asyncio.sleep(pause)
        yield number
    if error is not None:
        raise error


async def soon(reader: StreamReader[int], secs: float = 2.0) -> int:
    """The next item within so many seconds."""
    return await reader.next(asyncio.get_running_loop().time() + secs)


def test_items_come_in_order_and_then_the_end_or_the_error() -> None:
    """Everything that was given before a failure is handed over before it is raised."""

    async def main() -> None:
        reader = StreamReader(lambda: paced(0, 0, 1), who="a")
        assert [await soon(reader) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(StopAsyncIteration):
            await soon(reader)
        reader = StreamReader(lambda: paced(0, 0, error=RateLimitError("slowly")), who="b")
        await asyncio.sleep(1)
        assert [await soon(reader) for _ in range(2)] == [0, 1]
        with pytest.raises(RateLimitError, match="slowly"):
            await soon(reader)

    run(main())


@pytest.mark.parametrize(
    ("raised", "kind", "words"),
    [
        (TimeoutError("of its own"), ConnectivityError, "v raised TimeoutError: of its own"),
        (ConnectionResetError("gone"), ConnectivityError, "v raised ConnectionResetError: gone"),
        (ValueError("odd"), ServerError, "v raised ValueError: odd"),
        (asyncio.CancelledError(), ServerError, "v raised CancelledError"),
        (SystemExit(2), ServerError, "v raised SystemExit: 2"),
        (BaseException("a panic"), ServerError, "v raised BaseException: a panic"),
        (QuotaError("empty"), QuotaError, "empty"),
    ],
)
def test_whatever_a_stream_raises_is_a_failure_of_the_provider(
    raised: BaseException, kind: type[AntiphonError], words: str
) -> None:
    """Also its own cancellation and what ends a program: the reader gets one of our errors."""

    async def main() -> None:
        reader = StreamReader(lambda: paced(0, error=raised), who="v")
        assert await soon(reader) == 0
        with pytest.raises(kind, match=words) as caught:
            await soon(reader)
        assert not isinstance(caught.value, SilenceError)
        await reader.aclose()

    run(main())


def test_an_error_that_cannot_be_shown_is_a_failure_too() -> None:
    """Its class is named."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert "raised MuteError: <exception str() failed>" in str(as_failure(MuteError(), "v"))


def test_what_cannot_be_iterated_is_a_failure() -> None:
    """An adapter that returns no iterator, or raises when it is called."""

    def broken() -> AsyncIterator[int]:
        raise KeyError("settings")

    async def main() -> None:
        with pytest.raises(ServerError, match="KeyError"):
            await soon(StreamReader(broken, who="v"))

    run(main())


def test_silence_is_told_and_closing_stops_the_stream() -> None:
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
        reader = StreamReader(silent, who="silent")
        with pytest.raises(SilenceError, match="silent gave nothing for 3 s"):
            await soon(reader, 3)
        await reader.aclose()
        assert closed == [True]
        return loop.time()

    assert run(main()) == pytest.approx(3.5)


def test_a_deadline_moves_while_it_is_waited_for() -> None:
    """A provider that is given more to do has more time; one that must not hurry has no limit."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        reader = StreamReader(lambda: paced(4), who="slow")
        loop.call_later(1.0, lambda: reader.move(10.0))
        assert await reader.next(2.0) == 0
        reader = StreamReader(lambda: paced(100), who="slow")
        loop.call_later(1.0, lambda: reader.move(6.0))
        with pytest.raises(SilenceError):
            await reader.next()
        assert loop.time() == pytest.approx(6.0)
        await reader.aclose()

    run(main())


def test_with_one_item_ahead_the_stream_waits_for_its_reader() -> None:
    """It goes on when the next item is asked for, as if it were iterated directly."""
    made: list[int] = []

    async def counting() -> AsyncGenerator[int, None]:
        for number in range(100):
            made.append(number)
            yield number

    async def main() -> None:
        reader = StreamReader(counting, who="c", ahead=1)
        for number in range(5):
            assert await soon(reader) == number
            await asyncio.sleep(0.1)
            assert made == list(range(number + 1))
        await reader.aclose()
        made.clear()
        reader = StreamReader(counting, who="c", ahead=8)
        await asyncio.sleep(1)
        assert len(made) == 8, "reading ahead is bounded"
        await reader.aclose()

    run(main())


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
        reader = StreamReader(stubborn, who="X", grace_secs=2)
        with pytest.raises(SilenceError):
            await soon(reader, 1)
        await reader.aclose()
        taken = loop.time()
        over.append(True)
        await asyncio.sleep(10)
        return taken

    assert run(main()) == pytest.approx(3)
    assert "the stream of X did not stop within 2 s of being closed" in caplog.text


# ---- when a provider is asked again ------------------------------------------------------------

DOWN = ConnectivityError("down")


def test_waits_grow_to_the_longest_and_are_spread() -> None:
    """At once, then doubling up to 5 s; up to a quarter is left out, not the same every time."""
    policy = ConnectionPolicy()
    assert policy.wait(1, 0.0) == 0.0
    for failures, longest in [(2, 0.2), (3, 0.4), (4, 0.8), (6, 3.2), (7, 5.0), (10_000, 5.0)]:
        waits = {policy.wait(failures, now / 7) for now in range(100)}
        assert len(waits) > 50
        assert 0.75 * longest <= min(waits) < max(waits) <= longest


def test_an_outage_is_told_once_and_then_rarely_with_a_count() -> None:
    """By cause: at first, and when it has lasted 2 s, 20 s, 200 s."""
    provider, now, told = Availability(ConnectionPolicy()), 100.0, []
    while now < 700.0:
        news = provider.failed(DOWN, now)
        if news is not None:
            told.append((round(news.secs), news.count))
        now = provider.retry_at
    assert told[0][0] == 0
    assert len(told) == 4
    assert told[-1][1] > told[1][1] > 1
    assert provider.failed(RateLimitError("slow"), now) is not None, "another cause"
    assert provider.usable


def test_isolated_failures_never_add_up() -> None:
    """A stream that held for a while fails for the first time, as often as it does."""
    provider = Availability(ConnectionPolicy())
    for hour in range(100):
        now = hour * 600.0
        assert provider.failed(DOWN, now, held_secs=600.0) is not None
        assert provider.retry_at == now


def test_who_hurries_waits_the_shortest_time() -> None:
    """And never a longer one."""
    provider, now = Availability(ConnectionPolicy()), 0.0
    for _ in range(10):
        provider.failed(DOWN, now)
        now = provider.retry_at
    provider.failed(DOWN, now)
    assert provider.retry_at > now + 3
    provider.hurry(now)
    assert provider.retry_at == now + 0.2
    provider.hurry(now + 1)
    assert provider.retry_at == now + 0.2


def test_a_refusal_lasts_until_something_changes() -> None:
    """Then the provider is asked as if it had never failed."""
    provider = Availability(ConnectionPolicy())
    provider.failed(AuthenticationError("who?"), 5.0, refused=True)
    assert not provider.usable
    provider.revive()
    assert provider.usable
    assert provider.retry_at <= 5.0


@pytest.mark.parametrize(
    ("error", "retries", "elapsed", "again"),
    [
        (DOWN, 0, 0.1, True),
        (DOWN, 0, 60.0, True),
        (DOWN, 1, 0.1, True),
        (DOWN, 5, 14.9, True),
        (DOWN, 5, 15.1, False),
        (AuthenticationError("who?"), 0, 0.1, False),
        (ConfigurationError("no"), 0, 0.1, False),
    ],
)
def test_a_request_is_tried_again_while_that_may_help(
    error: AntiphonError, retries: int, elapsed: float, again: bool
) -> None:
    """Once in any case, and then within the time to give up."""
    policy = ConnectionPolicy()
    wait = policy.delay(error, retries=retries, elapsed=elapsed, now=elapsed)
    assert (wait is not None) is again
    bounded = ConnectionPolicy(max_retries=retries)
    assert bounded.delay(error, retries=retries, elapsed=elapsed, now=elapsed) is None


@pytest.mark.parametrize("wrong", [{"stall_secs": 0.0}, {"max_retries": -1}, {"backoff_secs": -1}])
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    """Deadlines are above 0."""
    with pytest.raises(ConfigurationError, match="deadlines above 0"):
        ConnectionPolicy(**wrong)  # type: ignore[arg-type]
