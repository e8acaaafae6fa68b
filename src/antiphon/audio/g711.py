"""G.711: the mu-law and A-law of telephone lines, by tables (ITU-T G.711).

One byte is one sample. A table of 65,536 bytes encodes and one of 256 samples decodes, so that
either way costs a look-up for each sample; tables are made when they are first used.
"""

from __future__ import annotations

import enum
import functools

import numpy as np
import numpy.typing as npt

from antiphon.audio.pcm import Samples, to_samples

SAMPLE_RATE = 8_000
"""Samples a second of a telephone line (Hz)."""

_MU_BIAS, _MU_CLIP = 132, 32_635


class Law(enum.Enum):
    """A companding law; `silence` is the byte of a silent sample."""

    MU = "mu-law"
    A = "a-law"

    @property
    def silence(self) -> int:
        """The byte that stands for silence."""
        return 0xFF if self is Law.MU else 0xD5

    def encode(self, pcm: bytes) -> bytes:
        """Bytes for 16-bit PCM. Raises `InvalidInputError` for half a sample."""
        return _encoding(self).take(to_samples(pcm).view(np.uint16)).tobytes()

    def decode(self, data: bytes) -> bytes:
        """16-bit PCM for any bytes."""
        return _decoding(self).take(np.frombuffer(data, dtype=np.uint8)).tobytes()


@functools.cache
def _decoding(law: Law) -> Samples:
    code = np.arange(256, dtype=np.int32)
    return _mu_samples(code) if law is Law.MU else _a_samples(code)


def _mu_samples(code: npt.NDArray[np.int32]) -> Samples:
    code = code ^ 0xFF
    size = ((((code & 0x0F) << 3) + _MU_BIAS) << ((code & 0x70) >> 4)) - _MU_BIAS
    return np.where(code & 0x80, -size, size).astype("<i2")


def _a_samples(code: npt.NDArray[np.int32]) -> Samples:
    code = code ^ 0x55
    segment, size = (code & 0x70) >> 4, (code & 0x0F) << 4
    linear = np.where(segment == 0, size + 8, (size + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, linear, -linear).astype("<i2")


@functools.cache
def _encoding(law: Law) -> npt.NDArray[np.uint8]:
    """The code of each sample, by the sample's 16 bits taken as unsigned."""
    sample = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    return _mu_codes(sample) if law is Law.MU else _a_codes(sample)


def _mu_codes(sample: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    size = np.minimum(np.abs(sample), _MU_CLIP) + _MU_BIAS
    segment = _highest_bit(size) - 7
    code = (segment << 4) | ((size >> (segment + 3)) & 0x0F)
    return (~np.where(sample < 0, code | 0x80, code) & 0xFF).astype(np.uint8)


def _a_codes(sample: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    size = np.where(sample < 0, ~sample, sample)
    segment = np.maximum(_highest_bit(size) - 7, 0)
    code = (segment << 4) | ((size >> np.where(segment == 0, 4, segment + 3)) & 0x0F)
    return (np.where(sample < 0, code, code | 0x80) ^ 0x55).astype(np.uint8)


def _highest_bit(value: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The number of the highest bit set, 0 for 0 and 1."""
    return (np.frexp(np.maximum(value, 1).astype(np.float64))[1] - 1).astype(np.int32)
