"""The transcriber's place in a pipeline: audio in, transcripts out.

Theory of operation
-------------------
Audio is handled as it comes (urgent) and put into the *feed* of the provider's stream; one task of
the service's own runs the stream and pushes what it hears. Nothing waits for a provider:

* a stream that fails, ends or stalls is replaced by a new one, which begins with what was not
  acknowledged;
* between attempts the wait grows; an error that will not go away by itself, or `max_failures`
  attempts in a row without a transcript, make the service *unusable*: it says so once and passes
  everything on;
* a feed that nobody empties counts as a stall.

Interruptions do not concern it: what the caller says is a fact, whatever happens to the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import ClassVar, Final, cast

from antiphon.audio.pcm import to_mono
from antiphon.audio.resample import Resampler
from antiphon.errors import AntiphonError, ConnectivityError, MailboxFullError, ServiceError
from antiphon.frames.audio import InputAudioRawFrame, UserAudioRawFrame
from antiphon.frames.lifecycle import (
    EndFrame,
    StartFrame,
)
from antiphon.frames.llm import STTUpdateSettingsFrame
from antiphon.frames.speech import STTMetadataFrame, STTMuteFrame
from antiphon.frames.text import InterimTranscriptionFrame, TranscriptionFrame
from antiphon.frames.turns import VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from antiphon.kernel.call_frames import Timer
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.mailbox import Feed
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.services.contracts import (
    AudioChunk,
    Configurable,
    Finalize,
    STTProvider,
    Transcript,
)
from antiphon.services.stt_audio_gate import AnswerWatch, AudioGate, Item
from antiphon.services.stt_meter import TranscriptionMeter
from antiphon.settings import STTSettings

_FEED_LIMIT = 3_000
"""Items; a minute of audio in pieces of 20 ms."""


class STTService(FrameProcessor):
    """Runs one provider. Vendors' services are this class bound to theirs.

    `audio_passthrough`: audio goes on to those behind. `stall_timeout_secs`: how long a provider
    may leave the end of speech unanswered. `ttfb_timeout_secs`: how long after it transcripts
    count for the measurement.
    """

    Settings: ClassVar[type[STTSettings]] = STTSettings

    on_connected: Final = Event[[]]()
    on_disconnected: Final = Event[[]]()
    on_connection_error: Final = Event[[str]]()

    def __init__(
        self,
        provider: STTProvider,
        *,
        settings: STTSettings | None = None,
        audio_passthrough: bool = True,
        stall_timeout_secs: float = 5.0,
        ttfb_timeout_secs: float = 2.0,
        max_failures: int = 5,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.provider = provider
        self.settings: STTSettings = settings or self.Settings()
        self.usable: bool = True
        self._passthrough = audio_passthrough
        self._max_failures = max_failures
        self._gate = AudioGate(provider.capabilities)
        self._watch = AnswerWatch(ttfb_timeout=ttfb_timeout_secs, stall_timeout=stall_timeout_secs)
        self._resampler = Resampler(provider.capabilities.sample_rate)
        self._feed: Feed[Item] = Feed(limit=_FEED_LIMIT, name="audio for the transcriber")
        self._stream: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._failures = 0
        self._restart_later = False
        self._ending = False
        self._connected = False
        self._interim_since_answer = False
        self._user_id = ""
        self._meter = TranscriptionMeter(self, provider.capabilities.sample_rate)

    # ---- life cycle ----------------------------------------------------------------------------

    @handles(StartFrame)
    async def _start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._timer = self.timer(self._due)
        self._meter.model = self.settings.model
        if isinstance(self.provider, Configurable):
            self.provider.configure(self.settings)
        try:
            await self._connect()
        except ServiceError as error:
            await self._connection_failed(error)
            self.usable = error.retryable
        if self.usable:
            self.create_task(self._supervise(), name="transcription")
        await self.push_frame(
            STTMetadataFrame(
                ttfs_p99_secs=self.provider.capabilities.ttfs_p99_secs,
                service=self.name,
                answers_every_segment=self.provider.capabilities.segmented,
            )
        )

    @handles(EndFrame)
    async def _end(self, frame: EndFrame, direction: FrameDirection) -> None:
        # What has been said is still transcribed, as far as the provider is quick about it.
        self._put(self._gate.speech_stopped())
        self._ending = True
        self._feed.close()
        answer_due = self._gate.awaits_answer or self._interim_since_answer
        if self._stream is not None and answer_due:
            await asyncio.wait([self._stream], timeout=self.provider.capabilities.ttfs_p99_secs)
        await self._meter.usage()

    async def cleanup(self) -> None:
        self._feed.close()
        await self.provider.close()

    # ---- what comes in -------------------------------------------------------------------------

    @handles(InputAudioRawFrame)
    async def _audio(self, frame: InputAudioRawFrame, direction: FrameDirection) -> None:
        if self._passthrough:
            await self.push_frame(frame, direction)
        if not self.usable:
            return
        if isinstance(frame, UserAudioRawFrame):
            self._user_id = frame.user_id
        pcm = to_mono(frame.audio, frame.num_channels)
        self._put(self._gate.audio(self._resampler.process(pcm, frame.sample_rate)))

    @handles(VADUserStartedSpeakingFrame)
    async def _started(self, frame: VADUserStartedSpeakingFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        self._watch.speech_started()
        self._put(self._gate.speech_started(frame.start_secs))

    @handles(VADUserStoppedSpeakingFrame)
    async def _stopped(self, frame: VADUserStoppedSpeakingFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        items = self._gate.speech_stopped()
        self._put(items)
        if items and self.usable:
            must_answer = self.provider.capabilities.segmented or self._interim_since_answer
            ended = frame.timestamp - frame.stop_secs
            self._watch.speech_stopped(ended, self.clock.now(), answer_due=must_answer)
            self._rearm()
        await self._meter.usage()
        if self._restart_later:
            self._replace_stream()

    @handles(STTMuteFrame)
    async def _mute(self, frame: STTMuteFrame, direction: FrameDirection) -> None:
        self._put(self._gate.mute(frame.mute))
        await self.push_frame(frame, direction)

    @handles(STTUpdateSettingsFrame)
    async def _update(self, frame: STTUpdateSettingsFrame, direction: FrameDirection) -> None:
        if frame.service is not None and frame.service != self.name:
            await self.push_frame(frame, direction)
            return
        if not isinstance(self.provider, Configurable):
            await self.push_error(
                f"{self.name}: {self.provider.name} takes no settings at run time"
            )
            return
        try:
            settings = self.settings.updated(frame.settings)
            if settings == self.settings:
                return
            self.provider.configure(settings)
        except AntiphonError as error:
            await self.push_error(f"{self.name}: {error}", exception=error)
            return
        self.settings = settings
        # A stream has the settings it began with. A word is worth more than a setting.
        self._restart_later = self._gate.speaking
        if not self._restart_later:
            self._replace_stream()

    # ---- the provider's stream -----------------------------------------------------------------

    def _put(self, items: list[Item]) -> None:
        for item in items:
            if isinstance(item, AudioChunk):
                self._meter.sent_bytes += len(item.pcm)
            try:
                self._feed.put(item)
            except MailboxFullError as error:
                self._gate.give_up()
                _ = self.push_error(f"{self.provider.name} takes no audio", exception=error)
                self._replace_stream()
                return

    async def _supervise(self) -> None:
        """Keeps a stream running until the session ends or there is no hope."""
        while True:
            ended = self._stream = self.create_task(self._transcribe(), name="provider stream")
            await asyncio.wait([ended])
            if self._ending:
                return
            error = None if ended.cancelled() else ended.exception()
            if error is not None:
                # The kernel has reported it: an exception of a task of ours.
                await self.on_connection_error.emit(str(error))
            if not self._worth_another(error):
                self.usable = False
                await self.push_error(
                    f"{self.name} gives up on {self.provider.name}: nothing is transcribed any more"
                )
                await self.on_disconnected.emit()
                return
            await asyncio.sleep(self._backoff())

    def _worth_another(self, error: BaseException | None) -> bool:
        if error is None:
            return True
        self._failures += 1
        hopeless = isinstance(error, AntiphonError) and not error.retryable
        return not hopeless and self._failures < self._max_failures

    def _backoff(self) -> float:
        """Seconds until the next attempt: at once after the first failure, 5 at most."""
        return 0.0 if self._failures < 2 else min(5.0, 0.1 * 2.0**self._failures)

    async def _connect(self) -> None:
        await self.provider.connect()
        self._connected = True
        await self.on_connected.emit()

    async def _transcribe(self) -> None:
        if not self._connected:
            await self._connect()
        self._restart_later = False
        self._feed = feed = Feed[Item](limit=_FEED_LIMIT, name="audio for the transcriber")
        again = self._gate.unacknowledged
        for item in again:
            feed.put(item)
        if any(isinstance(item, Finalize) for item in again):
            self._watch.resent(self.clock.now())
            self._rearm()
        # The contract says that closing the iterator is the cancellation: it is a generator.
        stream = cast("AsyncGenerator[Transcript, None]", self.provider.transcribe(feed))
        async with aclosing(stream) as transcripts:
            async for transcript in transcripts:
                await self._heard(transcript)
        if not feed.closed:
            raise ConnectivityError(f"{self.provider.name} ended its stream")

    def _replace_stream(self) -> None:
        """Ends the stream; the supervisor begins another."""
        if self._stream is not None and not self._stream.done():
            self.create_task(self.cancel_task(self._stream), name="end of a stream")

    async def _heard(self, transcript: Transcript) -> None:
        text = transcript.text.strip()
        if not transcript.final:
            self._interim_since_answer = self._interim_since_answer or bool(text)
            if text:
                await self.push_frame(
                    InterimTranscriptionFrame(
                        text=text,
                        user_id=self._user_id,
                        timestamp=self.clock.timestamp(),
                        language=transcript.language,
                    )
                )
            return
        self._failures, self._interim_since_answer = 0, False
        self._gate.acknowledge(finalized=transcript.finalized)
        value = self._watch.transcript(
            self.clock.now(), finalized=transcript.finalized, text=bool(text)
        )
        self._rearm()
        # An empty one says that the speech was none: the turn need not wait for more.
        if text or transcript.finalized:
            await self.push_frame(
                TranscriptionFrame(
                    text=text,
                    user_id=self._user_id,
                    timestamp=self.clock.timestamp(),
                    language=transcript.language,
                    finalized=transcript.finalized,
                )
            )
        await self._meter.ttfb(value)

    # ---- measurements and time -----------------------------------------------------------------

    def _rearm(self) -> None:
        if self._timer is not None:
            self._timer.arm(self._watch.deadline)

    async def _due(self) -> None:
        value, stalled = self._watch.tick(self.clock.now())
        await self._meter.ttfb(value)
        if stalled:
            again = self._watch.stalls < 2
            what = "it is sent again" if again else "what was said is lost"
            error = ConnectivityError(f"{self.provider.name} left speech unanswered: {what}")
            await self.push_error(str(error), exception=error)
            if not again:
                self._gate.give_up()
            self._replace_stream()
        self._rearm()

    async def _connection_failed(self, error: ServiceError) -> None:
        await self.push_error(f"{self.name} cannot connect: {error}", exception=error)
        await self.on_connection_error.emit(str(error))
