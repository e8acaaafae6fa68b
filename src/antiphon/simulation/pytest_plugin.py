"""pytest: tests over seeds, in virtual time.

    @pytest.mark.seeds(200)
    def test_it(seed: int) -> None:
        run(main(), seed=seed)

Each seed is a test of its own. `--seed N` runs that one only, `--seeds N` as many as said in place
of the mark's. A failure tells the command that repeats it. The fixture `virtual_time` is
`antiphon.simulation.virtual_time.run` with the test's seed, if it has one.

pytest finds it by itself where antiphon is installed.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Protocol, TypeVar

import pytest

from antiphon.simulation import virtual_time as _virtual_time

T = TypeVar("T")


class RunInVirtualTime(Protocol):
    """`virtual_time(main())`: see `antiphon.simulation.virtual_time.run`."""

    def __call__(self, coro: Coroutine[Any, Any, T]) -> T: ...


@pytest.fixture
def virtual_time(request: pytest.FixtureRequest) -> RunInVirtualTime:
    """Runs a coroutine in virtual time, with the seed of the test if it has one."""
    seed: int | None = None
    if "seed" in request.fixturenames:
        seed = request.getfixturevalue("seed")

    def run_it(coro: Coroutine[Any, Any, T]) -> T:
        return _virtual_time.run(coro, seed=seed)

    return run_it


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
    if "seed" not in metafunc.fixturenames:
        raise pytest.UsageError(
            f"{metafunc.function.__qualname__} is marked with seeds({mark.args[0]}) "
            f"but takes no argument `seed`"
        )
    only, many = metafunc.config.getoption("seed"), metafunc.config.getoption("seeds")
    seeds = range(many or mark.args[0]) if only is None else [only]
    metafunc.parametrize("seed", seeds)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tells how to repeat a failure."""
    report = yield
    if report.failed and item.get_closest_marker("seeds") and isinstance(item, pytest.Function):
        seed = item.callspec.params["seed"]
        path = item.nodeid.partition("[")[0]
        report.sections.append(("repeat this seed", f"pytest '{path}' --seed {seed}"))
    return report
