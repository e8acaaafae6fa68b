"""Voice activity: from the probability of speech in each window to "somebody speaks".

Theory of operation
-------------------
A model gives every window of audio (about 32 ms) a probability. A window is *speech* when its
probability and its volume both reach their thresholds. The machine wants to see the same for a
while before it says so, and counts that while in windows, that is in samples, not by the clock:

    state      speech window                       other window                      no audio
    QUIET      STARTING                            -                                 -
    STARTING   SPEAKING after start_secs of it     QUIET                             QUIET
    SPEAKING   -                                   STOPPING                          QUIET
    STOPPING   SPEAKING                            QUIET after stop_secs of it       QUIET

Entering SPEAKING from STARTING is `VoiceStarted`; entering QUIET from SPEAKING or STOPPING is
`VoiceStopped`. They alternate, beginning with a start. Each names the moment of the decision and
the true moment: when the first window of the run began. When audio stops arriving for
`audio_idle_timeout` while somebody speaks, speech is over: `deadline` and `tick` see to that.

The volume follows rises at once and falls by a fifth of the difference with each window, so that
the short gaps inside words do not count as silence.

`VoiceDetector` cuts pieces of any size into windows, asks the model and drives the machine.
"""

from __future__ import annotations

import enum
import math
from typing import Protocol

import msgspec

from antiphon.audio.pcm import SAMPLE_BYTES, Rechunker, volume
from antiphon.errors import InvalidInputError

VOLUME_FALL = 0.2
"""Share of the difference by which the smoothed volume falls with each window."""


