#!/usr/bin/env python3
"""Resolves requirements/*.in to pinned, hashed requirements/*.txt, for every Python and platform.

    scripts/pin.py             keeps the versions that still fit
    scripts/pin.py --upgrade   takes the newest ones

A lock file holds names, versions, markers and hashes and nothing else: where packages come from is
the business of the machine that installs them. `dev` is resolved first and constrains the others,
so that no two files name different versions of one package.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
WITHOUT_DEPENDENCIES = ("models", "weights")


def compile_file(name: str, *extra: str) -> None:
    """Writes `requirements/<name>.txt`."""
    subprocess.run(
        [
            str(Path(sys.executable).with_name("uv")),
            *("pip", "compile", "--quiet", "--system-certs"),
            *("--universal", "--fork-strategy", "fewest", "--python-version", "3.11"),
            *("--generate-hashes", "--no-annotate", "--no-header"),
            *("--output-file", str(FOLDER / f"{name}.txt")),
            *extra,
            str(FOLDER / f"{name}.in"),
        ],
        check=True,
        cwd=ROOT,
    )


def main() -> None:
    """Compiles every file."""
    options = [argument for argument in sys.argv[1:] if argument == "--upgrade"]
    compile_file("dev", *options)
    for path in sorted(FOLDER.glob("*.in")):
        if path.stem in WITHOUT_DEPENDENCIES:
            compile_file(path.stem, "--no-deps", *options)
        elif path.stem != "dev":
            compile_file(path.stem, "--constraints", str(FOLDER / "dev.txt"), *options)
    for path in sorted(FOLDER.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        if "://" in text:
            sys.exit(f"{path.name} names a place: {text[text.index('://') - 40 :][:100]!r}")


if __name__ == "__main__":
    main()
