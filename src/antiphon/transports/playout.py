"""Playout: what the caller hears when, decided without asyncio, threads or clocks.

Theory of operation
-------------------
Everything that goes to the caller passes through one ordered stream:

* *Sound* waits in a bounded buffer and is written in chunks of a few times 10 ms, each when it is
  due. The playout clock is the number of samples that the line *accepted*; nothing else says how
  far we are. A chunk that the line refuses goes back to where it came from and is tried again; all
  else waits for it.
* *Frames* wait in a line beside it, each for a position in the sound: the end of the sound before
  it or, with a pts, that instant of its utterance. They come out when the position has been
  *heard*, and never overtake each other.
* *Utterances* begin with `TTSStartedFrame` (or with their first sound) and end with
  `TTSStoppedFrame`, with the next utterance, or after `silence_timeout_secs` without sound.

The agent *speaks* from the first chunk accepted with its voice until its voice has been heard and
no utterance is open. `Started` and `Stopped` alternate, beginning with `Started`; `Speaking` comes
in between, at most every `speaking_period_secs`.

Who may do what:

    Sound, Item        append; a frame with nothing before it comes out at once
    KeyTones           go before all other sound; everything else waits meanwhile
    Interrupt          drops interruptible sound and frames now; keeps the others in order; goes on
    Written            answers for each `Write`, before the next: accepted, or refused
    LineLost, LineBack hold everything while nobody is on the line
    HangUp             drops all sound, for nobody hears it; what may not be dropped comes out
    Pause, Resume      hold the sound and what waits for it; an interruption lifts a pause
    Acknowledged       measures how much later than written a sample is heard
    Drain              ends what is open; `Drained` comes when all is heard, and silence after it
    GiveUp             what is not heard by now never will be; what may not be dropped comes out
    Cancel             drops everything, for good

Invariants: at most one `Write` in the actions of one step, as the last of them, so whoever carries
them out may wait there and nowhere else. All written chunks have one size. Interruptible sound or
frames of before an `InterruptPlayout` are in no action after it (but for `fade_out_secs` of sound,
off unless asked for). A frame that may not be dropped comes out exactly once, in order.

The buffer is never full in the sense of refusing: above `high_water_secs` it asks (`Credit`) the
voice to stop sending until it is below `low_water_secs`. A voice that does not listen loses what is
beyond `limit_secs`, with one `Overflow`.
"""

from __future__ import annotations

import math

from msgspec.structs import replace

from antiphon.audio.pcm import SAMPLE_BYTES, fade_out
from antiphon.errors import InvalidInputError
from antiphon.frames.base import Frame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.transports.playout_events import (
    Acknowledged,
    Actions,
    Cancel,
    ClearSink,
    Credit,
    Deliver,
    Drain,
    Drained,
    Event,
    GiveUp,
    HangUp,
    InterruptPlayout,
    Item,
    KeyTones,
    LineBack,
    LineLost,
    Overflow,
    PausePlayout,
    PlayoutConfig,
    ResumePlayout,
    Sound,
    Speaking,
    Started,
    Stopped,
    Write,
    Written,
)
from antiphon.transports.playout_line import FrameLine
from antiphon.transports.playout_sound import HandedOver, Pacer, Piece, SoundBuffer

EARLY = 1e-6
FIRST_RETRY_SECS, LAST_RETRY_SECS = 0.02, 0.1
"""Between attempts to write a chunk that the line refuses; each is twice the one before."""


