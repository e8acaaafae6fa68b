"""Voice activity and end-of-turn models that do as they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from antiphon.audio.pcm import SAMPLE_BYTES, to_samples
from antiphon.simulation.fakes.delays import Delay, stream, wait


class FakeVADModel:
    """Satisfies `VADModel`: speech is whatever is louder than `threshold` (samples are 16 bit).

    With a script, window by window: that probability, whatever the audio, until it is used up.
    """

    def __init__(
        self,
        script: Sequence[float] = (),
        *,
        threshold: int = 1000,
        sample_rate: int = 16_000,
        window_samples: int = 512,
    ) -> None:
        self.sample_rate = sample_rate
        self.window_samples = window_samples
        self.windows = 0
        self.resets = 0
        self._script = list(script)
        self._threshold = threshold
        self._silence = bytes(SAMPLE_BYTES * window_samples)

    def probability(self, window: bytes) -> float:
        """1.0 or 0.0, or what the script says."""
        if len(window) != 2 * self.window_samples:
            raise ValueError(f"a window has {2 * self.window_samples} bytes, not {len(window)}")
        self.windows += 1
        if self._script:
            return self._script.pop(0)
        if window == self._silence:
            return 0.0
        samples = to_samples(window)
        loud = int(samples.max()) > self._threshold or int(samples.min()) < -self._threshold
        return 1.0 if loud else 0.0

    def reset(self) -> None:
        self.resets += 1


class FakeTurnModel:
    """Satisfies `TurnModel`: answers from a script, then `default`, or as a function says."""

    def __init__(
        self,
        script: Sequence[float] | Callable[[bytes], float] = (),
        *,
        default: float = 0.95,
        latency: Delay = 0.02,
        sample_rate: int = 16_000,
    ) -> None:
        self.sample_rate = sample_rate
        self.asked = 0
        self.connected = False
        self._script = script if callable(script) else list(script)
        self._default = default
        self._latency = latency

    async def connect(self) -> None:
        self.connected = True

    async def complete_probability(self, audio: bytes) -> float:
        self.asked += 1
        await wait(self._latency, stream("fake-turn-model"))
        if callable(self._script):
            return self._script(audio)
        return self._script.pop(0) if self._script else self._default
