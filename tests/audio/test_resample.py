"""Tests of `antiphon.audio.resample`."""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np
import pytest

from antiphon.audio.pcm import rms, to_bytes, to_samples
from antiphon.audio.resample import Resampler, resample
from antiphon.errors import InvalidInputError, MissingExtraError

RATES = [(48_000, 16_000), (22_050, 24_000), (8_000, 24_000), (44_100, 16_000), (11_025, 48_000)]


def sine(hertz: float, rate: int, secs: float) -> bytes:
    return to_bytes(0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * secs)) / rate))


@pytest.mark.parametrize(("source", "target"), RATES)
def test_ten_minutes_in_odd_pieces_are_ten_minutes(source: int, target: int) -> None:
    """Nothing drifts: after a flush the length is right to a sample, whatever the pieces."""
    resampler, rng = Resampler(target), np.random.default_rng(source)
    given = got = 0
    while given < 600 * source:
        size = int(rng.integers(1, source // 5))
        given += size
        got += len(resampler.process(bytes(2 * size), source)) // 2
    got += len(resampler.flush()) // 2
    assert abs(got - given * target / source) <= 1


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_tone_keeps_its_pitch_its_level_and_has_no_clicks(source: int, target: int) -> None:
    """Piecewise resampling of a sine is that sine at the other rate."""
    resampler, tone = Resampler(target), sine(440, source, 1.0)
    pieces = [resampler.process(tone[i : i + 334], source) for i in range(0, len(tone), 334)]
    got = to_samples(b"".join(pieces) + resampler.flush()).astype(float)
    want = to_samples(sine(440, target, 1.0)).astype(float)
    count = min(len(got), len(want)) - 200
    assert np.abs(got[200:count] - want[200:count]).max() < 500


def test_what_the_lower_rate_cannot_hold_is_removed() -> None:
    """A tone above half the target's rate does not come back as another tone."""
    assert rms(resample(sine(6_000, 48_000, 0.5), 48_000, 8_000)) < 0.01


def test_equal_rates_pass_through_untouched() -> None:
    """Nothing to do is done without a copy, and without the library."""
    audio = sine(440, 16_000, 0.1)
    assert Resampler(16_000).process(audio, 16_000) is audio


def test_the_rate_may_change_in_mid_stream() -> None:
    """What the old rate still held comes out first; the length is the sum of both."""
    resampler = Resampler(16_000)
    parts = [(8_000, 0.5), (16_000, 0.25), (48_000, 0.5), (8_000, 0.25)]
    got = b"".join(resampler.process(sine(440, rate, secs), rate) for rate, secs in parts)
    got += resampler.flush()
    assert math.isclose(len(got) / 2, 1.5 * 16_000, abs_tol=4)


def test_after_a_reset_nothing_of_the_old_stream_is_heard() -> None:
    """A reset is for interruptions: the old tail must not open the next utterance."""
    resampler = Resampler(16_000)
    resampler.process(np.full(480, 20_000, "<i2").tobytes(), 48_000)
    resampler.reset()
    assert resampler.flush() == b""
    assert rms(resampler.process(bytes(960), 48_000) + resampler.flush()) == 0.0


@pytest.mark.parametrize("rate", [0, -8000, 999, 10_000_000])
def test_an_impossible_rate_is_refused(rate: int) -> None:
    """The error names the rate, on either side."""
    with pytest.raises(InvalidInputError, match=str(rate)):
        Resampler(rate)
    with pytest.raises(InvalidInputError, match=str(rate)):
        Resampler(16_000).process(bytes(2), rate)


def test_a_bad_rate_does_not_break_the_stream() -> None:
    """After the error the stream goes on as if the piece had not come."""
    resampler = Resampler(16_000)
    with pytest.raises(InvalidInputError):
        resampler.process(bytes(2), 7)
    for rate in (8_000, 16_000):  # its own rate, too: half a sample makes noise of all that follows
        with pytest.raises(InvalidInputError, match="3 bytes"):
            resampler.process(bytes(3), rate)
    assert len(resampler.process(bytes(160), 8_000) + resampler.flush()) == 320


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `av` the error says what to install."""
    real = builtins.__import__

    def without_av(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "av":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_av)
    with pytest.raises(MissingExtraError, match=r"pip install 'antiphon\[audio\]'"):
        Resampler(16_000).process(bytes(2), 8_000)
