"""16-bit little-endian PCM: as bytes on the wire, as numpy arrays where it is calculated with.

Samples are int16; several channels are interleaved. Loudness formulas are those of `rms` and
`volume`, which the voice activity detection uses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from antiphon.errors import InvalidInputError

Samples = npt.NDArray[np.int16]

SAMPLE_BYTES = 2
FULL_SCALE = 32_768
_LE_INT16 = np.dtype("<i2")


def to_samples(pcm: bytes | bytearray | memoryview, num_channels: int = 1) -> Samples:
    """The samples in `pcm`: shape (n,) for one channel, (n, num_channels) for several.

    Raises `InvalidInputError` when the size is not a whole number of samples of all channels.
    """
    unit = SAMPLE_BYTES * num_channels
    if len(pcm) % unit:
        raise InvalidInputError(
            f"{len(pcm)} bytes are not a whole number of 16-bit samples of {num_channels} "
            "channel(s); pieces cut anywhere go through SampleAligner first"
        )
    samples = np.frombuffer(pcm, dtype=_LE_INT16)
    return samples if num_channels == 1 else samples.reshape(-1, num_channels)


def to_bytes(samples: npt.NDArray[Any]) -> bytes:
    """PCM of `samples`: integers are clipped to 16 bits; floats are taken as -1.0 to 1.0.

    NaN becomes silence and infinity the loudest value, so that one broken sample of a model cannot
    become a bang or an exception.
    """
    if samples.dtype == _LE_INT16:
        return samples.tobytes()
    if np.issubdtype(samples.dtype, np.floating):
        finite = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
        return _clipped(np.round(finite.astype(np.float64) * FULL_SCALE))
    return _clipped(samples)


def to_float(pcm: bytes) -> npt.NDArray[np.float32]:
    """Mono PCM as floats from -1.0 to 1.0."""
    return to_samples(pcm).astype(np.float32) / np.float32(FULL_SCALE)


def _clipped(values: npt.NDArray[Any]) -> bytes:
    clipped: Samples = np.clip(values, -FULL_SCALE, FULL_SCALE - 1).astype(_LE_INT16)
    return clipped.tobytes()


def to_mono(pcm: bytes, num_channels: int) -> bytes:
    """The average of the channels."""
    if num_channels == 1:
        return pcm
    wide = to_samples(pcm, num_channels).astype(np.int32)
    return _clipped(np.rint(wide.sum(axis=1) / num_channels))


def to_channels(pcm: bytes, num_channels: int) -> bytes:
    """Mono `pcm`, the same on each of `num_channels`."""
    if num_channels == 1:
        return pcm
    return np.repeat(to_samples(pcm), num_channels).tobytes()


def interleave(*tracks: bytes) -> bytes:
    """One stream of mono tracks, left before right; shorter ones are continued with silence."""
    size = max(map(len, tracks), default=0)
    table = np.zeros((size // SAMPLE_BYTES, len(tracks)), dtype=_LE_INT16)
    for column, track in enumerate(tracks):
        samples = to_samples(track)
        table[: len(samples), column] = samples
    return table.tobytes()


def deinterleave(pcm: bytes, num_channels: int) -> list[bytes]:
    """One mono track for each channel."""
    if num_channels == 1:
        return [pcm]
    table = to_samples(pcm, num_channels)
    return [np.ascontiguousarray(table[:, i]).tobytes() for i in range(num_channels)]


def mix(*tracks: bytes) -> bytes:
    """The sum of all tracks, clipped; shorter ones are continued with silence."""
    if len(tracks) == 1:
        return tracks[0]
    total = np.zeros(max(map(len, tracks), default=0) // SAMPLE_BYTES, dtype=np.int32)
    for track in tracks:
        samples = to_samples(track)
        total[: len(samples)] += samples
    return _clipped(total)


def apply_gain(pcm: bytes, gain: float) -> bytes:
    """`pcm` times `gain` (1.0 leaves it as it is), clipped."""
    if gain == 1.0:
        return pcm
    return _clipped(np.rint(to_samples(pcm) * gain))


def fade_out(pcm: bytes, num_channels: int = 1) -> bytes:
    """`pcm` falling in a straight line to silence at its end."""
    samples = to_samples(pcm, num_channels)
    ramp = np.linspace(1.0, 0.0, num=len(samples), endpoint=False)
    return _clipped(np.rint(samples * (ramp if num_channels == 1 else ramp[:, None])))


def silence(secs: float, sample_rate: int, num_channels: int = 1) -> bytes:
    """`secs` of nothing, rounded to a whole sample."""
    return bytes(SAMPLE_BYTES * num_channels * round(secs * sample_rate))


def duration(pcm: bytes, sample_rate: int, num_channels: int = 1) -> float:
    """Seconds of audio in `pcm`."""
    return len(pcm) / (SAMPLE_BYTES * num_channels * sample_rate)


def rms(pcm: bytes) -> float:
    """Root mean square of all samples, 0.0 to 1.0 of full scale; 0.0 for no samples."""
    samples = to_samples(pcm)
    if pcm == bytes(len(pcm)):  # a line that is muted, or nothing at all
        return 0.0
    wide = samples.astype(np.float32)
    return math.sqrt(float(np.dot(wide, wide)) / len(wide)) / FULL_SCALE


def volume(pcm: bytes) -> float:
    """Loudness from 0.0 to 1.0: the level over 100 dB, starting at -110 dB of full scale.

    `(20 log10(rms) + 110) / 100`, held to the range. So 0.6, the threshold that `VADParams` starts
    with, is -50 dB of full scale; quiet speech is near -35 dB (0.75), a line's own noise near
    -65 dB (0.45).
    """
    level = rms(pcm)
    if level <= 0.0:
        return 0.0
    return min(1.0, max(0.0, (20.0 * math.log10(level) + 110.0) / 100.0))


class SampleAligner:
    """Makes whole samples of a byte stream that was cut anywhere, as networks and vendors do."""

    def __init__(self, num_channels: int = 1) -> None:
        self._unit = SAMPLE_BYTES * num_channels
        self._held = b""

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their sample."""
        return len(self._held)

    def push(self, data: bytes) -> bytes:
        """All whole samples so far that were not returned before; what is left is held over."""
        if not self._held and len(data) % self._unit == 0:
            return data
        joined = self._held + data
        whole = len(joined) - len(joined) % self._unit
        self._held = joined[whole:]
        return joined[:whole]

    def reset(self) -> None:
        """Forgets what is held: the stream begins anew."""
        self._held = b""


class Rechunker:
    """Makes pieces of one exact size of pieces of any size."""

    def __init__(self, piece_bytes: int) -> None:
        if piece_bytes <= 0:
            raise InvalidInputError(f"pieces of {piece_bytes} bytes cannot be cut")
        self._size = piece_bytes
        self._held = bytearray()

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their piece."""
        return len(self._held)

    def push(self, data: bytes) -> Sequence[bytes]:
        """All pieces that are complete now, oldest first."""
        held, size = self._held, self._size
        held += data
        if len(held) < size:
            return ()
        whole = len(held) - len(held) % size
        pieces = [bytes(held[i : i + size]) for i in range(0, whole, size)]
        del held[:whole]
        return pieces

    def flush(self) -> bytes:
        """The incomplete rest, which is forgotten."""
        rest = bytes(self._held)
        self._held.clear()
        return rest
