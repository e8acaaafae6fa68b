"""The transcriber's place in a pipeline: audio in, transcripts out.

Theory of operation
-------------------
Audio is handled as it comes (urgent) and put into the *feed* of the provider's stream, which a
`Supervised` keeps open for as long as the session lives. Nothing waits for a provider:

* a stream that fails, ends or stalls is replaced by a new one, which begins with what was not
  acknowledged; while there is none, what the caller says is kept;
* between attempts the wait grows, but a caller who begins to speak is worth one at once;
* a provider that refuses (key, permission, configuration, quota) makes the service *unusable*: it
  says so once and passes everything on, until its settings change;
* speech that is not answered within the stall time is a stall. One that brought no sign of a word
  may have been a noise: it is sent again once, and reported only if it was long;
* a feed that is not emptied counts as a stall.

Interruptions do not concern it: what the caller says is a fact, whatever happens to the answer.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from typing import ClassVar, Final

from antiphon.audio.pcm import to_mono
from antiphon.audio.resample import Resampler
from antiphon.errors import AntiphonError, ConnectivityError, MailboxFullError
from antiphon.frames.audio import InputAudioRawFrame, UserAudioRawFrame
from antiphon.frames.lifecycle import (
    EndFrame,
    StartFrame,
)
from antiphon.frames.llm import STTUpdateSettingsFrame
from antiphon.frames.speech import STTMetadataFrame, STTMuteFrame
from antiphon.frames.switch import ServiceActivatedFrame
from antiphon.frames.text import InterimTranscriptionFrame, TranscriptionFrame
from antiphon.frames.turns import (
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
    time_of,
)
from antiphon.kernel.call_frames import Timer
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import Event
from antiphon.kernel.mailbox import Feed
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.pipeline_check import PartInfo, Role, check_pipeline
from antiphon.services.arguments import check_arguments
from antiphon.services.connection import Supervised
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import (
    AudioChunk,
    Configurable,
    STTProvider,
    Transcript,
)
from antiphon.services.stt_audio_gate import KEEP_SECS, AnswerWatch, AudioGate, Item
from antiphon.services.stt_meter import TranscriptionMeter
from antiphon.settings import STTSettings
from antiphon.text.well_formed import well_formed_text

logger = logging.getLogger("antiphon")

_NOISE_SECS, _NOISES = 3.0, 2
"""Shorter sounds (pre-roll included) that bring no words are noises; so many in a row, at most."""
_FEED_LIMIT = 3_000
"""Items; a minute of audio in pieces of 20 ms."""


class STTService(FrameProcessor):
    """Runs one provider. Vendors' services are this class bound to theirs.

    `audio_passthrough`: audio goes on to those behind. `stall_timeout_secs`: how long a provider
    may leave the end of speech unanswered. `ttfb_timeout_secs`: how long after it transcripts
    count for the measurement. `policy`: how patient the connection is.
    """

    Settings: ClassVar[type[STTSettings]] = STTSettings

    on_connected: Final = Event[[]]()
    on_disconnected: Final = Event[[]]()
    on_connection_error: Final = Event[[str]]()

    check_pipeline = staticmethod(check_pipeline)

    def __init__(
        self,
        provider: STTProvider,
        *,
        settings: STTSettings | None = None,
        audio_passthrough: bool = True,
        stall_timeout_secs: float = 5.0,
        ttfb_timeout_secs: float = 2.0,
        policy: ConnectionPolicy | None = None,
        name: str | None = None,
    ) -> None:
        check_arguments(
            type(self),
            provider,
            settings,
            kind=STTSettings,
            instead="use the service of its vendor, as in LocalSTTService()",
        )
        super().__init__(name=name)
        self.provider = provider
        self.settings: STTSettings = settings or self.Settings()
        self._passthrough = audio_passthrough
        self._line = Supervised(
            self, provider, policy or ConnectionPolicy(), self.on_connection_error.emit
        )
        self._gate = AudioGate(provider.capabilities)
        self._watch = AnswerWatch(ttfb_timeout=ttfb_timeout_secs, stall_timeout=stall_timeout_secs)
        self._resampler = Resampler(provider.capabilities.sample_rate)
        self._feed: Feed[Item] | None = None
        self._timer: Timer | None = None
        self._restart_later = False
        self._interim_since_answer = False
        self._unheard = 0
        self._user_id = ""
        self._heard_until: float = 0.0
        """The place of the last sample that came."""
        self._meter = TranscriptionMeter(self, provider.capabilities.sample_rate)

    def described(self) -> PartInfo:
        """The part that it plays, for the check at the start."""
        return PartInfo(Role.STT, needs_vad=self.provider.capabilities.segmented)

    @property
    def usable(self) -> bool:
        """False while the provider refuses: nothing is transcribed until its settings change."""
        return self._line.usable

    # ---- life cycle ----------------------------------------------------------------------------

    @handles(StartFrame)
    async def _start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._timer = self.timer(self._due)
        self._meter.model = self.settings.model
        if isinstance(self.provider, Configurable):
            self.provider.configure(self.settings)
        try:
            await self._line.connect()
            await self.on_connected.emit()
        except AntiphonError as error:
            await self._line.failed(error)
        self._line.keep(self)
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
        had_stream, had_words = self._feed is not None, self._interim_since_answer
        self._line.close()
        if self._feed is not None:
            self._feed.close()
            if self._gate.awaits_answer or self._interim_since_answer:
                await self._line.until_ended(self.provider.capabilities.ttfs_p99_secs)
        if self._gate.awaits_answer and (had_words or not had_stream):
            secs = self._gate.kept_secs
            await self.push_error(f"{self.name} lost {secs:.3g} s of speech: the session ends")
        await self._meter.usage()

    async def cleanup(self) -> None:
        """Closes the provider."""
        self._line.close()
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
        pcm = self._resampler.process(pcm, frame.sample_rate)
        self._heard_until = frame.ended(self.clock.now())
        self._put(self._gate.audio(pcm, streaming=self._feed is not None))

    @handles(VADUserStartedSpeakingFrame)
    async def _started(self, frame: VADUserStartedSpeakingFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        self._watch.speech_started()
        self._line.hurry()
        began = time_of(frame, self.clock.now()) - frame.start_secs
        # The audio before it is cut at the place where it began, however late that is noticed.
        self._put(self._gate.speech_started(max(0.0, self._heard_until - began)))

    @handles(VADUserStoppedSpeakingFrame)
    async def _stopped(self, frame: VADUserStoppedSpeakingFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        items = self._gate.speech_stopped()
        self._put(items)
        if items and self.usable:
            now, due = self.clock.now(), self._feed is not None
            ended = time_of(frame, now) - frame.stop_secs
            self._watch.speech_stopped(ended, now, answer_due=due)
            self._rearm()
        await self._meter.usage()
        if self._restart_later:
            self._line.renew()

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
            self._line.renew()
        self._line.revive()

    @handles(ServiceActivatedFrame)
    async def _activated(self, frame: ServiceActivatedFrame, direction: FrameDirection) -> None:
        """A switch has made it the active one: it hears what the former did not answer."""
        self._line.revive()
        if isinstance(frame.previous, STTService):
            rate = frame.previous.provider.capabilities.sample_rate
            resampler = Resampler(self.provider.capabilities.sample_rate)
            items, speaking = frame.previous.surrender()
            again = [
                AudioChunk(resampler.process(item.pcm, rate))
                if isinstance(item, AudioChunk)
                else item
                for item in items
            ]
            self._put(self._gate.take_over(again, speaking=speaking))
            if self._gate.awaits_answer and self._feed is not None:
                self._watch.resent(self.clock.now())
                self._rearm()

    def surrender(self) -> tuple[Sequence[Item], bool]:
        """Hands what has not been answered to the service that is active now, which may be in the
        middle of speech.
        """
        items, speaking = self._gate.unacknowledged, self._gate.speaking
        self._gate.give_up()
        self._gate.speaking = False
        self._watch.given_up()
        self._rearm()
        return items, speaking

    # ---- the provider's stream -----------------------------------------------------------------

    def _put(self, items: list[Item]) -> None:
        """Hands items to the stream; without one the gate keeps what matters."""
        if self._feed is None:
            return
        for item in items:
            if isinstance(item, AudioChunk):
                self._meter.sent_bytes += len(item.pcm)
            try:
                self._feed.put(item)
            except MailboxFullError:
                self._line.renew(ConnectivityError(f"{self.provider.name} takes no audio"))
                self._feed = None
                return

    def open(self) -> AsyncIterator[Transcript]:
        """A new stream, which begins with what the former did not acknowledge."""
        self._restart_later = False
        if lost := self._gate.take_lost_secs():
            told = f"{self.name} lost {lost:.3g} s of speech: more than {KEEP_SECS:g} s waited"
            _ = self.push_error(told)
        self._feed = Feed[Item](limit=_FEED_LIMIT, name="audio for the transcriber")
        for item in self._gate.unacknowledged:
            self._feed.put(item)
        if self._gate.awaits_answer:
            self._watch.resent(self.clock.now())
            self._rearm()
        return self.provider.transcribe(self._feed)

    def broken(self, error: AntiphonError) -> None:
        """There is no stream any more: what is said from now on is kept."""
        self._feed = None
        self._watch.broken()
        self._rearm()

    async def received(self, transcript: Transcript) -> None:
        """The provider heard something."""
        self._line.worked()
        await self._heard(transcript)

    async def _heard(self, transcript: Transcript) -> None:
        text = well_formed_text(transcript.text).strip()
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
        self._interim_since_answer, self._unheard = False, 0
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
            await self._stalled()
        self._rearm()

    async def _stalled(self) -> None:
        """Speech was not answered: it is sent again, once."""
        again = self._watch.stalls < 2
        had_words = self.provider.capabilities.segmented or self._interim_since_answer
        what = "it is sent again" if again else "what was said is lost"
        error = ConnectivityError(f"{self.provider.name} left speech unanswered: {what}")
        self._unheard += not again
        words_likely = self._gate.kept_secs > _NOISE_SECS or self._unheard > _NOISES
        if had_words or (not again and words_likely):
            await self._line.tell(str(error), error)
        else:
            logger.info("%s: %s; it may have been a noise", self.name, error)
        if not again:
            self._gate.give_up()
            self._watch.given_up()
            self._interim_since_answer = False
        if again or had_words:
            self._line.renew(error, told=True)
