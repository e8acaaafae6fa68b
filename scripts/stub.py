#!/usr/bin/env python3
"""Writes the stubs of the packages with tables of public names, for type checkers.

The tables in the `__init__.py` of these packages are the only source; `make format` runs this and
`tests/test_public_api.py` fails when stub and table disagree.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import antiphon
import antiphon.simulation
import antiphon.simulation.contracts
import antiphon.simulation.faults

PACKAGES = (
    antiphon,
    antiphon.simulation,
    antiphon.simulation.contracts,
    antiphon.simulation.faults,
)


def path_of(package: ModuleType) -> Path:
    """The file of a package's stub."""
    return Path(str(package.__file__)).with_suffix(".pyi")


def stub(package: ModuleType) -> str:
    """The text of the stub: every public name, re-exported from its module."""
    public = package._public
    version = ["__version__: str"] if package is antiphon else []
    return "\n".join(
        [
            "# Generated from __init__.py by scripts/stub.py.",
            "",
            "from antiphon.public_names import PublicNames",
            *(
                f"from {module} import {name} as {name}"
                for module, name in sorted((public.module_of[n], n) for n in public.names)
            ),
            "",
            *version,
            "_public: PublicNames",
            "__all__ = [",
            *(f'    "{name}",' for name in public.names),
            "]",
            "",
        ]
    )


if __name__ == "__main__":
    for package in PACKAGES:
        path_of(package).write_text(stub(package), encoding="utf-8")
