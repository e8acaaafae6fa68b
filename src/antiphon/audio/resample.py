"""Resampling of live audio, piece by piece, on libswresample (package `av`).

One resampler belongs to one stream: it remembers the samples its filter still needs, about a
millisecond of them, so that pieces join without clicks and nothing drifts: after `flush` the output
is as long as the input to the sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from antiphon.audio.pcm import SAMPLE_BYTES, to_samples
from antiphon.errors import InvalidInputError, MissingExtraError

if TYPE_CHECKING:
    import av

LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000


def check_rate(sample_rate: int) -> None:
    """Raises `InvalidInputError` for a rate (Hz) that no audio has."""
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise InvalidInputError(
            f"a sample rate of {sample_rate} Hz is outside {LOWEST_RATE}..{HIGHEST_RATE}"
        )


class Resampler:
    """Mono audio of any rate to `target_rate` (Hz). The input's rate may change in mid-stream."""

    def __init__(self, target_rate: int) -> None:
        check_rate(target_rate)
        self.target_rate = target_rate
        self._source_rate = target_rate
        self._engine: av.AudioResampler | None = None

    def process(self, pcm: bytes, source_rate: int) -> bytes:
        """What `pcm` becomes; the last millisecond comes with the next piece, or with `flush`.

        Raises `InvalidInputError` for an odd number of bytes or an impossible rate.
        """
        rest = b""
        if source_rate != self._source_rate:
            check_rate(source_rate)
            rest = self.flush()
            self._source_rate = source_rate
        if source_rate == self.target_rate and not len(pcm) % SAMPLE_BYTES:
            return rest + pcm
        samples = to_samples(pcm)
        if not len(samples):
            return rest
        if self._engine is None:
            self._engine = _engine(self.target_rate)
        return rest + _run(self._engine, samples, source_rate)

    def flush(self) -> bytes:
        """The rest of the stream; the next piece begins a new one."""
        engine, self._engine = self._engine, None
        return b"" if engine is None else _collect(engine.resample(None))

    def reset(self) -> None:
        """Begins a new stream and forgets the old one's rest."""
        self._engine = None


def resample(pcm: bytes, source_rate: int, target_rate: int) -> bytes:
    """A whole mono recording at another rate."""
    resampler = Resampler(target_rate)
    return resampler.process(pcm, source_rate) + resampler.flush()


def _engine(target_rate: int) -> av.AudioResampler:
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("resampling audio", "audio", "av") from error
    return av.AudioResampler(format="s16", layout="mono", rate=target_rate)


def _run(engine: av.AudioResampler, samples: np.ndarray, source_rate: int) -> bytes:
    import av

    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.sample_rate = source_rate
    frame.planes[0].update(samples.tobytes())
    return _collect(engine.resample(frame))


def _collect(frames: list[av.AudioFrame]) -> bytes:
    # A plane may be padded beyond the samples it holds.
    return b"".join(bytes(f.planes[0])[: f.samples * SAMPLE_BYTES] for f in frames)
