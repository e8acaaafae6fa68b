"""Providers that are out of reach for a while, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from antiphon.errors import ConnectivityError
from antiphon.services.contracts import (
    AudioChunk,
    Finalize,
    LLMEvent,
    LLMRequest,
    Transcript,
    TTSEvent,
)
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider

T = TypeVar("T")


class Outages:
    """`spans` of (beginning, end) in loop seconds in which whatever is asked or under way fails.

    `attempts` are the times at which something was asked; `error` is what is raised.
    """

    def __init__(
        self, spans: Sequence[tuple[float, float]], error: BaseException | None = None
    ) -> None:
        self.spans = list(spans)
        self.error = error
        self.attempts: list[float] = []

    def down(self) -> bool:
        """Now is within an outage."""
        now = asyncio.get_running_loop().time()
        return any(begin <= now < end for begin, end in self.spans)

    def fail(self) -> BaseException:
        """What an outage raises."""
        return self.error if self.error is not None else ConnectivityError("out of reach")

    def ask(self) -> None:
        """Something is asked of the provider."""
        self.attempts.append(asyncio.get_running_loop().time())
        if self.down():
            raise self.fail()

    async def over(self, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """The stream, cut off in the instant in which an outage begins."""
        self.ask()
        async with aclosing(stream):
            step: asyncio.Task[T] | None = None
            try:
                while True:
                    step = asyncio.ensure_future(anext(stream))
                    await asyncio.wait({step}, timeout=self._until_next())
                    if self.down():
                        raise self.fail()
                    if step.done():
                        try:
                            yield step.result()
                        except StopAsyncIteration:
                            return
            finally:
                if step is not None and not step.done():
                    step.cancel()
                    await asyncio.wait({step})

    def _until_next(self) -> float | None:
        now = asyncio.get_running_loop().time()
        return min((begin - now for begin, _ in self.spans if begin > now), default=None)


class OutSTT(FakeSTTProvider):
    """A transcriber with outages."""

    def __init__(self, outages: Outages, **options: Any) -> None:  # a test's fake
        super().__init__(**options)
        self.outages = outages

    async def connect(self) -> None:
        """Fails during an outage."""
        self.outages.ask()
        await super().connect()

    async def transcribe(
        self, audio: AsyncIterator[AudioChunk | Finalize]
    ) -> AsyncGenerator[Transcript, None]:
        """Fails during an outage."""
        async with aclosing(self.outages.over(super().transcribe(audio))) as events:
            async for event in events:
                yield event


class OutTTS(FakeTTSProvider):
    """A voice with outages."""

    def __init__(self, outages: Outages, **options: Any) -> None:  # a test's fake
        super().__init__(**options)
        self.outages = outages

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        """Fails during an outage."""
        async with aclosing(self.outages.over(super().synthesize(text))) as events:
            async for event in events:
                yield event


class OutLLM(FakeLLMProvider):
    """A model with outages."""

    def __init__(self, outages: Outages, *args: Any, **options: Any) -> None:  # a test's fake
        super().__init__(*args, **options)
        self.outages = outages

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        """Fails during an outage."""
        async with aclosing(self.outages.over(super().complete(request))) as events:
            async for event in events:
                yield event
