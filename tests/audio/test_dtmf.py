"""Tests of `antiphon.audio.dtmf`."""

from __future__ import annotations

import numpy as np
import pytest

from antiphon.audio.dtmf import FREQUENCIES, GAP_SECS, TONE_SECS, tone, tones
from antiphon.audio.pcm import to_float
from antiphon.errors import InvalidInputError


@pytest.mark.parametrize("key", FREQUENCIES)
@pytest.mark.parametrize("rate", [8_000, 24_000])
def test_a_key_sounds_at_its_two_frequencies_and_no_others(key: str, rate: int) -> None:
    """The two strongest lines of the spectrum are those of the standard, within 1.5 %."""
    spectrum = np.abs(np.fft.rfft(to_float(tone(key, rate)), n=rate))
    low, high = FREQUENCIES[key]
    middle = 1_050
    assert int(spectrum[:middle].argmax()) == pytest.approx(low, rel=0.015)
    assert int(spectrum[middle:].argmax()) + middle == pytest.approx(high, rel=0.015)
    assert spectrum[2_000:].max() < 0.05 * spectrum.max()


def test_several_keys_are_tones_with_gaps() -> None:
    """Each key takes the time of its tone and its gap."""
    assert len(tones("12#", 8_000)) == 3 * 2 * round((TONE_SECS + GAP_SECS) * 8_000)


def test_the_standard_table_has_the_known_corners() -> None:
    """1, D, * as in ITU-T Q.23."""
    assert FREQUENCIES["1"] == (697, 1209)
    assert FREQUENCIES["D"] == (941, 1633)
    assert FREQUENCIES["*"] == (941, 1209)
    assert len(FREQUENCIES) == 16


def test_what_is_not_a_key_is_refused() -> None:
    """The error names it."""
    with pytest.raises(InvalidInputError, match="'x'"):
        tones("1x", 8_000)
