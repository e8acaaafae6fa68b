"""Trials in processes of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from antiphon.errors import ConfigurationError
from antiphon.simulation.calls.pool import Job, Pool, StopRequest
from antiphon.simulation.calls.scenario import Scenario

BOT = """
import os
from antiphon.simulation.calls.scenario import Scenario
from tests.simulation.calls.test_caller import agent

WORDS = {"For", "four", "then,", "and", "no", "more"}


def ordered(caller):
    return agent(caller, [" ".join(WORDS)])  # in the order of this process's hashes


def dies(caller):
    os._exit(7)
"""
STEPS = ({"says": "for four please"}, {"expects_reply": "for four then, and no more"})


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A call of which most go wrong, in the words of the process."""
    (tmp_path / "poolbot.py").write_text(BOT, encoding="utf-8")
    return Job(Scenario("order", STEPS, agent="poolbot:ordered"), (tmp_path,))


def test_every_pool_finds_the_same(job: Job) -> None:
    """Two pools of workers agree on every seed, and so do one seed again and one seed shown."""
    found = []
    for jobs in (1, 2):
        with Pool(job, jobs) as pool:
            results = dict(pool.each(range(9), StopRequest()))
            found.append({seed: str(failure) for seed, failure in results.items()})
            assert str(pool.again(4)) == found[-1][4]
            shown = pool.show(4, page=False)
            assert str(shown.failure) == found[-1][4]
    assert found[0] == found[1]
    assert set(found[0]) == set(range(9))


def test_a_stop_begins_nothing_new(job: Job) -> None:
    """After Ctrl-C what runs is finished; a pool that was stopped gives no more."""
    for jobs in (0, 1):
        stop = StopRequest()
        with Pool(job, jobs) as pool:
            done = 0
            for _ in pool.each(range(1000), stop):
                done += 1
                stop.wanted = True
        assert 1 <= done <= 12


def test_a_worker_that_dies_is_one_clear_error(job: Job) -> None:
    """An agent that ends its process is reported, and nothing hangs."""
    dying = Job(Scenario("order", STEPS, agent="poolbot:dies"), job.folders)
    died = r"a process that ran the agent died.*--jobs 0"
    with Pool(dying, 1) as pool, pytest.raises(ConfigurationError, match=died):
        list(pool.each(range(3), StopRequest()))


def test_a_scenario_without_an_agent_is_one_clear_error(job: Job) -> None:
    """Nothing is started where nobody says which agent."""
    with pytest.raises(ConfigurationError, match="order does not say which agent"):
        Pool(Job(Scenario("order", STEPS), job.folders), 1).__enter__()


def test_the_environment_is_as_before(job: Job) -> None:
    """Workers get fixed hashes; this process's environment keeps none of it."""
    before = os.environ.get("PYTHONHASHSEED")
    with Pool(job, 1) as pool:
        pool.again(1)
    assert os.environ.get("PYTHONHASHSEED") == before
