"""The beginning of the pipeline: the caller's audio and what else comes from the other side."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial

from antiphon.audio.convert import StreamConverter
from antiphon.audio.filters import AdjustableFilter
from antiphon.audio.pcm import SAMPLE_BYTES
from antiphon.errors import ConfigurationError, InvalidInputError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.lifecycle import EndFrame, StartFrame, StopFrame
from antiphon.frames.transport import (
    FilterControlFrame,
    FilterEnableFrame,
    FilterUpdateSettingsFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.pipeline_check import PartInfo, Role
from antiphon.transports.guard import FailureLog, attempt
from antiphon.transports.line_clock import LineClock
from antiphon.transports.params import TransportParams

EARLY_SECS = 30.0
"""Sound kept at most until the conversation has started."""
_EPSILON_SECS = 1e-6


class InputTransport(FrameProcessor):
    """Brings the caller's audio into the pipeline, at the pipeline's rate and channels.

    A transport gives it audio of any format by `push_audio`, cut anywhere. An `InputAudioRawFrame`
    that comes from upstream (a client that sends audio as messages) takes the same way.

    Each piece gets its place on the caller's line (`LineClock`, `InputAudioRawFrame.timestamp`).
    What comes before the start waits for it, 30 s at most, and is then heard as if on time.
    """

    def __init__(self, params: TransportParams | None = None, *, name: str | None = None) -> None:
        super().__init__(name=name)
        self.transport_params: TransportParams = params or TransportParams()
        self._converter: StreamConverter | None = None
        self._streaming = False
        self._bad_format = False
        self._filtering = True
        self._line_clock = LineClock()
        self._early: deque[tuple[bytes, int, int, float]] = deque()
        self._early_secs = 0.0
        self._early_lost = 0.0
        self._failures = FailureLog(
            "the audio filter fails, the caller is heard without it", self._report
        )

    def _report(self, message: str, error: BaseException) -> None:
        self.push_error(message, exception=error)

    def described(self) -> PartInfo:
        """The part that it plays, for the check at the start."""
        return PartInfo(Role.INPUT)

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        params = self.transport_params
        rate = params.audio_in_sample_rate or frame.audio_in_sample_rate
        self._converter = StreamConverter(rate, params.audio_in_channels)
        if params.audio_in_filter is not None:
            attempt(partial(params.audio_in_filter.start, rate), self._failures)
        if params.audio_in_stream_on_start:
            self.start_streaming()
        self._hear_early()

    @handles(EndFrame, StopFrame)
    async def stop(self, frame: EndFrame | StopFrame, direction: FrameDirection) -> None:
        self.stop_streaming()

    async def cleanup(self) -> None:
        self.stop_streaming()
        if self._converter is not None and self.transport_params.audio_in_filter is not None:
            attempt(self.transport_params.audio_in_filter.stop, self._failures)

    @handles(InputAudioRawFrame)
    async def take(self, frame: InputAudioRawFrame, direction: FrameDirection) -> None:
        if direction is FrameDirection.UPSTREAM:
            await self.push_frame(frame, direction)
        else:
            self.push_audio(
                frame.audio, frame.sample_rate, frame.num_channels, began=frame.timestamp
            )

    @handles(FilterControlFrame)
    async def adjust(self, frame: FilterControlFrame, direction: FrameDirection) -> None:
        """Obeys, or says why not; the frame goes on to filters elsewhere."""
        if isinstance(frame, FilterEnableFrame):
            self._filtering = frame.enable
        elif isinstance(frame, FilterUpdateSettingsFrame):
            refused = FailureLog("the audio filter stays as it was", self._report)
            attempt(partial(self._update_filter, frame), refused)
        await self.push_frame(frame, direction)

    def _update_filter(self, frame: FilterUpdateSettingsFrame) -> None:
        audio_filter = self.transport_params.audio_in_filter
        if not isinstance(audio_filter, AdjustableFilter):
            raise ConfigurationError("there is none that takes settings while it runs")
        audio_filter.update(frame.settings)

    def start_streaming(self) -> None:
        """From now on the caller is heard."""
        self._streaming = self.transport_params.audio_in_enabled

    def stop_streaming(self) -> None:
        """The caller is not heard any more."""
        self._streaming = False

    def push_audio(
        self, pcm: bytes, sample_rate: int, num_channels: int = 1, *, began: float | None = None
    ) -> None:
        """Audio from the caller. What cannot be audio is dropped and reported once, upstream.

        Half samples wait for their other half. Call it from the loop's thread; it never waits.
        `began`: when the first sample was said, in seconds on the loop's clock, where the line
        tells; otherwise it follows what came before.
        """
        try:
            now = asyncio.get_running_loop().time()
        except RuntimeError:
            return  # no conversation will ever have heard it
        if self._converter is None:
            self._keep_early(pcm, sample_rate, num_channels, now)
        else:
            self._hear(pcm, sample_rate, num_channels, now, began)

    def _keep_early(self, pcm: bytes, sample_rate: int, num_channels: int, now: float) -> None:
        self._early.append((pcm, sample_rate, num_channels, now))
        self._early_secs += _secs(pcm, sample_rate, num_channels)
        while self._early_secs > EARLY_SECS + _EPSILON_SECS:
            oldest = _secs(*self._early.popleft()[:3])
            self._early_secs -= oldest
            self._early_lost += oldest

    def _hear_early(self) -> None:
        """The conversation has started: what was said before is heard now."""
        early, self._early = self._early, deque()
        if self._streaming and self._early_lost:
            self.push_error(
                f"{self.name} dropped the first {self._early_lost:.1f} s that the caller said: the "
                f"start took longer than the {EARLY_SECS:g} s that can wait"
            )
        for pcm, sample_rate, num_channels, now in early:
            self._hear(pcm, sample_rate, num_channels, now, None)

    def _hear(
        self, pcm: bytes, sample_rate: int, num_channels: int, now: float, began: float | None
    ) -> None:
        if not self._streaming or self._converter is None:
            return
        try:
            audio = self._converter.process(pcm, sample_rate, num_channels)
        except InvalidInputError as error:
            if not self._bad_format:
                self.push_error(f"the caller's audio is dropped: {error}", exception=error)
            self._bad_format = True
            return
        self._bad_format = False
        if self.transport_params.audio_in_filter is not None and self._filtering:
            filtered = attempt(
                partial(self.transport_params.audio_in_filter.filter, audio), self._failures
            )
            audio = filtered if isinstance(filtered, bytes) else audio
        if audio and self.transport_params.audio_in_passthrough:
            rate, channels = self._converter.sample_rate, self._converter.num_channels
            if began is None:
                began = self._line_clock.place(_secs(audio, rate, channels), now)
            self.push_frame(InputAudioRawFrame(audio, rate, channels, timestamp=began))


def _secs(pcm: bytes, sample_rate: int, num_channels: int) -> float:
    """How long a piece lasts; what cannot be audio lasts no time."""
    rate = SAMPLE_BYTES * num_channels * sample_rate
    return len(pcm) / rate if rate > 0 else 0.0
