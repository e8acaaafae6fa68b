"""Helpers for tests of transports: a sink that remembers, and a conversation around an output."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from antiphon.audio.pcm import to_samples
from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.base import Frame, UninterruptibleFrame

RATE = 24_000


class Ear:
    """A sink that can do everything, and remembers what it was asked when."""

    def __init__(self) -> None:
        self.chunks: list[tuple[float, bytes]] = []
        self.log: list[tuple[float, str, Any]] = []
        self.stall: float = 0.0
        self.broken: OSError | None = None

    def _note(self, what: str, value: Any = None) -> None:
        self.log.append((asyncio.get_running_loop().time(), what, value))

    async def open(self, sample_rate: int, num_channels: int) -> None:
        self._note("open", (sample_rate, num_channels))

    async def write(self, pcm: bytes) -> None:
        if self.broken is not None:
            raise self.broken
        if self.stall:
            secs, self.stall = self.stall, 0.0
            await asyncio.sleep(secs)
        self.chunks.append((asyncio.get_running_loop().time(), pcm))
        self._note("write", len(pcm))

    async def clear(self) -> None:
        self._note("clear")

    async def send_message(self, message: Any) -> None:
        self._note("message", message)

    async def send_keys(self, keys: str) -> None:
        self._note("keys", keys)

    async def close(self) -> None:
        self._note("close")

    @property
    def heard(self) -> list[int]:
        """The values of all samples, silence left out, each run of equal ones once."""
        samples = to_samples(b"".join(pcm for _, pcm in self.chunks))
        loud = samples[samples != 0]
        if not len(loud):
            return []
        return [int(v) for v in loud[np.flatnonzero(np.diff(loud, prepend=0))]]

    def asked(self, what: str) -> list[Any]:
        return [value for _, kind, value in self.log if kind == what]


class BareEar:
    """A sink that can only take audio."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    async def write(self, pcm: bytes) -> None:
        self.chunks.append(pcm)


class MustBeHeard(UninterruptibleFrame, TTSAudioRawFrame):
    """Speech that an interruption does not cut off."""


def speech(value: int, secs: float, context_id: str = "u", rate: int = RATE) -> TTSAudioRawFrame:
    """Speech whose samples all are `value`."""
    pcm = np.full(round(secs * rate), value, "<i2").tobytes()
    return TTSAudioRawFrame(pcm, rate, 1, context_id)


def names(frames: list[Frame], *kinds: type[Frame]) -> list[str]:
    return [type(f).__name__ for f in frames if not kinds or isinstance(f, kinds)]
