"""Tests of `antiphon.audio.webrtc_filter`, with the real library."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

from antiphon.audio.pcm import rms, to_bytes
from antiphon.audio.webrtc_filter import WebRTCNoiseFilter
from antiphon.errors import ConfigurationError, MissingExtraError


def noise(secs: float, rate: int) -> bytes:
    rng = np.random.default_rng(1)
    return to_bytes(rng.standard_normal(round(secs * rate)) * 0.01)


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_steady_noise_becomes_much_quieter(rate: int) -> None:
    """By 10 dB at least, at any rate, in pieces of any size; the length stays but for the end."""
    pytest.importorskip("webrtc_noise_gain")
    cleaner = WebRTCNoiseFilter(noise_suppression=3)
    cleaner.start(rate)
    noisy = noise(3.0, rate)
    clean = b"".join(cleaner.filter(noisy[i : i + 634]) for i in range(0, len(noisy), 634))
    assert len(noisy) - len(clean) < 0.03 * rate * 2
    half = len(clean) // 4 * 2
    assert rms(clean[half:]) < 0.32 * rms(noisy[half:])
    cleaner.stop()


def test_impossible_settings_are_refused() -> None:
    """When the filter is made, not in the middle of a call."""
    with pytest.raises(ConfigurationError, match="noise_suppression is 0 to 4"):
        WebRTCNoiseFilter(noise_suppression=5)


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "webrtc_noise_gain":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"antiphon\[noise\]"):
        WebRTCNoiseFilter().start(16_000)
