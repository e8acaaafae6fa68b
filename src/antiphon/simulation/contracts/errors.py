"""What a part can do wrong, and the one error that says so."""

from __future__ import annotations

import enum


class Rule(enum.Enum):
    """A promise that a part of a conversation makes."""

    ENDS = "nothing hangs"
    STOPS = "stops at once when it is cancelled"
    TASKS = "no task is left behind"
    EXCEPTIONS = "no exception is lost or escapes"
    SEAM = "only a ServiceError crosses the provider's seam"
    RELEASES = "an iterator that is closed releases what it holds"
    BLOCKS = "nothing blocks the loop"
    KEEPS = "what is uninterruptible arrives exactly once and in order"
    STALE = "nothing is said that an interruption has made void"
    RECOVERS = "works again after a cancel, an interruption or an error"
    CLOSES = "close() may be called at any time and twice"
    VALUES = "what comes out has the form that the contract says"
    ANSWERS = "good input is answered"
    PURE = "deciding depends on what was told and when, and on nothing else"
    DEADLINES = "a deadline that was met is gone or lies ahead"
    LAW = "what comes out makes sense together"


class ContractError(AssertionError):
    """A part broke a rule in one run.

    `rule` is the promise, `seed` and `case` the run; `runs` counts the runs up to this one. The
    message ends with the call that repeats it.
    """

    def __init__(
        self, rule: Rule, what: str, *, call: str, part: str, seed: int, case: str, runs: int
    ) -> None:
        again = f"{call}(..., seeds=[{seed}], only={case!r})"
        super().__init__(
            f"{part} breaks the rule that {rule.value}.\n  {what}\n"
            f"  seed {seed}, case {case!r}; repeat it with {again}"
        )
        self.rule, self.seed, self.case, self.runs = rule, seed, case, runs


class Violation(Exception):  # noqa: N818  # no error of a program's: the suite turns it into one
    """Raised inside of a run; becomes a `ContractError`, which knows the run."""

    def __init__(self, rule: Rule, what: str) -> None:
        super().__init__(what)
        self.rule, self.what = rule, what


def require(rule: Rule, holds: bool, what: str) -> None:
    """Raises a `Violation` unless the condition holds."""
    if not holds:
        raise Violation(rule, what)
