"""One connection that speaks and listens at once: several requests, liveness, threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from antiphon.errors import ConnectivityError, MailboxFullError, ServerError
from antiphon.kernel.mailbox import Feed
from antiphon.services.connection_exchange import Exchange, Liveness, ThreadFeed
from antiphon.simulation.loop.virtual_time import run


class Echo:
    """The other end: answers each message, in capitals, after a while; "bye" hangs up."""

    opened = 0

    def __init__(self, delay: float = 0.1, *, deaf_after: int = 10_000) -> None:
        self.sent: list[str] = []
        self.closed = False
        self._delay, self._deaf_after = delay, deaf_after
        self._answers: Feed[str] = Feed(name="answers")

    @classmethod
    def maker(cls, made: list[Echo], **options: float) -> object:
        """What an exchange opens connections with."""

        async def make() -> Echo:
            await asyncio.sleep(0.05)
            made.append(cls(**options))  # type: ignore[arg-type]
            return made[-1]

        return make

    async def send(self, message: str) -> None:
        """Takes a message."""
        if message == "boom":
            raise OSError("broken pipe")
        self.sent.append(message)
        if message == "bye":
            self._answers.close()
        elif len(self.sent) <= self._deaf_after:
            asyncio.get_running_loop().call_later(self._delay, self._answers.put, message.upper())

    def __aiter__(self) -> AsyncIterator[str]:
        return self._answers

    async def close(self) -> None:
        """Hangs up."""
        self.closed = True
        self._answers.close()


def exchange(
    made: list[Echo], *, liveness: Liveness | None = None, **options: float
) -> Exchange[str, str]:
    """An exchange with echoes, whose messages are `key:text`."""
    return Exchange(
        "echo",
        Echo.maker(made, **options),  # type: ignore[arg-type]
        key_of=lambda message: message.split(":")[0].lower(),
        liveness=liveness,
    )


async def spoken(*words: str, pause: float = 0.3) -> AsyncIterator[str]:
    """Inputs, with pauses."""
    for word in words:
        await asyncio.sleep(pause)
        yield word


def test_a_conversation_speaks_while_it_listens() -> None:
    """Answers come between the inputs; the last message ends it, and the connection is closed."""
    made: list[Echo] = []

    async def main() -> list[tuple[str, float]]:
        clock = asyncio.get_running_loop().time
        talk = exchange(made).converse(spoken("a", "b"), lambda word: [word], last=["bye"])
        async with aclosing(talk) as replies:
            return [(reply, round(clock(), 2)) async for reply in replies]

    assert run(main()) == [("A", 0.45)]
    assert made[0].sent == ["a", "b", "bye"]
    assert made[0].closed


def test_closing_the_iterator_hangs_up() -> None:
    """Nothing goes on."""
    made: list[Echo] = []

    async def main() -> None:
        talk = exchange(made).converse(spoken(*"abcdef"), lambda word: [word])
        async with aclosing(talk) as replies:
            assert await anext(replies) == "A"

    run(main())
    assert made[0].closed
    assert made[0].sent == ["a"]


@pytest.mark.parametrize(("word", "kind"), [("boom", ConnectivityError), ("odd", ServerError)])
def test_what_cannot_be_sent_fails_the_conversation(word: str, kind: type[Exception]) -> None:
    """Errors of the SDK and of the adapter's own encoding are ours."""
    made: list[Echo] = []

    def encode(word: str) -> list[str]:
        if word == "odd":
            raise KeyError(word)
        return [word]

    async def main() -> None:
        async with aclosing(exchange(made).converse(spoken("a", word), encode)) as replies:
            with pytest.raises(kind):
                async for _ in replies:
                    pass

    run(main())
    assert made[0].closed


def test_requests_share_a_connection() -> None:
    """Three at once: each gets its own replies, over one connection."""
    made: list[Echo] = []

    async def ask(line: Exchange[str, str], key: str) -> list[str]:
        async with line.request(key) as channel:
            for text in "xy":
                await channel.send(f"{key}:{text}")
            return [await anext(channel) for _ in range(2)]

    async def main() -> list[list[str]]:
        line = exchange(made)
        try:
            return list(await asyncio.gather(*(ask(line, key) for key in "abc")))
        finally:
            await line.close()

    assert run(main()) == [[f"{key}:X", f"{key}:Y"] for key in "ABC"]
    assert len(made) == 1
    assert made[0].closed


def test_when_a_connection_fails_its_requests_do_and_the_next_opens_another() -> None:
    """The error names the vendor."""
    made: list[Echo] = []

    async def main() -> None:
        line = exchange(made, liveness=Liveness(quiet_secs=2.0), deaf_after=1)
        async with line.request("a") as one, line.request("b") as two:
            await one.send("a:x")
            assert await anext(one) == "A:X"
            await two.send("b:x")
            for channel in (one, two):
                with pytest.raises(ConnectivityError, match="echo has been silent for 2 s"):
                    await anext(channel)
        async with line.request("c") as three:
            await three.send("c:x")
            assert await anext(three) == "C:X"
        await line.close()

    run(main())
    assert len(made) == 2
    assert all(echo.closed for echo in made)


def test_an_idle_connection_is_kept_alive() -> None:
    """Every five seconds, and never beside other messages."""
    made: list[Echo] = []

    async def main() -> None:
        line = exchange(made, liveness=Liveness(keep_alive=lambda: "ping", quiet_secs=3.0))
        async with line.request("a") as channel:
            await channel.send("a:x")
            await asyncio.sleep(21.0)
            assert await anext(channel) == "A:X"
        await line.close()

    run(main())
    assert made[0].sent == ["a:x", *["ping"] * 4]


def test_a_connection_that_cannot_be_opened_is_a_failure() -> None:
    """Whatever the SDK raises."""

    async def broken() -> Echo:
        raise ZeroDivisionError

    async def main() -> None:
        line: Exchange[str, str] = Exchange("echo", broken)
        with pytest.raises(ServerError, match="echo raised ZeroDivisionError"):
            async with line.request("a"):
                pass

    run(main())


def test_threads_feed_the_loop() -> None:
    """Items in order, then the end or the error; one that is full fails."""

    async def main() -> None:
        feed: ThreadFeed[int] = ThreadFeed(limit=10, name="azure")
        for number in range(3):
            feed.put(number)
        feed.close()
        assert [item async for item in feed] == [0, 1, 2]
        feed = ThreadFeed(limit=10, name="azure")
        feed.fail(RuntimeError("from a thread"))
        with pytest.raises(ServerError, match="azure raised RuntimeError: from a thread"):
            await anext(feed)
        feed = ThreadFeed(limit=2, name="azure")
        for number in range(5):
            feed.put(number)
        await asyncio.sleep(0)
        with pytest.raises(MailboxFullError):
            async for _ in feed:
                pass

    run(main())
