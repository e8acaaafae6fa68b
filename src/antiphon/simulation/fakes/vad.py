"""Voice activity and end-of-turn models that do as they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from antiphon.audio.pcm import SAMPLE_BYTES, to_samples
from antiphon.errors import InvalidInputError, ServiceError
from antiphon.simulation.fakes.delays import Delay, draw, stand_still, stream, wait
from antiphon.simulation.fakes.provider import Fail, Faults, Hang, PlannedFaults


class FakeVADModel:
    """Satisfies `VADModel`: speech is whatever is louder than `threshold` (samples are 16 bit).

    With a script, window by window: that probability, whatever the audio, until it is used up.
    `faults`, by the number of the window: a model that computes raises (`Fail`), or has the whole
    machine wait for it (`Stall`); `latency` is what each window costs the machine.
    """

    def __init__(
        self,
        script: Sequence[float] = (),
        *,
        threshold: int = 1000,
        sample_rate: int = 16_000,
        window_samples: int = 512,
        latency: Delay = 0.0,
        faults: Faults | None = None,
    ) -> None:
        self._faults, self._latency = faults if faults is not None else {}, latency
        self.sample_rate = sample_rate
        self.window_samples = window_samples
        self.windows: int = 0
        self.resets: int = 0
        self._script = list(script)
        self._threshold = threshold
        self._silence = bytes(SAMPLE_BYTES * window_samples)

    def probability(self, window: bytes) -> float:
        """1.0 or 0.0, or what the script says."""
        if len(window) != 2 * self.window_samples:
            raise ValueError(f"a window has {2 * self.window_samples} bytes, not {len(window)}")
        faults, number = self._faults, self.windows
        fault = faults(number) if callable(faults) else faults.get(number)
        self.windows += 1
        if self._latency:
            stand_still(draw(self._latency, stream("fake-vad")))
        if isinstance(fault, Fail):
            raise fault.error
        if isinstance(fault, Hang):
            raise InvalidInputError(
                "a model of voice activity computes: it cannot hang, only stall"
            )
        if fault is not None:
            stand_still(fault.secs)
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
    """Satisfies `TurnModel`: answers from a script, then `default`, or as a function says.

    `faults`: what goes wrong, by the number of the question. `connect_error`: `connect` raises it
    each time, after `connect_delay`.
    """

    def __init__(
        self,
        script: Sequence[float] | Callable[[bytes], float] = (),
        *,
        default: float = 0.95,
        latency: Delay = 0.02,
        sample_rate: int = 16_000,
        faults: Faults | None = None,
        connect_delay: Delay = 0.0,
        connect_error: ServiceError | None = None,
    ) -> None:
        self._connect_delay = connect_delay
        self._plan, self._connect_error = PlannedFaults(faults), connect_error
        self.sample_rate = sample_rate
        self.asked: int = 0
        self.connected: bool = False
        self._script = script if callable(script) else list(script)
        self._default = default
        self._latency = latency

    async def connect(self) -> None:
        await wait(self._connect_delay, stream("fake-turn-model"))
        if self._connect_error is not None:
            raise self._connect_error
        self.connected = True

    async def complete_probability(self, audio: bytes) -> float:
        self.asked += 1
        await self._plan.begin().checkpoint()
        await wait(self._latency, stream("fake-turn-model"))
        if callable(self._script):
            return self._script(audio)
        return self._script.pop(0) if self._script else self._default