class VADParams(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as speech: thresholds from 0 to 1, and seconds of it that start and stop it.

    `min_volume` is on the scale of `antiphon.audio.pcm.volume`. The defaults are those that voice
    developers know from Pipecat.
    """

    confidence: float = 0.7
    start_secs: float = 0.2
    stop_secs: float = 0.2
    min_volume: float = 0.6

    def __post_init__(self) -> None:
        for name, value in msgspec.structs.asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise InvalidInputError(f"VADParams({name}=...) takes a number, not {value!r}")
            if name.endswith("_secs") and not 0.0 <= value < math.inf:
                raise InvalidInputError(
                    f"VADParams({name}={value!r}): it must be from 0, and finite"
                )
            if not name.endswith("_secs") and not 0.0 <= value <= 1.0:
                raise InvalidInputError(f"VADParams({name}={value!r}): it must be from 0 to 1")


class VADState(enum.Enum):
    """Where the machine is; see the module's theory."""

    QUIET = "nobody speaks"
    STARTING = "somebody may have begun"
    SPEAKING = "somebody speaks"
    STOPPING = "somebody may have stopped"


class VoiceStarted(msgspec.Struct, frozen=True):
    """Decided at `at`; speech began at `since`. Loop seconds."""

    at: float
    since: float


class VoiceStopped(msgspec.Struct, frozen=True):
    """Decided at `at`; speech ended at `since`. `forced`: because audio stopped arriving."""

    at: float
    since: float
    forced: bool = False


class SpeechActivity(msgspec.Struct, frozen=True):
    """Speech goes on; repeated at most every `activity_period`."""

    at: float


VADEvent = VoiceStarted | VoiceStopped | SpeechActivity


class VADModel(Protocol):
    """The probability of speech in one window. State belongs to the caller's instance."""

    sample_rate: int
    window_samples: int

    def probability(self, window: bytes) -> float:
        """`window` is `window_samples` samples of mono PCM at `sample_rate`."""
        ...

    def reset(self) -> None:
        """Forgets what was heard."""


class VADMachine:
    """The hysteresis alone: windows in, events out."""

    def __init__(
        self,
        window_secs: float,
        params: VADParams | None = None,
        *,
        audio_idle_timeout: float = 1.0,
        activity_period: float = 0.2,
    ) -> None:
        self.params: VADParams = params or VADParams()
        self.state: VADState = VADState.QUIET
        self._window_secs = window_secs
        self._idle_timeout = audio_idle_timeout
        self._activity_period = activity_period
        self._run = 0
        self._run_began = 0.0
        self._volume = 0.0
        self._last_audio = 0.0
        self._last_came = 0.0
        self._last_activity = 0.0

    @property
    def speaking(self) -> bool:
        """Between a `VoiceStarted` and its `VoiceStopped`."""
        return self.state in (VADState.SPEAKING, VADState.STOPPING)

    @property
    def deadline(self) -> float | None:
        """When `tick` must be called unless another window comes first."""
        return None if self.state is VADState.QUIET else self._last_came + self._idle_timeout

    def configure(self, params: VADParams) -> None:
        """Other thresholds, from the next window on; the state stays."""
        self.params = params

    def receive(
        self, confidence: float, volume: float, now: float, *, came: float | None = None
    ) -> list[VADEvent]:
        """One window, which ended at `now`. A confidence that is not a number is not speech.

        `came`: when it was handled, if that was later; audio that is late has not stopped.
        """
        self._last_audio = now
        self._last_came = now if came is None else max(now, came)
        self._volume = max(volume, self._volume + VOLUME_FALL * (volume - self._volume))
        params = self.params
        speech = confidence >= params.confidence and self._volume >= params.min_volume
        match self.state, speech:
            case VADState.QUIET, True:
                self._begin_run(VADState.STARTING, now)
                return self._start_if_long_enough(now)
            case VADState.STARTING, True:
                self._run += 1
                return self._start_if_long_enough(now)
            case VADState.STARTING, False:
                self.state = VADState.QUIET
            case VADState.SPEAKING, False:
                self._begin_run(VADState.STOPPING, now)
                return self._stop_if_long_enough(now)
            case VADState.STOPPING, False:
                self._run += 1
                return self._stop_if_long_enough(now)
            case VADState.STOPPING, True:
                self.state = VADState.SPEAKING
        return self._activity(now)

    def tick(self, now: float) -> list[VADEvent]:
        """Ends speech whose audio stopped arriving."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return []
        was_speaking, self.state = self.speaking, VADState.QUIET
        return [VoiceStopped(now, self._last_audio, forced=True)] if was_speaking else []

    def split(self) -> list[VADEvent]:
        """Ends the stretch of speech that goes on, if there is one, and begins another."""
        if not self.speaking:
            return []
        if self.state is VADState.STOPPING:
            self.state = VADState.QUIET
            return [VoiceStopped(self._last_audio, self._run_began)]
        at = self._last_audio
        return [VoiceStopped(at, at), VoiceStarted(at, at)]

    def _begin_run(self, state: VADState, now: float) -> None:
        self.state, self._run, self._run_began = state, 1, now - self._window_secs

    def _start_if_long_enough(self, now: float) -> list[VADEvent]:
        if not self._reached(self.params.start_secs):
            return []
        self.state, self._last_activity = VADState.SPEAKING, now
        return [VoiceStarted(now, self._run_began)]

    def _stop_if_long_enough(self, now: float) -> list[VADEvent]:
        if not self._reached(self.params.stop_secs):
            return []
        self.state = VADState.QUIET
        return [VoiceStopped(now, self._run_began)]

    def _reached(self, secs: float) -> bool:
        # Half a window of tolerance: 0.2 s is 6 windows of 32 ms, not 7.
        return self._run * self._window_secs >= secs - self._window_secs / 2

    def _activity(self, now: float) -> list[VADEvent]:
        if not self.speaking or now - self._last_activity < self._activity_period - 1e-9:
            return []
        self._last_activity = now
        return [SpeechActivity(now)]


class VoiceDetector:
    """A model and the machine over a stream of mono PCM at the model's rate."""

    def __init__(
        self,
        model: VADModel,
        params: VADParams | None = None,
        *,
        audio_idle_timeout: float = 1.0,
        activity_period: float = 0.2,
    ) -> None:
        self.model = model
        self.machine: VADMachine = VADMachine(
            model.window_samples / model.sample_rate,
            params,
            audio_idle_timeout=audio_idle_timeout,
            activity_period=activity_period,
        )
        self._windows = Rechunker(model.window_samples * SAMPLE_BYTES)
        self._bytes_per_sec = model.sample_rate * SAMPLE_BYTES

    @property
    def deadline(self) -> float | None:
        """When `tick` must be called unless audio comes first."""
        return self.machine.deadline

    def feed(self, pcm: bytes, now: float, *, came: float | None = None) -> list[VADEvent]:
        """Whole samples, the last of which ended at `now`; runs the model, 0.2 ms a window.

        `came`: when they were handled, if that was later.
        """
        windows = self._windows.push(pcm)
        events: list[VADEvent] = []
        if not windows:
            return events
        size = self._windows.held + sum(map(len, windows))
        for window in windows:
            size -= len(window)
            ended = now - size / self._bytes_per_sec
            events += self.machine.receive(
                self.model.probability(window), volume(window), ended, came=came
            )
        return events

    def tick(self, now: float) -> list[VADEvent]:
        """Ends speech whose audio stopped arriving; the next audio is a new stream."""
        events = self.machine.tick(now)
        if events:
            self._windows.flush()
            self.model.reset()
        return events
