"""The local parts keep the contracts of providers."""

from __future__ import annotations

import pytest

from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.providers.local.turn import LocalSmartTurnModel
from antiphon.providers.local.vad import SileroVADAnalyzer
from antiphon.services.contracts import STTProvider, TTSProvider, TurnModel, VADModel


@pytest.mark.models
def test_the_contracts_are_kept() -> None:
    """Each part is what its Protocol demands (which mypy checks here), at the rates it names."""
    ears: STTProvider = LocalSTTProvider()
    voice: TTSProvider = LocalTTSProvider()
    turns: TurnModel = LocalSmartTurnModel()
    activity: VADModel = SileroVADAnalyzer()
    assert ears.capabilities.segmented
    assert ears.capabilities.interim
    assert not voice.capabilities.word_times
    rates = (ears.capabilities.sample_rate, turns.sample_rate, activity.sample_rate)
    assert rates == (16_000, 16_000, 16_000)
    assert voice.capabilities.sample_rate == 22_050
    assert activity.window_samples == 512
