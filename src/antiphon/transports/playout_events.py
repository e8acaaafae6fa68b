"""What an output is told about playing, and what it has to do: the vocabulary of `Playout`."""

from __future__ import annotations

import msgspec

from antiphon.errors import InvalidInputError
from antiphon.frames.base import Frame


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


class Written(msgspec.Struct, frozen=True):
    """The line took the chunk of the last `Write`, or did not. Comes once for each."""

    accepted: bool


class LineLost(msgspec.Struct, frozen=True):
    """The line is gone, perhaps for a while."""


class LineBack(msgspec.Struct, frozen=True):
    """The line is there again."""


class HangUp(msgspec.Struct, frozen=True):
    """The call is over: what the caller has not heard by now they never will."""


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


Event = (
    Sound
    | Item
    | KeyTones
    | InterruptPlayout
    | Written
    | LineLost
    | LineBack
    | HangUp
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
