"""Which service a `ServiceSwitcher` switches to, and when. Pure: hears errors, answers with a name.

A strategy knows the names of the services in their order. `receive` is called with every error of
the active one, and answers with the name of the service to switch to, or None: then the error goes
on to the task. `switched` is called after every switch, whoever wanted it.
"""

from __future__ import annotations

from typing import Protocol

from antiphon.errors import (
    ConfigurationError,
    ErrorCategory,
    InvalidInputError,
    UnknownNameError,
)
from antiphon.frames.lifecycle import ErrorFrame


class ServiceSwitcherStrategy(Protocol):
    """What a `ServiceSwitcher` asks."""

    def begin(self, services: tuple[str, ...]) -> None:
        """A conversation is set up; the first of the services, in their order, is active."""

    def receive(self, error: ErrorFrame, now: float) -> str | None:
        """The active service reported an error, at `now` (seconds on the conversation's clock).

        Returns the name of the service to switch to, or None: the error goes on.
        """

    def switched(self, service: str) -> None:
        """From now on `service` is the active one."""


class ServiceSwitcherStrategyManual:
    """Switches when a `ManuallySwitchServiceFrame` says so, and never otherwise."""

    def begin(self, services: tuple[str, ...]) -> None:
        """There is nothing to remember."""

    def receive(self, error: ErrorFrame, now: float) -> str | None:
        """Errors go on."""
        return None

    def switched(self, service: str) -> None:
        """There is nothing to remember."""


class ServiceSwitcherStrategyFailover:
    """Switches to the next service, round robin, when the active one is down.

    A service is down for `window_secs` after it reported a lasting error, or after the last of
    `max_failures` passing ones (a stall, a time-out, a broken connection, a rate limit, a fault of
    the provider's or of its adapter) within `window_secs`; an error that is told
    once more, for its outage goes on, counts for all. A service that is down is not switched
    to. Errors that say that what came in was wrong say nothing about the service, and one that only
    has a message says nothing of how long it lasts: it counts as passing.
    """

    def __init__(self, *, max_failures: int = 2, window_secs: float = 60.0) -> None:
        if max_failures < 1:
            raise ConfigurationError(f"max_failures must be at least 1, not {max_failures}")
        if window_secs <= 0:
            raise ConfigurationError(f"window_secs must be more than 0, not {window_secs:g}")
        self._max_failures = max_failures
        self._window = window_secs
        self._services: tuple[str, ...] = ()
        self._active = ""
        self._failures: dict[str, list[float]] = {}

    def begin(self, services: tuple[str, ...]) -> None:
        """Nobody has failed yet."""
        self._services, self._active = services, services[0]
        self._failures = {name: [] for name in services}

    def receive(self, error: ErrorFrame, now: float) -> str | None:
        """The next service that is not down, once the active one is; else None."""
        weight = self._weight(error)
        if weight:
            self._failures[self._active] += [now] * weight
        if not weight or not self._is_down(self._active, now):
            return None
        here = self._services.index(self._active)
        for name in (*self._services[here + 1 :], *self._services[:here]):
            if not self._is_down(name, now):
                return name
        return None

    def switched(self, service: str) -> None:
        """The service begins anew, also one that failed and was chosen nevertheless."""
        self._active = service
        self._failures[service] = []

    def _weight(self, error: ErrorFrame) -> int:
        """How many failures an error counts for."""
        if isinstance(error.exception, InvalidInputError | UnknownNameError):
            return 0
        only_a_message = error.exception is None and error.category is ErrorCategory.UNKNOWN
        passing = (
            error.retryable
            or only_a_message
            or error.category
            in {
                ErrorCategory.CONNECTIVITY,
                ErrorCategory.APPLICATION,
            }
        )
        lasting = not passing or error.count > 1
        return self._max_failures if lasting else 1

    def _is_down(self, service: str, now: float) -> bool:
        recent = [at for at in self._failures[service] if now - at < self._window]
        self._failures[service] = recent[-self._max_failures :]
        return len(recent) >= self._max_failures
