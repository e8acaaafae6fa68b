"""The parameters of a conversation that its processors may want to know."""

from __future__ import annotations

import enum

import msgspec

from antiphon.errors import ConfigurationError


def check_secs(name: str, value: object, wanted: str = "0 or more") -> None:
    """Raises `ConfigurationError` for a timeout that is none."""
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else -1
    if number > 0 or (number == 0 and wanted == "0 or more"):
        return
    raise ConfigurationError(f"{name} is a number of seconds, {wanted}, not {value!r}")


class PipelineParams(msgspec.Struct, frozen=True, kw_only=True):
    """Sample rates in Hz, periods in seconds."""

    audio_in_sample_rate: int = 16_000
    audio_out_sample_rate: int = 24_000
    enable_metrics: bool = False
    enable_usage_metrics: bool = False
    enable_heartbeats: bool = False
    heartbeats_period_secs: float = 1.0
    heartbeats_monitor_secs: float = 10.0

    def __post_init__(self) -> None:
        numbers = {
            "audio_in_sample_rate": self.audio_in_sample_rate,
            "audio_out_sample_rate": self.audio_out_sample_rate,
            "heartbeats_period_secs": self.heartbeats_period_secs,
            "heartbeats_monitor_secs": self.heartbeats_monitor_secs,
        }
        for name, value in numbers.items():
            if value <= 0:
                raise ConfigurationError(
                    f"PipelineParams.{name} must be more than 0, not {value:g}"
                )


class ErrorPolicy(enum.Enum):
    """What a task does about an error that will not go away by itself (not retryable)."""

    CONTINUE = "report it and go on"
    END = "end gracefully"
    CANCEL = "end at once"
