"""What is measured about transcription."""

from __future__ import annotations

from antiphon.frames.lifecycle import (
    MetricsData,
    MetricsFrame,
    STTUsageMetricsData,
    TTFBMetricsData,
)
from antiphon.kernel.processor import FrameProcessor

_SAMPLE_BYTES = 2


class TranscriptionMeter:
    """What is measured about transcription, pushed if the task wants it."""

    def __init__(self, processor: FrameProcessor, sample_rate: int) -> None:
        self._processor = processor
        self._bytes_per_sec = sample_rate * _SAMPLE_BYTES
        self.model: str | None = None
        self.sent_bytes: int = 0

    async def ttfb(self, value: float | None) -> None:
        """Seconds from the true end of speech to its transcript, if they are known."""
        if value is not None and self._processor.params.enable_metrics:
            await self._push(
                TTFBMetricsData(processor=self._processor.name, value=value, model=self.model)
            )

    async def usage(self) -> None:
        """The audio sent since the last report."""
        if self.sent_bytes and self._processor.params.enable_usage_metrics:
            secs, self.sent_bytes = self.sent_bytes / self._bytes_per_sec, 0
            await self._push(
                STTUsageMetricsData(
                    processor=self._processor.name, audio_seconds=secs, model=self.model
                )
            )

    async def _push(self, data: MetricsData) -> None:
        await self._processor.push_frame(MetricsFrame(data=(data,)))
