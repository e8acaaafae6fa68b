"""What a stranger's code came to, as data: whatever it raises is taken as its result."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self


class HandlerOutcome:
    """Use it as a context manager around the code; the code sets `value`.

    A `BaseException` of the code's own is among the results (a panic of Rust code, the `SystemExit`
    of an argument parser); a cancellation and the user's Ctrl-C go their way.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None or isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
            return False
        self.error = error
        return True
