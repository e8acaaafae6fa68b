"""From audio to voice activity frames.

The driver feeds a `VoiceDetector` and has one timer, for audio that stops arriving while somebody
speaks. `VADProcessor` is the driver as a processor of its own, for pipelines whose aggregator has
no analyzer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
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
    UserSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from antiphon.kernel.call_frames import Timer
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor, handles

Emit = Callable[[Frame], Awaitable[None]]


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


class VADDriver:
    """Turns input audio into frames about voice activity, on behalf of a processor.

    The frames take the processor's own path: queued to itself, and pushed upstream for those
    before it.
    """

    def __init__(
        self,
        analyzer: VADAnalyzer,
        *,
        audio_idle_timeout: float = 1.0,
        activity_period: float = 0.2,
    ) -> None:
        self.analyzer = analyzer
        self._detector = VoiceDetector(
            analyzer,
            analyzer.params,
            audio_idle_timeout=audio_idle_timeout,
            activity_period=activity_period,
        )
        self._resampler = Resampler(analyzer.sample_rate)
        self._processor: FrameProcessor | None = None
        self._timer: Timer | None = None
        self._emit: Emit | None = None

    def attach(self, processor: FrameProcessor, *, emit: Emit | None = None) -> None:
        """Call it when the processor handles its `StartFrame`."""
        self._processor = processor
        self._emit = emit or self._to_itself_and_upstream
        self._timer = processor.timer(self._due)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Call it with every frame that was not muted."""
        if self._processor is None or self._timer is None:
            return
        if isinstance(frame, InputAudioRawFrame):
            pcm = to_mono(frame.audio, frame.num_channels)
            pcm = self._resampler.process(pcm, frame.sample_rate)
            await self._tell(self._detector.feed(pcm, self._processor.clock.now()))
        elif isinstance(frame, VADParamsUpdateFrame):
            self._detector.machine.configure(frame.params)

    async def cleanup(self) -> None:
        """Nothing is due any more."""
        if self._timer is not None:
            self._timer.arm(None)

    async def _due(self) -> None:
        assert self._processor is not None
        await self._tell(self._detector.tick(self._processor.clock.now()))

    async def _tell(self, events: Sequence[VADEvent]) -> None:
        assert self._timer is not None
        assert self._emit is not None
        for event in events:
            await self._emit(_frame_of(event))
        self._timer.arm(self._detector.deadline)

    async def _to_itself_and_upstream(self, frame: Frame) -> None:
        assert self._processor is not None
        if isinstance(frame, UserSpeakingFrame):
            await self._processor.broadcast_frame(frame)
            return
        await self._processor.push_frame(frame, FrameDirection.UPSTREAM)
        await self._processor.queue_frame(frame)


def _frame_of(event: VADEvent) -> Frame:
    match event:
        case VoiceStarted(at=at, since=since):
            return VADUserStartedSpeakingFrame(start_secs=at - since, timestamp=at)
        case VoiceStopped(at=at, since=since):
            return VADUserStoppedSpeakingFrame(stop_secs=at - since, timestamp=at)
        case SpeechActivity():
            return UserSpeakingFrame()


class VADProcessor(FrameProcessor):
    """Voice activity detection as a processor: passes everything on, and broadcasts what it
    finds.
    """

    def __init__(
        self,
        vad_analyzer: VADAnalyzer,
        *,
        audio_idle_timeout: float = 1.0,
        speech_activity_period: float = 0.2,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self._driver = VADDriver(
            vad_analyzer,
            audio_idle_timeout=audio_idle_timeout,
            activity_period=speech_activity_period,
        )

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        self._driver.attach(self, emit=self.broadcast_frame)

    @handles(InputAudioRawFrame, VADParamsUpdateFrame)
    async def listen(self, frame: Frame, direction: FrameDirection) -> None:
        await self.push_frame(frame, direction)
        await self._driver.process_frame(frame, direction)

    async def cleanup(self) -> None:
        await self._driver.cleanup()
