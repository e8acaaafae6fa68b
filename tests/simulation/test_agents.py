"""Agents are found by name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.errors import ConfigurationError
from antiphon.simulation.agents import find_function


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """What is imported here is forgotten again."""
    path, before = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def written(folder: Path, text: str, name: str = "pizzeria.py") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_module_is_found_beside_the_scenario_first(tmp_path: Path) -> None:
    """The first folder that has it wins, also when another one's namesake was loaded before."""
    one, two = tmp_path / "one", tmp_path / "two"
    written(one, "def make(_): return 1")
    written(two, "def make(_): return 2")
    assert find_function("pizzeria:make", [one, two])(None) == 1
    assert find_function("pizzeria:make", [two, one])(None) == 2
    assert find_function("pizzeria:make", [one])(None) == 1


def test_packages_files_and_installed_modules_are_found(tmp_path: Path) -> None:
    """A module in a package, a file by its path, one that is installed; files find neighbours."""
    written(tmp_path, "", "house/__init__.py")
    written(tmp_path, "from house.menu import DISHES\ndef make(_): return DISHES", "house/bot.py")
    written(tmp_path, "DISHES = 3", "house/menu.py")
    assert find_function("house.bot:make", [tmp_path])(None) == 3
    written(tmp_path, "import friend\ndef make(_): return friend.NAME", "deep/inside/bot.py")
    written(tmp_path, "NAME = 'Ann'", "deep/inside/friend.py")
    found = find_function("deep/inside/bot.py:make", [tmp_path])
    assert found(None) == "Ann"
    assert find_function(f"{tmp_path}/deep/inside/bot.py:make") is found
    assert find_function("json:dumps", [tmp_path])(1) == "1"


def test_a_namesake_in_the_folder_does_not_replace_the_librarys(tmp_path: Path) -> None:
    """Only what another agent's folder brought in is forgotten."""
    library = sys.modules["json"]
    written(tmp_path, "def dumps(_): return 'mine'", "json.py")
    find_function("json:dumps", [tmp_path])
    assert sys.modules["json"] is library


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("pizzeria", "named as module:function or path/file.py:function, not 'pizzeria'"),
        ("pizzeria:", "not 'pizzeria:'"),
        (":make", "not ':make'"),
        ("piz zeria:make", "not 'piz zeria:make'"),
        ("class:make", "not 'class:make'"),
        ("nowhere:make", "the agent nowhere:make: there is no module nowhere in .* installed"),
        ("pizzeria.menu:make", r"there is no module pizzeria\.menu|cannot be imported"),
        ("nowhere.py:make", r"there is no file .*nowhere\.py"),
        ("pizzeria:maek", "there is no function maek in pizzeria; did you mean make?"),
        ("pizzeria:MENU", "there is no function MENU in pizzeria"),
        ("broken:make", r"broken cannot be imported: SyntaxError: .*broken\.py, line 2"),
        ("raises:make", r"raises cannot be imported: ZeroDivisionError: .*raises\.py, line 1"),
        ("quits:make", "quits cannot be imported: SystemExit: 3"),
        ("wants:make", "wants cannot be imported: ModuleNotFoundError: No module named 'absent'"),
        ("wants.py:make", r"wants\.py cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_name_that_leads_nowhere_is_one_clear_error(name: str, says: str, tmp_path: Path) -> None:
    """The culprit is named: the name, the folder, the file and line, or the module it wants."""
    written(tmp_path, "MENU = 3\ndef make(_): ...")
    written(tmp_path, "x = 1\ndef make(:", "broken.py")
    written(tmp_path, "1 / 0", "raises.py")
    written(tmp_path, "raise SystemExit(3)", "quits.py")
    written(tmp_path, "import absent", "wants.py")
    with pytest.raises(ConfigurationError, match=says) as raised:
        find_function(name, [tmp_path])
    assert "\n" not in str(raised.value)
