#!/usr/bin/env python3
"""What a long conversation costs, beside Pipecat's where it has the same thing, in one run.

    benchmarks/context.py [--rounds 3] [--smoke]

Pipecat is installed as `benchmarks/kernel.py` does it. Its context checks nothing and hands out
its own list, so its appends are a list's; its requests are its list, copied.
Targets are the ones the project set itself.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

from kernel import OURS, PEERS, cell, measure, peer_python

SIZES = (10, 100, 1000, 5000)

Row = tuple[str, tuple[str, ...], str, str, str]
"""Title, workload, figure, unit and target."""


def rows(sizes: tuple[int, ...], calls: int) -> list[Row]:
    """The lines of the table."""
    last = sizes[-1]
    return [
        *((f"one more message at {n:,}", ("append", str(n)), "us", "us", "constant")
          for n in sizes),
        *((f"a turn at {n:,}, without the request", ("turn", str(n)), "us", "us",
           "1.3x of the first") for n in sizes),
        (f"building up {last:,} messages, CPU", ("build", str(last)), "ms", "ms", "-"),
        *((f"a request of {n:,}, per thousand", ("request", str(n)), "ms_per_thousand", "ms",
           "<= 1 ms") for n in sizes[1:]),
        (f"its translation for OpenAI at {last:,}, per thousand", ("request", str(last)),
         "body_ms_per_thousand", "ms", "-"),
        (f"{calls:,} tool calls, one answer each, CPU", ("calls", str(calls), "0"), "secs", "s",
         "<= 3 s"),
        (f"{calls:,} tool calls in one answer, CPU", ("calls", str(calls), "1"), "secs", "s",
         "<= 3 s"),
    ]  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="A long conversation beside Pipecat's.")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each figure")
    parser.add_argument("--smoke", action="store_true", help="a short look, without the peer")
    arguments = parser.parse_args(argv)
    sides = {OURS: Path(sys.executable)}
    if not arguments.smoke and (peer := peer_python()) is not None:
        sides[PEERS] = peer
    wanted = rows((10, 50), 20) if arguments.smoke else rows(SIZES, 1000)
    print("| what | Antiphon | Pipecat | target |\n|---|---|---|---|")
    for title, workload, figure, unit, target in wanted:
        medians: dict[str, float] = {}
        for side, python in sides.items():
            if side == PEERS and (workload[0] == "calls" or figure.startswith("body")):
                continue
            taken = [
                measure(python, side, workload, script="context")[figure]
                for _ in range(1 if arguments.smoke else arguments.rounds)
            ]
            medians[side] = statistics.median(taken)
        print(
            f"| {title} | {cell(medians[OURS], unit)} | {cell(medians.get(PEERS), unit)} "
            f"| {target} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