class Playout:
    """The machine: `receive` what happens, `tick` at the `deadline`, do what they return."""

    def __init__(self, config: PlayoutConfig | None = None) -> None:
        self.config: PlayoutConfig = config or PlayoutConfig()
        config = self.config
        self._chunk = config.sample_rate * config.chunk_ms // 1000
        self._unit = SAMPLE_BYTES * config.num_channels
        self._chunk_secs = config.chunk_ms / 1000
        self.pacer: Pacer = Pacer(
            self._chunk_secs,
            paced=config.paced,
            lead=config.lead_secs,
            max_burst=config.max_burst_chunks,
        )
        self._sound = SoundBuffer(config.num_channels)
        self._line = FrameLine(config.sample_rate, config.origin)
        self._tones = bytearray()
        self._heard = 0
        self._speech_end = 0
        self._last_sound = self._last_event = self._last_speaking = -1e9
        self._paused = self._full = self._overflowing = self._over = False
        self._tail_is_whole = False
        self._silence_left: int | None = None
        self._handed: HandedOver | None = None
        self._retry_secs = 0.0
        self.lost: bool = False
        """Nobody is on the line."""
        self.gone: bool = False
        """The caller has hung up."""
        self.speaking: bool = False
        self.samples_written: int = 0

    # ---- what is known ------------------------------------------------------------------------

    @property
    def buffered_secs(self) -> float:
        """Sound that waits to be written."""
        return self._sound.waiting / self.config.sample_rate

    @property
    def draining(self) -> bool:
        """Between `Drain` and `Drained`."""
        return self._silence_left is not None and not self._over

    @property
    def deadline(self) -> float | None:
        """When `tick` must be called unless something happens first."""
        if self._over:
            return None
        soonest = self._write_at()
        for time in (self.pacer.heard_at, self._line.due_at, self._timeout_at()):
            if time is not None and (soonest is None or time < soonest):
                soonest = time
        return soonest

    # ---- what happens -------------------------------------------------------------------------

    def receive(self, event: Event, now: float) -> Actions:
        """Takes an event; never returns a `Write`. `Written` has no consequence but `Started`: what
        follows from it comes with the next step.
        """
        actions: Actions = []
        if self._over:
            return actions
        match event:
            case Sound():
                self._take_sound(event, now, actions)
            case Item(frame):
                self._take_frame(frame, now)
            case KeyTones(pcm):
                self._begin_writing(now)
                self._tones += pcm
            case InterruptPlayout():
                self._interrupt(now, actions)
            case Written(accepted):
                self._written(now, actions, accepted=accepted)
                return actions
            case Acknowledged(samples):
                self.pacer.acknowledge(samples, now)
            case Drain():
                self._drain(now, actions)
            case GiveUp() | Cancel():
                if isinstance(event, GiveUp):
                    actions += [Deliver(frame) for frame in self._line.take_vital()]
                self._cancel(actions)
                return actions
            case HangUp():
                self._hang_up(now, actions)
            case _:
                self._hold(event, now)
        self._settle(now, actions)
        return actions

    def tick(self, now: float) -> Actions:
        """What is due; at most one `Write`, as the last action. Due again at once in a burst."""
        now += EARLY  # an event loop's timer may fire that much before its time
        actions: Actions = []
        if self._over:
            return actions
        self._settle(now, actions)
        write_at = self._write_at()
        if write_at is not None and write_at <= now and not self._over:
            self._write(now, actions)
        return actions

    def _hold(self, event: Event, now: float) -> None:
        """Holds what is to be said, or goes on."""
        match event:
            case PausePlayout():
                self._paused = True
                return
            case LineLost():
                self.lost = True
                return
            case LineBack():
                self.lost = self.gone = False
            case ResumePlayout():
                self._paused = False
        self._last_event = now
        self.pacer.begin(now)

    def _take_sound(self, event: Sound, now: float, actions: Actions) -> None:
        if len(event.pcm) % self._unit:
            raise InvalidInputError(
                f"{len(event.pcm)} bytes are not whole samples of {self.config.num_channels} "
                "channel(s)"
            )
        if self.buffered_secs >= self.config.limit_secs:
            if not self._overflowing:
                actions.append(Overflow(self.buffered_secs))
            self._overflowing = True
            return
        self._overflowing = False
        if not event.pcm:
            return
        self._begin_writing(now)
        self._tail_is_whole = False
        self._last_sound = self._last_event = now
        position = self._sound.end
        if event.speech:
            utterance = self._line.sounding(event.context_id, position)
            if utterance.base is None:
                utterance.base = self._line.clock(now) if event.pts is None else event.pts
            utterance.add(position, len(event.pcm) // self._unit)
        self._sound.put(Piece(event.pcm, event.speech, event.context_id, event.interruptible))
        if event.speech:
            self._speech_end = self._sound.end
        if not self._full and self.buffered_secs > self.config.high_water_secs:
            self._full = True
            actions.append(Credit(True, self.buffered_secs))

    def _begin_writing(self, now: float) -> None:
        # With a chunk waiting, the next is due when it was due anyway; otherwise not before now.
        if not self._tones and self._sound.waiting < self._chunk and not self.config.continuous:
            self.pacer.begin(now)

    def _take_frame(self, frame: Frame, now: float) -> None:
        self._last_event = now
        position = self._sound.end
        if isinstance(frame, TTSStartedFrame):
            self._line.open(frame.context_id, frame.pts, position)
        self._line.put(frame, position, self._heard, now)
        if isinstance(frame, TTSStoppedFrame):
            self._line.close(position)
            self._tail_is_whole = True

    def _interrupt(self, now: float, actions: Actions) -> None:
        fade = b""
        if self.speaking and self.config.fade_out_secs:
            samples = round(self.config.fade_out_secs * self.config.sample_rate)
            fade = fade_out(self._sound.peek_interruptible(samples), self.config.num_channels)
        kept = self._sound.drop_interruptible()
        self._line.drop_interruptible(self._sound.taken, kept)
        self._tones += fade
        if self._paused:
            self._paused = False
            self.pacer.begin(now)
        if self._handed is not None:
            self._handed = replace(self._handed, void=True)
        self._heard = self._sound.taken - (0 if self._handed is None else self._sound.returnable)
        self._speech_end = self._sound.end if self._sound.has_speech else self._sound.taken
        self.pacer.forget(now)
        if self.samples_written:
            actions.append(ClearSink())

    def _drain(self, now: float, actions: Actions) -> None:
        if self._silence_left is not None:
            return
        if self.gone:
            self._silence_left = 0
            self._hang_up(now, actions)
            return
        self._line.close(self._sound.end)
        self._paused = False
        self.pacer.begin(now)
        secs = self.config.end_silence_secs if self.samples_written or self._sound.waiting else 0.0
        self._silence_left = round(secs * self.config.sample_rate)

    def _hang_up(self, now: float, actions: Actions) -> None:
        self.gone = self.lost = True
        actions += [Deliver(frame) for frame in self._line.take_vital()]
        self._sound.clear()
        self._tones.clear()
        self.pacer.forget(now)
        self._heard = self._speech_end = self._sound.taken
        if self._silence_left is not None:
            self._silence_left = 0

    def _cancel(self, actions: Actions) -> None:
        self._sound.clear()
        self._line.clear()
        self._tones.clear()
        if self.samples_written:
            actions.append(ClearSink())
        if self.speaking:
            self.speaking = False
            actions.append(Stopped())
        self._over = True

    # ---- time passes --------------------------------------------------------------------------

    def _timeout_at(self) -> float | None:
        """When an utterance that gets no more sound is given up."""
        waits = self.speaking or len(self._line)
        held = self._paused or self.lost or self._sound.waiting
        if held or not waits or self._line.open_utterance is None:
            return None
        return self._last_event + self.config.silence_timeout_secs

    def _write_at(self) -> float | None:
        """When the next chunk is due; None: there is nothing to write."""
        due = self.pacer.write_at
        if self.lost or self._handed is not None:
            return None
        if self._tones or self._silence_left:
            return due
        if self.config.continuous and not self.draining:
            return due
        if self._paused or not self._sound.waiting:
            return None
        if self._sound.waiting >= self._chunk or self._tail_is_whole or self.draining:
            return due
        # An incomplete chunk waits a moment for the rest of it.
        return max(due, self._last_sound + 2 * self._chunk_secs)

    def _settle(self, now: float, actions: Actions) -> None:
        """Everything that follows from what has been heard by now."""
        heard = self.pacer.heard(now)
        if heard is not None:
            self._heard = max(self._heard, heard)
            self._last_event = now
        timeout_at = self._timeout_at()
        if timeout_at is not None and timeout_at <= now:
            self._line.close(self._sound.end)
        while (frame := self._line.pop(self._heard)) is not None:
            actions.append(Deliver(frame))
        while (frame := self._line.pop_timed(now)) is not None:
            actions.append(Deliver(frame))
        if self.speaking and self._heard >= self._speech_end and not self._line.open_utterance:
            self.speaking = False
            actions.append(Stopped())
        if self._full and self.buffered_secs < self.config.low_water_secs:
            self._full = False
            actions.append(Credit(False, self.buffered_secs))
        self._decide_drained(actions)

    def _decide_drained(self, actions: Actions) -> None:
        if self._silence_left is None or self._silence_left > 0 or self._tones:
            return
        if self._sound.waiting or self.pacer.heard_at is not None:
            return
        if self._handed is not None and not self.gone:
            return
        while (frame := self._line.pop_timed(math.inf)) is not None:
            actions.append(Deliver(frame))
        actions.append(Drained())
        self._over = True

    def _write(self, now: float, actions: Actions) -> None:
        size, silence = self._chunk * self._unit, 0
        piece: Piece | None = None
        if self._retry_secs:
            self.pacer.begin(now)
        elif 0 < self._sound.waiting < self._chunk and not self._tail_is_whole:
            # It was not late, but waited for its rest: the pace begins anew.
            self.pacer.begin(self._last_sound + 2 * self._chunk_secs)
        tones = bytes(self._tones[:size])
        if tones:
            pcm = tones
            del self._tones[:size]
        elif self._paused:
            pcm = b""
        else:
            pcm, piece = self._sound.take(self._chunk)
        if not pcm and self._silence_left:
            silence = min(self._silence_left, self._chunk)
            self._silence_left -= silence
        speech = piece is not None and piece.speech
        self._handed = HandedOver(tones, speech, silence, now)
        context_id = None if piece is None else piece.context_id
        padded = pcm if len(pcm) == size else pcm + bytes(size - len(pcm))
        actions.append(Write(padded, speech, bool(pcm), context_id))

    def _written(self, now: float, actions: Actions, *, accepted: bool) -> None:
        chunk, self._handed = self._handed, None
        if chunk is None:
            return
        if not accepted:
            self._retry_secs = min(max(2 * self._retry_secs, FIRST_RETRY_SECS), LAST_RETRY_SECS)
            self.pacer.postpone(now + self._retry_secs)
            self._sound.put_back()
            if self._silence_left is not None and not self.gone:
                self._silence_left += chunk.silence
            if not chunk.void:
                self._tones[:0] = chunk.tones
            return
        self._retry_secs = 0.0
        self.samples_written += self._chunk
        self.pacer.wrote(self._sound.taken, self.samples_written, chunk.at)
        if not chunk.speech or chunk.void:
            return
        if not self.speaking:
            self.speaking = True
            actions.append(Started())
        if now - self._last_speaking >= self.config.speaking_period_secs - 1e-9:
            self._last_speaking = now
            actions.append(Speaking())
