"""Whether the caller has finished, on this machine: smart-turn v3.2.

The model is Whisper tiny's encoder with a classifier on top, so it hears what Whisper hears: the
log-mel spectrogram of the last eight seconds, computed here as Whisper's feature extractor does.
It listens to the melody, in 23 languages, and is right more often than not; a hint, beside which a
timeout of silence stays necessary.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from antiphon.audio.pcm import to_float
from antiphon.providers.local.inference import TURNS, InferenceQueue, Shared, onnx_session, outputs
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.registry import SMART_TURN

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_SAMPLE_RATE = 16_000
_SECONDS = 8
_SAMPLES = _SAMPLE_RATE * _SECONDS
# Whisper's front end: windows of 25 ms every 10 ms, 80 mel bands up to 8 kHz.
_WINDOW, _HOP, _BANDS = 400, 160, 80
_FEATURE = "End-of-turn detection (smart-turn)"

Array = NDArray[np.float32]


def _load(store: ModelStore) -> InferenceSession:
    return onnx_session(store.path(SMART_TURN.name), _FEATURE)


_MODEL = Shared(_load)


class LocalSmartTurnModel:
    """smart-turn v3.2: about 60 ms of CPU a call, in a thread. One serves all sessions."""

    sample_rate = _SAMPLE_RATE

    def __init__(self, *, store: ModelStore | None = None, lane: InferenceQueue = TURNS) -> None:
        self._store = store or ModelStore()
        self._lane = lane

    async def connect(self) -> None:
        """Loads the model; MissingModelError or MissingExtraError say what to run."""
        await self.complete_probability(bytes(2 * _SAMPLE_RATE))

    async def complete_probability(self, audio: bytes) -> float:
        """From 0 (the caller will go on) to 1, for PCM that ends where the caller paused.

        Only the last 8 s count. InvalidInputError if the audio ends in half a sample.
        """
        samples = to_float(audio[-2 * _SAMPLES :])
        return await self._lane.run(lambda: self._probability(samples))

    def _probability(self, samples: Array) -> float:
        features = log_mel(last_seconds(samples))
        (found,) = outputs(_MODEL.get(self._store), {"input_features": features[None]})
        return float(found[0, 0])


def last_seconds(samples: Array) -> Array:
    """The last 8 s, with silence before them if there are fewer: shape (128000,)."""
    kept = samples[-_SAMPLES:]
    return np.pad(kept, (_SAMPLES - len(kept), 0))


def log_mel(samples: Array) -> Array:
    """Whisper's features of 8 s at 16 kHz: shape (80, 800).

    The wave with mean 0 and variance 1; Hann windows centred on every tenth millisecond, the ends
    mirrored; the power in each mel band; log10, at most 8 below the loudest; (x + 4) / 4.
    """
    wave = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
    mirrored = np.pad(wave, _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(mirrored, _WINDOW)[::_HOP][:-1]
    power = np.square(np.abs(np.fft.rfft(frames * _hann(), axis=1))).T
    mel = np.log10(np.maximum(_in_bands(np.ascontiguousarray(power)), 1e-10))
    mel = np.maximum(mel, mel.max() - 8.0)
    features: Array = ((mel + 4.0) / 4.0).astype(np.float32)
    return features


def _in_bands(power: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The power in each mel band: shape (80, frames) from (201, frames).

    Not a matrix product: BLAS would spread it over all cores, whose threads then spin for as long
    as the model itself takes. Each filter is zero but for a few bins, so this is as fast.
    """
    bands = np.empty((_BANDS, power.shape[1]))
    for band, weights in enumerate(_mel_filters().T):
        bins = np.flatnonzero(weights)
        used = slice(bins[0], bins[-1] + 1)
        np.einsum("b,bf->f", weights[used], power[used], out=bands[band])
    return bands


@cache
def _hann() -> Array:
    """A periodic Hann window."""
    return np.hanning(_WINDOW + 1)[:-1].astype(np.float32)


@cache
def _mel_filters() -> NDArray[np.float64]:
    """Triangles on Slaney's mel scale, each of area 1: shape (201, 80).

    The scale is linear to 1 kHz (15 mel) and logarithmic above (27 mel to a factor of 6.4).
    """
    edges_mel = np.linspace(0.0, _mel(_SAMPLE_RATE / 2), _BANDS + 2)
    edges = np.where(edges_mel < 15, edges_mel * 200 / 3, 1000 * 6.4 ** ((edges_mel - 15) / 27))
    bins = np.linspace(0, _SAMPLE_RATE / 2, _WINDOW // 2 + 1)[:, None]
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    triangles = np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre))
    filters: NDArray[np.float64] = np.maximum(triangles, 0) * 2 / (high - low)
    return filters


def _mel(hertz: float) -> float:
    return float(15 + 27 * np.log(hertz / 1000) / np.log(6.4))
