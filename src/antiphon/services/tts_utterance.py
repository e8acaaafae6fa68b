"""One utterance on its way: the text a voice is given, the audio it answers with, what is heard
when.

The text comes as it comes, and may be read again from its beginning by a second attempt. What the
voice yields is kept until it is this utterance's turn to be sent. Pure but for the two events that
wake those who wait for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from antiphon.context.spoken import Heard, Pace, SpokenLedger, SpokenMark
from antiphon.frames.base import Frame
from antiphon.frames.speech import SpeechLostFrame, TTSStoppedFrame
from antiphon.frames.text import AggregatedTextFrame
from antiphon.services.contracts import SpeechAudio, TTSCapabilities, TTSEvent

_SAMPLE_BYTES = 2
_SLICE_SECS = 0.06
"""Words come out between slices of audio of this length."""
_AHEAD_SECS = 0.1
"""A word whose time is an estimate comes out so long before it can be heard at the earliest."""
_QUIET_SECS = 0.25
"""A voice that waits for text and gives no audio for so long has spoken what it was given."""


class Utterance:
    """What is to be spoken under one context id. `opened` is when (loop seconds) it was asked
    for; `request` the text, where somebody asked for all of it at once.
    """

    def __init__(
        self,
        context_id: str,
        capabilities: TTSCapabilities,
        pace: Pace,
        *,
        append_to_context: bool,
        opened: float,
        request: str | None = None,
    ) -> None:
        self.context_id = context_id
        self.request = request
        self.append_to_context = append_to_context
        self.opened = opened
        self.characters: int = 0
        self.began: float | None = None
        """When (loop seconds) the first of it was sent."""
        self.done: bool = False
        """Nothing more will come from the voice."""
        self.awake: asyncio.Event = asyncio.Event()
        """Set when there is something to send, or `done`."""
        self.first_audio: float | None = None
        self.waits_for_text: bool = False
        """The voice has read what there is, and owes no audio."""
        self.owing: Callable[[], None] | None = None
        """Called when that changes, and with each piece that is read."""
        self._ledger = SpokenLedger(pace, word_times=capabilities.word_times)
        self._piecewise = capabilities.piecewise
        self._bytes_per_sec = capabilities.sample_rate * _SAMPLE_BYTES
        self._slice = round(_SLICE_SECS * capabilities.sample_rate) * _SAMPLE_BYTES
        self._texts: list[str] = []
        self.unsaid = ""
        """Text that no voice speaks any more."""
        self._cut_off = ""
        self._complete = False
        self.was_read: bool = False
        """The voice has read all of the text."""
        self._more_text = asyncio.Event()
        self._audio: deque[bytes] = deque()
        self._odd = b""
        self._sent = 0
        self._quiet_at: float | None = None
        self._sayings: list[str] = []
        self._said = 0

    # ---- text ----------------------------------------------------------------------------------

    def say(self, shown: str, spoken: str) -> None:
        """A piece to be spoken; `shown` is how it is written and remembered."""
        self._ledger.add_piece(shown, spoken, in_context=self.append_to_context)
        self._sayings.append(shown)
        self._texts.append(spoken)
        self.characters += len(spoken)
        self._more_text.set()

    @property
    def lost(self) -> str:
        """What was to be said and never will be, once the rest has come out."""
        return self._ledger.lost + self.unsaid

    @property
    def pieces(self) -> tuple[str, ...]:
        """What was to be said so far, as it is written."""
        return tuple(self._sayings)

    @property
    def is_complete(self) -> bool:
        """There is no more text."""
        return self._complete

    def place(self, frame: Frame) -> None:
        """A frame that comes out after what has been said before it."""
        self._ledger.add_mark(frame, fixed=not self.owns(frame))
        self.awake.set()

    def owns(self, frame: Frame) -> bool:
        """Whether the frame is part of this utterance, and can carry a time in it."""
        return isinstance(frame, AggregatedTextFrame) and frame.context_id == self.context_id

    def complete(self) -> None:
        """There is no more text."""
        self._complete = True
        self._more_text.set()
        if self.is_silent:
            self.finish()

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to speak so far."""
        return not self._texts

    def text(self) -> AsyncIterator[str]:
        """The pieces, from the first; ends when there will be no more."""
        return TextReader(self)

    async def piece(self, index: int) -> str | None:
        """A piece, when it is there; None when there will be none. Asked for in order."""
        if self._piecewise and index:
            self._ledger.piece_spoken(index)
            self.awake.set()
        while index >= len(self._texts):
            if self._complete:
                self.was_read = True
                self._owe(audio=True)
                return None
            self._owe(audio=False)
            self.awake.set()
            self._more_text.clear()
            await self._more_text.wait()
        self._owe(audio=True)
        self._ledger.piece_read(index + 1)
        return self._texts[index]

    def _owe(self, *, audio: bool) -> None:
        """Whether the voice owes audio now, or we owe it text."""
        self.waits_for_text = not audio
        if self.owing is not None:
            self.owing()

    # ---- audio ---------------------------------------------------------------------------------

    def receive(self, event: TTSEvent, now: float) -> None:
        """Takes what the voice yields. Half a sample waits for its other half."""
        if not isinstance(event, SpeechAudio):
            self._ledger.add_word(event.word, event.end_secs)
            self.awake.set()  # it may have been heard by now
            return
        pcm = self._odd + event.pcm
        cut = len(pcm) - len(pcm) % _SAMPLE_BYTES
        pcm, self._odd = pcm[:cut], pcm[cut:]
        if not pcm:
            return
        if self.first_audio is None:
            self.first_audio = now
        self._ledger.add_audio(len(pcm) / self._bytes_per_sec)
        self._audio.append(pcm)
        self._quiet_at = now + _QUIET_SECS
        self.awake.set()

    def begin_anew(self) -> None:
        """The voice is asked once more; it has given no audio so far."""
        self._ledger.forget_words()

    def finish(self) -> None:
        """The voice has said everything."""
        if self.first_audio is not None:
            self._ledger.finish()
        self.done = True
        self.awake.set()

    def break_off(self) -> None:
        """The voice has failed or is given up; nothing, if it has said everything."""
        if self.done:
            return
        self._ledger.break_off()
        self.done = True
        self.awake.set()

    @property
    def audio_secs(self) -> float:
        """How much audio has come."""
        return self._ledger.audio_secs

    @property
    def has_audio(self) -> bool:
        """Whether some waits to be sent."""
        return bool(self._audio)

    def next_slice(self) -> bytes:
        """A slice of audio to send."""
        pcm = self._audio.popleft()
        if len(pcm) > self._slice:
            self._audio.appendleft(pcm[self._slice :])
            pcm = pcm[: self._slice]
        self._sent += len(pcm)
        return pcm

    def beginning(self) -> list[Heard]:
        """What has its place before all audio."""
        return self._ledger.take(0.0)

    def heard(self, now: float) -> list[Heard]:
        """The words and frames that have their place before the end of the audio that was sent, but
        for words of which more may be known when they can be heard.
        """
        if self.waits_for_text and self._quiet_at is not None and self._quiet_at <= now:
            self._quiet_at = None
            self._ledger.settle()
        played = 0.0 if self.began is None else now - self.began + _AHEAD_SECS
        return self._ledger.take(self._sent_secs, played)

    @property
    def due(self) -> float | None:
        """When (loop seconds) there may be more of that."""
        times = [self._quiet_at] if self.waits_for_text and self._quiet_at is not None else []
        end = self._ledger.next_end
        if end is not None and end <= self._sent_secs and self.began is not None:
            times.append(self.began + end - _AHEAD_SECS + 1e-6)
        return min(times, default=None)

    def sayings(self) -> list[str]:
        """The pieces whose audio has begun to be sent, each once."""
        begun = self._ledger.begun(self._sent_secs)
        said, self._said = self._sayings[self._said : begun], max(self._said, begun)
        return said

    @property
    def _sent_secs(self) -> float:
        return self._sent / self._bytes_per_sec

    def left_over(self) -> list[Frame]:
        """The frames that have not come out."""
        left = self._ledger.drain()
        self._cut_off = "".join(item.text for item in left if not isinstance(item, SpokenMark))
        return [item.frame for item in left if isinstance(item, SpokenMark)]

    def lost_frames(self) -> list[Frame]:
        """What ends it where it was taken out of its line when it had begun."""
        lost = (self._cut_off + self.lost).strip()
        told = [SpeechLostFrame(lost, self.context_id)] if self.append_to_context and lost else []
        return [*told, TTSStoppedFrame(context_id=self.context_id)]

    def rest(self) -> list[Heard]:
        """What is left when all audio has been sent."""
        return self._ledger.drain()


class TextReader:
    """Reads the text of an utterance for a voice. No generator: one that is cut off, or that reads
    in a task of its own, leaves nothing behind that somebody would have to close.
    """

    def __init__(self, utterance: Utterance) -> None:
        self._utterance = utterance
        self._index = 0

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        piece = await self._utterance.piece(self._index)
        if piece is None:
            raise StopAsyncIteration
        self._index += 1
        return piece
