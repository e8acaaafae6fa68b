"""What a stranger's code came to, as data: every `Exception` it raises is taken as its result."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self


class HandlerOutcome:
    """Use it as a context manager around the code; the code sets `value`.

    Whatever is no `Exception` (a cancellation, the end of the program) goes its way.
    """

    def __init__(self) -> None:
        self.value: Any = None
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if isinstance(error, Exception):
            self.error = error
            return True
        return False
