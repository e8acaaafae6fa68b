#!/usr/bin/env python3
"""How many planted faults the tests of a room find: a seeded sample of mutants, tried one by one.

    benchmarks/mutation.py kernel                  100 mutants of src/antiphon/kernel
    benchmarks/mutation.py turns --sample 20       fewer
    benchmarks/mutation.py --report                the scores so far, with what survived

Cosmic Ray makes the mutants (kept, and its sessions can be resumed: what was tried is not tried
again). Of each place in the source one mutant is drawn, annotations and docstrings excepted. A
mutant is killed by the first test of the room that fails, or by the time-out. Those that change
nothing a test could see are listed, each with its reason, in `equivalent_mutants.toml`, and do not
count. The interval is Wilson's, at 95 %.
"""

from __future__ import annotations

import argparse
import ast
import math
import random
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "benchmarks" / ".mutation"
TREE = WORK / "tree"
EQUIVALENT = ROOT / "benchmarks" / "equivalent_mutants.toml"
ROOMS = {
    "kernel": "tests/kernel tests/laws",
    "turns": "tests/turns",
    "context": "tests/context",
    "tools": "tests/tools tests/context",
    "services": "tests/services tests/laws/test_speaking.py",
    "transports": "tests/transports tests/laws/test_speaking.py",
}
TIMEOUT_SECS = 300.0


@dataclass(frozen=True)
class Mutant:
    """One change of the source: its job, where it is, and the operator that makes it."""

    job: str
    module: str
    operator: str
    line: int
    column: int


def main() -> None:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    parser.add_argument("--sample", type=int, default=100, help="mutants of a room")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--report", action="store_true", help="runs nothing")
    options = parser.parse_args()
    unknown = sorted(set(options.rooms) - set(ROOMS))
    if unknown:
        parser.error(f"no such room: {', '.join(unknown)}; there are {', '.join(ROOMS)}")
    for room in [] if options.report else options.rooms:
        _run(room, options.sample, options.seed)
    for room in options.rooms or ROOMS:
        if _session(room).exists():
            _report(room)


def _session(room: str) -> Path:
    return WORK / f"{room}.sqlite"


def _run(room: str, sample: int, seed: int) -> None:
    tool = _installed()
    _copy_tree()
    config = WORK / f"{room}.toml"
    command = f"{ROOT}/.venv/bin/python -m pytest -x -q -p no:cacheprovider {ROOMS[room]}"
    config.write_text(
        "[cosmic-ray]\n"
        f'module-path = "src/antiphon/{room}"\n'
        f"timeout = {TIMEOUT_SECS}\n"
        'excluded-modules = ["**/__init__.py"]\n'
        f'test-command = "env PYTHONPATH=src {command}"\n'
        '[cosmic-ray.distributor]\nname = "local"\n'
    )
    if not _session(room).exists():
        subprocess.run([tool, "init", str(config), str(_session(room))], cwd=TREE, check=True)
    _draw(room, sample, seed)
    subprocess.run([tool, "exec", str(config), str(_session(room))], cwd=TREE, check=True)


def _installed() -> str:
    """The path of Cosmic Ray's command, in an environment of its own."""
    command = WORK / "venv" / "bin" / "cosmic-ray"
    if not command.exists():
        WORK.mkdir(exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", str(WORK / "venv")], check=True)
        pip = [str(command.with_name("python")), "-m", "pip", "install", "--quiet", "cosmic-ray"]
        subprocess.run(pip, check=True)
    return str(command)


def _copy_tree() -> None:
    """Puts the tracked files where mutants are made, so that the checkout is never touched."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True)
    shutil.rmtree(TREE, ignore_errors=True)
    for name in names.stdout.split():
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)


def _draw(room: str, sample: int, seed: int) -> None:
    """Keeps `sample` mutants of the session, and of each place one at most."""
    with sqlite3.connect(_session(room)) as base:
        rows = base.execute(
            "select job_id, module_path, operator_name, start_pos_row, start_pos_col"
            " from mutation_specs"
            " order by module_path, start_pos_row, start_pos_col, operator_name, occurrence"
        )
        mutants = [Mutant(*row) for row in rows]
        rng = random.Random(seed)
        rng.shuffle(mutants)
        skipped = {module: _skipped_lines(TREE / module) for module in {m.module for m in mutants}}
        places: dict[tuple[str, int, int], Mutant] = {}
        for mutant in mutants:
            if (mutant.line, mutant.column) not in skipped[mutant.module]:
                places.setdefault((mutant.module, mutant.line, mutant.column), mutant)
        kept = {mutant.job for mutant in list(places.values())[:sample]}
        kept |= {job for (job,) in base.execute("select job_id from work_results")}
        for table in ("mutation_specs", "work_items"):
            base.executemany(
                f"delete from {table} where job_id = ?",  # noqa: S608 - names of ours
                [(mutant.job,) for mutant in mutants if mutant.job not in kept],
            )


class _Positions(frozenset[tuple[int, int]]):
    """Positions in a file, of the nodes that a mutant would change without any effect."""


def _skipped_lines(path: Path) -> _Positions:
    """The positions inside of annotations and of `if TYPE_CHECKING`, which never run."""
    return _Positions(
        (line, column)
        for node in _never_run(ast.parse(path.read_text(encoding="utf-8")))
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for column in range(
            node.col_offset if line == node.lineno else 0,
            (node.end_col_offset or 0) + 1 if line == node.end_lineno else 200,
        )
    )


def _never_run(tree: ast.Module) -> Iterator[ast.expr | ast.stmt]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield node


def _report(room: str) -> None:
    """Prints the score of a room, and the differences of what survived."""
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")) if EQUIVALENT.exists() else {}
    equivalent = {entry["change"] for entry in listed.get(room, [])}
    with sqlite3.connect(_session(room)) as base:
        results = base.execute(
            "select r.test_outcome, r.worker_outcome, r.diff, s.module_path, s.start_pos_row"
            " from work_results r join mutation_specs s on r.job_id = s.job_id"
        ).fetchall()
    killed = tried = 0
    for outcome, _, diff, module, line in results:
        change = " -> ".join(
            text[1:].strip()
            for text in (diff or "").splitlines()
            if text[:1] in "+-" and not text.startswith(("+++", "---"))
        )
        if change in equivalent:
            continue
        tried += 1
        killed += outcome != "SURVIVED"
        if outcome == "SURVIVED":
            print(f"{module}:{line}: {change}")
    if tried:
        low, high = _wilson(killed, tried)
        print(f"{room}: {killed} of {tried} found, {killed / tried:.0%} ({low:.0%} to {high:.0%})")


def _wilson(hits: int, count: int) -> tuple[float, float]:
    """The interval of a share at 95 % (Wilson 1927)."""
    z, share = 1.96, hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return middle - half, middle + half


if __name__ == "__main__":
    main()
