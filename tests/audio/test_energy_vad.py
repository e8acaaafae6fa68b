"""Tests of `antiphon.audio.energy_vad`."""

from __future__ import annotations

import numpy as np

from antiphon.audio.energy_vad import EnergyVADModel


def noise(level_db: float, seed: int = 0) -> bytes:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(512) * 32768 * 10 ** (level_db / 20)).astype("<i2").tobytes()


def test_sound_well_above_the_floor_is_speech_and_the_floor_is_not() -> None:
    """A voice at -25 dB over a room at -60 dB."""
    model = EnergyVADModel()
    assert max(model.probability(noise(-60, i)) for i in range(50)) < 0.3
    assert min(model.probability(noise(-25, i)) for i in range(50)) > 0.9
    assert model.probability(noise(-60)) < 0.3


def test_digital_silence_is_nothing_and_breaks_nothing() -> None:
    """The logarithm of zero is not asked for."""
    model = EnergyVADModel()
    assert model.probability(bytes(1024)) < 0.01


def test_a_hum_that_stays_becomes_silence() -> None:
    """The floor rises to a steady sound within some ten seconds."""
    model = EnergyVADModel()
    for i in range(20):
        model.probability(noise(-65, i))
    assert model.probability(noise(-45)) > 0.7
    for i in range(312):
        model.probability(noise(-45, i))
    assert model.probability(noise(-45)) < 0.5


def test_reset_forgets_the_floor() -> None:
    """A new stream is judged without the old one's silence."""
    model = EnergyVADModel()
    for _ in range(10):
        model.probability(bytes(1024))
    model.reset()
    assert model.probability(noise(-45)) < 0.5
