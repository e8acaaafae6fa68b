"""The command line: `antiphon demo`, `talk`, `models`, `simulate`, `replay`."""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec
from typing import TextIO

from antiphon.errors import AntiphonError, MissingExtraError


class _PresentStderr(logging.StreamHandler[TextIO]):
    """Writes to what is `sys.stderr` at the moment: a live display puts itself in its place."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """Stays `sys.stderr`."""


def main() -> None:
    """What the `antiphon` command runs. Errors that the user can mend are one line, exit code 2."""
    for module in ("typer", "rich"):
        if find_spec(module) is None:
            print(MissingExtraError("The command line", "cli", module), file=sys.stderr)
            sys.exit(2)
    from antiphon.cli.app import app

    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(message)s", handlers=[_PresentStderr()]
    )
    try:
        app(prog_name="antiphon")
    except AntiphonError as error:
        print(f"antiphon: {error}", file=sys.stderr)
        sys.exit(2)
