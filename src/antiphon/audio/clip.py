"""Recorded or synthesised speech, made ready to be played in a script."""

from __future__ import annotations

import numpy as np

from antiphon.audio.pcm import SAMPLE_BYTES, apply_gain, to_samples

QUIET = 120
"""Samples below this (of 32768) at the ends of a clip are silence."""
LOUDNESS = 0.55
"""Peak of every clip, of full scale."""


def evened(pcm: bytes) -> bytes:
    """16-bit mono PCM without the silence at its ends, and as loud as every other clip.

    Nothing is left of silence.
    """
    loudness = np.abs(to_samples(pcm).astype(np.int32))
    loud = np.flatnonzero(loudness > QUIET)
    if not len(loud):
        return b""
    pcm = pcm[int(loud[0]) * SAMPLE_BYTES : (int(loud[-1]) + 1) * SAMPLE_BYTES]
    return apply_gain(pcm, LOUDNESS * 32_768 / int(loudness.max()))
