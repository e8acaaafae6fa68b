"""Playout: what the caller hears when, decided without asyncio, threads or clocks.

Theory of operation
-------------------
Everything that goes to the caller passes through one ordered stream:

* *Sound* waits in a bounded buffer and is written in chunks of a few times 10 ms, each when it is
  due. The playout clock is the number of samples written; nothing else says how far we are.
* *Frames* wait in a line beside it, each for a position in the sound: the end of the sound before
  it or, with a pts, that instant of its utterance. They come out when the position has been
  *heard*, and never overtake each other.
* *Utterances* begin with `TTSStartedFrame` (or with their first sound) and end with
  `TTSStoppedFrame`, with the next utterance, or after `silence_timeout_secs` without sound.

The agent *speaks* from the first chunk written with its voice until its voice has been heard and no
utterance is open. `Started` and `Stopped` alternate, beginning with `Started`; `Speaking` comes in
between, at most every `speaking_period_secs`.

Who may do what:

    Sound, Item        append; a frame with nothing before it comes out at once
    KeyTones           go before all other sound; everything else waits meanwhile
    Interrupt          drops interruptible sound and frames now; keeps the others in order; goes on
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

import msgspec

from antiphon.audio.pcm import SAMPLE_BYTES, fade_out
from antiphon.errors import InvalidInputError
from antiphon.frames.base import Frame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.transports.playout_line import FrameLine
from antiphon.transports.playout_sound import Pacer, Piece, SoundBuffer


class PlayoutConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How one output plays. Rates in Hz, times in seconds.

    `continuous`: silence is written when there is nothing to say, as a line or a mixer needs it.
    `paced`: False writes as fast as the other side takes it. `lead_secs`: how long before it is
    heard a chunk is written. `origin`: the loop's time at which the conversation's clock was 0.
    """

    sample_rate: int = 24_000
    num_channels: int = 1
    chunk_ms: int = 20
    paced: bool = True
    continuous: bool = False
    lead_secs: float = 0.0
    max_burst_chunks: int = 3
    high_water_secs: float = 6.0
    low_water_secs: float = 3.0
    limit_secs: float = 300.0
    silence_timeout_secs: float = 3.0
    speaking_period_secs: float = 0.2
    fade_out_secs: float = 0.0
    end_silence_secs: float = 0.0
    origin: float = 0.0

    def __post_init__(self) -> None:
        if self.chunk_ms < 10 or self.chunk_ms % 10:
            raise InvalidInputError(f"chunks are multiples of 10 ms, not {self.chunk_ms} ms")
        if self.sample_rate * self.chunk_ms % 1000:
            raise InvalidInputError(
                f"{self.chunk_ms} ms are not a whole number of samples at {self.sample_rate} Hz; "
                "chunks are multiples of 10 ms: choose another multiple, or another rate"
            )


# ---- what happens -----------------------------------------------------------------------------


class Sound(msgspec.Struct, frozen=True):
    """Whole samples at the output's rate and channels; `speech`: the voice of `context_id`."""

    pcm: bytes
    speech: bool = False
    context_id: str | None = None
    interruptible: bool = True
    pts: int | None = None


class Item(msgspec.Struct, frozen=True):
    """A frame that has its place between the sounds."""

    frame: Frame


class KeyTones(msgspec.Struct, frozen=True):
    """Sound that goes before all other."""

    pcm: bytes


class InterruptPlayout(msgspec.Struct, frozen=True):
    """What was to be said is void."""


class PausePlayout(msgspec.Struct, frozen=True):
    """Hold on."""


class ResumePlayout(msgspec.Struct, frozen=True):
    """Go on."""


class Acknowledged(msgspec.Struct, frozen=True):
    """The other side has heard this many of the samples written since the beginning."""

    samples: int


class Drain(msgspec.Struct, frozen=True):
    """Nothing more will come."""


class GiveUp(msgspec.Struct, frozen=True):
    """The other side takes nothing any more."""


class Cancel(msgspec.Struct, frozen=True):
    """It is over."""


EARLY = 1e-6

Event = (
    Sound
    | Item
    | KeyTones
    | InterruptPlayout
    | PausePlayout
    | ResumePlayout
    | Acknowledged
    | Drain
    | GiveUp
    | Cancel
)


# ---- what to do -------------------------------------------------------------------------------


class Write(msgspec.Struct, frozen=True):
    """Give one chunk to the other side. `sound`: it is more than filling silence."""

    pcm: bytes
    speech: bool
    sound: bool
    context_id: str | None


