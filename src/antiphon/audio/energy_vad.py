"""Voice activity by loudness alone: for machines without a model, and for tests.

It tells sound from silence, not speech from noise. The floor is the level of the quietest sound
of late: it falls at once and rises by `FLOOR_RISE_DB_PER_SEC`, so that a hum that stays becomes
silence. The probability is a logistic curve over the decibels above the floor, 0.5 at `MARGIN_DB`.
"""

from __future__ import annotations

import math

from antiphon.audio.pcm import rms

FLOOR_RISE_DB_PER_SEC = 3.0
LOWEST_FLOOR_DB, HIGHEST_FLOOR_DB = -70.0, -35.0
MARGIN_DB = 10.0
SLOPE_DB = 2.0


class EnergyVADModel:
    """Satisfies `antiphon.audio.vad.VADModel` without any model."""

    def __init__(self, sample_rate: int = 16_000, window_samples: int = 512) -> None:
        self.sample_rate: int = sample_rate
        self.window_samples: int = window_samples
        self._rise = FLOOR_RISE_DB_PER_SEC * window_samples / sample_rate
        self._floor = HIGHEST_FLOOR_DB

    def probability(self, window: bytes) -> float:
        """How likely the window is more than the noise that was there before it."""
        level = 20.0 * math.log10(max(rms(window), 1e-6))
        floor = level if level < self._floor else self._floor + self._rise
        self._floor = min(HIGHEST_FLOOR_DB, max(LOWEST_FLOOR_DB, floor))
        return 1.0 / (1.0 + math.exp(min(60.0, -(level - self._floor - MARGIN_DB) / SLOPE_DB)))

    def reset(self) -> None:
        """Forgets the floor."""
        self._floor = HIGHEST_FLOOR_DB
