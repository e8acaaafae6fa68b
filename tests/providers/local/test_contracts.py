"""The local parts keep the contracts of providers."""

from __future__ import annotations

import pytest

from antiphon.audio.vad import VADModel
from antiphon.errors import ConfigurationError
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.providers.local.turn import LocalSmartTurnModel
from antiphon.providers.local.vad import SileroVADAnalyzer
from antiphon.services.contracts import STTProvider, TTSProvider
from antiphon.settings import LLMSettings, ServiceSettings, STTSettings, TTSSettings
from antiphon.turns.strategy import TurnModel


@pytest.mark.models
def test_the_contracts_are_kept() -> None:
    """Each part is what its Protocol demands (which mypy checks here), at the rates it names."""
    ears: STTProvider = LocalSTTProvider()
    voice: TTSProvider = LocalTTSProvider()
    turns: TurnModel = LocalSmartTurnModel()
    activity: VADModel = SileroVADAnalyzer()
    assert ears.capabilities.segmented
    assert ears.capabilities.interim
    assert voice.capabilities.word_times
    rates = (ears.capabilities.sample_rate, turns.sample_rate, activity.sample_rate)
    assert rates == (16_000, 16_000, 16_000)
    assert voice.capabilities.sample_rate == 22_050
    assert activity.window_samples == 512


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (TTSSettings(language="de-DE"), "English only, not 'de-DE'"),
        (TTSSettings(voice="amy"), "the only local voice is piper-en-us-joe, not 'amy'"),
        (TTSSettings(speed=9.0), "speed goes from 0.5 to 2.0, not 9.0"),
        (LLMSettings(), "takes TTSSettings"),
    ],
)
def test_what_the_voice_cannot_be_is_refused(settings: ServiceSettings, said: str) -> None:
    """A setting that the voice does not have is named, and nothing changes."""
    with pytest.raises(ConfigurationError, match=said):
        LocalTTSProvider().configure(settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (STTSettings(language="fr"), "English only, not 'fr'"),
        (STTSettings(model="whisper"), "no other model, not 'whisper'"),
        (TTSSettings(), "takes STTSettings"),
    ],
)
def test_what_the_transcriber_cannot_do_is_refused(settings: ServiceSettings, said: str) -> None:
    """A setting that the transcriber does not have is named."""
    ears = LocalSTTProvider()
    ears.configure(STTSettings(language="en-GB"))
    with pytest.raises(ConfigurationError, match=said):
        ears.configure(settings)
