"""How much of an answer's sound the caller has heard. Pure.

Sound is played in the order in which it was sent, at the pace of time, while the agent is said to
speak and is not held. When it has stopped by itself, all that was sent has been played; more of the
same item may follow. What is asked is how much of each item had been played when the caller cut in.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class _Item:
    item_id: str
    sent: float = 0.0
    heard: float = 0.0


class PlayedLedger:
    """Times are seconds on the loop's clock."""

    def __init__(self) -> None:
        self._items: list[_Item] = []
        self._running_since: float | None = None
        self._speaks = False

    def sent(self, item_id: str, secs: float, now: float) -> None:
        """More sound of an item goes to the caller; 0 seconds: it has begun."""
        self._advance(now)
        if not self._items or self._items[-1].item_id != item_id:
            self._items.append(_Item(item_id))
        self._items[-1].sent += secs

    def started(self, now: float) -> None:
        """The agent is audible."""
        self._speaks, self._running_since = True, now

    def stopped(self) -> None:
        """The agent is silent: what was sent has been played."""
        self._speaks, self._running_since = False, None
        del self._items[:-1]
        for item in self._items:
            item.heard = item.sent

    def held(self, now: float, held: bool) -> None:
        """The agent's speech is held where it is, or goes on."""
        if self._speaks:
            self._advance(now)
            self._running_since = None if held else now

    def cut(self, now: float) -> list[tuple[str, float]]:
        """The caller cut in: each item of which something was not heard, and how much of it was.

        Forgets them.
        """
        self._advance(now)
        unheard = (item for item in self._items if item.heard < item.sent or not item.sent)
        cut = [(item.item_id, item.heard) for item in unheard]
        self._items.clear()
        return cut

    def _advance(self, now: float) -> None:
        if self._running_since is None:
            return
        played, self._running_since = now - self._running_since, now
        for item in self._items:
            more = min(played, item.sent - item.heard)
            item.heard += more
            played -= more
