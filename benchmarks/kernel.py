#!/usr/bin/env python3
"""The kernel beside Pipecat and beside bare asyncio, on the same workload, in one run.

    benchmarks/kernel.py [--rounds 5] [--json FILE] [--smoke]

Pipecat's newest release is installed into an environment of its own (`benchmarks/.peer`) on the
first run. Each figure is the median of some rounds, in which the sides take turns: absolute figures
belong to the machine and the minute, ratios do not. Targets are the ones the project set itself.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEER = HERE / ".peer"

OURS, PEERS, FLOOR = "antiphon", "pipecat", "floor"


@dataclass(frozen=True)
class Row:
    """One line of the table. `more` says that a larger figure is better."""

    title: str
    workload: tuple[str, ...]
    figure: str
    unit: str
    more: bool
    target: str
    floor: bool = False


def throughput(processors: int, *, handling: bool) -> Row:
    """Frames per second through a row."""
    kind = "handle" if handling else "do not handle"
    target = "25x" if handling else ("100x" if processors > 1 else "-")
    return Row(
        f"text frames through {processors} that {kind} them",
        ("throughput", str(processors), str(int(handling))),
        "frames_per_s",
        "/s",
        more=True,
        target=target,
        floor=handling,
    )


ROWS = [
    *(throughput(n, handling=True) for n in (1, 10, 50)),
    *(throughput(n, handling=False) for n in (1, 10, 50)),
    Row("CPU per hop, 10 that handle", ("throughput", "10", "1"), "us_per_hop", "us", False,
        "<= 1.5 us", floor=True),
    Row("one frame through 10, p50", ("latency",), "p50_us", "us", False, "<= 60 us", floor=True),
    Row("one frame through 10, p99", ("latency",), "p99_us", "us", False, "<= 150 us", floor=True),
    Row("interruption, 10 that need 100 ms", ("interruption",), "ms", "ms", False, "<= 1 ms"),
    Row("stale audio of 500, same loop turn", ("stale_audio", "1"), "stale", "", False, "0"),
    Row("stale audio of 500, paced output", ("stale_audio", "0"), "stale", "", False, "0"),
    Row("uninterruptible lost of 2,000", ("losses",), "lost", "", False, "0"),
    Row("sessions of 10 set up and torn down", ("sessions",), "per_s", "/s", True, "1000 /s"),
    Row("graceful end of an idle session", ("sessions",), "graceful_end_ms", "ms", False,
        "<= 50 ms"),
    Row("core import, wall", ("importing",), "secs", "s", False, "<= 0.12 s"),
    Row("core import, resident", ("importing",), "resident_mb", "MB", False, "<= 35 MB"),
]  # fmt: skip


def peer_python() -> Path | None:
    """The interpreter that has Pipecat; None, said clearly, where it cannot be installed."""
    python = PEER / "bin" / "python"
    if not (PEER / "ready").exists():
        print("installing the newest pipecat-ai into benchmarks/.peer ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(PEER)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "pipecat-ai"]
        if subprocess.run(install, check=False).returncode:
            print("pipecat-ai cannot be installed here: its column stays empty", file=sys.stderr)
            return None
        (PEER / "ready").touch()
    return python


def measure(
    python: Path, side: str, workload: tuple[str, ...], *, script: str = "kernel"
) -> dict[str, float]:
    """One round of one workload on one side, in a process of its own."""
    path = HERE / "peers" / f"{script}_{side}.py"
    done = subprocess.run(
        [str(python), "-W", "ignore", str(path), *workload],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{side} {' '.join(workload)} failed:\n{done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


Figures = dict[tuple[str, tuple[str, ...], str], float]


def run_all(rounds: int, *, with_peer: bool) -> Figures:
    """The median of every figure of every side."""
    sides = {OURS: Path(sys.executable), FLOOR: Path(sys.executable)}
    if with_peer and (peer := peer_python()) is not None:
        sides[PEERS] = peer
    medians: Figures = {}
    floors = {row.workload for row in ROWS if row.floor}
    for workload in dict.fromkeys(row.workload for row in ROWS):
        print(f"  {' '.join(workload)} ...", file=sys.stderr)
        taken: dict[str, list[dict[str, float]]] = {}
        for _ in range(rounds):
            for side, python in sides.items():
                if side != FLOOR or workload in floors:
                    taken.setdefault(side, []).append(measure(python, side, workload))
        for side, figures in taken.items():
            for name in figures[0]:
                medians[side, workload, name] = statistics.median(f[name] for f in figures)
    return medians


def cell(value: float | None, unit: str) -> str:
    """A figure with three significant digits."""
    if value is None:
        return "-"
    text = f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
    return f"{text} {unit}".strip()


def ratio(ours: float, theirs: float | None, more: bool) -> str:
    """How many times better ours is."""
    if theirs is None or (not ours and not theirs):
        return "-"
    better, worse = (ours, theirs) if more else (theirs, ours)
    return f"{better / worse:.1f}x" if worse else "all"


def table(medians: Figures) -> str:
    """The figures as a table in Markdown."""
    lines = ["| what | Antiphon | Pipecat | ratio | target | floor |", "|---|---|---|---|---|---|"]
    for row in ROWS:
        ours = medians[OURS, row.workload, row.figure]
        theirs = medians.get((PEERS, row.workload, row.figure))
        floor = medians.get((FLOOR, row.workload, row.figure)) if row.floor else None
        lines.append(
            f"| {row.title} | {cell(ours, row.unit)} | {cell(theirs, row.unit)} "
            f"| {ratio(ours, theirs, row.more)} | {row.target} | {cell(floor, row.unit)} |"
        )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="The kernel beside Pipecat and bare asyncio.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each figure")
    parser.add_argument("--json", type=Path, help="a file for the medians")
    parser.add_argument("--smoke", action="store_true", help="a short look, without the peer")
    arguments = parser.parse_args(argv)
    if arguments.smoke:
        os.environ["BENCHMARK_SCALE"] = "0.01"
    medians = run_all(1 if arguments.smoke else arguments.rounds, with_peer=not arguments.smoke)
    print(table(medians))
    if arguments.json:
        rows = [
            {"side": side, "workload": list(workload), "figure": name, "median": value}
            for (side, workload, name), value in medians.items()
        ]
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
