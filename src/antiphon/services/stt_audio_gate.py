"""What of the caller's audio goes to a transcriber, and what becomes of it when its stream breaks.

Pure. A *segmented* transcriber gets speech only: the gate keeps the last `preroll` of audio while
the caller is silent, and hands it over, then everything up to the end of speech, then `Finalize`.
Others get all audio, and `Finalize` at each end of speech.

Speech that was handed over and is not yet *acknowledged* is kept, so that a new stream can begin
with it: a finalized transcript acknowledges everything up to the oldest open `Finalize`, another
final transcript everything so far. Of silence only the pre-roll is kept. Where no voice activity
was ever reported, silence cannot be told from speech: then all that came without a stream is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from antiphon.services.contracts import AudioChunk, Finalize, STTCapabilities

Item = AudioChunk | Finalize

KEEP_SECS = 30.0
"""Audio kept for a new stream at most: older is lost with the stream that had it."""
_SAMPLE_BYTES = 2
_DETECTION_SECS = 1.0
"""Kept besides the pre-roll: the detector's own delay is known only when it fires."""


class AudioGate:
    """Decides what a transcriber gets. Audio is mono PCM at the capabilities' rate."""

    def __init__(self, capabilities: STTCapabilities) -> None:
        self._segmented = capabilities.segmented
        self._bytes_per_sec = capabilities.sample_rate * _SAMPLE_BYTES
        self._preroll_secs = capabilities.preroll_secs
        self._recent: deque[bytes] = deque()
        self._recent_size = 0
        self._kept: deque[Item] = deque()
        self._kept_size = 0
        self._lost_size = 0
        self._knows_silence = False
        self.speaking = False
        self.muted = False

    @property
    def unacknowledged(self) -> Sequence[Item]:
        """What a new stream must begin with."""
        if self._segmented or not self._recent:
            return tuple(self._kept)
        return (*self._kept, AudioChunk(b"".join(self._recent)))

    @property
    def awaits_answer(self) -> bool:
        """Whether a `Finalize` has not been answered."""
        return any(isinstance(item, Finalize) for item in self._kept)

    @property
    def kept_secs(self) -> float:
        """How much speech has not been acknowledged."""
        return self._kept_size / self._bytes_per_sec

    def take_lost_secs(self) -> float:
        """How much of what a new stream should have was dropped, for want of room; told once."""
        lost, self._lost_size = self._lost_size, 0
        return lost / self._bytes_per_sec

    def audio(self, pcm: bytes, *, streaming: bool = True) -> list[Item]:
        """A piece of audio: what goes to the transcriber now, if it has a stream."""
        if self.muted or not pcm:
            return []
        if self.speaking or not (streaming or self._segmented or self._knows_silence):
            return self._hand_over([AudioChunk(pcm)])
        self._remember(pcm)
        return [] if self._segmented else [AudioChunk(pcm)]

    def speech_started(self, start_secs: float) -> list[Item]:
        """The caller has been speaking for `start_secs`."""
        self._knows_silence = True
        if self.muted or self.speaking:
            return []
        self.speaking = True
        keep = int((self._preroll_secs + start_secs) * self._bytes_per_sec)
        pcm = b"".join(self._recent)[-keep + keep % _SAMPLE_BYTES :] if keep else b""
        self._forget_recent()
        items = self._hand_over([AudioChunk(pcm)] if pcm else [])
        return items if self._segmented else []  # others have had it

    def speech_stopped(self) -> list[Item]:
        """The caller has stopped."""
        if not self.speaking:
            return []
        self.speaking = False
        return self._hand_over([Finalize()])

    def take_over(self, items: Sequence[Item], *, speaking: bool) -> list[Item]:
        """What another gate has not had answered goes to this transcriber, with what follows."""
        self.speaking = self._knows_silence = speaking
        if self.muted:
            return []
        return self._hand_over(list(items))

    def mute(self, on: bool) -> list[Item]:
        """Nothing is transcribed while muted; what was being said is finalized."""
        items = self.speech_stopped() if on else []
        self.muted = on
        self._forget_recent()
        return items

    def acknowledge(self, *, finalized: bool) -> None:
        """A final transcript came: what it covers need not be sent again."""
        self._lost_size = 0
        if not finalized:
            self._forget_kept(len(self._kept))
            return
        for index, item in enumerate(self._kept):
            if isinstance(item, Finalize):
                self._forget_kept(index + 1)
                return

    def give_up(self) -> None:
        """Nothing that was sent will be sent again."""
        self._forget_kept(len(self._kept))

    def _remember(self, pcm: bytes) -> None:
        self._recent.append(pcm)
        self._recent_size += len(pcm)
        limit = int((self._preroll_secs + _DETECTION_SECS) * self._bytes_per_sec)
        while self._recent_size > limit:
            self._recent_size -= len(self._recent.popleft())

    def _forget_recent(self) -> None:
        self._recent.clear()
        self._recent_size = 0

    def _hand_over(self, items: list[Item]) -> list[Item]:
        for item in items:
            self._kept.append(item)
            self._kept_size += _size(item)
        limit = int(KEEP_SECS * self._bytes_per_sec)
        while self._kept_size > limit:
            dropped = _size(self._kept.popleft())
            self._kept_size -= dropped
            self._lost_size += dropped
        return items

    def _forget_kept(self, count: int) -> None:
        for _ in range(count):
            self._kept_size -= _size(self._kept.popleft())