class Deliver(msgspec.Struct, frozen=True):
    """The frame's moment has come."""

    frame: Frame


class Started(msgspec.Struct, frozen=True):
    """The agent begins to be heard, with the next `Write`."""


class Speaking(msgspec.Struct, frozen=True):
    """The agent is being heard."""


class Stopped(msgspec.Struct, frozen=True):
    """The agent is not heard any more."""


class ClearSink(msgspec.Struct, frozen=True):
    """What was written and is not heard yet is to be thrown away, where that is possible."""


class Credit(msgspec.Struct, frozen=True):
    """Sound should stop coming (`full`), or may come again."""

    full: bool
    buffered_secs: float


class Overflow(msgspec.Struct, frozen=True):
    """Sound was dropped because `buffered_secs` of it wait already."""

    buffered_secs: float


class Drained(msgspec.Struct, frozen=True):
    """All is heard."""


Action = Write | Deliver | Started | Speaking | Stopped | ClearSink | Credit | Overflow | Drained
Actions = list[Action]


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
        """Takes an event; never returns a `Write`."""
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
            case PausePlayout():
                self._paused = True
            case ResumePlayout():
                self._paused = False
                self._last_event = now
                self.pacer.begin(now)
            case Acknowledged(samples):
                self.pacer.acknowledge(samples, now)
            case Drain():
                self._drain(now)
            case GiveUp():
                actions += [Deliver(frame) for frame in self._line.take_vital()]
                self._cancel(actions)
                return actions
            case Cancel():
                self._cancel(actions)
                return actions
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
        self._heard = self._sound.taken
        self._speech_end = self._sound.end if self._sound.has_speech else self._sound.taken
        self.pacer.forget(now)
        if self.samples_written:
            actions.append(ClearSink())

    def _drain(self, now: float) -> None:
        if self._silence_left is not None:
            return
        self._line.close(self._sound.end)
        self._paused = False
        self.pacer.begin(now)
        secs = self.config.end_silence_secs if self.samples_written or self._sound.waiting else 0.0
        self._silence_left = round(secs * self.config.sample_rate)

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
        if self._paused or not waits or self._sound.waiting or self._line.open_utterance is None:
            return None
        return self._last_event + self.config.silence_timeout_secs

    def _write_at(self) -> float | None:
        """When the next chunk is due; None: there is nothing to write."""
        due = self.pacer.write_at
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
        self._decide_stopped(actions)
        if self._full and self.buffered_secs < self.config.low_water_secs:
            self._full = False
            actions.append(Credit(False, self.buffered_secs))
        self._decide_drained(actions)

    def _decide_stopped(self, actions: Actions) -> None:
        if self.speaking and self._heard >= self._speech_end and not self._line.open_utterance:
            self.speaking = False
            actions.append(Stopped())

    def _decide_drained(self, actions: Actions) -> None:
        if self._silence_left is None or self._silence_left > 0 or self._tones:
            return
        if self._sound.waiting or self.pacer.heard_at is not None:
            return
        while (frame := self._line.pop_timed(math.inf)) is not None:
            actions.append(Deliver(frame))
        actions.append(Drained())
        self._over = True

    def _write(self, now: float, actions: Actions) -> None:
        size = self._chunk * self._unit
        piece: Piece | None = None
        if 0 < self._sound.waiting < self._chunk and not self._tail_is_whole:
            # It was not late, but waited for its rest: the pace begins anew.
            self.pacer.begin(self._last_sound + 2 * self._chunk_secs)
        if self._tones:
            pcm = bytes(self._tones[:size])
            del self._tones[:size]
        elif self._paused:
            pcm = b""
        else:
            pcm, piece = self._sound.take(self._chunk)
        if not pcm and self._silence_left:
            self._silence_left = max(0, self._silence_left - self._chunk)
        speech = piece is not None and piece.speech
        if speech:
            self._announce(now, actions)
        self.samples_written += self._chunk
        self.pacer.wrote(self._sound.taken, self.samples_written, now)
        context_id = None if piece is None else piece.context_id
        padded = pcm if len(pcm) == size else pcm + bytes(size - len(pcm))
        actions.append(Write(padded, speech, bool(pcm), context_id))

    def _announce(self, now: float, actions: Actions) -> None:
        if not self.speaking:
            self.speaking = True
            actions.append(Started())
        if now - self._last_speaking >= self.config.speaking_period_secs - 1e-9:
            self._last_speaking = now
            actions.append(Speaking())
