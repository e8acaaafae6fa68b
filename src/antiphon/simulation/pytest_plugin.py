"""pytest: tests over seeds, in virtual time, and scenarios as tests.

    @pytest.mark.seeds(200)
    def test_it(seed: int, virtual_time: RunInVirtualTime) -> None:
        virtual_time(main())
        virtual_time(main(), cpu=BUSY, network=Network())  # with any option of `run`

    @pytest.mark.seeds(200)
    async def test_that() -> None:
        await asyncio.sleep(1800)  # takes no time

    test_dinner = scenario_test("dinner.yaml", seeds=200)

An `async def` test runs in virtual time, unless it is marked for another plugin (`asyncio`,
`anyio`, `trio`). Each seed is a test of its own, whether or not the test asks for it by an argument
`seed`. `--seed N` runs that one only, `--seeds N` as many as said in place
of the mark's. A failure tells the command that repeats it. Fixtures:

| fixture | is |
|---|---|
| `virtual_time` | `antiphon.simulation.run` with the seed of the test, if it has one |
| `hold_scenario` | holds a `Scenario`, or the file of one beside the test, with that seed |

Every fourth seed has the schedule `Policy.PCT`, unless `policy=` says otherwise. pytest finds the
plugin by itself where antiphon is installed.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import shlex
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, Unpack

import pytest

if TYPE_CHECKING:  # pytest loads this for every project where antiphon is installed
    from antiphon.simulation.agents import Function
    from antiphon.simulation.calls.caller import HeldCall
    from antiphon.simulation.calls.scenario import Scenario
    from antiphon.simulation.loop.virtual_time import RunOptions

T = TypeVar("T")

DEFAULT_SEEDS = 100
_OTHER_PLUGINS = ("asyncio", "anyio", "trio")
_REPEATED = pytest.StashKey[str]()
"""The command line that repeats the scenario which a test held last."""


class RunInVirtualTime(Protocol):
    """`virtual_time(main())`: see `antiphon.simulation.loop.virtual_time.run`."""

    def __call__(self, coro: Coroutine[Any, Any, T], **options: Unpack[RunOptions]) -> T: ...


class HoldScenario(Protocol):
    """`hold_scenario("dinner.yaml")`: see `antiphon.simulation.calls.trials.hold_scenario`.

    `agent`: the function that makes the agent, or its name; by default the scenario's own.
    """

    def __call__(
        self, scenario: Scenario | str | Path, agent: Function | str | None = None
    ) -> HeldCall: ...


@pytest.fixture
def virtual_time(request: pytest.FixtureRequest) -> RunInVirtualTime:
    """Runs a coroutine in virtual time, with the seed of the test if it has one."""
    from antiphon.simulation.loop.schedule import policy_of
    from antiphon.simulation.loop.virtual_time import run

    seed = _seed_of(request)

    def run_it(coro: Coroutine[Any, Any, T], **options: Unpack[RunOptions]) -> T:
        options.setdefault("policy", policy_of(seed))
        return run(coro, seed=seed, **options)

    return run_it


@pytest.fixture
def hold_scenario(request: pytest.FixtureRequest) -> HoldScenario:
    """Holds a scenario, with the seed of the test if it has one; raises what fell short."""
    from antiphon.simulation.agents import find_function
    from antiphon.simulation.calls import trials
    from antiphon.simulation.calls.scenario import Scenario

    seed = _seed_of(request)

    def hold_it(scenario: Scenario | str | Path, agent: Function | str | None = None) -> HeldCall:
        if not isinstance(scenario, Scenario):
            scenario = Scenario.load(request.path.parent / scenario)
        if isinstance(agent, str):
            scenario = dataclasses.replace(scenario, agent=agent)
        if agent is None and scenario.agent is None:
            raise pytest.UsageError(f"{scenario.path or scenario.name} does not say which agent")
        if scenario.path is not None and not callable(agent):
            words = ["antiphon", "simulate", str(scenario.path)]
            words += ["--agent", agent] if agent is not None else []
            request.node.stash[_REPEATED] = shlex.join(words)
        folders = (request.path.parent, *scenario.folders)
        found = agent if callable(agent) else find_function(scenario.agent or "", folders)
        return trials.hold_scenario(found, scenario, seed=seed)

    return hold_it


def scenario_test(
    scenario: Scenario | str | Path,
    *,
    agent: Function | str | None = None,
    seeds: int = DEFAULT_SEEDS,
) -> Callable[..., None]:
    """A test that holds a scenario with the seeds 0 to `seeds` - 1.

    A file's name is relative to that of the test. `agent` as for the fixture `hold_scenario`.
    """

    @pytest.mark.seeds(seeds)
    def test_scenario(seed: int, hold_scenario: HoldScenario) -> None:
        hold_scenario(scenario, agent)

    test_scenario.__doc__ = f"The scenario {scenario} goes as it should."
    return test_scenario


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs an `async def` test in virtual time, with its seed if it has one."""
    marked = any(pyfuncitem.get_closest_marker(name) for name in _OTHER_PLUGINS)
    if marked or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    from antiphon.simulation.loop.schedule import policy_of
    from antiphon.simulation.loop.virtual_time import run

    names = pyfuncitem._fixtureinfo.argnames
    seed = _seed_in(pyfuncitem)
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    run(pyfuncitem.obj(**arguments), seed=seed, policy=policy_of(seed))
    return True


def _seed_in(item: pytest.Function) -> int | None:
    seed = item.callspec.params.get("seed") if item.get_closest_marker("seeds") else None
    return seed if isinstance(seed, int) else None


def _seed_of(request: pytest.FixtureRequest) -> int | None:
    if "seed" not in request.fixturenames:
        return None
    seed = request.getfixturevalue("seed")
    return seed if isinstance(seed, int) else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--seed` and `--seeds`."""
    group = parser.getgroup("antiphon", "simulation")
    group.addoption("--seed", type=int, default=None, help="run this seed only")
    group.addoption("--seeds", type=int, default=None, help="how many seeds per test")


def pytest_configure(config: pytest.Config) -> None:
    """Declares the mark."""
    config.addinivalue_line("markers", "seeds(n): run the test with the seeds 0 to n-1")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per seed."""
    mark = metafunc.definition.get_closest_marker("seeds")
    if mark is None:
        return
    name = metafunc.function.__qualname__
    if len(mark.args) != 1 or mark.kwargs or not isinstance(mark.args[0], int):
        raise pytest.UsageError(f"{name}: the mark is written seeds(n), n being how many")
    if "seed" not in metafunc.fixturenames:
        metafunc.fixturenames.append("seed")
    only, many = metafunc.config.getoption("seed"), metafunc.config.getoption("seeds")
    seeds = range(many or mark.args[0]) if only is None else [only]
    metafunc.parametrize("seed", seeds)


def _path_from_here(item: pytest.Item) -> str:
    """The test's id without its parameters, for a shell in the folder where pytest was started."""
    name = item.nodeid.partition("[")[0].partition("::")[2]
    here = item.config.invocation_params.dir
    return f"{os.path.relpath(item.path, here)}::{name}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tells how to repeat a failure."""
    report = yield
    if report.failed and item.get_closest_marker("seeds") and isinstance(item, pytest.Function):
        seed = item.callspec.params["seed"]
        path = _path_from_here(item)
        lines = [f"pytest {shlex.quote(path)} --seed {seed}"]
        if (command := item.stash.get(_REPEATED, None)) is not None:
            lines.append(f"{command} --seed {seed} --timeline out.html")
        report.sections.append(("repeat this seed", "\n".join(lines)))
    return report
