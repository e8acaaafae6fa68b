"""What every turn strategy is: a pure object that is told facts and answers with opinions.

A strategy reads no clock and awaits nothing. It is told every fact by `receive(event, now)`; when
it wants to be heard again at some instant although nothing happens, it sets `deadline`, and
`tick(now)` is called then (not before, perhaps a little later). Its opinions are heeded only where
the machine's state allows: a strategy need not know whether a turn is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from antiphon.frames.base import Frame
from antiphon.kernel.event_source import EventSource
from antiphon.turns.facts import Fact
from antiphon.turns.opinions import NOTHING, Opinion


class TurnModel(Protocol):
    """An opinion on whether the caller has finished. Stateless: one serves all sessions."""

    sample_rate: int

    async def connect(self) -> None:
        """Loads the model."""

    async def complete_probability(self, audio: bytes) -> float:
        """The probability that the turn in `audio` (PCM, at most the last 8 s) is complete."""
        ...


class TurnStrategy(EventSource):
    """Base of start and stop strategies."""

    frame_types: ClassVar[tuple[type[Frame], ...]] = ()
    """Frames that the strategy wants to see, as `FrameSeen`, beyond those that become facts."""

    resolves_proposals: ClassVar[bool] = False
    """Whether it decides about the proposals of services; without such a strategy they are
    ignored.
    """

    deadline: float | None = None
    """When `tick` is to be called, in seconds on the loop's clock."""

    @property
    def name(self) -> str:
        """The name in the decision log."""
        return type(self).__name__

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        """Is told what happened."""
        return NOTHING

    def tick(self, now: float) -> Sequence[Opinion]:
        """Is told that its deadline has come."""
        self.deadline = None
        return NOTHING


class UserTurnStartStrategy(TurnStrategy):
    """Decides when the caller takes the floor.

    `enable_interruptions`: a turn that this strategy starts interrupts the agent.
    `enable_user_speaking_frames`: it is announced with a `UserStartedSpeakingFrame`.
    """

    def __init__(
        self, *, enable_interruptions: bool = True, enable_user_speaking_frames: bool = True
    ) -> None:
        self.enable_interruptions = enable_interruptions
        self.enable_user_speaking_frames = enable_user_speaking_frames


class UserTurnStopStrategy(TurnStrategy):
    """Decides when enough was heard to answer, and when the caller's turn is over.

    `enable_user_speaking_frames`: the end is announced with a `UserStoppedSpeakingFrame`.
    """

    holds_open: bool = False
    """While True and its deadline is set, the watchdog leaves the turn to this strategy."""

    def __init__(self, *, enable_user_speaking_frames: bool = True) -> None:
        self.enable_user_speaking_frames = enable_user_speaking_frames


BaseUserTurnStartStrategy = UserTurnStartStrategy
"""The name of the class in Pipecat."""

BaseUserTurnStopStrategy = UserTurnStopStrategy
"""The name of the class in Pipecat."""
