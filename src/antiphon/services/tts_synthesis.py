"""Has utterances spoken by a provider: several at once, each with bounds, retries and
measurements.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import cast

import msgspec

from antiphon.errors import ConnectivityError, ServerError, ServiceError
from antiphon.frames.lifecycle import (
    MetricsData,
    MetricsFrame,
    TTFBMetricsData,
    TTSUsageMetricsData,
)
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.contracts import TTSEvent, TTSProvider
from antiphon.services.tts_utterance import Utterance

_PLAYOUT_MARGIN_SECS = 3.0
_LONG_SECS = 30.0


class SynthesisPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How patient to be, and with how much at once.

    `stall_timeout_secs`: how long a provider may owe audio. `max_secs_per_character`: how much
    audio it may give, half a minute besides; one that goes on for ever is cut off.
    `max_in_flight`: utterances at once. `max_failures`: utterances without audio in a row after
    which nothing is spoken any more. `wait_for_playout`: the next utterance is asked for when the
    one before has been played, for voices that take one request at a time and forget it if another
    comes.
    """

    stall_timeout_secs: float = 8.0
    max_secs_per_character: float = 1.0
    max_in_flight: int = 3
    max_failures: int = 3
    wait_for_playout: bool = False


class Synthesis:
    """Belongs to one processor. Its tasks are bound to the epoch in which they start."""

    def __init__(
        self,
        processor: FrameProcessor,
        provider: TTSProvider,
        policy: SynthesisPolicy,
        on_error: Callable[[str], Awaitable[None]],
    ) -> None:
        self._processor = processor
        self._provider = provider
        self._policy = policy
        self._on_error = on_error
        self._waiting: deque[Utterance] = deque()
        self._running: set[Utterance] = set()
        self._failures = 0
        self._played = asyncio.Event()
        self._connected = False
        self.usable: bool = True
        self.model: str | None = None

    def add(self, utterance: Utterance) -> None:
        """Speaks it as soon as there is room."""
        self._waiting.append(utterance)
        self._start()

    def played(self) -> None:
        """What was said has been played."""
        self._played.set()

    async def abandon(self, utterance: Utterance) -> None:
        """The voice neither speaks this nor stops: nobody waits for it any more."""
        utterance.break_off()
        self._running.discard(utterance)
        self._start()
        await self._processor.push_error(
            f"{self._provider.name} owes audio and does not stop: it is left behind"
        )
        await self._count_failure(utterance)

    def reset(self) -> None:
        """An interruption has cancelled what was running."""
        self._waiting.clear()
        self._running = set()

    async def connect(self) -> None:
        """Connects the provider; a failure is reported, and final unless it is worth retrying."""
        try:
            await self._provider.connect()
            self._connected = True
        except ServiceError as error:
            self.usable = error.retryable
            await self._report_error(f"cannot connect {self._provider.name}: {error}", error)

    def _start(self) -> None:
        at_once = 1 if self._policy.wait_for_playout else self._policy.max_in_flight
        while self._waiting and len(self._running) < at_once:
            utterance = self._waiting.popleft()
            self._running.add(utterance)
            self._processor.create_task(self._synthesise(utterance), name="synthesis", bound=True)

    async def _synthesise(self, utterance: Utterance) -> None:
        running, epoch = self._running, self._processor.emitter()
        self._played.clear()
        try:
            try:
                await self._attempts(utterance)
            finally:
                utterance.break_off()  # unless it has been finished
            if self._policy.wait_for_playout and utterance.first_audio is not None:
                await self._playout(utterance)
        finally:  # an adapter may raise what none should: those who wait are spoken all the same
            running.discard(utterance)
            if epoch.live:
                self._start()
                await self._count_failure(utterance)
        if self._processor.params.enable_usage_metrics:
            await self._report(
                TTSUsageMetricsData(
                    processor=self._processor.name,
                    characters=utterance.characters,
                    model=self.model,
                )
            )

    async def _playout(self, utterance: Utterance) -> None:
        """Until it has been played; if nobody says so, until it must have been."""
        try:
            async with asyncio.timeout(utterance.audio_secs + _PLAYOUT_MARGIN_SECS):
                await self._played.wait()
        except TimeoutError:
            return

    async def _attempts(self, utterance: Utterance) -> None:
        try:
            await self._attempt(utterance)
        except ServiceError as error:
            if utterance.done:
                return  # nobody waits for it any more
            if utterance.first_audio is not None or not error.retryable:
                await self._failed(error)
                return
            utterance.begin_anew()
            try:
                await self._attempt(utterance)
            except ServiceError as again:
                await self._failed(again)

    async def _attempt(self, utterance: Utterance) -> None:
        if not self._connected:
            await self._connect_in_time()
        # The contract says that closing the iterator is the cancellation: it is a generator.
        stream = cast("AsyncGenerator[TTSEvent, None]", self._provider.synthesize(utterance.text()))
        async with aclosing(stream) as events:
            iterator = aiter(events)
            while True:
                try:
                    event = await utterance.next_event(iterator)
                except TimeoutError as error:
                    raise ConnectivityError(f"{self._provider.name} owes audio") from error
                if event is None:
                    break
                self._check_length(utterance)
                first = utterance.first_audio is None
                utterance.receive(event, self._processor.clock.now())
                if first and utterance.first_audio is not None:
                    await self._report_ttfb(utterance.first_audio - utterance.opened)
        if not utterance.was_read:
            raise ServerError(f"{self._provider.name} ended before the text it was to speak")
        utterance.finish()

    async def _connect_in_time(self) -> None:
        limit = self._policy.stall_timeout_secs
        try:
            async with asyncio.timeout(limit):
                await self._provider.connect()
        except TimeoutError as error:
            raise ConnectivityError(f"{self._provider.name} took over {limit:g} s") from error
        self._connected = True

    def _check_length(self, utterance: Utterance) -> None:
        longest = _LONG_SECS + utterance.characters * self._policy.max_secs_per_character
        if utterance.audio_secs > longest:
            raise ServerError(f"{self._provider.name} does not stop speaking: cut at {longest:g} s")

    async def _failed(self, error: ServiceError) -> None:
        await self._report_error(f"{self._provider.name} failed to speak: {error}", error)
        if not error.retryable:
            await self._give_up()

    async def _count_failure(self, utterance: Utterance) -> None:
        if utterance.first_audio is not None:
            self._failures = 0
            return
        self._failures += 1
        await self._processor.push_error(f"{self._provider.name} gave no audio for an utterance")
        if self._failures >= self._policy.max_failures:
            await self._give_up()

    async def _give_up(self) -> None:
        if self.usable:
            self.usable = False
            await self._processor.push_error(
                f"{self._processor.name} gives up on {self._provider.name}: no more speech"
            )

    async def _report_error(self, message: str, error: ServiceError) -> None:
        await self._processor.push_error(message, exception=error)
        await self._on_error(str(error))

    async def _report_ttfb(self, value: float) -> None:
        if self._processor.params.enable_metrics:
            await self._report(
                TTFBMetricsData(processor=self._processor.name, value=value, model=self.model)
            )

    async def _report(self, data: MetricsData) -> None:
        await self._processor.push_frame(MetricsFrame(data=(data,)))
