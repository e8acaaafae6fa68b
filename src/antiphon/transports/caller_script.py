"""A scripted caller: what is said when, as a pure machine that fills one chunk after the other.

Theory of operation
-------------------
A script is a sequence of steps. `next_chunk` is asked for the line's sound again and again, exactly
as a telephone line delivers it: with silence when nothing is said. Time is what was delivered, so a
script plays the same in real time, as fast as possible and in virtual time. What the agent does
comes in through `receive`.

    Say              plays a recording, whole
    Wait             silence for a time; within a sentence: a pause
    WaitForAgent     silence until the agent has answered and stays silent for `settle_secs`; only
                     answers since the caller last finished a `Say` count
    WaitForSpeech    silence until the agent speaks, and `after_secs` more: what is said next
                     interrupts it in mid-sentence; over when the agent has answered already
    WaitForEvent     silence until somebody calls `happened(name)`

A wait that exceeds its `timeout_secs` ends too, and is remembered in `overdue`. After the last step
the script is `finished`, and the line stays silent.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from antiphon.audio.pcm import SAMPLE_BYTES
from antiphon.audio.wav import WavFile


class Say(msgspec.Struct, frozen=True):
    """The caller's voice. `label` names it for people and in reports."""

    recording: WavFile
    label: str = ""


class Wait(msgspec.Struct, frozen=True):
    """Nothing is said for `secs`."""

    secs: float


class WaitForAgent(msgspec.Struct, frozen=True, kw_only=True):
    """Until the agent has answered."""

    settle_secs: float = 0.6
    timeout_secs: float = 30.0


class WaitForSpeech(msgspec.Struct, frozen=True, kw_only=True):
    """Until the agent has been speaking for `after_secs`."""

    after_secs: float = 0.0
    timeout_secs: float = 30.0


class WaitForEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Until `happened(name)`, also when that was before."""

    name: str
    timeout_secs: float = 30.0


Step = Say | Wait | WaitForAgent | WaitForSpeech | WaitForEvent


class Said(msgspec.Struct, frozen=True):
    """What the script did: a step, and when it began and ended in seconds of the line's sound."""

    step: Step
    began: float
    ended: float


class CallerScript:
    """Delivers the line's sound, mono, at `sample_rate`."""

    def __init__(self, steps: Iterable[Step], sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.history: list[Said] = []
        """The steps that are over."""
        self.overdue: list[Step] = []
        """Waits that gave up."""
        self._steps = list(steps)
        self._voices = {
            id(step): step.recording.mono_at(sample_rate)
            for step in self._steps
            if isinstance(step, Say)
        }
        self._delivered = 0
        self._began = 0
        self._read = 0
        self._agent_since: int | None = None
        self._quiet_since = 0
        self._answers = 0
        self._events: set[str] = set()

    @property
    def secs(self) -> float:
        """Length of the sound delivered so far."""
        return self._delivered / self.sample_rate

    @property
    def finished(self) -> bool:
        """All steps are over."""
        return not self._steps

    @property
    def saying(self) -> bool:
        """The present step is a `Say`."""
        return bool(self._steps) and isinstance(self._steps[0], Say)

    # ---- what happens -------------------------------------------------------------------------

    def agent_started(self) -> None:
        """The agent began to be heard."""
        self._agent_since = self._delivered

    def agent_stopped(self) -> None:
        """The agent is not heard any more."""
        if self._agent_since is not None:
            self._agent_since = None
            self._quiet_since = self._delivered
            self._answers += 1

    def agent_cut_off(self) -> None:
        """The agent was interrupted: what it said is no answer to what the caller said last."""
        if self._agent_since is not None:
            self._agent_since = None
            self._quiet_since = self._delivered

    def happened(self, name: str) -> None:
        """Something that a step may wait for."""
        self._events.add(name)

    # ---- the line -----------------------------------------------------------------------------

    def next_chunk(self, samples: int) -> bytes:
        """The next `samples` of the line's sound."""
        parts: list[bytes] = []
        left = samples
        while left:
            part = self._advance(left)
            self._delivered += len(part) // SAMPLE_BYTES
            left -= len(part) // SAMPLE_BYTES
            parts.append(part)
        return b"".join(parts)

    def _advance(self, samples: int) -> bytes:
        """At least nothing and at most `samples` of the present step; ends it when it is over."""
        if not self._steps:
            return bytes(samples * SAMPLE_BYTES)
        step = self._steps[0]
        if isinstance(step, Say):
            voice = self._voices[id(step)]
            part = voice[self._read : self._read + samples * SAMPLE_BYTES]
            self._read += len(part)
            if self._read >= len(voice):
                self._end(len(part) // SAMPLE_BYTES)
                self._answers = 0
            return part
        left = self._left(step)
        if left <= 0:
            self._end(0)
            return b""
        return bytes(min(left, samples) * SAMPLE_BYTES)

    def _end(self, samples: int) -> None:
        step = self._steps.pop(0)
        rate, ended = self.sample_rate, self._delivered + samples
        self.history.append(Said(step, self._began / rate, ended / rate))
        self._began, self._read = ended, 0

    def _left(self, step: Wait | WaitForAgent | WaitForSpeech | WaitForEvent) -> int:
        """How many samples of silence the step lasts at least, as far as is known."""
        waited = self._delivered - self._began
        if isinstance(step, Wait):
            return round(step.secs * self.sample_rate) - waited
        known = self._known(step)
        timeout = round(step.timeout_secs * self.sample_rate) - waited
        if known is None and timeout <= 0:
            self.overdue.append(step)
        return timeout if known is None else known

    def _known(self, step: WaitForAgent | WaitForSpeech | WaitForEvent) -> int | None:
        """Samples of silence left, when that is certain; None: it depends on what happens."""
        match step:
            case WaitForEvent(name=name):
                return 0 if name in self._events else None
            case WaitForSpeech(after_secs=after):
                if self._agent_since is None:
                    return 0 if self._answers else None
                after_samples = round(after * self.sample_rate)
                return max(0, self._agent_since + after_samples - self._delivered)
            case WaitForAgent(settle_secs=settle):
                if self._agent_since is not None or not self._answers:
                    return None
                settled = self._quiet_since + round(settle * self.sample_rate)
                return max(0, settled - self._delivered)
