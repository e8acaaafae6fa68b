"""The line to one caller: whether they are there, may come back, or have gone.

Theory of operation
-------------------
    open --lost--> lost --back, working--> open
    open, lost --hang up--> over          lost --`reconnect_secs` pass--> over
    over --open--> open (another caller, where the session goes on)

A transport says what it knows (`open`, `lost`, `hang_up`); the output says that it cannot write
(`failing`, `working`), which is news where the transport has noticed nothing. Whoever waits for the
line is its `LineUser`, the output: it holds what is to be said while the line is lost, and when the
call is over it interrupts, so that what was not heard is in no context.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from antiphon.kernel.epoch import free_context

logger: Final = logging.getLogger("antiphon")

FAILING_SECS = 2.0
"""How long writes may fail at least before the caller counts as gone."""


class LineState(enum.Enum):
    """See the module's docstring."""

    OPEN = "open"
    LOST = "lost"
    OVER = "over"


class LineUser(Protocol):
    """What plays to the caller."""

    def line_lost(self) -> None:
        """Nothing reaches the caller now; they may come back."""

    def line_back(self) -> None:
        """The caller is there again."""

    def line_over(self, reason: str) -> None:
        """The call is over."""


class LineListener(Protocol):
    """Whom a line tells: a transport, which has events for it."""

    def line_changed(self, state: LineState, before: LineState) -> None:
        """The line is in another state."""


class CallerLine:
    """One line. `reason` says why it is lost or over; `client` is the transport's word for who is
    on it.
    """

    def __init__(self, reconnect_secs: float, listener: LineListener | None = None) -> None:
        self.state: LineState = LineState.OPEN
        self.reason: str = ""
        self.client: Any = None
        self._reconnect_secs = reconnect_secs
        self._listener = listener
        self._user: LineUser | None = None
        self._by_writes = False
        self._timer: asyncio.TimerHandle | None = None

    # ---- for the transport --------------------------------------------------------------------

    def open(self, client: Any = None) -> None:
        """Somebody is on the line, for the first time or again."""
        self.client = client
        self._change(LineState.OPEN, "", told=True)

    def lost(self, reason: str) -> None:
        """The connection broke; nobody said goodbye."""
        if self.state is LineState.OVER:
            return
        if self._reconnect_secs <= 0.0:
            self.hang_up(reason)
            return
        self._by_writes = False
        self._change(LineState.LOST, reason)
        self._end_after(self._reconnect_secs)

    def hang_up(self, reason: str) -> None:
        """The call is over: the caller said so, or nobody waits for them any longer."""
        if self.state is not LineState.OVER:
            self._change(LineState.OVER, reason)

    # ---- for the output -----------------------------------------------------------------------

    def attach(self, user: LineUser) -> None:
        """The output of a session that begins."""
        self._user = user
        if self.state is LineState.LOST:
            user.line_lost()
        elif self.state is LineState.OVER:
            user.line_over(self.reason)

    def detach(self) -> None:
        """The session is over."""
        self._user = None
        self._stop_timer()

    def failing(self, error: str) -> None:
        """What is written is refused, again and again."""
        if self.state is LineState.OPEN:
            self._by_writes = True
            self._change(LineState.LOST, error)
            self._end_after(max(self._reconnect_secs, FAILING_SECS))

    def working(self) -> None:
        """What is written is taken again."""
        if self.state is LineState.LOST and self._by_writes:
            self._change(LineState.OPEN, "")

    # ---- inside -------------------------------------------------------------------------------

    def _change(self, state: LineState, reason: str, *, told: bool = False) -> None:
        before, self.state, self.reason = self.state, state, reason
        self._stop_timer()
        if state is before and not told:
            return
        if reason:
            logger.info("the line to the caller is %s: %s", state.value, reason)
        # Nobody's interruption makes this void.
        free_context().run(self._tell, state, before)

    def _tell(self, state: LineState, before: LineState) -> None:
        user = self._user
        if user is not None:
            if state is LineState.OPEN and before is not LineState.OPEN:
                user.line_back()
            elif state is LineState.LOST and not self._by_writes:
                user.line_lost()
            elif state is LineState.OVER:
                user.line_over(self.reason)
        if self._listener is not None:
            self._listener.line_changed(state, before)

    def _end_after(self, secs: float) -> None:
        end: Callable[[], None] = lambda: self.hang_up(  # noqa: E731
            f"the line was lost and did not come back within {secs:g} s ({self.reason})"
        )
        self._timer = asyncio.get_running_loop().call_later(secs, end, context=free_context())

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
