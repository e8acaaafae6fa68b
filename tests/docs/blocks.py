"""The Python of a Markdown page: where each block begins, what it says, how it is to be run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")


@dataclass(frozen=True)
class Block:
    """A fenced block of Python: `line` is that of its first line of code, `run` whether it runs."""

    page: Path
    line: int
    text: str
    run: bool

    def compile(self) -> object:
        """The block as a script whose tracebacks name the page and its lines."""
        padding = "\n" * (self.line - 1)
        return compile(padding + self.text, str(self.page), "exec", dont_inherit=True)


def pages() -> list[Path]:
    """The pages that document the framework."""
    return [
        page for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if page.is_file()
    ] + sorted((ROOT / "docs").rglob("*.md"))


def blocks(page: Path) -> list[Block]:
    """The Python blocks of a page, in order."""
    found = []
    opening: re.Match[str] | None = None
    start = 0
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        fence = _FENCE.match(line)
        if opening is None:
            if fence:
                opening, start = fence, number
        elif fence and not fence["info"].strip():
            info = opening["info"].split()
            if info and info[0] in {"python", "py"}:
                width = len(opening["indent"])
                text = "\n".join(code[width:] for code in lines[start : number - 1])
                found.append(Block(page, start + 1, text + "\n", "no-run" not in info))
            opening = None
    if opening is not None:
        message = f"{page}:{start}: a block of code is not closed"
        raise ValueError(message)
    return found
