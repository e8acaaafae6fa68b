"""The frames of a conversation's life: start, end, failure, interruption, measurements."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from antiphon.errors import ErrorCategory
from antiphon.frames.base import ControlFrame, Frame, SystemFrame, UninterruptibleFrame


class StartFrame(SystemFrame):
    """The first frame every processor handles; whatever else it was sent waits until it has.

    Sample rates are in Hz.
    """

    lifecycle: ClassVar[bool] = True

    audio_in_sample_rate: int = 16_000
    audio_out_sample_rate: int = 24_000
    enable_metrics: bool = False
    enable_usage_metrics: bool = False


class EndFrame(UninterruptibleFrame, ControlFrame):
    """A graceful end: handled after everything that was queued before it."""

    lifecycle: ClassVar[bool] = True

    reason: str | None = None


class EndRequestFrame(UninterruptibleFrame, ControlFrame):
    """Asks the task, upstream, for a graceful end after the frames of `before_the_end`."""

    reason: str | None = None

    def before_the_end(self) -> tuple[Frame, ...]:
        """What goes through the pipeline in front of the `EndFrame`."""
        return ()


class StopFrame(UninterruptibleFrame, ControlFrame):
    """Like `EndFrame`, but processors keep what they hold: `cleanup` is not called."""

    lifecycle: ClassVar[bool] = True

    reason: str | None = None


class CancelFrame(SystemFrame):
    """The conversation is over now; what is queued is discarded."""

    lifecycle: ClassVar[bool] = True

    reason: str | None = None


class InterruptionFrame(SystemFrame):
    """Everything of the older epoch is void. The kernel tells every processor that handles it."""


class ErrorFrame(SystemFrame):
    """Something went wrong in `processor` (its name); travels upstream to the task.

    `count`: how often it has, in one outage of which it was told before.
    """

    error: str
    processor: str | None = None
    exception: BaseException | None = None
    category: ErrorCategory = ErrorCategory.UNKNOWN
    retryable: bool = False
    count: int = 1


class HeartbeatFrame(ControlFrame):
    """Sent through the pipeline now and then to see that it flows; `timestamp` in ns."""

    timestamp: int


class TTFBMetricsData(msgspec.Struct, frozen=True, tag="ttfb"):
    """Seconds from a request to the first piece of its answer."""

    processor: str
    value: float
    model: str | None = None


class ProcessingMetricsData(msgspec.Struct, frozen=True, tag="processing"):
    """Seconds from a request to the end of its answer."""

    processor: str
    value: float
    model: str | None = None


class LLMUsageMetricsData(msgspec.Struct, frozen=True, tag="llm_usage"):
    """Tokens of one inference."""

    processor: str
    prompt_tokens: int
    completion_tokens: int
    model: str | None = None


class TTSUsageMetricsData(msgspec.Struct, frozen=True, tag="tts_usage"):
    """Characters of one synthesis request."""

    processor: str
    characters: int
    model: str | None = None


class STTUsageMetricsData(msgspec.Struct, frozen=True, tag="stt_usage"):
    """Seconds of audio sent for transcription since the last report."""

    processor: str
    audio_seconds: float
    model: str | None = None


class TurnMetricsData(msgspec.Struct, frozen=True, tag="turn"):
    """One opinion of a turn model; `processing_ms` is the time it took."""

    processor: str
    is_complete: bool
    probability: float
    processing_ms: float
    model: str | None = None


MetricsData = (
    TTFBMetricsData
    | ProcessingMetricsData
    | LLMUsageMetricsData
    | TTSUsageMetricsData
    | STTUsageMetricsData
    | TurnMetricsData
)


class MetricsFrame(SystemFrame):
    """Measurements, for observers and dashboards."""

    data: tuple[MetricsData, ...]
