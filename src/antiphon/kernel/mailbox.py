"""The only queue in the framework.

A `Mailbox` holds what waits for one processor, in two lanes: *urgent* frames, and *ordered* ones.
It never waits itself; a `Lane` drains it. What an interruption does to a queue is one method,
`reset`.

Invariants
* Within a lane, items leave in the order in which they came.
* `has_uninterruptible` is true exactly when the ordered lane holds such a frame (a counter, O(1)).
* `reset` removes the interruptible items of the ordered lane and nothing else.
* A lane never grows beyond its capacity. Lossy frames (live audio) then displace the oldest of
  their kind, counted in `lost` and told once to `on_loss`; others raise `MailboxFullError`.
  Frames that must not be lost have a reserve above the capacity, so that a flood of content cannot
  keep them out.

`Feed` is the same idea for a provider: a bounded stream of plain items that can be closed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar, cast

from antiphon.errors import MailboxFullError
from antiphon.frames.base import Frame

T = TypeVar("T")

CAPACITY = 10_000
LOSSY_SECS = 30.0
"""How much of a live stream (`Frame.extent`) may wait: older sound is of no use."""
RESERVE = 1_000


class Mailbox(Generic[T]):
    """What waits for one processor. Items are frames, or wrap one that `getter` finds."""

    __slots__ = (
        "_getter",
        "_kept",
        "_lossy",
        "_lossy_secs",
        "_urgent",
        "capacity",
        "lost",
        "on_loss",
        "ordered",
        "owner",
    )

    def __init__(
        self,
        *,
        owner: str = "mailbox",
        capacity: int = CAPACITY,
        getter: Callable[[T], Frame] | None = None,
    ) -> None:
        self.owner = owner
        self.capacity = capacity
        self.lost = 0
        self._getter = getter
        self._urgent: deque[T] = deque()
        self.ordered: deque[T] = deque()
        """The ordered lane, for the station that inlines `put`; others call the methods."""
        self._kept = 0
        self._lossy = 0
        self._lossy_secs = 0.0
        self.on_loss: Callable[[str, BaseException], None] | None = None
        """Called with a report when the first lossy frame is dropped."""

    def __len__(self) -> int:
        return len(self._urgent) + len(self.ordered)

    @property
    def has_uninterruptible(self) -> bool:
        """Whether the ordered lane holds a frame that an interruption must leave alone."""
        return self._kept > 0

    @property
    def has_vital_urgent(self) -> bool:
        """Whether the urgent lane holds a frame that is not lossy."""
        return len(self._urgent) > self._lossy

    @property
    def urgent_waiting(self) -> int:
        """Items in the urgent lane."""
        return len(self._urgent)

    @property
    def ordered_waiting(self) -> int:
        """Items in the ordered lane."""
        return len(self.ordered)

    def put(self, item: T) -> None:
        """Adds an item to the lane of its frame's type; `MailboxFullError` if there is no room."""
        frame = cast("Frame", item) if self._getter is None else self._getter(item)
        if frame.urgent:
            self.put_urgent(item, frame)
        else:
            self.put_ordered(item, frame)

    def put_ordered(self, item: T, frame: Frame) -> None:
        """`put` for an item whose frame is known, and known not to be urgent."""
        queue = self.ordered
        if frame.interruptible:
            if len(queue) >= self.capacity:
                raise self._full(frame)
        else:
            if len(queue) >= self.capacity + RESERVE:
                raise self._full(frame)
            self._kept += 1
        queue.append(item)

    def put_urgent(self, item: T, frame: Frame) -> None:
        """`put` for an item whose frame is known, and known to be urgent."""
        if frame.lossy:
            while self._lossy and (
                self._lossy >= self.capacity or self._lossy_secs + frame.extent > LOSSY_SECS + 1e-6
            ):
                self._drop_oldest_lossy()
            self._note_lossy(frame)
        elif len(self._urgent) >= self.capacity + RESERVE:
            raise self._full(frame)
        self._urgent.append(item)

    def put_always(self, item: T) -> None:
        """Adds an item whatever waits: for the few frames the kernel itself must deliver."""
        frame = cast("Frame", item) if self._getter is None else self._getter(item)
        if frame.urgent:
            if frame.lossy:
                self._note_lossy(frame)
            self._urgent.append(item)
        else:
            self._kept += not frame.interruptible
            self.ordered.append(item)

    def take_urgent(self) -> T | None:
        """The oldest urgent item, or None."""
        if not self._urgent:
            return None
        item = self._urgent.popleft()
        if self._lossy:
            frame = cast("Frame", item) if self._getter is None else self._getter(item)
            if frame.lossy:
                self._forget_lossy(frame)
        return item

    def take_ordered(self) -> T | None:
        """The oldest ordered item, or None."""
        if not self.ordered:
            return None
        item = self.ordered.popleft()
        if self._kept:
            frame = cast("Frame", item) if self._getter is None else self._getter(item)
            self._kept -= not frame.interruptible
        return item

    def reset(self) -> int:
        """Drops the interruptible items, keeps the others in order; says how many were dropped."""
        before = len(self.ordered)
        kept: list[T] = []
        if self._kept:
            getter = self._getter
            kept = [
                item
                for item in self.ordered
                if not (cast("Frame", item) if getter is None else getter(item)).interruptible
            ]
        self.ordered.clear()
        self.ordered.extend(kept)
        return before - len(self.ordered)

    def withdraw(self, stays: Callable[[T], bool]) -> list[T]:
        """Takes out all that does not stay: urgent items first, each lane in its order."""
        items = [*self._urgent, *self.ordered]
        self.clear()
        taken: list[T] = []
        for item in items:
            if stays(item):
                self.put_always(item)
            else:
                taken.append(item)
        return taken

    def clear(self) -> None:
        """Drops everything."""
        self._urgent.clear()
        self.ordered.clear()
        self._kept = self._lossy = 0
        self._lossy_secs = 0.0

    def _note_lossy(self, frame: Frame) -> None:
        self._lossy += 1
        self._lossy_secs += frame.extent

    def _forget_lossy(self, frame: Frame) -> None:
        self._lossy -= 1
        self._lossy_secs = self._lossy_secs - frame.extent if self._lossy else 0.0

    def _drop_oldest_lossy(self) -> None:
        for index, item in enumerate(self._urgent):
            frame = cast("Frame", item) if self._getter is None else self._getter(item)
            if frame.lossy:
                del self._urgent[index]
                self._forget_lossy(frame)
                self.lost += 1
                if self.lost == 1 and self.on_loss is not None:
                    message = (
                        f"{self.owner} handles live frames more slowly than they come: more than "
                        f"{LOSSY_SECS:g} s wait, and the oldest are dropped"
                    )
                    self.on_loss(message, MailboxFullError(message))
                return

    def _full(self, frame: Frame) -> MailboxFullError:
        return MailboxFullError(
            f"the mailbox of {self.owner} is full ({len(self)} frames wait): {frame.name} was not "
            f"accepted. {self.owner} handles frames more slowly than they come; make it faster, "
            f"or send it less."
        )


class Feed(AsyncIterator[T], Generic[T]):
    """A bounded stream of items for one consumer, such as a provider: put, close, iterate.

    Iteration ends when the feed is closed and everything put before has been taken.
    """

    __slots__ = ("_closed", "_items", "_waiter", "limit", "name")

    def __init__(self, *, limit: int = 1_000, name: str = "feed") -> None:
        self.limit = limit
        self.name = name
        self._items: deque[T] = deque()
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._items)

    @property
    def closed(self) -> bool:
        """Whether nothing more will be put."""
        return self._closed

    def put(self, item: T) -> None:
        """Adds an item; ignored after `close`. Raises `MailboxFullError` at the limit."""
        if self._closed:
            return
        if len(self._items) >= self.limit:
            raise MailboxFullError(
                f"{self.name} is full ({self.limit} items wait): its consumer does not keep up"
            )
        self._items.append(item)
        self._wake()

    def close(self) -> None:
        """Nothing more comes. Idempotent."""
        self._closed = True
        self._wake()

    def clear(self) -> int:
        """Drops what waits; says how much it was."""
        dropped = len(self._items)
        self._items.clear()
        return dropped

    def __aiter__(self) -> Feed[T]:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._items.popleft()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
