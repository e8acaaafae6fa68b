"""The repository's own files, as the style tests see them."""

from __future__ import annotations

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SRC = "src/antiphon/"


@dataclass(frozen=True)
class Source:
    """One Python file: where it is (relative to the checkout, with slashes), its text, its tree."""

    path: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST, what: str) -> str:
        """A finding: `path:line: what`."""
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {what}"


@functools.cache
def files() -> tuple[str, ...]:
    """Every file that is, or on the next `git add` would be, part of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = {path for path in listed.stdout.split("\0") if path}
    else:  # an unpacked archive: what there is, without what tools left
        paths = {
            path.relative_to(ROOT).as_posix()
            for path in ROOT.rglob("*")
            if not any(part.startswith((".", "__pyc")) for part in path.relative_to(ROOT).parts)
        }
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


@functools.cache
def python(*tops: str) -> tuple[Source, ...]:
    """The Python files below the folders `tops`."""
    return tuple(
        Source(path, text := (ROOT / path).read_text(encoding="utf-8"), ast.parse(text, path))
        for path in files()
        if path.endswith(".py") and path.split("/", 1)[0] in tops
    )


def everywhere() -> tuple[Source, ...]:
    """All of our Python: the package, its tests and what surrounds them."""
    return python("src", "tests", "benchmarks", "examples", "scripts")


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file, at any depth."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def classes(source: Source) -> Iterator[ast.ClassDef]:
    """Every class of a file, at any depth."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef):
            yield node


def dotted(node: ast.AST) -> str:
    """`a.b.c` for a plain chain of attributes, with `()` where one of them is called, or ``."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr}"
        case ast.Call(func=func):
            return f"{dotted(func)}()"
        case _:
            return ""


def report(rule: str, findings: list[str]) -> None:
    """Fails with the rule and every place that breaks it."""
    assert not findings, f"{rule}\n  " + "\n  ".join(findings)
