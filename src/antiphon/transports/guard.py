"""Where a transport runs strangers' code: whatever it raises is one failed call, told once.

A sink, a mixer or a filter is the program's, or a vendor's: it may raise anything, hang, or answer
with something else than it should. `FailureLog` makes one report of failures in a row, `attempt`
makes a call that does not wait, `Guard` one that does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from antiphon.kernel.tasks import ends_the_task

logger: Final = logging.getLogger("antiphon")
T = TypeVar("T")
Report = Callable[[str, BaseException], object]

_LEAST_SECS = 0.1


class FailureLog:
    """Reports the first of several failures in a row; how many there were is logged afterwards.

    `what` begins the report. With `patience_secs` a failure is reported when the failures have
    lasted that long, and not at all if `forget` is called before: the end of a call is noticed in
    several places, and in some of them first as a failure.
    """

    def __init__(self, what: str, report: Report, *, patience_secs: float = 0.0) -> None:
        self._what, self._report, self._patience = what, report, patience_secs
        self._count = 0
        self._first: tuple[float, BaseException, str] | None = None

    @property
    def failing(self) -> bool:
        """The last call failed."""
        return self._count > 0

    def failed(self, error: BaseException, said: str = "") -> None:
        """A call failed; `said` is what to say where the error says nothing."""
        self._count += 1
        now = asyncio.get_running_loop().time()
        if self._count == 1:
            self._first = now, error, str(error) or said or type(error).__name__
        if self._first is not None and now - self._first[0] >= self._patience:
            self._tell()

    def worked(self) -> None:
        """A call succeeded."""
        if self._count:
            self._tell()
            if self._count > 1:
                logger.info("%s: %d times; it works again", self._what, self._count)
            self._count = 0

    def forget(self) -> None:
        """What failed was no news."""
        self._first = None
        self._count = 0

    def _tell(self) -> None:
        first, self._first = self._first, None
        if first is not None:
            self._report(f"{self._what}: {first[2]}", first[1])


def attempt(work: Callable[[], T], log: FailureLog) -> T | None:
    """The answer of a call that does not wait; None if it fails."""
    try:
        answer = work()
    except BaseException as error:
        if ends_the_task(error):
            raise
        log.failed(error)
        return None
    log.worked()
    return answer


class Guard:
    """Awaits one call after the other, each for `timeout_secs` at most; after one that hung for
    half as long as that, down to a tenth of a second, until one succeeds: other things wait too.

    A timer is armed at most once per `timeout_secs`, however many calls there are: an output makes
    fifty a second.
    """

    def __init__(self, log: FailureLog, timeout_secs: float) -> None:
        self.log = log
        self._timeout = timeout_secs
        self._loop = asyncio.get_running_loop()
        self._limit = timeout_secs
        self._caller: asyncio.Task[object] | None = None
        self._overdue = False
        self._began = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def call(self, work: Callable[..., Awaitable[None]], *args: object) -> bool:
        """Whether the call succeeded."""
        self._began = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._limit, self._check)
        # An `asyncio.timeout` for each call would cost more than most calls do.
        caller = self._caller = asyncio.current_task(self._loop)
        assert caller is not None
        before = caller.cancelling()
        try:
            await work(*args)
        except BaseException as error:
            overdue = self._overdue and isinstance(error, asyncio.CancelledError)
            if overdue:
                if self._take_back(caller) > before:
                    raise  # somebody else's
                self._limit = max(self._limit / 2, _LEAST_SECS)
                self.log.failed(TimeoutError(), f"it took nothing for {self._timeout:g} s")
                return False
            if ends_the_task(error) and not self._overdue:
                raise
            self.log.failed(error)
            return False
        finally:
            self._caller = None
            if self._overdue:
                self._take_back(caller)
        self._limit = self._timeout
        self.log.worked()
        return True

    def _take_back(self, caller: asyncio.Task[object]) -> int:
        self._overdue = False
        return caller.uncancel()

    def close(self) -> None:
        """Watches nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        if self._caller is None:
            return
        due = self._began + self._limit
        if self._loop.time() >= due:
            self._overdue = True
            self._caller.cancel()
        else:
            self._timer = self._loop.call_at(due, self._check)
