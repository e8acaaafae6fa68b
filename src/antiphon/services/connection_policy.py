"""When a provider is asked again, and what is told of its failures. Pure: no asyncio, no clock.

State     the provider                  left by
  up      may be asked                  `failed` -> down, refused
  down    may be asked at `retry_at`    `worked` -> up; `hurry`: at once; `failed`: later still
  refused never answers as things are   `revive` -> up

A failure with a lasting cause (key, permission, configuration, quota) refuses; every other one is
worth another attempt for as long as the session lives: at once, then after waits that double up to
`longest_wait_secs`. A stream that held for longer than that fails for the first time, however often
others failed before it.

A cause is told when it first occurs, and again, with how often it occurred, when the outage has
lasted 2, 20, 200, ... seconds.
"""

from __future__ import annotations

import random

import msgspec

from antiphon.errors import (
    AntiphonError,
    AuthenticationError,
    AuthorizationError,
    ConfigurationError,
    InvalidRequestError,
    QuotaError,
)

_LASTING = (AuthenticationError, AuthorizationError, ConfigurationError, QuotaError)
_TELL_AGAIN_SECS = 2.0


class ConnectionPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How patient a service is with its provider. Seconds.

    `connect_secs`: for `connect()`. `first_event_secs`: from a request to the first event of its
    answer. `stall_secs`: between two events, or as long as a provider owes something.
    `give_up_secs`: how long a request is tried again, `max_retries` times at most (None: as often
    as fits). `backoff_secs`: before the second attempt after a failure, then twice as long each
    time, `longest_wait_secs` at most; up to a quarter of it is left out by chance, so that not all
    sessions come back in the same instant. `grace_secs`: how long a stream may take to stop, less
    than a handler that an interruption cancels has.
    """

    connect_secs: float = 15.0
    first_event_secs: float = 15.0
    stall_secs: float = 10.0
    give_up_secs: float = 15.0
    max_retries: int | None = None
    backoff_secs: float = 0.2
    longest_wait_secs: float = 5.0
    grace_secs: float = 0.8

    def __post_init__(self) -> None:
        deadlines = (
            self.connect_secs,
            self.first_event_secs,
            self.stall_secs,
            self.give_up_secs,
            self.backoff_secs,
            self.longest_wait_secs,
            self.grace_secs,
        )
        if min(deadlines) <= 0 or (self.max_retries is not None and self.max_retries < 0):
            raise ConfigurationError(
                f"a connection policy needs deadlines above 0 and no negative count: {self}"
            )

    def wait(self, failures: int, now: float) -> float:
        """Seconds to wait after so many failures in a row, the last of them at `now`."""
        if failures < 2:
            return 0.0
        longest = min(self.longest_wait_secs, self.backoff_secs * 2.0 ** min(failures - 2, 30))
        chance = random.Random(now).random()  # spreads sessions, guards nothing
        return longest * (1.0 - 0.25 * chance)

    def delay(
        self, error: AntiphonError, *, retries: int, elapsed: float, now: float
    ) -> float | None:
        """Seconds until a request is tried again that has been tried again `retries` times, and
        failed `elapsed` seconds after it was first asked; None to give it up.
        """
        if is_refusal(error) or (self.max_retries is not None and retries >= self.max_retries):
            return None
        wait = self.wait(retries + 1, now)
        left = self.give_up_secs - elapsed
        if left <= 0:
            return wait if retries == 0 else None
        return min(wait, left)


def is_lasting(error: AntiphonError) -> bool:
    """Tell that no request of this service can succeed until something is changed."""
    return isinstance(error, _LASTING)


def is_refusal(error: AntiphonError) -> bool:
    """Tell that the same request cannot succeed: it is refused, or all are."""
    return isinstance(error, InvalidRequestError) or is_lasting(error)


class Failures(msgspec.Struct, frozen=True):
    """What is to be told: `count` failures of one cause in the `secs` of the outage so far."""

    error: AntiphonError
    count: int
    secs: float


class _Cause:
    """How often one cause has occurred in this outage, and when it is told again."""

    def __init__(self) -> None:
        self.count = 0
        self.tell_after = 0.0


class Availability:
    """Whether a provider can be asked, and when; see the module's docstring. Loop seconds."""

    def __init__(self, policy: ConnectionPolicy) -> None:
        self._policy = policy
        self._failures = 0
        self._since = self._last = 0.0
        self._causes: dict[tuple[type, type], _Cause] = {}
        self.usable = True
        """False while the provider refuses."""
        self.retry_at = 0.0
        """When the provider may be asked again, unless it refuses."""

    @property
    def down(self) -> bool:
        """The last attempt failed."""
        return self._failures > 0

    def failed(
        self,
        error: AntiphonError,
        now: float,
        *,
        held_secs: float = 0.0,
        refused: bool = False,
        tell: bool = True,
    ) -> Failures | None:
        """An attempt failed whose stream held for `held_secs`; returns what is to be told."""
        if held_secs > self._policy.longest_wait_secs:
            self.worked()
        if not self._failures:
            self._since = now
        self._failures += 1
        self._last = now
        self.retry_at = now + self._policy.wait(self._failures, now)
        if refused:
            self.usable = False
        cause = self._causes.setdefault((type(error), type(error.__cause__)), _Cause())
        cause.count += 1
        secs = now - self._since
        if secs < cause.tell_after or not tell:
            return None
        cause.tell_after = _TELL_AGAIN_SECS
        while cause.tell_after <= secs:
            cause.tell_after *= 10
        return Failures(error, cause.count, secs)

    def worked(self) -> int:
        """The provider answered: the outage is over. Returns how many attempts failed in it."""
        failures, self._failures = self._failures, 0
        self._causes.clear()
        self.retry_at = 0.0
        return failures

    def hurry(self, now: float) -> None:
        """The next attempt is wanted now; one that has just failed waits the shortest time."""
        if self._failures > 1:
            soonest = max(now, self._last + self._policy.backoff_secs)
            self.retry_at = min(self.retry_at, soonest)

    def revive(self) -> None:
        """Something was changed: the provider is asked as if it had never failed."""
        self.usable = True
        self.worked()
