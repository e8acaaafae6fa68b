"""Where the caller's sound is in time: each piece has its place behind the one before it.

A line delivers sound at the pace at which it is said, but not evenly: pieces bunch up in a network,
in a browser, or behind a computation. So the place of a piece is counted in samples, not read from
the clock when it comes; the clock only corrects it:

* no sample comes before it was said: a place ahead of the clock is pulled back to it;
* a line that has been behind for `SETTLE_SECS` without catching up was not late, it paused or lost
  sound: it is moved up by the least it was behind in that time;
* after a silence of the line of more than `GAP_SECS` the line begins anew.

Pure. Times in seconds on the loop's clock.
"""

from __future__ import annotations

GAP_SECS = 1.5
SETTLE_SECS = 0.5


class LineClock:
    """Gives every piece of one line its place."""

    def __init__(self) -> None:
        self._end: float | None = None
        self._least_behind = 0.0
        self._since = 0.0

    def place(self, secs: float, now: float) -> float:
        """When the first sample of a piece of `secs` was said, if the piece came at `now`."""
        end = now if self._end is None else self._end + secs
        behind = now - end
        if behind < 0.0 or behind > GAP_SECS:
            end, behind = now, 0.0
        if now - self._since > SETTLE_SECS:
            end += self._least_behind
            behind -= self._least_behind
            self._least_behind, self._since = behind, now
        self._least_behind = min(self._least_behind, behind)
        self._end = end
        return end - secs
