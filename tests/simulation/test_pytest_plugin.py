"""The pytest plugin, seen from outside: pytest runs a file of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def _pytest(folder: Path, *arguments: str) -> str:
    (folder / "test_seeds.py").write_text(TESTS, encoding="utf-8")
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
    assert "pytest 'test_seeds.py::test_unlucky' --seed 13" in out
    assert "1 failed, 1 passed" in _pytest(tmp_path, "--seed", "13", "test_seeds.py")
    assert "11 passed" in _pytest(tmp_path, "--seeds", "10", "test_seeds.py")


def test_a_mark_without_the_argument_is_an_error(tmp_path: Path) -> None:
    """A test that is marked and takes no seed is told so."""
    test = "import pytest\n@pytest.mark.seeds(3)\ndef test_it(): ...\n"
    (tmp_path / "test_other.py").write_text(test, encoding="utf-8")
    assert "takes no argument `seed`" in _pytest(tmp_path, "test_other.py")
