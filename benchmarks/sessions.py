#!/usr/bin/env python3
"""What a session costs that hears and speaks at once, beside Pipecat's in the same run.

    benchmarks/sessions.py [--sessions 1 10 25] [--rounds 1] [--json FILE] [--smoke]

Each session hears 20 ms of its caller every 20 ms, through voice activity detection (Silero, or by
energy, which Pipecat does not have), and speaks all the time. Figures are medians of some rounds in
which the sides take turns: judge their ratios, as the machine has other work.
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
    ("cpu_percent", "CPU of one session", "%"),
    ("p99_ms", "output jitter p99", "ms"),
    ("lag_ms", "worst lag of the loop", "ms"),
    ("mb", "memory of one session", "MB"),
)
Medians = dict[tuple[str, str], float]


def take(sessions: Sequence[int], rounds: int, *, with_peer: bool) -> Medians:
    """The median of every figure by side and title."""
    sides = {OURS: Path(sys.executable)}
    if with_peer and (peer := peer_python()) is not None:
        sides[PEERS] = peer
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for kind, silero in (("Silero", "1"), ("energy", "0")):
            for count in sessions:
                for side, python in sides.items():
                    if side == PEERS and kind == "energy":
                        continue
                    found = measure(python, side, ("hold", str(count), silero), script="sessions")
                    for name, title, _ in FIGURES:
                        key = (side, f"{count} sessions, {kind}: {title}")
                        taken.setdefault(key, []).append(found[name])
    return {key: statistics.median(values) for key, values in taken.items()}


def table(medians: Medians, sessions: Sequence[int]) -> str:
    """The figures as a table in Markdown, with the ratio of ours to theirs."""
    lines = ["| what | Antiphon | Pipecat | ratio |", "|---|---|---|---|"]
    for kind in ("Silero", "energy"):
        for count in sessions:
            for _, what, unit in FIGURES:
                title = f"{count} sessions, {kind}: {what}"
                ours, theirs = medians[OURS, title], medians.get((PEERS, title))
                share = f"{ours / theirs:.2f}" if theirs else "-"
                lines.append(f"| {title} | {cell(ours, unit)} | {cell(theirs, unit)} | {share} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="What a session costs, beside Pipecat's.")
    parser.add_argument("--sessions", type=int, nargs="+", default=[1, 10, 25])
    parser.add_argument("--rounds", type=int, default=1, help="rounds of each figure")
    parser.add_argument("--json", type=Path, help="a file for the medians")
    parser.add_argument("--smoke", action="store_true", help="a short look, without the peer")
    arguments = parser.parse_args(argv)
    sessions = arguments.sessions
    if arguments.smoke:
        os.environ["BENCHMARK_SCALE"] = "0.05"
        sessions = [1, 2]
    began = os.getloadavg()
    medians = take(sessions, arguments.rounds, with_peer=not arguments.smoke)
    print(table(medians, sessions))
    loads = ", ".join(f"{load:.1f}" for load in (began[0], *os.getloadavg()[:2]))
    print(f"\n{os.cpu_count()} cores; load before, in the last minute, in the last five: {loads}")
    if arguments.json:
        found = [{"side": s, "figure": f, "median": v} for (s, f), v in medians.items()]
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
