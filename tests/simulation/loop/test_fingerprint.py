"""One seed is one run: in one process, and in any other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from antiphon.simulation.loop.virtual_time import RunResult, simulate
from antiphon.simulation.record.observer_log import ObserverLog, first_difference
from tests.simulation.one_call import talk

REPOSITORY = Path(__file__).parents[3]


def in_a_process(seed: int, hash_seed: str) -> str:
    """The line that a process with this PYTHONHASHSEED prints about its call."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation.one_call", str(seed)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_two_runs_of_a_seed_agree_to_the_byte() -> None:
    """A call with a tool and an interruption: fingerprints, and every hand-over, are equal."""

    def held(seed: int) -> tuple[RunResult[str], str]:
        log = ObserverLog()
        return simulate(talk(log), seed=seed), log.text

    (one, one_log), (two, two_log), (other, other_log) = held(5), held(5), held(6)
    assert one.result()
    assert first_difference(one_log, two_log) is None
    assert one == two
    assert other.fingerprint != one.fingerprint
    assert first_difference(one_log, other_log) is not None


def test_processes_with_other_hashes_agree() -> None:
    """Neither fingerprint nor log depends on PYTHONHASHSEED: no set of strings decides anything."""
    assert in_a_process(5, "1") == in_a_process(5, "2")


def test_a_whole_call_is_cheap() -> None:
    """A second of a call is some 400 steps: eight for each 20 ms of sound."""
    outcome = simulate(talk(ObserverLog()), seed=5)
    outcome.result()
    assert outcome.steps < 500 * outcome.virtual_secs
