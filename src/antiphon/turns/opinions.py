"""What a strategy answers when it is told a fact: an opinion, which the machine heeds or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from antiphon.frames.base import Frame
from antiphon.kernel.epoch import FrameDirection

if TYPE_CHECKING:
    from antiphon.kernel.event_source import BoundEvent


class Opinion(msgspec.Struct, frozen=True):
    """Base of everything a strategy may answer."""


class Doubt(msgspec.Struct, frozen=True):
    """A turn begins with a sound that may be nothing: the agent's speech is held, not voided.

    The interruption follows when words come, or when the sound goes on for `hold_secs`. Sound that
    has ended and brought no words within `resume_secs` was nothing: the speech goes on.
    """

    hold_secs: float
    resume_secs: float


class StartTurn(Opinion, frozen=True):
    """The caller takes the floor. Heeded when no turn is open.

    `announce` False: the turn has been announced and the agent interrupted by somebody else.
    """

    reason: str
    announce: bool = True
    doubt: Doubt | None = None


class RunInference(Opinion, frozen=True):
    """Enough was heard to ask the model. Heeded in an open turn while the caller is silent."""

    reason: str


class EndTurn(Opinion, frozen=True):
    """The caller has finished. Heeded in an open turn while the caller is silent.

    `announce` False: somebody else has announced it.
    """

    reason: str
    announce: bool = True


class Swallow(Opinion, frozen=True):
    """Start strategies after this one are not told of the fact."""


class Forget(Opinion, frozen=True):
    """Throw away what was heard and not yet used. Heeded when no turn is open."""

    reason: str


class HoldSpeech(Opinion, frozen=True):
    """Hold the agent's speech until it is clear what the sound was. Heeded when no turn is open."""

    reason: str


class ReleaseSpeech(Opinion, frozen=True):
    """Let the agent's speech go on where it was held."""

    reason: str


class AskTurnModel(Opinion, frozen=True):
    """Have the turn model judge the sound of the turn; it answers with a `TurnModelVerdict`."""


class SendFrame(Opinion, frozen=True):
    """Put a frame on its way; `direction` None sends it both ways."""

    frame: Frame
    direction: FrameDirection | None = None


class Notify(Opinion, frozen=True):
    """Emit an event of the strategy, such as `on_wake_phrase_detected`."""

    event: BoundEvent[...]
    args: tuple[Any, ...] = ()


NOTHING: tuple[Opinion, ...] = ()
"""The answer of a strategy that has none."""
