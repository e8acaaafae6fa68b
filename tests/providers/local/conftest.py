"""Real models for the tests of this room, and things to say to them."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from antiphon.audio.pcm import to_bytes
from antiphon.audio.wav import read_wav
from antiphon.providers.local.inference import HEARING
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.piper import SAMPLE_RATE, Piper, Voicing, stretched
from antiphon.providers.local.registry import MODELS
from antiphon.services.contracts import AudioChunk, Finalize

SpeechOf = Callable[[str], bytes]
Stream = Callable[..., AsyncIterator[AudioChunk | Finalize]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `models` are skipped where a model is missing, which the summary says."""
    needed = [item for item in items if item.get_closest_marker("models")]
    if not needed:
        return
    store = ModelStore()
    missing = [
        model.name
        for model in MODELS
        if not model.name.startswith("qwen")
        and any(store.find(model.name, file.name) is None for file in model.files)
    ]
    for item in needed if missing else ():
        item.add_marker(pytest.mark.skip(reason=f"models are missing: {', '.join(missing)}"))


@functools.cache
def _voice() -> Piper:
    return Piper.load(ModelStore())


@functools.cache
def _spoken(text: str) -> bytes:
    audio = _voice().speak(text, Voicing(variation=0)).audio
    return to_bytes(stretched(audio, 16_000 / SAMPLE_RATE))


@pytest.fixture
def speech() -> SpeechOf:
    """Text to PCM at 16 kHz, the same every time."""
    return _spoken


@pytest.fixture
def beckett() -> bytes:
    """A man reading ten seconds of Beckett, PCM at 16 kHz."""
    spec = importlib.util.find_spec("moonshine_voice")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the recording comes with the package moonshine-voice")
    folder = Path(next(iter(spec.submodule_search_locations)), "assets")
    return read_wav(folder / "beckett.wav").mono_at(16_000)


async def _chunks(
    *pieces: bytes, finalize: bool = True, breathe: bool = False
) -> AsyncIterator[AudioChunk | Finalize]:
    for piece in pieces:
        for start in range(0, len(piece), 640):
            yield AudioChunk(piece[start : start + 640])
            while breathe and HEARING.pending:  # noqa: ASYNC110 - a lane tells nobody
                await asyncio.sleep(0.001)
        if finalize:
            yield Finalize()


@pytest.fixture
def stream() -> Stream:
    """Pieces of PCM as chunks of 20 ms, each piece followed by `Finalize`.

    `breathe=True` waits, before the next chunk, for a reading that an earlier one began.
    """
    return _chunks
