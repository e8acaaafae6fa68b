"""Has utterances spoken by a provider: several at once, each with bounds and measurements.

An utterance whose voice fails before its first sound is tried again for as long as a caller can be
made to wait (`give_up_secs`); one that has begun is not, for its beginning has been heard. What
remains unspoken is given up, which its utterance tells as lost, and an error says why.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing

import msgspec

from antiphon.errors import AntiphonError, ConnectivityError, ServerError
from antiphon.frames.lifecycle import (
    MetricsData,
    MetricsFrame,
    TTFBMetricsData,
    TTSUsageMetricsData,
)
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.connection import SilenceError, Supervised
from antiphon.services.contracts import TTSProvider
from antiphon.services.tts_utterance import Utterance

_PLAYOUT_MARGIN_SECS = 3.0
_LONG_SECS = 30.0


class SpeechBounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much is asked of a voice at once, and how much it may give.

    `max_in_flight`: utterances at once. `max_secs_per_character`: how much audio it may give, half
    a minute besides; one that goes on for ever is cut off. `wait_for_playout`: the next utterance
    is asked for when the one before has been played, for voices that take one request at a time
    and forget it if another comes.
    """

    max_in_flight: int = 3
    max_secs_per_character: float = 1.0
    wait_for_playout: bool = False


class NoSpeechError(ServerError):
    """A voice took text and ended without any sound."""


class Synthesis:
    """Belongs to one processor. Its tasks are bound to the epoch in which they start."""

    def __init__(
        self,
        processor: FrameProcessor,
        provider: TTSProvider,
        line: Supervised,
        bounds: SpeechBounds,
    ) -> None:
        self._processor = processor
        self._provider = provider
        self._line = line
        self._bounds = bounds
        self._waiting: deque[Utterance] = deque()
        self._running: set[Utterance] = set()
        self._played = asyncio.Event()
        self.model: str | None = None

    def add(self, utterance: Utterance) -> None:
        """Speaks it as soon as there is room."""
        self._line.hurry()
        self._waiting.append(utterance)
        self._start()

    def played(self) -> None:
        """What was said has been played."""
        self._played.set()

    def reset(self) -> None:
        """An interruption has cancelled what was running."""
        self._waiting.clear()
        self._running = set()

    def _start(self) -> None:
        bounds = self._bounds
        at_once = 1 if bounds.wait_for_playout else bounds.max_in_flight
        while self._waiting and len(self._running) < at_once:
            utterance = self._waiting.popleft()
            self._running.add(utterance)
            self._processor.create_task(self._synthesise(utterance), name="synthesis", bound=True)

    async def _synthesise(self, utterance: Utterance) -> None:
        running, epoch = self._running, self._processor.emitter()
        self._played.clear()
        try:
            try:
                await self._speak(utterance)
            finally:
                utterance.break_off()  # unless it has been finished
            if self._bounds.wait_for_playout and utterance.first_audio is not None:
                await self._playout(utterance)
        finally:
            running.discard(utterance)
            if epoch.live:
                self._start()
        if self._processor.params.enable_usage_metrics:
            await self._report(
                TTSUsageMetricsData(
                    processor=self._processor.name,
                    characters=utterance.characters,
                    model=self.model,
                )
            )

    async def _playout(self, utterance: Utterance) -> None:
        """Until it has been played, or must have been."""
        try:
            async with asyncio.timeout(utterance.audio_secs + _PLAYOUT_MARGIN_SECS):
                await self._played.wait()
        except TimeoutError:
            return

    async def _speak(self, utterance: Utterance) -> None:
        """Has it spoken, by several attempts if that may help."""
        clock, policy = self._processor.clock, self._line.policy
        began, retries = clock.now(), 0
        while True:
            try:
                await self._attempt(utterance)
            except AntiphonError as error:
                failure = error
            else:
                self._line.worked()
                return
            if utterance.done:
                return
            again = utterance.first_audio is None and not (
                isinstance(failure, NoSpeechError) and retries
            )
            elapsed, now = clock.now() - began, clock.now()
            if policy.delay(failure, retries=retries, elapsed=elapsed, now=now) is None:
                again = False
            # One failure is made good unnoticed; who is told of the second can switch in time.
            await self._line.failed(failure, tell=again and retries > 0)
            if again:
                utterance.begin_anew()
                retries += 1
                again = await self._line.until_due(max(now, began + policy.give_up_secs))
            if not again:
                await self._give_up(utterance, failure, attempts=retries + 1)
                return

    async def _give_up(self, utterance: Utterance, error: AntiphonError, *, attempts: int) -> None:
        if self._line.usable:  # a refusal has been told
            what = "the rest of an utterance" if utterance.first_audio is not None else "a text"
            message = f"{self._provider.name} failed to speak {what}, which is given up: {error}"
            await self._line.tell(message, error, count=attempts)

    async def _attempt(self, utterance: Utterance) -> None:
        """Raises `AntiphonError` if the voice does not speak all of it."""
        # A voice that speaks piece by piece must not ask for the next one before the audio of the
        # last has been counted.
        stream = await self._line.stream(
            lambda: self._provider.synthesize(utterance.text()),
            ahead=1 if self._provider.capabilities.piecewise else 16,
        )
        async with aclosing(stream) as events:
            utterance.owing = lambda: events.move(self._due(utterance))
            try:
                while True:
                    event = await events.next(self._due(utterance))
                    self._check_length(utterance)
                    first = utterance.first_audio is None
                    utterance.receive(event, self._processor.clock.now())
                    if first and utterance.first_audio is not None:
                        await self._report_ttfb(utterance.first_audio - utterance.opened)
            except StopAsyncIteration:
                pass
            except SilenceError as error:
                raise ConnectivityError(f"{self._provider.name} owes audio") from error
            finally:
                utterance.owing = None
        if not utterance.was_read:
            raise ServerError(f"{self._provider.name} ended before the text it was to speak")
        if utterance.first_audio is None:
            raise NoSpeechError(f"{self._provider.name} gave no audio for an utterance")
        utterance.finish()

    def _due(self, utterance: Utterance) -> float | None:
        """When (loop seconds) the next audio is overdue."""
        if utterance.waits_for_text:
            return None
        return self._processor.clock.now() + self._line.policy.stall_secs

    def _check_length(self, utterance: Utterance) -> None:
        longest = _LONG_SECS + utterance.characters * self._bounds.max_secs_per_character
        if utterance.audio_secs > longest:
            raise ServerError(f"{self._provider.name} does not stop speaking: cut at {longest:g} s")

    async def _report_ttfb(self, value: float) -> None:
        if self._processor.params.enable_metrics:
            await self._report(
                TTFBMetricsData(processor=self._processor.name, value=value, model=self.model)
            )

    async def _report(self, data: MetricsData) -> None:
        await self._processor.push_frame(MetricsFrame(data=(data,)))