def _size(item: Item) -> int:
    return len(item.pcm) if isinstance(item, AudioChunk) else 0


class AnswerWatch:
    """Watches how long a transcriber takes: the measurement of its first answer, and its stalls.

    `ttfb` is the time from the true end of speech to the finalized transcript, or, where none
    comes, to the last transcript within `ttfb_timeout`. A *stall* is a `Finalize` that was due an
    answer and got none within `stall_timeout`. Times in seconds on the loop's clock.
    """

    def __init__(self, *, ttfb_timeout: float, stall_timeout: float) -> None:
        self._ttfb_timeout = ttfb_timeout
        self._stall_timeout = stall_timeout
        self._ended: float | None = None
        self._report_at: float | None = None
        self._last: float | None = None
        self._stalls_at: float | None = None
        self.stalls: int = 0
        """Stalls since the last answer."""

    @property
    def deadline(self) -> float | None:
        """When `tick` is due."""
        due = [at for at in (self._report_at, self._stalls_at) if at is not None]
        return min(due) if due else None

    def speech_started(self) -> None:
        """A measurement under way is void; an answer that is due stays due."""
        self._ended = self._report_at = self._last = None

    def speech_stopped(self, ended: float, now: float, *, answer_due: bool) -> None:
        """Speech truly ended at `ended`; `answer_due` if the provider must answer."""
        self._ended, self._report_at, self._last = ended, ended + self._ttfb_timeout, None
        if answer_due:
            self._stalls_at = now + self._stall_timeout

    def transcript(self, now: float, *, finalized: bool, text: bool) -> float | None:
        """A final transcript came; returns the measurement when it is done."""
        self._stalls_at, self.stalls = None, 0
        if self._ended is None or not text:
            return None
        self._last = now
        return self._report() if finalized else None

    def tick(self, now: float) -> tuple[float | None, bool]:
        """The measurement if it is done now, and whether the provider stalls."""
        value, stalled = None, False
        if self._report_at is not None and now >= self._report_at:
            value = self._report()
        if self._stalls_at is not None and now >= self._stalls_at:
            self._stalls_at, stalled = None, True
            self.stalls += 1
        return value, stalled

    def broken(self) -> None:
        """The stream is gone: nothing is due before there is a new one."""
        self._stalls_at = None

    def resent(self, now: float) -> None:
        """A new stream got what the old one did not answer."""
        self._stalls_at = now + self._stall_timeout

    def given_up(self) -> None:
        """No answer is expected any more."""
        self._stalls_at, self.stalls = None, 0

    def _report(self) -> float | None:
        ended, last = self._ended, self._last
        self._ended = self._report_at = self._last = None
        return last - ended if last is not None and ended is not None else None
