"""Law 7: time comes from the loop, and one seed is one run."""

from __future__ import annotations

import threading
import time
from typing import NoReturn

import pytest

from antiphon.simulation.loop.schedule import Policy
from tests.laws.plan import Flavour
from tests.laws.scenario import play


def test_a_conversation_reads_no_clock_but_the_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every clock, sleep and thread of the system out of order, conversations go on."""

    def broken(*args: object, **kwargs: object) -> NoReturn:
        raise AssertionError("somebody asked the system for the time, or for a thread")

    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "sleep"):
        monkeypatch.setattr(time, name, broken)
    monkeypatch.setattr(threading.Thread, "start", broken)
    with pytest.raises(AssertionError, match="somebody asked"):
        time.time()
    for seed in range(50):
        assert play(seed)[0] == []


@pytest.mark.parametrize("flavour", list(Flavour))
def test_one_seed_is_one_run(flavour: Flavour) -> None:
    """The second run of a seed takes the same steps at the same times; other seeds do not."""
    seen = set()
    for seed in range(50):
        (found, one), (again, other) = play(seed, flavour), play(seed, flavour)
        assert found == again == []
        assert (one.fingerprint, one.virtual_secs, one.steps) == (
            other.fingerprint,
            other.virtual_secs,
            other.steps,
        )
        seen.add(one.fingerprint)
    assert len(seen) == 50


def test_policies_are_all_in_use() -> None:
    """The sweeps run under every policy of the scheduler."""
    assert {policy.value for policy in Policy} == {"fifo", "uniform", "pct"}
