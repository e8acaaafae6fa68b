"""Both sides of a conversation as sound, on the conversation's clock.

A piece of audio is placed where it was played or captured. Pieces arrive with some jitter, so one
that comes within `JITTER_SECS` of the end of the one before it joins it without a seam.
"""

from __future__ import annotations

import pathlib

import msgspec

from antiphon.audio.pcm import SAMPLE_BYTES, deinterleave, interleave, silence
from antiphon.audio.resample import Resampler
from antiphon.audio.wav import read_wav, write_wav
from antiphon.errors import InvalidInputError

JITTER_SECS = 0.25


class TwoSides(msgspec.Struct, frozen=True):
    """Two mono tracks of 16-bit PCM that begin together; `sample_rate` in Hz."""

    sample_rate: int
    caller: bytes
    agent: bytes

    @property
    def secs(self) -> float:
        """Length of the longer track in seconds."""
        return max(len(self.caller), len(self.agent)) / (SAMPLE_BYTES * self.sample_rate)

    def write(self, path: pathlib.Path) -> None:
        """A stereo wav file: the caller left, the agent right."""
        write_wav(path, interleave(self.caller, self.agent), self.sample_rate, 2)

    @classmethod
    def read(cls, path: pathlib.Path) -> TwoSides:
        """The reverse of `write`. Raises InvalidInputError unless the file is a stereo wav."""
        recording = read_wav(path)
        if recording.num_channels != 2:
            raise InvalidInputError(
                f"{path} has {recording.num_channels} channel(s); a conversation has two, "
                "the caller left and the agent right"
            )
        caller, agent = deinterleave(recording.pcm, 2)
        return cls(recording.sample_rate, caller, agent)


class Track:
    """One side, built from timed pieces. Mono at `sample_rate` Hz."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._pcm = bytearray()
        self._resampler = Resampler(sample_rate)

    @property
    def secs(self) -> float:
        """Length so far in seconds."""
        return len(self._pcm) / (SAMPLE_BYTES * self.sample_rate)

    def add(self, pcm: bytes, sample_rate: int, start: float) -> None:
        """Mono `pcm` that began at `start` seconds. What lies before the end so far is joined."""
        gap = start - self.secs
        if gap > JITTER_SECS:
            self._pcm += self._resampler.flush()
            self._pcm += silence(max(0.0, start - self.secs), self.sample_rate)
        self._pcm += self._resampler.process(pcm, sample_rate)

    def pcm(self, secs: float | None = None) -> bytes:
        """The track so far, continued with silence or cut to `secs`."""
        if secs is None:
            return bytes(self._pcm)
        size = round(secs * self.sample_rate) * SAMPLE_BYTES
        return bytes(self._pcm[:size]).ljust(size, b"\0")
