"""The pytest plugin, seen from outside: pytest runs a file of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.cli.test_simulate import BOT, HELLO

TESTS = '''
import asyncio
import pytest


@pytest.mark.seeds(20)
def test_unlucky(seed, virtual_time):
    """Fails for one seed of twenty."""

    async def main():
        await asyncio.sleep(60)
        return asyncio.get_running_loop().seed

    assert virtual_time(main()) != 13


def test_plain(virtual_time):
    """Without seeds the fixture runs on an ideal machine."""

    async def main():
        await asyncio.sleep(60)
        return asyncio.get_running_loop().time()

    assert virtual_time(main()) == 60
'''
SCENARIOS = '''
from antiphon.simulation.pytest_plugin import scenario_test

test_hello = scenario_test("calls/hello.yaml", seeds=3)
test_rude = scenario_test("calls/rude.yaml", seeds=2)
test_other_agent = scenario_test("calls/hello.yaml", agent="bot:breaks", seeds=1)


def test_by_hand(hold_scenario):
    """The call can be looked at."""
    assert "there" in hold_scenario("calls/hello.yaml").heard
'''


def _pytest(folder: Path, *arguments: str, tests: str = TESTS) -> str:
    (folder / "test_seeds.py").write_text(tests, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_each_seed_is_a_test_and_a_failure_tells_how_to_repeat_it(tmp_path: Path) -> None:
    """Nineteen seeds pass; the one that fails names the command that runs just that one."""
    out = _pytest(tmp_path, "test_seeds.py")
    assert "1 failed, 20 passed" in out
    assert "pytest test_seeds.py::test_unlucky --seed 13" in out
    assert "1 failed, 1 passed" in _pytest(tmp_path, "--seed", "13", "test_seeds.py")
    assert "11 passed" in _pytest(tmp_path, "--seeds", "10", "test_seeds.py")


def test_a_scenario_is_a_test_in_one_line(tmp_path: Path) -> None:
    """Each seed of a file is a test; a failure tells the story and both commands."""
    calls = tmp_path / "calls"
    calls.mkdir()
    (calls / "bot.py").write_text(BOT, encoding="utf-8")
    (calls / "hello.yaml").write_text(HELLO, encoding="utf-8")
    rude = HELLO.replace("containing: there", "containing: nowhere")
    (calls / "rude.yaml").write_text(rude, encoding="utf-8")
    out = _pytest(tmp_path, "test_seeds.py", tests=SCENARIOS)
    assert "3 failed, 4 passed" in out
    assert "'nowhere' is not in what was heard" in out
    assert "caller: hello" in out
    assert "pytest test_seeds.py::test_rude --seed 1" in out
    assert f"antiphon simulate {calls / 'rude.yaml'} --seed 1 --timeline out.html" in out
    assert "the agent bot:make cannot be made" not in out
    assert "KeyError: 'no key'" in out
    assert f"{calls / 'hello.yaml'} --agent bot:breaks --seed 0" in out


ASYNC = """
import asyncio
import pytest

@pytest.mark.seeds(3)
async def test_half_an_hour(tmp_path):
    before = asyncio.get_running_loop().time()
    await asyncio.sleep(1800)
    assert 1800 <= asyncio.get_running_loop().time() - before < 1801
    assert tmp_path.is_dir()

@pytest.mark.seeds(2)
async def test_draws(seed):
    first, second = [], []
    for drawn in (first, second):
        import random
        drawn.append(random.random())
    assert first != second and seed in (0, 1)

async def test_leaves():
    asyncio.get_running_loop().create_task(asyncio.sleep(1e6), name="forgotten")

@pytest.mark.seeds(4)
def test_plain(virtual_time):
    assert virtual_time(asyncio.sleep(1.0, result=5)) == 5

@pytest.mark.anyio
async def test_of_another_plugin(): ...
"""


def test_async_tests_run_in_virtual_time(tmp_path: Path) -> None:
    """Half an hour takes no time, with any fixture; what is left behind fails a test; one that is
    marked for another plugin is left to that.
    """
    out = _pytest(tmp_path, "test_seeds.py", "-p", "no:anyio", tests=ASYNC)
    assert "forgotten" in out
    assert "2 failed, 9 passed" in out
    assert "async def functions are not natively supported" in out


def test_a_mark_needs_no_argument_but_its_number(tmp_path: Path) -> None:
    """Each seed is a test, though none asks for the seed; a mark without a number is an error."""
    test = "import pytest\n@pytest.mark.seeds(3)\ndef test_it(): ...\n"
    assert "3 passed" in _pytest(tmp_path, "test_seeds.py", tests=test)
    test = "import pytest\n@pytest.mark.seeds()\ndef test_it(seed): ...\n"
    assert "test_it: the mark is written seeds(n)" in _pytest(tmp_path, "test_seeds.py", tests=test)


OPTIONS = """
import asyncio
import pytest
from antiphon.simulation.loop.virtual_time import Network, Policy


@pytest.mark.seeds(4)
def test_options(seed, virtual_time):
    async def main():
        loop = asyncio.get_running_loop()
        server = await asyncio.start_server(lambda r, w: w.close(), port=7)
        assert await asyncio.to_thread(sum, [1, 2]) == 3
        await asyncio.sleep(1.0)
        return loop

    loop = virtual_time(main(), network=Network(), executor_secs=0.001, cpu=None, strict=False)
    assert loop.seed == seed
    assert loop.policy is (Policy.PCT if seed == 3 else Policy.UNIFORM)
    fifo = virtual_time(main(), network=Network(), executor_secs=0.1, policy=Policy.FIFO)
    assert fifo.policy is Policy.FIFO
    assert False, "as it should"
"""


def test_the_fixture_takes_the_options_of_run(tmp_path: Path) -> None:
    """What `run` takes goes through the fixture; every fourth seed is scheduled by PCT."""
    out = _pytest(tmp_path, "test_seeds.py", tests=OPTIONS)
    assert "4 failed" in out
    assert out.count("AssertionError: as it should") >= 4


def test_the_command_fits_the_folder_where_pytest_was_started(tmp_path: Path) -> None:
    """From a folder beside or below the root, the command that is told finds the test."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    deep = tmp_path / "deep"
    deep.mkdir()
    out = _pytest(deep, "test_seeds.py")
    assert "pytest test_seeds.py::test_unlucky --seed 13" in out
