"""What all kinds of providers share: a call gives an iterator, and closing it is the cancel.

`StreamSuite` uses a provider as its service does: one task connects, calls, and takes event after
event under `aclosing`. A kind of provider says how it is called and what its events must look like.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, cast

from antiphon.errors import ServiceError
from antiphon.services.contracts import Configurable
from antiphon.settings import ServiceSettings
from antiphon.simulation.contracts.suite import (
    ContractRule,
    Run,
    Suite,
    Violation,
    cancel_somewhere,
    name_of,
    require,
)

T = TypeVar("T")

FAILURES = 200
"""Calls out that are made to fail, one after the other, at most."""


class StreamProvider(Protocol):
    """What the three kinds share."""

    async def connect(self) -> None:
        """Prepares."""

    async def close(self) -> None:
        """Releases."""


P = TypeVar("P", bound=StreamProvider)


class Pieces(Generic[T]):
    """What a provider is fed: items and the seconds before each. Not a generator: nobody need
    close it.
    """

    def __init__(self, items: Iterable[tuple[float, T]]) -> None:
        self._items = iter(items)
        self.over = False
        """The call has ended: whoever asks now is a leftover of it."""
        self.asked_late: bool = False

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        self.asked_late = self.asked_late or self.over
        for secs, item in self._items:
            if secs:
                await asyncio.sleep(secs)
            return item
        raise StopAsyncIteration


Call = tuple[AsyncIterator[Any], "Pieces[Any] | None"]


@dataclass
class ProviderKind(Generic[P]):
    """One kind of provider.

    `inputs`: what it can be asked, by name; the first is the plain one. `judge(events, name)` is
    told all events of a call that ran to its end and raises a `Violation`.
    """

    inputs: dict[str, Callable[[P], Call]]
    judge: Callable[[P, list[Any], str], None]

    @property
    def plain(self) -> str:
        """The name of the plain input."""
        return next(iter(self.inputs))


@dataclass
class StreamSuite(Generic[P]):
    """All cases of a streaming provider."""

    call: str
    factory: Callable[[], P]
    kind: ProviderKind[P]
    seeds: int | Iterable[int]
    only: str | None = None
    failing: Callable[[int], P] | None = None
    held: Callable[[P], int] | None = None
    settings: Sequence[ServiceSettings] = ()
    suite: Suite = field(init=False)

    def run(self) -> int:
        """Runs all cases; returns the number of runs."""
        self.suite = suite = Suite(
            self.call, name_of(self.factory), self.seeds, self.only, stray=ContractRule.SEAM
        )
        for name in self.kind.inputs:
            suite.case(name, self._whole(name))
        suite.case("slow reader", self._slow_reader)
        suite.case("closed early", self._closed_early)
        suite.sweep("cancelled", self._cancelled)
        suite.sweep("closed", self._closed)
        if self.settings:
            suite.sweep("configured", self._configured)
        if self.failing is not None:
            suite.case("failing", self._failing)
        self.cases()
        return suite.run()

    def cases(self) -> None:
        """Adds the cases that only this kind has."""

    # ---- the cases ----------------------------------------------------------------------------

    def _whole(self, name: str) -> Callable[[Run], Any]:
        async def body(run: Run) -> None:
            provider = self.factory()
            await provider.connect()
            await self._answers(provider, name)
            await self._close(provider)

        return body

    async def _slow_reader(self, run: Run) -> None:
        provider = self.factory()
        await provider.connect()
        events: list[Any] = []
        async with self._calling(provider, self.kind.plain) as stream:
            async for event in stream:
                events.append(event)
                await asyncio.sleep(run.rng.choice([0.0, 0.001, 0.3]))
        self.kind.judge(provider, events, self.kind.plain)
        await self._close(provider)

    async def _closed_early(self, run: Run) -> None:
        provider = self.factory()
        await provider.connect()
        for taken in (0, 1, 2, run.rng.randint(3, 10)):
            call = self._calling(provider, self.kind.plain)
            async with call as stream:
                for _ in range(taken):
                    if await anext(stream, None) is None:
                        break
            await asyncio.sleep(run.rng.choice([0.0, 0.01, 2.0]))
            call.check(f"after {taken} events")
        await self._answers(provider, self.kind.plain)
        await self._close(provider)

    async def _cancelled(self, run: Run) -> None:
        provider = self.factory()
        call = self._calling(provider, self.kind.plain)

        async def use() -> None:
            await provider.connect()
            async with call as stream:
                async for _ in stream:
                    require(ContractRule.STOPS, not run.struck, "it goes on after the cancel")

        client = run.loop.create_task(use(), name="client")
        await cancel_somewhere(run, client)
        await asyncio.sleep(run.rng.choice([0.0, 0.01, 2.0]))
        call.check("after a cancel")
        await provider.connect()
        await self._answers(provider, self.kind.plain)
        await self._close(provider)

    async def _closed(self, run: Run) -> None:
        provider = self.factory()
        call = self._calling(provider, self.kind.plain)
        closing: list[asyncio.Task[None]] = []

        async def use() -> None:
            try:
                await provider.connect()
                async with call as stream:
                    async for _ in stream:
                        pass
            except ServiceError:
                require(ContractRule.CLOSES, run.struck, "it failed although nobody closed it")

        client = run.loop.create_task(use(), name="client")
        run.strike_with(lambda: closing.append(run.loop.create_task(provider.close(), name="end")))
        await asyncio.wait({client})
        run.spare()
        client.result()
        if closing:
            await closing[0]
        call.check("after close()")
        await self._close(provider)

    async def _configured(self, run: Run) -> None:
        provider = self.factory()
        settings = run.rng.choice(list(self.settings))

        def configure() -> None:
            configurable: Any = provider
            assert isinstance(configurable, Configurable), "settings are for configure()"
            configurable.configure(settings)

        run.strike_with(configure)
        await provider.connect()
        await self._answers(provider, self.kind.plain)
        run.spare()
        await self._answers(provider, self.kind.plain)
        await self._close(provider)

    async def _failing(self, run: Run) -> None:
        assert self.failing is not None
        for number in range(FAILURES):
            provider = self.failing(number)
            call = self._calling(provider, self.kind.plain)
            failed = False
            try:
                await provider.connect()
                async with call as stream:
                    async for _ in stream:
                        pass
            except ServiceError:
                failed = True
            call.check(f"after its call number {number} failed")
            await self._again(provider, f"after its call number {number} failed")
            await self._close(provider)
            if not failed and number:
                return

    async def _again(self, provider: P, when: str) -> None:
        """Another call after a failure: it is answered, or fails for the same reason."""
        call = self._calling(provider, self.kind.plain)
        try:
            await provider.connect()
            async with call as stream:
                events = [event async for event in stream]
        except ServiceError:
            call.check(when)
            return
        self.kind.judge(provider, events, self.kind.plain)
        call.check(when)

    # ---- what they do -------------------------------------------------------------------------

    async def _answers(self, provider: P, name: str) -> None:
        """A call that runs to its end, judged."""
        call = self._calling(provider, name)
        async with call as stream:
            events = [event async for event in stream]
        self.kind.judge(provider, events, name)
        call.check("after its end")

    def _calling(self, provider: P, name: str) -> Calling[P]:
        return Calling(self, provider, name)

    async def _close(self, provider: P) -> None:
        """At the end of life, twice."""
        for _ in range(2):
            try:
                await provider.close()
            except Exception as error:
                raise Violation(ContractRule.CLOSES, f"close() raised {error!r}") from error


class Calling(Generic[P]):
    """One call, from the first event to the close."""

    def __init__(self, suite: StreamSuite[P], provider: P, name: str) -> None:
        self._suite, self._provider, self._name = suite, provider, name
        self._fed: Pieces[Any] | None = None
        self._closing: aclosing[Any] | None = None

    async def __aenter__(self) -> AsyncIterator[Any]:
        stream, self._fed = self._suite.kind.inputs[self._name](self._provider)
        closable = isinstance(stream, AsyncGenerator)
        what = f"the call gives a {type(stream).__name__}, which has no aclose()"
        require(ContractRule.RELEASES, closable, what)
        self._closing = aclosing(cast("Any", stream))
        return stream

    async def __aexit__(self, *_: object) -> None:
        assert self._closing is not None
        await self._closing.__aexit__(None, None, None)
        if self._fed is not None:
            self._fed.over = True

    def check(self, when: str) -> None:
        """Nothing of the call is left."""
        late = self._fed is not None and self._fed.asked_late
        require(ContractRule.RELEASES, not late, f"it asked for more input {when}")
        if self._suite.held is not None:
            held = self._suite.held(self._provider)
            require(ContractRule.RELEASES, held == 0, f"it still holds {held} {when}")
