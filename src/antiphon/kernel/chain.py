"""A line of stations between two ends, and where a frame of a type goes next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from antiphon.frames.base import Frame
from antiphon.kernel.epoch import FrameDirection

if TYPE_CHECKING:
    from antiphon.kernel.observers import Observers


class Node(Protocol):
    """Something in a chain that frames can be handed to."""

    name: str

    def handles(self, kind: type[Frame]) -> bool:
        """Whether frames of this type must stop here."""
        ...

    def is_busy(self, urgent: bool) -> bool:
        """Whether frames must queue here to keep their order."""
        ...

    def deliver(self, frame: Frame, direction: FrameDirection) -> None:
        """Takes a frame."""
        ...


class ChainEnd:
    """Where a chain ends: every frame that gets there is given to `leave`."""

    __slots__ = ("_leave", "name")

    def __init__(self, name: str, leave: Callable[[Frame, FrameDirection], None]) -> None:
        self.name = name
        self._leave = leave

    def handles(self, kind: type[Frame]) -> bool:
        """Everything stops here."""
        return True

    def is_busy(self, urgent: bool) -> bool:
        """Never."""
        return False

    def deliver(self, frame: Frame, direction: FrameDirection) -> None:
        """The frame leaves the chain."""
        self._leave(frame, direction)


class Chain:
    """Nodes in downstream order. `busy` counts those whose ordered, and whose urgent, lane is."""

    def __init__(
        self, upper: ChainEnd, lower: ChainEnd, observers: Observers | None = None
    ) -> None:
        self.upper = upper
        self.lower = lower
        self._observers = observers
        self.nodes: Sequence[Node] = ()
        self.branches: list[Chain] = []
        """The chains of its forks."""
        self.busy = [0, 0]
        self._first: dict[bool, dict[type[Frame], Node]] = {True: {}, False: {}}

    def forget(self) -> None:
        """The nodes are others now: what was found out about them holds no longer."""
        for first in self._first.values():
            first.clear()

    def is_idle(self) -> bool:
        """Whether nothing is handled or waits in it."""
        return not any(self.busy) and all(branch.is_idle() for branch in self.branches)

    def next_handling(self, index: int, kind: type[Frame], down: bool) -> Node:
        """The next node after `index`, in the direction, that handles frames of this type."""
        nodes = self.nodes[index + 1 :] if down else self.nodes[:index][::-1]
        for node in nodes:
            if node.handles(kind):
                return node
        return self.lower if down else self.upper

    def first_busy(self, index: int, target: Node, down: bool, frame: Frame) -> Node:
        """The first busy node between `index` and `target`, or `target`.

        The end of a conversation waits for urgent frames too: they came before it.
        """
        nodes, urgent = self.nodes, frame.urgent
        step = 1 if down else -1
        end = len(nodes) if down else -1
        for position in range(index + step, end, step):
            node = nodes[position]
            if node is target or node.is_busy(urgent) or (frame.lifecycle and node.is_busy(True)):
                return node
        return target

    def hand_in(self, frame: Frame, direction: FrameDirection, source: str | None = None) -> None:
        """Hands a frame in from the end it comes from; `source` names another giver."""
        down = direction is FrameDirection.DOWNSTREAM
        index = -1 if down else len(self.nodes)
        kind = type(frame)
        node = self._first[down].get(kind)
        if node is None:
            node = self._first[down][kind] = self.next_handling(index, kind, down)
        if self.busy[frame.urgent] or frame.lifecycle:
            node = self.first_busy(index, node, down, frame)
        if self._observers is not None:
            giver = source or (self.upper if down else self.lower).name
            self._observers.pushed(giver, node.name, frame, direction)
        node.deliver(frame, direction)

    def hand_on(self, index: int, frame: Frame, direction: FrameDirection) -> None:
        """Hands a frame from the node at `index` to the next one that must have it."""
        down = direction is FrameDirection.DOWNSTREAM
        node = self.next_handling(index, type(frame), down)
        if self.busy[frame.urgent] or frame.lifecycle:
            node = self.first_busy(index, node, down, frame)
        if self._observers is not None:
            self._observers.pushed(self.nodes[index].name, node.name, frame, direction)
        node.deliver(frame, direction)
