"""The command line: `antiphon demo`, `antiphon talk`, `antiphon models`."""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec

from antiphon.errors import AntiphonError, MissingExtraError


def main() -> None:
    """What the `antiphon` command runs. Errors that the user can mend are one line, exit code 2."""
    for module in ("typer", "rich"):
        if find_spec(module) is None:
            print(MissingExtraError("The command line", "cli", module), file=sys.stderr)
            sys.exit(2)
    from antiphon.cli.app import app

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    try:
        app(prog_name="antiphon")
    except AntiphonError as error:
        print(f"antiphon: {error}", file=sys.stderr)
        sys.exit(2)
