"""Type checkers accept what is documented, and see what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks

BIN = Path(sys.executable).parent
CHECKERS = {
    "mypy": ["mypy", "--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache/docs'}"],
    "pyright": ["basedpyright", "--level", "error"],
}
USED_WRONGLY = """
from antiphon import EndFrame, FrameDirection, FrameProcessor, TextFrame, handles
from antiphon import LLMContext, LLMContextAggregatorPair, LLMUserAggregator


class Wrong(FrameProcessor):
    @handles(TextFrame)
    async def take(self, frame: EndFrame, direction: FrameDirection) -> None: ...

    @handles(TextFrame)
    async def miss(self, frame: TextFrame) -> None: ...


user, assistant = LLMContextAggregatorPair(LLMContext())
right: LLMUserAggregator = user
wrong: LLMUserAggregator = assistant
"""


def _errors(checker: str, code: str, folder: Path) -> list[str]:
    path = folder / "checked.py"
    path.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [BIN / CHECKERS[checker][0], *CHECKERS[checker][1:], str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ
        | {
            "MYPYPATH": str(ROOT / "src"),
            "PYTHONPATH": str(ROOT / "src"),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        },
    )
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if "error" in line and "checked.py:" in line]


@pytest.mark.parametrize("checker", CHECKERS)
@pytest.mark.parametrize("number", [0, 1])
def test_the_readme_type_checks(checker: str, number: int, tmp_path: Path) -> None:
    """Both examples of the README pass the checkers in their strictest mode."""
    assert _errors(checker, blocks(ROOT / "README.md")[number].text, tmp_path) == []


@pytest.mark.parametrize("checker", CHECKERS)
def test_wrong_use_is_seen(checker: str, tmp_path: Path) -> None:
    """A handler of other frames or arguments than were declared, and a half taken for the other,
    are errors of types.
    """
    lines = {
        line.split("checked.py:")[1].split(":")[0]
        for line in _errors(checker, USED_WRONGLY, tmp_path)
    }
    assert lines >= {"7", "10", "16"} or lines >= {"8", "11", "16"}
