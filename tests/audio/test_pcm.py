"""Tests of `antiphon.audio.pcm`."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio import pcm
from antiphon.errors import InvalidInputError


def ramp(count: int) -> bytes:
    return np.arange(count, dtype="<i2").tobytes()


def test_half_a_sample_is_refused_with_one_clear_error() -> None:
    """An odd number of bytes is an error that says what to use."""
    with pytest.raises(InvalidInputError, match=r"3 bytes.*SampleAligner"):
        pcm.to_samples(b"abc")
    with pytest.raises(InvalidInputError, match="2 channel"):
        pcm.to_samples(b"abcdef", 2)


def test_floats_with_nan_infinity_and_overflow_become_legal_samples() -> None:
    """Broken model output is silence or the loudest value, never an exception."""
    samples = pcm.to_samples(pcm.to_bytes(np.array([0.0, 0.5, 2.0, -2.0, np.nan, np.inf, -np.inf])))
    assert samples.tolist() == [0, 16384, 32767, -32768, 0, 32767, -32768]


def test_wide_integers_are_clipped() -> None:
    """Sums beyond 16 bits are clipped, not wrapped around."""
    assert pcm.to_samples(pcm.to_bytes(np.array([40_000, -40_000]))).tolist() == [32767, -32768]


def test_mixing_clips_and_continues_the_shorter_track_with_silence() -> None:
    """A mix is as long as its longest track and never wraps."""
    loud = np.full(4, 30_000, "<i2").tobytes()
    short = np.full(2, 10_000, "<i2").tobytes()
    assert pcm.to_samples(pcm.mix(loud, short)).tolist() == [32767, 32767, 30_000, 30_000]


def test_channels_go_apart_and_together_again() -> None:
    """Interleaving two tracks and taking them apart is the identity; the shorter one is padded."""
    left, right = ramp(5), ramp(3)
    stereo = pcm.interleave(left, right)
    assert pcm.deinterleave(stereo, 2) == [left, right + bytes(4)]
    assert pcm.to_mono(pcm.to_channels(left, 2), 2) == left
    assert pcm.deinterleave(pcm.to_channels(left, 3), 3) == [left] * 3


def test_mono_is_the_average_and_does_not_overflow() -> None:
    """Two loud channels average to a loud one."""
    both = np.array([[32767, 32767], [-32768, -32768], [100, -100]], "<i2").tobytes()
    assert pcm.to_samples(pcm.to_mono(both, 2)).tolist() == [32767, -32768, 0]


def test_gain_of_one_returns_the_same_object() -> None:
    """Doing nothing costs nothing."""
    audio = ramp(10)
    assert pcm.apply_gain(audio, 1.0) is audio
    assert pcm.to_samples(pcm.apply_gain(audio, -2.0)).tolist() == [-2 * i for i in range(10)]


def test_a_fade_ends_near_silence_on_every_channel() -> None:
    """The first sample is whole, the last nearly nothing."""
    faded = pcm.to_samples(pcm.fade_out(np.full(200, 1000, "<i2").tobytes(), 2), 2)
    assert faded[0].tolist() == [1000, 1000]
    assert faded[-1].max() <= 10


def test_volume_follows_its_documented_formula() -> None:
    """-50 dB of full scale is 0.6; silence is 0; a full-scale square wave is 1."""
    level = round(32768 * 10 ** (-50 / 20))
    assert pcm.volume(np.full(512, level, "<i2").tobytes()) == pytest.approx(0.6, abs=0.001)
    assert pcm.volume(bytes(1024)) == 0.0
    assert pcm.volume(b"") == 0.0
    assert pcm.volume(np.full(512, 32767, "<i2").tobytes()) == 1.0


def test_durations_and_silence_agree() -> None:
    """A stretch of silence lasts as long as was asked for."""
    assert pcm.duration(pcm.silence(1.25, 8000, 2), 8000, 2) == 1.25


@pytest.mark.parametrize("channels", [1, 2])
def test_an_aligner_gives_back_the_stream_in_whole_samples(channels: int) -> None:
    """However a stream is cut, every piece is whole and nothing is lost or reordered."""
    rng = np.random.default_rng(channels)
    data = rng.bytes(4000)
    for _ in range(100):
        aligner = pcm.SampleAligner(channels)
        pieces, position = [], 0
        while position < len(data):
            size = int(rng.integers(0, 12))
            pieces.append(aligner.push(data[position : position + size]))
            position += size
        assert all(len(piece) % (2 * channels) == 0 for piece in pieces)
        assert b"".join(pieces) == data
        assert aligner.held == 0


def test_an_aligner_holds_the_rest_until_it_is_told_to_forget() -> None:
    """The half sample of a stream that ended does not shift the next stream."""
    aligner = pcm.SampleAligner()
    assert aligner.push(b"abc") == b"ab"
    assert aligner.held == 1
    aligner.reset()
    assert aligner.push(b"xy") == b"xy"


def test_a_rechunker_cuts_exact_pieces() -> None:
    """Pieces have one size; `flush` gives what is left once."""
    cutter = pcm.Rechunker(4)
    assert cutter.push(b"abcde") == [b"abcd"]
    assert cutter.push(b"fgh") == [b"efgh"]
    cutter.push(b"ij")
    assert cutter.flush() == b"ij"
    assert cutter.flush() == b""
    with pytest.raises(InvalidInputError):
        pcm.Rechunker(0)
