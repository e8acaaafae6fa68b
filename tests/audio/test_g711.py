"""G.711 against Python's own codec where there is one, and against the recommendation's numbers."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from antiphon.audio.g711 import Law
from antiphon.audio.pcm import to_bytes, to_samples
from antiphon.errors import InvalidInputError

EVERY = np.arange(-32_768, 32_768, dtype=np.int16)


@pytest.mark.parametrize(
    ("law", "sample", "code", "back"),
    [
        (Law.MU, 0, 0xFF, 0),
        (Law.MU, 32_767, 0x80, 32_124),
        (Law.MU, -32_768, 0x00, -32_124),
        (Law.MU, -1, 0x7F, 0),
        (Law.MU, 1_000, 0xCE, 988),
        (Law.A, 0, 0xD5, 8),
        (Law.A, -1, 0x55, -8),
        (Law.A, 32_767, 0xAA, 32_256),
        (Law.A, -32_768, 0x2A, -32_256),
        (Law.A, 1_000, 0xFA, 1_008),
    ],
)
def test_known_samples_have_their_known_codes(law: Law, sample: int, code: int, back: int) -> None:
    """The ends of the scale, both sides of zero, and one in between."""
    assert law.encode(to_bytes(np.array([sample], dtype=np.int16))) == bytes([code])
    assert to_samples(law.decode(bytes([code])))[0] == back


@pytest.mark.parametrize("law", Law)
def test_what_is_decoded_encodes_to_the_same_sound(law: Law) -> None:
    """Each code survives the way there and back: relaying a call loses nothing more."""
    codes = bytes(range(256))
    again = law.decode(law.encode(law.decode(codes)))
    assert again == law.decode(codes)


@pytest.mark.parametrize("law", Law)
def test_every_sample_comes_back_within_a_step_of_its_segment(law: Law) -> None:
    """The error grows with the loudness, as it should: about 3 % and never more than 4 %."""
    back = to_samples(law.decode(law.encode(to_bytes(EVERY)))).astype(np.int64)
    assert np.all(np.abs(back - EVERY) <= np.maximum(16, np.abs(EVERY.astype(np.int64)) * 0.04))


@pytest.mark.parametrize("law", Law)
def test_silence_is_silent(law: Law) -> None:
    """The byte that fills a pause is the quietest there is."""
    assert abs(int(to_samples(law.decode(bytes([law.silence])))[0])) <= 8
    assert law.encode(b"\0\0") == bytes([law.silence])


@pytest.mark.skipif(importlib.util.find_spec("audioop") is None, reason="gone in Python 3.13")
@pytest.mark.filterwarnings("ignore:'audioop':DeprecationWarning")
def test_every_code_and_sample_is_that_of_the_standard_library() -> None:
    """All codes and samples, but for mu-law below zero, which it rounds another way."""
    import audioop

    pcm, codes = to_bytes(EVERY), bytes(range(256))
    assert Law.MU.decode(codes) == audioop.ulaw2lin(codes, 2)
    assert Law.A.decode(codes) == audioop.alaw2lin(codes, 2)
    assert Law.A.encode(pcm) == audioop.lin2alaw(pcm, 2)
    assert Law.MU.encode(pcm)[32_768:] == audioop.lin2ulaw(pcm, 2)[32_768:]


def test_half_a_sample_is_refused() -> None:
    """An odd number of bytes is no 16-bit audio."""
    with pytest.raises(InvalidInputError, match="3 bytes are not a whole number"):
        Law.MU.encode(b"\0\0\0")
