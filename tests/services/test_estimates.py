"""Words by estimate, through the real playout: what is said to be heard, and what was."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.services.contracts import TTSCapabilities
from antiphon.simulation.fakes.tts import FakeTTSProvider
from tests.transports import test_heard_laws as playout

SEEDS = 25


class NoWordTimes(FakeTTSProvider):
    """Speaks piece by piece and does not say when which word is heard."""

    def __init__(self, **options: Any) -> None:
        super().__init__(word_times=False, **options)
        rate = self.capabilities.sample_rate
        self.capabilities = TTSCapabilities(sample_rate=rate, piecewise=True)


def test_estimates_are_right_at_the_end_and_close_at_a_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Played out, every word is there; cut off, the estimate is hardly ever off by two."""
    monkeypatch.setattr(playout, "FakeTTSProvider", NoWordTimes)
    cuts: list[int] = []
    for seed in range(SEEDS):
        model, ear, last = playout.converse(seed)
        for epoch, text in enumerate(model.answers):
            words = text.split()
            heard, told = ear.words.get(epoch, []), last.words.get(epoch, [])
            assert told == words[: len(told)], seed
            if heard == words:
                assert told == words, seed
            else:
                cuts.append(len(told) - len(heard))
    assert len(cuts) >= SEEDS
    assert sum(abs(cut) <= 1 for cut in cuts) >= 0.9 * len(cuts), cuts
