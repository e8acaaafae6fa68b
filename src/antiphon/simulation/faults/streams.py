"""Faults of providers: whatever satisfies a Protocol of `services.contracts`, real ones too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from antiphon.errors import ConfigurationError
from antiphon.simulation.faults.events import FaultLog
from antiphon.simulation.faults.fault import Armed, Fault, FaultPlace, FaultVerb
from antiphon.simulation.faults.models import MODELS, FaultyModel, Shadow
from antiphon.simulation.faults.spec import fault_of

P = TypeVar("P")

STREAMS: Mapping[str, str] = {
    "stt": "transcribe",
    "llm": "complete",
    "tts": "synthesize",
    "realtime": "converse",
}
"""The method of each kind of provider that gives a stream."""

_LASTING = frozenset({"stt", "realtime"})
"""Kinds whose one call lasts as long as the conversation: what is usual concerns their events."""

_OF_EVENTS = frozenset({FaultVerb.DROP, FaultVerb.DUPLICATE})


def place_of(fault: Fault, kind: str) -> FaultPlace:
    """What of a provider of this kind the fault concerns. Raises `ConfigurationError`."""
    if fault.verb is FaultVerb.SLOW:
        if kind == "llm":
            raise ConfigurationError(
                f"{fault.text}: a language model takes its request at once, "
                f"so it cannot take it slowly: write delay"
            )
        return FaultPlace.INPUT
    if fault.place is not None:
        return fault.place
    return FaultPlace.EVENT if fault.verb in _OF_EVENTS or kind in _LASTING else FaultPlace.CALL


class FaultyProvider:
    """The faults of one provider, in force until `restore`."""

    def __init__(
        self, provider: Any, kind: str, faults: Sequence[Fault], *, target: str, log: FaultLog
    ) -> None:
        self._kind = kind
        self._armed = {
            place: Armed(target, [f for f in faults if place_of(f, kind) is place], log)
            for place in FaultPlace
        }
        method = STREAMS[kind]
        self._connect: Callable[[], Awaitable[None]] = provider.connect
        self._stream: Callable[[Any], AsyncGenerator[Any, None]] = getattr(provider, method)
        shadow = Shadow(provider, {"connect": self.connect, method: self.stream})
        self.restore: Callable[[], None] = shadow.remove

    async def connect(self) -> None:
        """In place of the provider's."""
        await self._armed[FaultPlace.CONNECT].strike().suffer()
        await self._connect()

    async def stream(self, given: Any) -> AsyncGenerator[Any, None]:
        """In place of the provider's."""
        call = self._armed[FaultPlace.CALL].strike()
        await call.suffer()
        if call.drop:
            return
        source = given if self._kind == "llm" else self._slowly(given)
        async with aclosing(self._stream(source)) as events:
            async for event in events:
                hits = self._armed[FaultPlace.EVENT].strike()
                await hits.suffer()
                for _ in range(0 if hits.drop else hits.copies):
                    yield event

    def _slowly(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        return SlowReader(items, self._armed[FaultPlace.INPUT])


class SlowReader:
    """Takes items as somebody would who is busy with each. No generator: nobody need close it."""

    def __init__(self, items: AsyncIterator[Any], armed: Armed) -> None:
        self._items, self._armed = items, armed
        self._again: list[Any] = []

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        while not self._again:
            item = await anext(self._items)
            hits = self._armed.strike()
            if hits.slow > 0.0:
                await asyncio.sleep(hits.slow)
            await hits.suffer()
            self._again = [] if hits.drop else [item] * hits.copies
        return self._again.pop()


def kind_of(provider: object) -> str:
    """What kind of provider it is, by its methods. Raises `ConfigurationError`."""
    methods = {**STREAMS, **MODELS}
    for kind, method in methods.items():
        if method in dir(provider):
            return kind
    raise ConfigurationError(
        f"{type(provider).__name__} is no provider: "
        f"it has none of the methods {', '.join(methods.values())}"
    )


def faulty(provider: P, *faults: Fault | Mapping[str, Any], log: FaultLog | None = None) -> P:
    """Injects faults into a provider or a model over audio, for good, and returns it."""
    kind = kind_of(provider)
    made = [fault_of(fault, kind) for fault in faults]
    suffering = FaultyModel if kind in MODELS else FaultyProvider
    suffering(provider, kind, made, target=kind, log=log or FaultLog())
    return provider
