"""Tests of `antiphon.audio.convert`."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.convert import StreamConverter
from antiphon.audio.pcm import deinterleave, interleave, rms, to_bytes, to_float, to_samples
from antiphon.errors import InvalidInputError


def steady(value: int, count: int) -> bytes:
    return np.full(count, value, "<i2").tobytes()


def test_bytes_cut_anywhere_become_whole_samples() -> None:
    """A stereo stream cut at odd places is the same stream."""
    stereo = np.repeat(np.arange(500, dtype="<i2"), 2).tobytes()
    converter = StreamConverter(16_000)
    got = b"".join(converter.process(stereo[i : i + 7], 16_000, 2) for i in range(0, 2000, 7))
    assert to_samples(got).tolist() == list(range(500))


def test_rate_and_channels_are_converted_together() -> None:
    """48 kHz stereo, as WebRTC delivers it, to 16 kHz mono and back."""
    converter = StreamConverter(16_000)
    stereo = np.full(2 * 48_000, 1000, "<i2").tobytes()
    mono = converter.process(stereo, 48_000, 2) + converter.flush()
    assert len(mono) == 2 * 16_000
    wide = StreamConverter(48_000, 2)
    back = wide.process(mono, 16_000) + wide.flush()
    assert len(back) == len(stereo)
    assert np.abs(to_samples(back, 2)[500:-500] - 1000).max() < 5


def test_stereo_stays_stereo() -> None:
    """Each side keeps its own sound at the new rate, to the sample, also in odd pieces."""
    left, right = (np.sin(np.arange(48_000) * hertz * 2 * np.pi / 48_000) for hertz in (300, 900))
    stereo = interleave(to_bytes(0.5 * left), to_bytes(0.25 * right))
    converter = StreamConverter(24_000, 2)
    out = b"".join(
        converter.process(stereo[i : i + 999], 48_000, 2) for i in range(0, len(stereo), 999)
    )
    tracks = deinterleave(out + converter.flush(), 2)
    assert [len(track) for track in tracks] == [48_000, 48_000]
    for track, level, hertz in zip(tracks, (0.5, 0.25), (300, 900), strict=True):
        assert rms(track) == pytest.approx(level / 2**0.5, rel=0.01)
        spectrum = np.abs(np.fft.rfft(to_float(track)))
        assert int(spectrum.argmax()) == hertz
    assert converter.process(stereo[:4_000], 24_000, 2) == stereo[:4_000]


def test_a_change_of_channels_loses_nothing_that_was_whole() -> None:
    """Stereo, mono, stereo: each second is a second long."""
    converter, mono = StreamConverter(16_000, 2), steady(900, 8_000)
    stereo = interleave(mono, steady(300, 8_000))
    out = [converter.process(pcm, 8_000, n) for pcm, n in ((stereo, 2), (mono, 1), (stereo, 2))]
    left, right = deinterleave(b"".join(out) + converter.flush(), 2)
    assert len(left) == len(right) == 3 * 2 * 16_000
    middle = to_samples(right)[16_000 + 400 : 32_000 - 400]
    assert set(np.unique(middle)) <= {899, 900, 901}
    assert abs(int(np.median(to_samples(right)[400:15_000])) - 300) <= 1


def test_the_format_may_change_in_mid_stream() -> None:
    """Half a sample of the old format does not shift the new one."""
    converter = StreamConverter(8_000)
    assert converter.process(b"\1\0\1", 8_000, 1) == b"\1\0"
    assert converter.process(b"\2\0\2\0\3\0\3\0", 8_000, 2) == b"\2\0\3\0"


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (16_000, 0)])
def test_a_format_that_no_audio_has_is_refused(rate: int, channels: int) -> None:
    """And the stream goes on afterwards."""
    converter = StreamConverter(8_000)
    with pytest.raises(InvalidInputError):
        converter.process(bytes(4), rate, channels)
    assert converter.process(bytes(4), 8_000) == bytes(4)


def test_after_a_reset_nothing_is_left_of_the_old_stream() -> None:
    """Neither half a sample nor the filter's memory."""
    converter = StreamConverter(16_000)
    converter.process(np.full(481, 20_000, "<i2").tobytes()[:-1], 48_000)
    converter.reset()
    assert converter.flush() == b""
    assert set(to_samples(converter.process(bytes(960), 48_000))) == {0}
