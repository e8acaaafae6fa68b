"""How many seeds the contract suites need to find each planted bug, printed as a table; and that
they find nothing in the real parts.

python benchmarks/planted_bugs.py
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.simulation.planted.plants import PLANTS, measure, table
from tests.simulation.planted.real import REAL

SEEDS = 3
"""Seeds of the real parts."""


def main() -> None:
    """Measures and prints."""
    before = time.process_time()
    print(table([measure(plant) for plant in PLANTS]))
    print(f"\n{'real part':<40}{'seeds':>6}{'runs':>7}  found")
    for name, check in REAL.items():
        print(f"{name:<40}{SEEDS:>6}{check(SEEDS):>7}  nothing")
    print(f"\n{time.process_time() - before:.1f} s of CPU")


if __name__ == "__main__":
    main()
