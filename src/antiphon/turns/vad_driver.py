"""From audio to voice activity frames: `VADProcessor`, and where a chain needs one.

Voice activity is detected in front of the transcriber, so that both find speech at its place in
the audio, however late the audio is handled. A chain without a `VADProcessor` gets one from the
user half's `vad_analyzer` (`voice_activity_for`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from antiphon.audio.pcm import to_mono
from antiphon.audio.resample import Resampler
from antiphon.audio.vad import (
    SpeechActivity,
    VADEvent,
    VADParams,
    VoiceDetector,
    VoiceStarted,
    VoiceStopped,
)
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import StartFrame
from antiphon.frames.speech import VADParamsUpdateFrame
from antiphon.frames.turns import (
    UserMuteStartedFrame,
    UserMuteStoppedFrame,
    UserSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.kernel.call_frames import Timer
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Part, Place, processors_of
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.pipeline_check import PartInfo, Role


class VADAnalyzer(Protocol):
    """A voice activity model with its parameters, such as `SileroVADAnalyzer`."""

    params: VADParams
    sample_rate: int
    window_samples: int

    def probability(self, window: bytes) -> float:
        """`window` is `window_samples` samples of mono PCM at `sample_rate`."""
        ...

    def reset(self) -> None:
        """Forgets what was heard."""


class VADProcessor(FrameProcessor):
    """Voice activity detection as a processor: passes everything on, and broadcasts what it
    finds.

    It feeds a `VoiceDetector`, and has one timer, for audio that stops arriving while the caller
    speaks. At the ends of a mute it ends the stretch of speech under way and begins another: no
    stretch is both heard and muted.
    """

    def __init__(
        self,
        vad_analyzer: VADAnalyzer,
        *,
        audio_idle_timeout: float = 1.5,
        speech_activity_period: float = 0.2,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.analyzer: VADAnalyzer = vad_analyzer
        self._detector = VoiceDetector(
            vad_analyzer,
            vad_analyzer.params,
            audio_idle_timeout=audio_idle_timeout,
            activity_period=speech_activity_period,
        )
        self._resampler = Resampler(vad_analyzer.sample_rate)
        self._timer: Timer | None = None

    def described(self) -> PartInfo:
        """The part that it plays, for the check at the start."""
        return PartInfo(Role.VAD)

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._timer = self.timer(self._due)

    @handles(InputAudioRawFrame)
    async def listen(self, frame: InputAudioRawFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        pcm = to_mono(frame.audio, frame.num_channels)
        pcm = self._resampler.process(pcm, frame.sample_rate)
        now = self.clock.now()
        await self._tell(self._detector.feed(pcm, frame.ended(now), came=now))

    @handles(VADParamsUpdateFrame)
    async def configure(self, frame: VADParamsUpdateFrame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        self._detector.machine.configure(frame.params)

    @handles(UserMuteStartedFrame, UserMuteStoppedFrame)
    async def split(self, frame: Frame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        await self._tell(self._detector.machine.split())

    async def cleanup(self) -> None:
        if self._timer is not None:
            self._timer.arm(None)

    async def _due(self) -> None:
        await self._tell(self._detector.tick(self.clock.now()))

    async def _tell(self, events: Sequence[VADEvent]) -> None:
        for event in events:
            await self.broadcast_frame(_frame_of(event))
        if self._timer is not None:
            self._timer.arm(self._detector.deadline)


def voice_activity_for(
    analyzer: VADAnalyzer, place: Place, *, audio_idle_timeout: float
) -> tuple[FrameProcessor, int] | None:
    """The `VADProcessor` that a user half at `place` needs, and before which part it stands.

    None where there is one. It stands before the first part that listens to both the audio and
    the voice activity, as transcribers do, and before the user half where there is none.
    """
    if any(isinstance(processor, VADProcessor) for processor in place.upstream):
        return None
    processor = VADProcessor(analyzer, audio_idle_timeout=audio_idle_timeout)
    for index, part in enumerate(place.before):
        if _listens(part):
            return processor, index
    return processor, len(place.before)


def _listens(part: Part) -> bool:
    return any(
        processor.handlers.declares(InputAudioRawFrame)
        and processor.handlers.declares(VADUserStartedSpeakingFrame)
        for processor in processors_of(part)
    )


def _frame_of(event: VADEvent) -> Frame:
    match event:
        case VoiceStarted(at=at, since=since):
            return VADUserStartedSpeakingFrame(start_secs=at - since, timestamp=at)
        case VoiceStopped(at=at, since=since):
            return VADUserStoppedSpeakingFrame(stop_secs=at - since, timestamp=at)
        case SpeechActivity():
            return UserSpeakingFrame()
