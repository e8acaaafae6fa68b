"""How many seeds the contract suites need to find each planted bug, printed as a table.

python benchmarks/planted_bugs.py
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.simulation.planted.plants import PLANTS, measure, table


def main() -> None:
    """Measures and prints."""
    before = time.process_time()
    print(table([measure(plant) for plant in PLANTS]))
    print(f"\n{time.process_time() - before:.1f} s of CPU")


if __name__ == "__main__":
    main()
