"""The rest of the world during a run: wall clock, sleep and entropy come from the loop's seed.

Libraries draw ids, masks and nonces from the system, and stamp messages with `time.time()`. While a
run is sealed they get the simulated clock and random numbers of the seed, so that two runs of a
seed agree in these as well. `time.sleep` lets virtual time pass at once and is reported: in a real
conversation it would have stopped everybody.

What escapes: names imported before (`from time import time`), `datetime.now()`, generators that
seed themselves in C (`random.Random()`, numpy's). `time.perf_counter` is left alone, for measuring.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from antiphon.simulation.loop import VirtualTimeLoop


@contextmanager
def sealed(loop: VirtualTimeLoop) -> Iterator[None]:
    """Seals the world for a run on `loop`; blocking calls are added to `loop.blocking_calls`."""
    entropy = loop.stream("entropy")

    def urandom(size: int) -> bytes:
        return entropy.randbytes(size)

    def sleep(secs: float) -> None:
        frame = sys._getframe(1)
        place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        loop.blocking_calls.append(f"time.sleep({secs:g}) at {place}")
        loop.spend(secs)

    replacements: list[tuple[Any, str, Any]] = [
        (os, "urandom", urandom),
        (random, "_urandom", urandom),
        (time, "time", loop.wall_time),
        (time, "time_ns", lambda: round(loop.wall_time() * 1e9)),
        (time, "monotonic", loop.time),
        (time, "monotonic_ns", lambda: round(loop.time() * 1e9)),
        (time, "sleep", sleep),
    ]
    originals = [(module, name, getattr(module, name)) for module, name, _ in replacements]
    state = random.getstate()
    random.seed(f"{loop.seed}:global")
    for module, name, value in replacements:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in originals:
            setattr(module, name, value)
        random.setstate(state)
