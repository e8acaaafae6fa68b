"""Silero's voice activity model over a given onnxruntime session.

The model is recurrent: its state, and the last 64 samples of the window before, belong to the
caller's instance, so one session serves every conversation of a process. A window costs about
85 us of CPU, less than handing it to a thread.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from antiphon.errors import InvalidInputError

_CONTEXT = 64
_SCALE = np.float32(1 / 32768)


class OnnxSession(Protocol):
    """The part of an onnxruntime session that is used."""

    def run(self, output_names: None, input_feed: dict[str, Any]) -> Any:
        """Computes all outputs."""


class SileroVAD:
    """The probability of speech in windows of 512 samples (32 ms) of 16-bit mono PCM at 16 kHz."""

    sample_rate = 16_000
    window_samples = 512

    def __init__(self, session: OnnxSession) -> None:
        self._session = session
        self._rate = np.array(self.sample_rate, np.int64)
        self._input = np.zeros((1, _CONTEXT + self.window_samples), np.float32)
        self._state = np.zeros((2, 1, 128), np.float32)

    def probability(self, window: bytes) -> float:
        """From 0 to 1. InvalidInputError unless `window` is exactly 1024 bytes."""
        if len(window) != 2 * self.window_samples:
            raise InvalidInputError(
                f"a window of the voice activity model is {2 * self.window_samples} bytes "
                f"({self.window_samples} samples at {self.sample_rate} Hz), not {len(window)}"
            )
        heard = self._input
        heard[0, :_CONTEXT] = heard[0, -_CONTEXT:]
        np.multiply(np.frombuffer(window, np.int16), _SCALE, out=heard[0, _CONTEXT:])
        found, self._state = self._session.run(
            None, {"input": heard, "state": self._state, "sr": self._rate}
        )
        return float(found[0, 0])

    def reset(self) -> None:
        """Forgets what was heard."""
        self._input.fill(0)
        self._state = np.zeros_like(self._state)
