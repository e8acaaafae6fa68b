"""Tests of `antiphon.audio.convert`."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.convert import StreamConverter
from antiphon.audio.pcm import to_samples
from antiphon.errors import InvalidInputError


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
