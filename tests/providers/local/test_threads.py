"""On which thread the embedded models compute."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import onnxruntime
import pytest

from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.providers.local.turn import LocalSmartTurnModel
from antiphon.providers.local.vad import SileroVADAnalyzer
from tests.providers.local.conftest import SpeechOf, Stream

pytestmark = pytest.mark.models

SENTENCE = "The quick brown fox jumps over the lazy dog."


async def _transcribe(speech: bytes, stream: Stream) -> None:
    provider = LocalSTTProvider(interim_secs=0.2)
    await provider.connect()
    async for _ in provider.transcribe(stream(speech, breathe=True)):
        pass


async def _speak(speech: bytes, stream: Stream) -> None:
    async def text() -> AsyncIterator[str]:
        yield SENTENCE

    provider = LocalTTSProvider()
    await provider.connect()
    async for _ in provider.synthesize(text()):
        pass


async def _judge(speech: bytes, stream: Stream) -> None:
    model = LocalSmartTurnModel()
    await model.connect()
    await model.complete_probability(speech)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads in which onnxruntime has computed."""
    seen: list[threading.Thread] = []
    compute = onnxruntime.InferenceSession.run

    def run(*args: Any, **kwargs: Any) -> Any:
        seen.append(threading.current_thread())
        return compute(*args, **kwargs)

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", run)
    return seen


@pytest.mark.parametrize("use", [_transcribe, _speak, _judge])
def test_what_takes_longer_than_a_millisecond_is_computed_beside_the_loop(
    use: Callable[[bytes, Stream], Awaitable[None]],
    speech: SpeechOf,
    stream: Stream,
    threads: list[threading.Thread],
) -> None:
    """Transcription, speech and the turn model never hold up the audio of other conversations."""
    pcm = speech(SENTENCE)
    threads.clear()

    async def main() -> None:
        await use(pcm, stream)

    asyncio.run(main())
    assert threads
    assert threading.main_thread() not in threads


def test_voice_activity_is_computed_on_the_loop(threads: list[threading.Thread]) -> None:
    """A window takes a tenth of a millisecond: handing it over would cost more."""
    analyzer = SileroVADAnalyzer()
    analyzer.probability(bytes(2 * analyzer.window_samples))
    assert threads == [threading.main_thread()]
