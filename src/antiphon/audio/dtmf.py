"""The tones of telephone keys: two sines each (ITU-T Q.23), long enough for any exchange (Q.24)."""

from __future__ import annotations

import numpy as np

from antiphon.audio.pcm import silence, to_bytes
from antiphon.errors import InvalidInputError

TONE_SECS = 0.1
GAP_SECS = 0.06
_LEVEL = 0.25
"""Of full scale, for each of the two sines: -12 dB, loud and far from clipping."""
_RAMP_SECS = 0.005
_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")

FREQUENCIES: dict[str, tuple[int, int]] = {
    key: (_ROWS[row], _COLUMNS[column])
    for row, keys in enumerate(_KEYS)
    for column, key in enumerate(keys)
}
"""Hz of the two tones of each key."""


def tone(key: str, sample_rate: int, secs: float = TONE_SECS) -> bytes:
    """The sound of one key, mono. Raises `InvalidInputError` for what is not a key."""
    if key not in FREQUENCIES:
        raise InvalidInputError(f"{key!r} is not a telephone key; keys are 0-9, *, # and A-D")
    times = np.arange(round(secs * sample_rate)) / sample_rate
    wave = sum(np.sin(2.0 * np.pi * hertz * times) for hertz in FREQUENCIES[key]) * _LEVEL
    edge = np.minimum(times, secs - times) / _RAMP_SECS
    return to_bytes(wave * np.clip(edge, 0.0, 1.0))


def tones(keys: str, sample_rate: int) -> bytes:
    """The sounds of several keys, each followed by a gap."""
    gap = silence(GAP_SECS, sample_rate)
    return b"".join(tone(key, sample_rate) + gap for key in keys)
