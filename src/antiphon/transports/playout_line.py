"""The frames that come out between the sounds, in one line: none overtakes another.

A frame comes out when the sound before it has been heard. One with a pts that belongs to an
utterance comes out when that instant of the utterance has been heard, at the latest at its end.
Both times are positions in the sound (samples), so silence in between, stalls and pauses shift them
with it.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque

import msgspec

from antiphon.frames.base import Frame
from antiphon.frames.llm import LLMAssistantPushAggregationFrame
from antiphon.frames.speech import TTSStartedFrame
from antiphon.frames.text import AggregatedTextFrame

NS = 1_000_000_000
_BOUNDARIES = (TTSStartedFrame, LLMAssistantPushAggregationFrame)
REMEMBERED = 8
"""Utterances whose late words still find them."""


class UtteranceProgress(msgspec.Struct, eq=False):
    """Where the samples of one utterance are. `base` (ns) is what pts of its frames count from."""

    context_id: str | None
    base: int | None = None
    ended_at: int | None = None
    samples: int = 0
    spans: list[tuple[int, int]] = []

    def add(self, position: int, samples: int) -> None:
        """`samples` of the utterance begin at `position`."""
        if self.spans:
            offset, start = self.spans[-1]
            if start + self.samples - offset == position:
                self.samples += samples
                return
        self.spans.append((self.samples, position))
        self.samples += samples

    def position_of(self, offset: int) -> int | None:
        """Where sample `offset` of the utterance is; None: not known yet."""
        if offset > self.samples:
            return self.ended_at
        position = None
        for begins, start in self.spans:
            if begins <= offset or position is None:
                position = start + max(0, offset - begins)
        if self.ended_at is None:
            return position
        return self.ended_at if position is None else min(position, self.ended_at)


class _Waiting(msgspec.Struct):
    frame: Frame
    position: int
    utterance: UtteranceProgress | None = None

    def target(self, sample_rate: int) -> int | None:
        """The position that must have been heard; None: not known yet."""
        utterance, pts = self.utterance, self.frame.pts
        if utterance is None or pts is None:
            return self.position
        if utterance.base is None:
            return utterance.ended_at
        return utterance.position_of((pts - utterance.base) * sample_rate // NS)


class FrameLine:
    """The frames that wait for their moment, and the utterances they belong to."""

    def __init__(self, sample_rate: int, origin: float) -> None:
        self._rate = sample_rate
        self._origin = origin
        self._line: deque[_Waiting] = deque()
        self._timed: list[tuple[int, int, Frame]] = []
        self._numbers = itertools.count()
        self._utterances: dict[str | None, UtteranceProgress] = {}
        self._latest: UtteranceProgress | None = None

    def __len__(self) -> int:
        return len(self._line)

    @property
    def open_utterance(self) -> UtteranceProgress | None:
        """The one that was announced, or began, and has not ended."""
        latest = self._latest
        return latest if latest is not None and latest.ended_at is None else None

    @property
    def due_at(self) -> float | None:
        """When the next frame that follows the clock alone is due."""
        return self._origin + self._timed[0][0] / NS if self._timed else None

    def clock(self, now: float) -> int:
        """The conversation's clock at `now`, in ns."""
        return round((now - self._origin) * NS)

    def open(self, context_id: str | None, base: int | None, position: int) -> UtteranceProgress:
        """The open utterance of that name (None: any); else it begins here, and ends the last."""
        current = self.open_utterance
        if current is not None and context_id in (None, current.context_id):
            if current.base is None:
                current.base = base
            return current
        return self._begin(context_id, base, position)

    def sounding(self, context_id: str | None, position: int) -> UtteranceProgress:
        """The utterance that sound of that name belongs to; one given up too early goes on."""
        latest = self._latest
        if latest is not None and latest.context_id == context_id:
            latest.ended_at = None
            return latest
        return self.open(context_id, None, position)

    def _begin(self, context_id: str | None, base: int | None, position: int) -> UtteranceProgress:
        self.close(position)
        utterance = UtteranceProgress(context_id, base)
        self._utterances.pop(context_id, None)
        self._utterances[context_id] = self._latest = utterance
        if len(self._utterances) > REMEMBERED:
            del self._utterances[next(iter(self._utterances))]
        return utterance

    def close(self, position: int) -> None:
        """The open utterance has no more sound."""
        utterance = self.open_utterance
        if utterance is not None:
            utterance.ended_at = position

    def put(self, frame: Frame, position: int, heard: int, now: float) -> None:
        """Takes a frame that comes behind the sound up to `position`."""
        # What begins or ends speech has its place in the line; its pts is for those who read it.
        if frame.pts is None or isinstance(frame, _BOUNDARIES):
            self._line.append(_Waiting(frame, position))
            return
        named = frame.context_id if isinstance(frame, AggregatedTextFrame) else None
        if named is not None and named not in self._utterances and self.open_utterance is None:
            self.open(named, None, position)  # a word that comes before everything else of it
        utterance = self._utterances.get(named, self._latest)
        over = utterance is None or (utterance.ended_at is not None and utterance.ended_at <= heard)
        # A word that comes after the end of its utterance is late: it follows no clock any more.
        late = named is not None and named in self._utterances
        if over and not late and frame.pts > self.clock(now):
            heapq.heappush(self._timed, (frame.pts, next(self._numbers), frame))
        else:
            self._line.append(_Waiting(frame, position, None if over else utterance))

    def pop(self, heard: int) -> Frame | None:
        """The next frame, if the sound it waits for has been heard."""
        if not self._line:
            return None
        target = self._line[0].target(self._rate)
        return None if target is None or target > heard else self._line.popleft().frame

    def pop_timed(self, now: float) -> Frame | None:
        """The next frame that follows the clock alone, if it is due."""
        if self._timed and self._origin + self._timed[0][0] / NS <= now:
            return heapq.heappop(self._timed)[2]
        return None

    def take_vital(self) -> list[Frame]:
        """The frames that may not be dropped, in their order, whatever they wait for."""
        frames = [entry.frame for entry in self._line]
        frames += [frame for _, _, frame in sorted(self._timed, key=lambda entry: entry[:2])]
        self.clear()
        return [frame for frame in frames if not frame.interruptible]

    def drop_interruptible(self, taken: int, kept: list[tuple[int, int]]) -> None:
        """Keeps what may not be dropped, behind the `kept` spans of sound, which moved up."""
        line = self._line
        self._line = deque()
        for entry in line:
            if entry.frame.interruptible:
                continue
            before = sum(max(0, min(end, entry.position) - start) for start, end in kept)
            self._line.append(_Waiting(entry.frame, taken + before))
        self._timed = [entry for entry in self._timed if not entry[2].interruptible]
        heapq.heapify(self._timed)
        self._utterances.clear()
        self._latest = None

    def clear(self) -> None:
        """Drops everything."""
        self._line.clear()
        self._timed.clear()
        self._utterances.clear()
        self._latest = None
