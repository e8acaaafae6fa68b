"""Tests of `antiphon.audio.webrtc_filter`, with the real library."""

from __future__ import annotations

import builtins
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from antiphon.audio.pcm import rms, to_bytes, to_samples
from antiphon.audio.wav import read_wav
from antiphon.audio.webrtc_filter import WebRTCNoiseFilter
from antiphon.errors import ConfigurationError, MissingExtraError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import run_test
from antiphon.transports.input import InputTransport
from antiphon.transports.params import TransportParams


def noise(secs: float, rate: int) -> bytes:
    rng = np.random.default_rng(1)
    return to_bytes(rng.standard_normal(round(secs * rate)) * 0.01)


@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_steady_noise_becomes_much_quieter(rate: int) -> None:
    """By 10 dB at least, at any rate, in pieces of any size; the length stays but for the end."""
    pytest.importorskip("webrtc_noise_gain")
    cleaner = WebRTCNoiseFilter(noise_suppression=3)
    cleaner.start(rate)
    noisy = noise(3.0, rate)
    clean = b"".join(cleaner.filter(noisy[i : i + 634]) for i in range(0, len(noisy), 634))
    assert len(noisy) - len(clean) < 0.03 * rate * 2
    half = len(clean) // 4 * 2
    assert rms(clean[half:]) < 0.32 * rms(noisy[half:])
    cleaner.stop()


def test_a_pipeline_hears_the_filtered_line() -> None:
    """As the input's filter, on a line at another rate: much less noise, and nothing else lost."""
    pytest.importorskip("webrtc_noise_gain")
    noisy = noise(3.0, 48_000)
    pieces = [InputAudioRawFrame(noisy[i : i + 1920], 48_000) for i in range(0, len(noisy), 1920)]
    params = TransportParams(audio_in_filter=WebRTCNoiseFilter(noise_suppression=3))

    async def main() -> bytes:
        down, _ = await run_test(InputTransport(params), frames_to_send=pieces)
        return b"".join(frame.audio for frame in down if isinstance(frame, InputAudioRawFrame))

    heard = run(main())
    assert len(heard) == pytest.approx(2 * 48_000, abs=0.03 * 32_000)
    half = len(heard) // 4 * 2
    assert rms(heard[half:]) < 0.32 * rms(noise(1.5, 16_000))


RECORDINGS = Path(
    os.environ.get("ANTIPHON_RECORDINGS", Path.home() / ".cache" / "antiphon" / "recordings")
)
READING = (
    RECORDINGS / "pocketsphinx-testdata/usr/share/pocketsphinx/test/data/librivox"
    "/sense_and_sensibility_01_austen_64kb-0870.wav"
)
SOUNDS = RECORDINGS / "lincity-ng-data/usr/share/games/lincity-ng/sounds"
RATE = 16_000


def recorded(path: Path) -> npt.NDArray[np.float64]:
    if not path.is_file():
        pytest.skip(f"{path.name} is not here: scripts/recordings.sh gets it")
    return to_samples(read_wav(path).mono_at(RATE)).astype(np.float64)


def decibels(pcm: npt.NDArray[np.float64]) -> float:
    return 10.0 * float(np.log10(np.mean(pcm**2)))


@pytest.mark.parametrize(
    ("place", "least"), [("MarketFull1", 15.0), ("IndustryHigh2", 8.0), ("Fire3", 6.0)]
)
def test_recorded_noise_goes_and_a_recorded_person_stays(place: str, least: float) -> None:
    """A person reads on a market, in a factory, by a fire, 10 dB above the noise: in the pause
    before it the noise is much quieter, and the voice keeps its level to 2 dB.
    """
    pytest.importorskip("webrtc_noise_gain")
    person, sound = recorded(READING), recorded(SOUNDS / f"{place}.wav")
    before = np.zeros(3 * RATE)
    line = np.resize(sound, len(before) + len(person))
    line *= 10.0 ** ((decibels(person) - 10.0 - decibels(line)) / 20.0)
    line += np.concatenate([before, person])
    noisy = to_bytes(np.rint(line).astype(np.int64))
    cleaner = WebRTCNoiseFilter(noise_suppression=2)
    cleaner.start(RATE)
    pieces = [cleaner.filter(noisy[i : i + 640]) for i in range(0, len(noisy), 640)]
    cleaned = to_samples(b"".join(pieces)).astype(np.float64)
    pause, voice = slice(RATE, 3 * RATE), slice(3 * RATE, len(cleaned))
    assert decibels(line[pause]) - decibels(cleaned[pause]) > least
    assert decibels(cleaned[voice]) == pytest.approx(decibels(person), abs=2.0)


def test_settings_change_while_it_runs() -> None:
    """More suppression takes more noise away; what is out of range changes nothing."""
    pytest.importorskip("webrtc_noise_gain")
    cleaner = WebRTCNoiseFilter(noise_suppression=0)
    cleaner.start(RATE)
    noisy = noise(2.0, RATE)
    assert rms(cleaner.filter(noisy)[RATE:]) > 0.8 * rms(noisy)
    for wrong in ({"noise_suppression": 9}, {"auto_gain_dbfs": "much"}, {"supression": 1}):
        with pytest.raises(ConfigurationError):
            cleaner.update(wrong)
    cleaner.update({"noise_suppression": 4})
    assert rms(cleaner.filter(noisy)[RATE:]) < 0.32 * rms(noisy)
    cleaner.stop()


def test_impossible_settings_are_refused() -> None:
    """When the filter is made, not in the middle of a call."""
    with pytest.raises(ConfigurationError, match="noise_suppression is 0 to 4"):
        WebRTCNoiseFilter(noise_suppression=5)


def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "webrtc_noise_gain":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"antiphon\[noise\]"):
        WebRTCNoiseFilter().start(16_000)
