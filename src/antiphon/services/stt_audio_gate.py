"""What of the caller's audio goes to a transcriber, and what becomes of it when its stream breaks.

Pure. A *segmented* transcriber gets speech only: the gate keeps the last `preroll` of audio while
nobody speaks, and hands it over, then everything up to the end of speech, then `Finalize`. Others
get all audio, and `Finalize` at each end of speech.

What was handed over and is not yet *acknowledged* is kept, so that a new stream can begin with it:
a finalized transcript acknowledges everything up to the oldest open `Finalize`, another final
transcript everything so far.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from antiphon.services.contracts import AudioChunk, Finalize, STTCapabilities

Item = AudioChunk | Finalize

KEEP_SECS = 30.0
"""Audio kept for a new stream at most: older is lost with the stream that had it."""
_SAMPLE_BYTES = 2


class AudioGate:
    """Decides what a transcriber gets. Audio is mono PCM at the capabilities' rate."""

    def __init__(self, capabilities: STTCapabilities) -> None:
        self._segmented = capabilities.segmented
        self._bytes_per_sec = capabilities.sample_rate * _SAMPLE_BYTES
        self._preroll_secs = capabilities.preroll_secs
        self._preroll: deque[bytes] = deque()
        self._preroll_size = 0
        self._kept: deque[Item] = deque()
        self._kept_size = 0
        self.speaking: bool = False
        self.muted: bool = False

    @property
    def unacknowledged(self) -> Sequence[Item]:
        """What a new stream must begin with."""
        return tuple(self._kept)

    @property
    def awaits_answer(self) -> bool:
        """Whether a `Finalize` has not been answered."""
        return any(isinstance(item, Finalize) for item in self._kept)

    def audio(self, pcm: bytes) -> list[Item]:
        """A piece of audio: what goes to the transcriber now."""
        if self.muted or not pcm:
            return []
        if self._segmented and not self.speaking:
            self._remember(pcm)
            return []
        return self._hand_over([AudioChunk(pcm)])

    def speech_started(self, start_secs: float) -> list[Item]:
        """Somebody has been speaking for `start_secs`."""
        if self.muted or self.speaking:
            return []
        self.speaking = True
        if not self._segmented:
            return []
        keep = int((self._preroll_secs + start_secs) * self._bytes_per_sec)
        pcm = b"".join(self._preroll)[-keep + keep % _SAMPLE_BYTES :] if keep else b""
        self._forget_preroll()
        return self._hand_over([AudioChunk(pcm)] if pcm else [])

    def speech_stopped(self) -> list[Item]:
        """Nobody speaks any more."""
        if not self.speaking:
            return []
        self.speaking = False
        return self._hand_over([Finalize()])

    def mute(self, on: bool) -> list[Item]:
        """Nothing is transcribed while muted; what was being said is finalized."""
        items = self.speech_stopped() if on else []
        self.muted = on
        self._forget_preroll()
        return items

    def acknowledge(self, *, finalized: bool) -> None:
        """A final transcript came: what it covers need not be sent again."""
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
        # One second more than needed: the detector's own delay is known only when it fires.
        self._preroll.append(pcm)
        self._preroll_size += len(pcm)
        limit = int((self._preroll_secs + 1.0) * self._bytes_per_sec)
        while self._preroll_size > limit:
            self._preroll_size -= len(self._preroll.popleft())

    def _forget_preroll(self) -> None:
        self._preroll.clear()
        self._preroll_size = 0

    def _hand_over(self, items: list[Item]) -> list[Item]:
        for item in items:
            self._kept.append(item)
            self._kept_size += _size(item)
        limit = int(KEEP_SECS * self._bytes_per_sec)
        while self._kept_size > limit:
            self._kept_size -= _size(self._kept.popleft())
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

    def resent(self, now: float) -> None:
        """A new stream got what the old one did not answer."""
        self._stalls_at = now + self._stall_timeout

    def _report(self) -> float | None:
        ended, last = self._ended, self._last
        self._ended = self._report_at = self._last = None
        return last - ended if last is not None and ended is not None else None
