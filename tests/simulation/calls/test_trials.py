"""Scenarios held with many seeds."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence

import pytest

from antiphon.errors import ConfigurationError, UnknownNameError
from antiphon.frames.text import TranscriptionFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.calls.caller import Caller, ExpectationError
from antiphon.simulation.calls.scenario import CallerSettings, Scenario
from antiphon.simulation.calls.trace import CallTrace
from antiphon.simulation.calls.trials import (
    Failure,
    Problem,
    Report,
    ShortfallKind,
    hold,
    hold_scenario,
    try_seed,
    try_seeds,
)
from tests.simulation.calls.test_caller import agent, parts

ORDER = Scenario("order", ({"says": "for four please"}, {"expects_reply": "four", "within": 4.0}))


def polite(caller: Caller) -> PipelineTask:
    return agent(caller, ["For four."])


class Part(FrameProcessor):
    """Does something wrong at each transcript."""

    @handles(TranscriptionFrame)
    async def heard(self, frame: TranscriptionFrame, direction: FrameDirection) -> None:
        await self.err()
        await self.push_frame(frame, direction)

    async def err(self) -> None:
        """What is wrong with it."""


class Blocks(Part):
    async def err(self) -> None:
        time.sleep(0.2)  # noqa: ASYNC251 (a defect that is to be found)


class Leaves(Part):
    async def err(self) -> None:
        loop = asyncio.get_running_loop()
        self.job = loop.create_task(asyncio.Event().wait(), name="forgotten")


class Raises(Part):
    async def err(self) -> None:
        raise ValueError("no")


class Spins(Part):
    async def err(self) -> None:
        while True:  # noqa: ASYNC110 (a defect that is to be found)
            await asyncio.sleep(0)


@pytest.mark.parametrize("manner", ["coded", "frames"])
def test_a_trace_changes_nothing(manner: str) -> None:
    """With and without somebody who looks, a seed is the same run."""
    scenario = Scenario("order", ORDER.steps, caller=CallerSettings.parse(manner))
    for seed in range(6):
        alone = hold(polite, scenario, seed=seed).outcome
        watched = hold(polite, scenario, seed=seed, trace=CallTrace("order")).outcome
        assert watched.fingerprint == alone.fingerprint
        assert watched.virtual_secs == alone.virtual_secs


def test_a_seed_means_the_same_whatever_ran_before() -> None:
    """The hundredth run of a process is the run that its seed is in a new one."""
    fingerprints = [hold(polite, ORDER, seed=seed).outcome.fingerprint for seed in range(8)]
    again = [hold(polite, ORDER, seed=seed).outcome.fingerprint for seed in reversed(range(8))]
    assert again[::-1] == fingerprints
    assert len(set(fingerprints)) == 8


def test_many_seeds_make_one_report() -> None:
    """A good agent passes with every seed; one that answers wrongly falls short, by seed."""
    good = try_seeds(polite, ORDER, range(5))
    assert str(good) == "order: 5 runs, all as expected"
    told: list[tuple[int, bool]] = []
    bad = try_seeds(
        lambda caller: agent(caller, ["For five."]),
        ORDER,
        range(5),
        told=lambda seed, failure: told.append((seed, failure is None)),
    )
    assert list(bad.failures) == list(range(5))
    assert told == [(seed, False) for seed in range(5)]
    assert "5 of 5 runs fell short" in str(bad)
    assert "step 2 of order: expects_reply(containing='four', within=4.0): 'four' is not" in str(
        bad
    )
    assert "and with seeds 1 2 3 4" in str(bad)
    assert "caller: for four please" in str(bad)


@pytest.mark.parametrize(
    ("part", "kind", "says"),
    [
        (Blocks, ShortfallKind.BLOCKING, r"time\.sleep\(0\.2\) at test_trials\.py:"),
        (Leaves, ShortfallKind.LEFT_RUNNING, "forgotten"),
        (Spins, ShortfallKind.STUCK, r"LivelockError: not idle for 50000 steps.*(\n.*)*Spins"),
        (Raises, ShortfallKind.ERROR, "Raises#0 reported: .*ValueError"),
    ],
)
def test_what_an_agent_does_wrong_falls_short(
    part: type[Part], kind: ShortfallKind, says: str
) -> None:
    """A blocking call, a task left behind, a part's exception: each is found, though the caller
    got a good answer.
    """

    def faulty(caller: Caller) -> PipelineTask:
        return agent(caller, ["For four."], after_ears=[part()])

    failure = try_seed(faulty, ORDER, 1)
    assert failure is not None
    assert failure.problems[0].kind is kind
    assert re.search(says, str(failure))


def test_the_same_is_told_once_and_the_cause_first() -> None:
    """What a part does at every transcript is one problem; of a run that got stuck the tasks that
    are left are no problem of their own.
    """

    def blocking(caller: Caller) -> PipelineTask:
        return agent(caller, ["For four.", "For four."], after_ears=[Blocks()])

    twice = Scenario("twice", (*ORDER.steps, *ORDER.steps))
    failure = try_seed(blocking, twice, 1)
    assert failure is not None
    assert [problem.kind for problem in failure.problems] == [ShortfallKind.BLOCKING]

    def spinning(caller: Caller) -> PipelineTask:
        return agent(caller, ["For four."], after_ears=[Spins()])

    failure = try_seed(spinning, ORDER, 2)
    assert failure is not None
    assert failure.problems[0].kind is ShortfallKind.STUCK
    assert ShortfallKind.LEFT_RUNNING not in {problem.kind for problem in failure.problems}


def test_errors_are_expected_where_there_are_faults() -> None:
    """What a part reports matters, unless something was made to go wrong."""

    def agent_of(caller: Caller) -> PipelineTask:
        return agent(caller, ["For four.", "For four."])

    faults = {"stt": {"error_once": "connectivity"}}
    broken = Scenario("order", ORDER.steps, faults=faults, allow_errors=False)
    failure = try_seed(agent_of, broken, 1)
    assert failure is not None
    assert ShortfallKind.ERROR in {problem.kind for problem in failure.problems}
    assert try_seed(agent_of, Scenario("order", ORDER.steps, faults=faults), 1) is None


def test_a_fault_that_does_not_fit_the_agent_is_one_clear_error() -> None:
    """A target that is not in the pipeline ends the whole thing at once."""
    scenario = Scenario("order", ORDER.steps, faults={"into.Nobody": {"drop": 1.0}})
    with pytest.raises(UnknownNameError, match="Nobody"):
        try_seeds(polite, scenario, range(3))


def test_one_seed_raises_what_fell_short() -> None:
    """`hold_scenario` returns the call, or raises the expectation that was not met."""
    assert hold_scenario(polite, ORDER, seed=3).heard == "For four."
    with pytest.raises(ExpectationError, match="'four' is not in what was heard"):
        hold_scenario(lambda caller: agent(caller, ["For five."]), ORDER, seed=3)


def test_an_agent_that_cannot_be_made_is_one_clear_error() -> None:
    """What the function raises or returns is told, and what it should have done."""

    def fails(caller: Caller) -> PipelineTask:
        raise KeyError("OPENAI_API_KEY")

    def forgets(caller: Caller) -> PipelineTask:
        return agent(Caller(), [])

    def nothing(caller: Caller) -> None:
        return None

    for make, says in (
        (fails, r"cannot be made: KeyError: 'OPENAI_API_KEY' \(.*test_trials\.py, line \d+\)"),
        (forgets, "has no place for the caller"),
        (nothing, "returns a PipelineTask; it returned None"),
        (lambda: None, "cannot be made: TypeError"),
    ):
        with pytest.raises(ConfigurationError, match=says):
            try_seeds(make, ORDER, range(3))


def test_an_agent_may_be_made_by_a_coroutine_and_may_be_a_pipeline() -> None:
    """An async function and a bare pipeline will do."""

    async def slowly(caller: Caller) -> PipelineTask:
        await asyncio.sleep(1.0)
        return polite(caller)

    def bare(caller: Caller) -> Pipeline:
        return Pipeline(parts(caller, ["For four."]))

    assert try_seed(slowly, ORDER, 1) is None
    assert try_seed(slowly, ORDER, 2) is None
    facts = Scenario("order", ORDER.steps, caller=CallerSettings.parse("frames"))
    assert try_seed(bare, facts, 1) is None


def test_failures_are_grouped_by_what_fell_short() -> None:
    """The most frequent kind first, and figures make no difference."""

    def failure(seed: int, what: str) -> Failure:
        return Failure(seed, (Problem(ShortfallKind.ERROR, what),))

    failures: Sequence[Failure] = [
        failure(4, "late by 1.25 s"),
        failure(2, "rude"),
        failure(1, "late by 0.75 s"),
    ]
    report = Report("order", 9, {each.seed or 0: each for each in failures})
    assert [[each.seed for each in group] for group in report.groups] == [[1, 4], [2]]


def test_sound_without_words_is_explained() -> None:
    """Where the rates differ the coded voice is lost; the story says so."""

    def resampled(caller: Caller) -> Pipeline:
        return Pipeline(parts(caller, ["For four."]))

    failure = try_seed(resampled, ORDER, 1)
    assert failure is not None
    assert "the agent's sound had no words that could be read" in str(failure)
