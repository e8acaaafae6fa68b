#!/usr/bin/env python3
"""What the caller hears: the output's pace and how fast it falls silent, beside Pipecat's.

    benchmarks/output.py [--sessions 1 10 50 100] [--rounds 3] [--json FILE] [--smoke]

Each session plays speech in chunks of 20 ms. Jitter is how far the time between two chunks is from
20 ms. "To silence" is the time from the interruption until the last stale chunk was written.
Figures are medians of some rounds in which the sides take turns. On Pipecat's side, where the pace
is the transport's own business, the sink paces itself as its websocket transports do.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.kernel import OURS, PEERS, cell, measure, peer_python

FIGURES = (
    ("p50_ms", "jitter p50", "ms"),
    ("p99_ms", "jitter p99", "ms"),
    ("max_ms", "jitter, worst", "ms"),
    ("cpu_percent", "CPU of one session", "%"),
)
SILENCE = (
    ("p50_ms", "interruption to silence, p50", "ms"),
    ("max_ms", "interruption to silence, worst", "ms"),
    ("stale", "stale chunks of 40 interruptions", ""),
)


def take(sessions: Sequence[int], rounds: int, *, with_peer: bool) -> dict[tuple[str, str], float]:
    """The median of every figure by side and title."""
    sides = {OURS: Path(sys.executable)}
    if with_peer and (peer := peer_python()) is not None:
        sides[PEERS] = peer
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for side, python in sides.items():
            for count in sessions:
                figures = measure(python, side, ("pace", str(count)), script="output")
                for name, title, _ in FIGURES:
                    taken.setdefault((side, f"{count} sessions: {title}"), []).append(figures[name])
            figures = measure(python, side, ("silence",), script="output")
            for name, title, _ in SILENCE:
                taken.setdefault((side, title), []).append(figures[name])
    return {key: statistics.median(values) for key, values in taken.items()}


def table(medians: dict[tuple[str, str], float], sessions: Sequence[int]) -> str:
    """The figures as a table in Markdown."""
    rows = [(f"{n} sessions: {title}", unit) for n in sessions for _, title, unit in FIGURES]
    rows += [(title, unit) for _, title, unit in SILENCE]
    lines = ["| what | Antiphon | Pipecat |", "|---|---|---|"]
    for title, unit in rows:
        ours, theirs = medians[OURS, title], medians.get((PEERS, title))
        lines.append(f"| {title} | {cell(ours, unit)} | {cell(theirs, unit)} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="The output's pace and silence beside Pipecat's.")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 10, 50, 100])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each figure")
    parser.add_argument("--json", type=Path, help="a file for the medians")
    parser.add_argument("--smoke", action="store_true", help="a short look, without the peer")
    arguments = parser.parse_args(argv)
    sessions = arguments.sessions
    if arguments.smoke:
        os.environ["BENCHMARK_SCALE"] = "0.05"
        sessions = [1, 2]
    rounds = 1 if arguments.smoke else arguments.rounds
    began = os.getloadavg()
    medians = take(sessions, rounds, with_peer=not arguments.smoke)
    print(table(medians, sessions))
    loads = ", ".join(f"{load:.1f}" for load in (began[0], *os.getloadavg()[:2]))
    print(f"\n{os.cpu_count()} cores; load before, in the last minute, in the last five: {loads}")
    if arguments.json:
        found = [{"side": s, "figure": f, "median": v} for (s, f), v in medians.items()]
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
