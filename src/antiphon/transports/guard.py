"""Calls to the other side that may fail or hang, watched by one timer instead of one for each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from antiphon.errors import AntiphonError

_LEAST_SECS = 0.1


class Guard:
    """Awaits one call after the other, each for `timeout_secs` at most; after one that hung for
    half as long as that, down to a tenth of a second, until one succeeds: other things wait too.

    The first of several failures in a row is reported. A timer is armed at most once per
    `timeout_secs`, however many calls there are: an output makes fifty a second.
    """

    def __init__(self, report: Callable[[str, BaseException], object], timeout_secs: float) -> None:
        self._report, self._timeout = report, timeout_secs
        self._loop = asyncio.get_running_loop()
        self._failed = False
        self._limit = timeout_secs
        self._caller: asyncio.Task[object] | None = None
        self._overdue = False
        self._began = 0.0
        self._timer: asyncio.TimerHandle | None = None

    async def call(self, work: Awaitable[None]) -> bool:
        """Whether the call succeeded. Failures are `OSError` and `AntiphonError`."""
        self._began = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._limit, self._check)
        # An `asyncio.timeout` for each call would cost more than most calls do.
        caller = self._caller = asyncio.current_task(self._loop)
        assert caller is not None
        before = caller.cancelling()
        try:
            await work
        except asyncio.CancelledError:
            if not self._overdue or self._take_back(caller) > before:
                raise  # somebody else's
            self._limit = max(self._limit / 2, _LEAST_SECS)
            self._report_first(TimeoutError())
            return False
        except (OSError, AntiphonError) as error:
            self._report_first(error)
            return False
        finally:
            self._caller = None
            if self._overdue:
                self._take_back(caller)
        self._failed, self._limit = False, self._timeout
        return True

    def _take_back(self, caller: asyncio.Task[object]) -> int:
        self._overdue = False
        return caller.uncancel()

    def _report_first(self, error: BaseException) -> None:
        if not self._failed:
            said = str(error) or f"it took nothing for {self._timeout:g} s"
            self._report(f"the caller's side of the output fails: {said}", error)
        self._failed = True

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
