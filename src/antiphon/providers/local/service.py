"""`STTService` and `TTSService` bound to the models of this machine."""

from __future__ import annotations

from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.settings import STTSettings, TTSSettings


class LocalSTTService(STTService):
    """Moonshine, for English. `interim_secs`: new audio that an interim transcript needs."""

    def __init__(
        self,
        *,
        interim_secs: float = 0.4,
        settings: STTSettings | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(LocalSTTProvider(interim_secs=interim_secs), settings=settings, name=name)


class LocalTTSService(TTSService):
    """Piper, for English. `speed`, `pitch`, `variation` as in `LocalTTSProvider`."""

    def __init__(
        self,
        *,
        speed: float = 1.0,
        pitch: float = 1.0,
        variation: float = 1.0,
        settings: TTSSettings | None = None,
        name: str | None = None,
    ) -> None:
        voice = LocalTTSProvider(speed=speed, pitch=pitch, variation=variation)
        super().__init__(voice, settings=settings, name=name)
