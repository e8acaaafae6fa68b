#!/usr/bin/env python3
"""Checks that type checkers know every public name: `basedpyright --verifytypes antiphon`.

Prints how much of the surface has known types, and fails with each symbol that has not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


def main() -> None:
    """Runs the checker and prints what it found."""
    done = subprocess.run(
        ["basedpyright", "--verifytypes", "antiphon", "--ignoreexternal", "--outputjson"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        # It asks the Python that is first on the path where packages are.
        env=os.environ
        | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")},
    )
    completeness = json.loads(done.stdout)["typeCompleteness"]
    missing = sorted(
        f"{found['file']}:{found['range']['start']['line'] + 1}: {message}"
        if "range" in found
        else f"{symbol['name']}: {message}"
        for symbol in completeness["symbols"]
        for found in symbol["diagnostics"]
        if found["severity"] == "error"
        for message in [" ".join(found["message"].split())]
    )
    print("\n".join(dict.fromkeys(missing)))
    score = completeness["completenessScore"]
    print(f"{score:.2%} of the surface has known types")
    sys.exit(score < 1)


if __name__ == "__main__":
    main()
