"""The place for a noise filter: between the caller's sound and everything that listens to it."""

from __future__ import annotations

from typing import Protocol

from antiphon.audio.pcm import apply_gain


class AudioFilter(Protocol):
    """Cleans mono audio piece by piece. May return less or more than it was given, later."""

    def start(self, sample_rate: int) -> None:
        """Called once before the first piece; `sample_rate` in Hz."""

    def filter(self, pcm: bytes) -> bytes:
        """The cleaned audio that is ready. Runs on the event loop: a few milliseconds at most."""
        ...

    def stop(self) -> None:
        """Releases what it holds."""


class GainFilter:
    """Makes a quiet line louder, or a loud one quieter: each sample times `gain`, clipped."""

    def __init__(self, gain: float) -> None:
        self.gain = gain

    def start(self, sample_rate: int) -> None:
        """Works at any rate."""

    def filter(self, pcm: bytes) -> bytes:
        """The piece times the gain."""
        return apply_gain(pcm, self.gain)

    def stop(self) -> None:
        """Holds nothing."""
