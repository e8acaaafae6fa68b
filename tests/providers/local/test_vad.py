"""Silero from the store, on real sound."""

from __future__ import annotations

import importlib.metadata
import time
from pathlib import Path

import numpy as np
import pytest

from antiphon.audio.pcm import to_bytes
from antiphon.audio.silero import SileroVAD
from antiphon.audio.vad import VADParams
from antiphon.errors import MissingModelError
from antiphon.providers.local.inference import onnx_session
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.vad import SileroVADAnalyzer
from tests.providers.local.conftest import SpeechOf

pytestmark = pytest.mark.models


def share_of_speech(vad: SileroVADAnalyzer, pcm: bytes) -> float:
    """Which share of the windows the model takes for speech."""
    size = 2 * vad.window_samples
    windows = [pcm[start : start + size] for start in range(0, len(pcm) - size + 1, size)]
    return float(np.mean([vad.probability(window) > 0.5 for window in windows]))


def test_it_finds_people_and_nothing_else(beckett: bytes, speech: SpeechOf) -> None:
    """Most of a recording and of a voice is speech; silence, noise and a tone are not."""
    vad = SileroVADAnalyzer()
    assert share_of_speech(vad, beckett) > 0.4
    assert share_of_speech(vad, speech("What is the capital of Germany?")) > 0.7
    noise = np.random.default_rng(1).standard_normal(32_000) * 0.05
    tone = 0.2 * np.sin(np.arange(32_000) * 2 * np.pi * 440 / 16_000)
    for sound in (bytes(64_000), to_bytes(noise), to_bytes(tone)):
        vad.reset()
        assert share_of_speech(vad, sound) == 0.0


def test_sessions_share_a_model_but_not_what_they_heard(beckett: bytes) -> None:
    """Two analyzers have one onnx session, and what one hears does not change the other."""
    alone, first, second = SileroVADAnalyzer(), SileroVADAnalyzer(), SileroVADAnalyzer()
    assert first._session is second._session
    windows = [beckett[start : start + 1024] for start in range(0, 1024 * 60, 1024)]
    expected = [alone.probability(window) for window in windows]
    noise = np.random.default_rng(2).integers(-9000, 9000, 512, np.int16).tobytes()
    heard = []
    for window in windows:
        second.probability(noise)
        heard.append(first.probability(window))
    assert heard == expected


def test_it_carries_its_parameters() -> None:
    """The parameters given are there for the processor; the defaults are the usual ones."""
    assert SileroVADAnalyzer().params == VADParams()
    assert SileroVADAnalyzer(VADParams(stop_secs=0.8)).params.stop_secs == 0.8


def test_a_window_is_cheap() -> None:
    """A window of 32 ms takes well under a millisecond: the loop can afford it."""
    vad = SileroVADAnalyzer()
    vad.probability(bytes(1024))
    begun = time.thread_time()
    for _ in range(100):
        vad.probability(bytes(1024))
    assert (time.thread_time() - begun) / 100 < 0.001


def test_a_missing_model_is_known_at_construction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the model's file, constructing the analyzer fails and says what to run."""
    monkeypatch.setattr("antiphon.providers.local.model_store._package_file", lambda inside: None)
    with pytest.raises(MissingModelError, match="antiphon models fetch silero-vad"):
        SileroVADAnalyzer(store=ModelStore(tmp_path))


def test_the_cheaper_file_hears_what_the_usual_one_does(beckett: bytes) -> None:
    """The network without its branch for 8 kHz gives a recording of a person the same figures."""
    found = importlib.metadata.files("silero-vad") or ()
    usual = next((f.locate() for f in found if f.name == "silero_vad.onnx"), None)
    if usual is None:
        pytest.skip("the package that carries both files is not here")
    cheaper, other = SileroVADAnalyzer(), SileroVAD(onnx_session(Path(str(usual)), "test"))
    windows = [beckett[start : start + 1024] for start in range(0, len(beckett) - 1023, 1024)]
    for window in windows:
        assert abs(cheaper.probability(window) - other.probability(window)) < 1e-4
