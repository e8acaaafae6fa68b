#!/usr/bin/env python3
"""Writes `src/antiphon/__init__.pyi`, the public names as type checkers see them.

The table in `src/antiphon/__init__.py` is the only source; `make format` runs this and
`tests/test_public_api.py` fails when the two disagree.
"""

from __future__ import annotations

from pathlib import Path

import antiphon

STUB = Path(antiphon.__file__).with_suffix(".pyi")


def stub() -> str:
    """The text of the stub: every public name, re-exported from its module."""
    return "\n".join(
        [
            "# Generated from __init__.py by scripts/stub.py.",
            "",
            *(
                f"from {module} import {name} as {name}"
                for module, name in sorted((antiphon._MODULE_OF[n], n) for n in antiphon.__all__)
            ),
            "",
            "__version__: str",
            "_MODULE_OF: dict[str, str]",
            "__all__ = [",
            *(f'    "{name}",' for name in antiphon.__all__),
            "]",
            "",
        ]
    )


if __name__ == "__main__":
    STUB.write_text(stub(), encoding="utf-8")
