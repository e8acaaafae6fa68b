"""What the turn machine decides: to be carried out, in order, by its driver."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from antiphon.turns.opinions import Notify, SendFrame

if TYPE_CHECKING:
    from antiphon.turns.strategy import TurnStrategy


class TurnSegment(msgspec.Struct, frozen=True):
    """What the caller said since the turn began or since the last inference.

    `text` is empty when nothing new was said and the model is to be asked (again) all the same.
    `started` is in seconds on the loop's clock.
    """

    text: str
    user_id: str = ""
    started: float = 0.0


class OpenTurn(msgspec.Struct, frozen=True):
    """A turn begins: announce it, interrupt the agent, tell the program, in this order.

    `in_doubt`: the interruption follows, if the sound proves to be speech.
    """

    strategy: TurnStrategy | None
    reason: str
    announce: bool
    interrupt: bool
    user_id: str = ""
    in_doubt: bool = False


class InterruptAgent(msgspec.Struct, frozen=True):
    """An answer under way is out of date, or was truly interrupted: void it."""

    reason: str


class TriggerInference(msgspec.Struct, frozen=True):
    """Commit the segment to the context and ask the model."""

    strategy: TurnStrategy | None
    reason: str
    segment: TurnSegment


class CloseTurn(msgspec.Struct, frozen=True):
    """The turn is final.

    `content` is all of it: the segments and what came after the last inference (`tail`), joined by
    a space. `nothing_understood`: there was sound, but no words. `started` and `stopped` are the
    true beginning and end of what was heard, in seconds on the loop's clock.
    """

    strategy: TurnStrategy | None
    reason: str
    announce: bool
    content: str
    tail: str
    nothing_understood: bool
    user_id: str
    started: float
    stopped: float
    inferences: int


class StopTimedOut(msgspec.Struct, frozen=True):
    """No strategy ended the turn in time: the watchdog is about to."""


class HoldPlayout(msgspec.Struct, frozen=True):
    """Hold the agent's speech where it is."""


class ReleasePlayout(msgspec.Struct, frozen=True):
    """Let it go on."""


class RunTurnModel(msgspec.Struct, frozen=True):
    """Ask the turn model of `strategy`."""

    strategy: TurnStrategy


Action = (
    OpenTurn
    | InterruptAgent
    | TriggerInference
    | CloseTurn
    | StopTimedOut
    | HoldPlayout
    | ReleasePlayout
    | RunTurnModel
    | SendFrame
    | Notify
)


class DecisionKind(enum.Enum):
    """The kinds of decisions in the log."""

    START = "turn started"
    INTERRUPT = "answer superseded"
    INFER = "inference triggered"
    STOP = "turn stopped"
    FORGET = "text forgotten"
    HOLD = "speech held"
    RELEASE = "speech released"
    REFUSE = "opinion refused"


class Decision(msgspec.Struct, frozen=True):
    """One line of the decision log: what was decided, by whom, and why.

    `at` is in seconds on the loop's clock; `fact` is the fact (or the deadline) that led to it.
    """

    at: float
    kind: DecisionKind
    strategy: str
    reason: str
    fact: str
    state: str
