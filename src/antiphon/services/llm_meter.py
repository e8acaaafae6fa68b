"""What one answer costs: time to the first event, time to the last, tokens."""

from __future__ import annotations

from antiphon.frames.lifecycle import (
    LLMUsageMetricsData,
    MetricsData,
    MetricsFrame,
    ProcessingMetricsData,
    TTFBMetricsData,
)
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.contracts import TokenUsage


class ResponseMeter:
    """Measures from when it is made; pushes what the task's parameters ask for."""

    def __init__(self, processor: FrameProcessor, model: str | None) -> None:
        self._processor = processor
        self._model = model
        self._began = processor.clock.now()
        self._first = False

    async def first_event(self) -> None:
        """Something came; only the first time counts."""
        if not self._first:
            self._first = True
            secs = self._processor.clock.now() - self._began
            await self._push(TTFBMetricsData(self._processor.name, secs, self._model))

    async def finished(self) -> None:
        """The answer is complete."""
        secs = self._processor.clock.now() - self._began
        await self._push(ProcessingMetricsData(self._processor.name, secs, self._model))

    async def used(self, usage: TokenUsage) -> None:
        """The provider counted tokens."""
        if self._processor.params.enable_usage_metrics:
            data = LLMUsageMetricsData(
                self._processor.name, usage.prompt_tokens, usage.completion_tokens, self._model
            )
            await self._processor.push_frame(MetricsFrame(data=(data,)))

    async def _push(self, data: MetricsData) -> None:
        if self._processor.params.enable_metrics:
            await self._processor.push_frame(MetricsFrame(data=(data,)))
