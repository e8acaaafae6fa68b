"""Branches: every frame goes into each of them, and what comes out goes on, once.

A frame that passes several branches unchanged would come out of each: the first release counts,
the others are dropped. One that is handed in again while it is under way comes out again: each
branch passes it as often as it was handed in, so the copy that is a branch's n-th goes on if fewer
than n have. What has been released is remembered by weak reference, so that the memory is as long
as the frame can still come out, and no longer. Life-cycle frames are released when all branches
have passed them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from antiphon.errors import ConfigurationError, MailboxFullError
from antiphon.frames.base import Frame
from antiphon.kernel.chain import Chain
from antiphon.kernel.epoch import Epoch, FrameDirection
from antiphon.kernel.station import Station

if TYPE_CHECKING:
    from antiphon.kernel.pipeline import Pipeline
    from antiphon.kernel.processor import FrameProcessor
    from antiphon.kernel.session import Session


class ParallelPipeline:
    """Branches side by side: `ParallelPipeline([a, b], [c])`."""

    def __init__(self, *branches: Sequence[FrameProcessor | Pipeline | ParallelPipeline]) -> None:
        if not branches:
            raise ConfigurationError("ParallelPipeline needs at least one branch")
        for branch in branches:
            if not isinstance(branch, list | tuple):
                raise ConfigurationError(
                    f"each branch of a ParallelPipeline is a list of processors, not {branch!r}"
                )
        self.branches = [list(branch) for branch in branches]

    def with_branches(
        self, branches: Sequence[Sequence[FrameProcessor | Pipeline | ParallelPipeline]]
    ) -> ParallelPipeline:
        """The same wiring of other processors."""
        return ParallelPipeline(*branches)

    def make_fork(self, session: Session, chain: Chain, index: int) -> Fork:
        """The node that stands for it in a chain."""
        return Fork(session, chain, index)


class Passage:
    """How often a frame was handed in, came out of each branch, and went on."""

    __slots__ = ("entered", "epoch", "left", "released")

    def __init__(self, epoch: Epoch, branches: int) -> None:
        self.epoch = epoch
        self.entered = 0
        self.left = [0] * branches
        self.released = 0

    def leaves(self, number: int) -> bool:
        """It comes out of a branch: whether it goes on."""
        self.left[number] += 1
        goes_on = self.released < min(self.left[number], self.entered)
        self.released += goes_on
        return goes_on


class Fork:
    """The node of a chain that stands for a `ParallelPipeline`."""

    def __init__(self, session: Session, chain: Chain, index: int) -> None:
        self.name = f"ParallelPipeline#{index}"
        self.branches: list[Chain] = []
        self._session = session
        self._chain = chain
        self.index = index
        self._passing: dict[FrameDirection, weakref.WeakKeyDictionary[Frame, Passage]] = {
            direction: weakref.WeakKeyDictionary() for direction in FrameDirection
        }
        self._awaited: weakref.WeakKeyDictionary[Frame, int] = weakref.WeakKeyDictionary()

    def make_station(self, part: FrameProcessor, session: Session, chain: Chain) -> Station:
        """The place of a processor in a branch."""
        return Station(part, session, chain)

    def exit_of(self, number: int) -> Callable[[Frame, FrameDirection], None]:
        """Where a branch ends: what takes the frames that come out of it."""
        return partial(self.leave, number)

    def wired(self) -> None:
        """All branches have been wired."""

    def handles(self, kind: type[Frame]) -> bool:
        """Every frame goes in."""
        return True

    def is_busy(self, urgent: bool) -> bool:
        """Never: frames wait in the branches."""
        return False

    def deliver(self, frame: Frame, direction: FrameDirection) -> None:
        """Hands a frame to each branch, also when another one has no room for it."""
        if frame.lifecycle:
            self._awaited[frame] = len(self.branches)
        else:
            self._enter(frame, direction)
        full: MailboxFullError | None = None
        for branch in self.branches:
            try:
                branch.hand_in(frame, direction)
            except MailboxFullError as error:
                full = error
        if full is not None:
            raise full

    def _enter(self, frame: Frame, direction: FrameDirection) -> None:
        passing, epoch = self._passing[direction], self._session.epoch
        passage = passing.get(frame)
        void = passage is not None and frame.interruptible and passage.epoch is not epoch
        if passage is None or void or self.is_idle():
            passage = passing[frame] = Passage(epoch, len(self.branches))
        passage.entered += 1

    def is_idle(self) -> bool:
        """Whether nothing is handled or waits in any branch."""
        return all(branch.is_idle() for branch in self.branches)

    def leave(self, number: int, frame: Frame, direction: FrameDirection) -> None:
        """A frame comes out of a branch."""
        if frame.lifecycle:
            self._awaited[frame] -= 1
            if self._awaited[frame]:
                return
        else:
            passage = self._passing[direction].get(frame)
            if passage is not None and not passage.leaves(number):
                return
        if not self._session.closed:
            self._chain.hand_on(self.index, frame, direction)
