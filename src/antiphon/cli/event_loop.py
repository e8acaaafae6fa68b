"""The event loop of the commands that talk in real time: uvloop where it is installed."""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

VARIABLE = "ANTIPHON_LOOP"
"""`asyncio` in it keeps to the loop of the standard library."""


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop's (the extra `uvloop`), or one of the standard library's."""
    wanted = os.environ.get(VARIABLE, "") != "asyncio"
    if wanted and importlib.util.find_spec("uvloop") is not None:
        import uvloop

        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    return asyncio.new_event_loop()


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` on such a loop."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(main)
