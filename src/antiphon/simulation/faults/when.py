"""When a fault strikes: pure, told of one occasion after the other.

An *occasion* is whatever the fault is about: a call, an event, a frame. `Striker` counts them and
says for each whether it is hit; what happens then is somebody else's business.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Which occasions are hit; without conditions every one.

    `after`: so many are spared first. `every`: of the rest each n-th, the first of them included.
    `times`: at most so many are hit. `chance`: each of those with this probability. `since`,
    `until`: only between these loop seconds. `lasting`: after the first hit all are hit.
    """

    after: int = 0
    every: int = 1
    times: int | None = None
    chance: float | None = None
    since: float = 0.0
    until: float = float("inf")
    lasting: bool = False


class Striker:
    """Counts the occasions of one fault. `hits` is how many were hit so far."""

    def __init__(self, when: When) -> None:
        self._when = when
        self._seen = 0
        self.hits: int = 0

    def strikes(self, now: float, luck: float) -> bool:
        """Whether this occasion, at loop second `now`, is hit; `luck` is drawn from [0, 1)."""
        when = self._when
        if not when.since <= now < when.until:
            return False
        number, self._seen = self._seen, self._seen + 1
        if when.lasting and self.hits:
            hit = True
        else:
            used_up = when.times is not None and self.hits >= when.times
            spared = number < when.after or (number - when.after) % when.every != 0
            lucky = when.chance is None or luck < when.chance
            hit = lucky and not (used_up or spared)
        self.hits += hit
        return hit
