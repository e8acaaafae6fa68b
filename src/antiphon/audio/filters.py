"""The place for a noise filter: between the caller's sound and everything that listens to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from antiphon.audio.pcm import apply_gain
from antiphon.errors import ConfigurationError


class AudioFilter(Protocol):
    """Cleans mono audio piece by piece. May return less or more than it was given, later."""

    def start(self, sample_rate: int) -> None:
        """Called once before the first piece; `sample_rate` in Hz."""

    def filter(self, pcm: bytes) -> bytes:
        """The cleaned audio that is ready. Runs on the event loop: a few milliseconds at most."""
        ...

    def stop(self) -> None:
        """Releases what it holds."""


@runtime_checkable
class AdjustableFilter(AudioFilter, Protocol):
    """A filter that obeys `FilterUpdateSettingsFrame`."""

    def update(self, settings: Mapping[str, Any]) -> None:
        """Changes what is named, or nothing: raises `ConfigurationError` naming the culprit."""


def only(settings: Mapping[str, Any], *known: str) -> Mapping[str, Any]:
    """`settings`. Raises `ConfigurationError` when there are others than `known` among them."""
    if unknown := [name for name in settings if name not in known]:
        raise ConfigurationError(
            f"the filter has no setting {unknown[0]!r}; it has: {', '.join(known)}"
        )
    return settings


class GainFilter:
    """Makes a quiet line louder, or a loud one quieter: each sample times `gain`, clipped."""

    def __init__(self, gain: float) -> None:
        self.gain: float = gain

    def start(self, sample_rate: int) -> None:
        """Works at any rate."""

    def filter(self, pcm: bytes) -> bytes:
        """The piece times the gain."""
        return apply_gain(pcm, self.gain)

    def update(self, settings: Mapping[str, Any]) -> None:
        """Changes `gain`."""
        gain = only(settings, "gain").get("gain", self.gain)
        if not isinstance(gain, int | float):
            raise ConfigurationError(f"the gain of a filter is a number, not {gain!r}")
        self.gain = gain

    def stop(self) -> None:
        """Holds nothing."""
