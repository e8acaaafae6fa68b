"""Both sides of a conversation on one timeline, counted in samples.

Theory of operation
-------------------
Each side is a track; sample n of either was heard n / rate seconds after the beginning. A piece of
audio comes with the time at which it was heard. Times jitter, samples do not, so:

* a piece that comes within `tolerance_secs` of the track's end continues it, sample by sample;
* one that comes later is preceded by silence, to the sample; in a pause half the tolerance is late
  enough, so that a sender whose clock is slow is put right there and not in the middle of a word;
* one that comes earlier (a sender whose clock is fast) continues the track too, but while the track
  is ahead, pieces without sound are left out, which brings it back.

So a side is never off by more than the tolerance while it has pauses, however long the conversation
is, and nothing that was said is lost or overwritten. `take` returns what both sides have reached,
which keeps the memory small; `finish` returns the tail, the shorter side continued with silence.

`advance` supposes silence where nothing has come yet. What comes after all takes its place there,
so a recording that is taken in parts is the one that is taken whole, as long as no piece is more
than `late_secs` late.
"""

from __future__ import annotations

import enum

import numpy as np

from antiphon.audio.pcm import SAMPLE_BYTES, interleave, mix, to_samples

_SOUNDLESS = 32
"""Of 32768: what a line without sound stays below."""


class TrackSide(enum.Enum):
    """Whose track."""

    CALLER = "caller"
    AGENT = "agent"


class _Track:
    def __init__(self) -> None:
        self.taken = 0
        self.pcm = bytearray()
        self.supposed = 0
        """Samples at the end that are silence because nothing has come."""

    @property
    def end(self) -> int:
        return self.taken + len(self.pcm) // SAMPLE_BYTES

    def pad_to(self, end: int) -> None:
        self.pcm += bytes(max(0, end - self.end) * SAMPLE_BYTES)

    def take_to(self, end: int) -> bytes:
        size = (end - self.taken) * SAMPLE_BYTES
        piece = bytes(self.pcm[:size])
        del self.pcm[:size]
        self.taken = end
        self.supposed = min(self.supposed, len(self.pcm) // SAMPLE_BYTES)
        return piece

    def suppose_to(self, end: int) -> None:
        before = self.end
        self.pad_to(end)
        self.supposed += self.end - before

    def take_back(self, samples: int) -> int:
        """Forgets supposed silence at the end; returns how much."""
        count = max(0, min(samples, self.supposed))
        if count:
            del self.pcm[-count * SAMPLE_BYTES :]
        self.supposed -= count
        return count


class TwoTracks:
    """Two mono tracks at one rate. Times are seconds since the recording began."""

    def __init__(
        self, sample_rate: int, *, tolerance_secs: float = 0.1, late_secs: float = 1.0
    ) -> None:
        self.sample_rate = sample_rate
        self._late = round(late_secs * sample_rate)
        self._tolerance = round(tolerance_secs * sample_rate)
        self._tracks = {side: _Track() for side in TrackSide}

    @property
    def secs(self) -> float:
        """Where the longer side ends."""
        return max(track.end for track in self._tracks.values()) / self.sample_rate

    @property
    def waiting_bytes(self) -> int:
        """Of the longer side, not taken yet."""
        return max(len(track.pcm) for track in self._tracks.values())

    def add(self, side: TrackSide, pcm: bytes, at: float | None = None) -> None:
        """Sound of one side whose first sample was heard `at`; None: right after its last one."""
        track = self._tracks[side]
        if at is not None:
            gap = round(at * self.sample_rate) - track.end
            gap += track.take_back(-gap)
            pause = abs(gap) > self._tolerance // 2 and _is_soundless(pcm)
            if gap > (self._tolerance // 2 if pause else self._tolerance):
                track.pad_to(track.end + gap)
            elif gap < -self._tolerance and pause:
                return
        elif track.supposed:
            track.take_back(len(pcm) // SAMPLE_BYTES)
        if pcm:
            track.supposed = 0
        track.pcm += pcm

    def advance(self, at: float) -> None:
        """Both sides were silent wherever nothing was added, up to `at` less `late_secs`."""
        end = round(at * self.sample_rate) - self._late
        for track in self._tracks.values():
            track.suppose_to(end)

    def take(self) -> tuple[bytes, bytes]:
        """Caller and agent as far as both are known, equally long; they are forgotten."""
        end = min(track.end for track in self._tracks.values())
        return self._take_to(end)

    def finish(self, at: float | None = None) -> tuple[bytes, bytes]:
        """All that is left, equally long, up to `at` at least."""
        end = max(track.end for track in self._tracks.values())
        if at is not None:
            end = max(end, round(at * self.sample_rate))
        for track in self._tracks.values():
            track.pad_to(end)
        return self._take_to(end)

    def _take_to(self, end: int) -> tuple[bytes, bytes]:
        caller, agent = (self._tracks[side].take_to(end) for side in TrackSide)
        return caller, agent


def as_channels(caller: bytes, agent: bytes, num_channels: int) -> bytes:
    """One track of both (1), or stereo: the caller on the left, the agent on the right (2)."""
    return mix(caller, agent) if num_channels == 1 else interleave(caller, agent)


def _is_soundless(pcm: bytes) -> bool:
    samples = to_samples(pcm)
    return not len(samples) or int(np.abs(samples.astype(np.int32)).max()) < _SOUNDLESS


class TurnClip:
    """The sound of one turn, with a little of what came before it was noticed.

    `preroll_secs` of audio are kept all the time; `start` begins a clip with them.
    """

    def __init__(self, sample_rate: int, preroll_secs: float = 0.5) -> None:
        self._keep = SAMPLE_BYTES * round(preroll_secs * sample_rate)
        self._pcm = bytearray()
        self.active: bool = False

    def add(self, pcm: bytes) -> None:
        """Audio as it comes, in and between turns."""
        self._pcm += pcm
        if not self.active:
            del self._pcm[: max(0, len(self._pcm) - self._keep)]

    def start(self) -> None:
        """A turn begins. Without effect within one."""
        self.active = True

    def stop(self) -> bytes:
        """The turn's audio; empty when there was no turn."""
        if not self.active:
            return b""
        self.active = False
        clip = bytes(self._pcm)
        self._pcm.clear()
        return clip
