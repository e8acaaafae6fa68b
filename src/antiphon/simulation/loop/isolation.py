"""The rest of the world during a run: wall clock, sleep and entropy come from the loop's seed.

Libraries draw ids, masks and nonces from the system, and stamp messages with `time.time()`. While a
run is sealed they get the simulated clock and random numbers of the seed, so that two runs of a
seed agree in these as well.

What escapes: names imported before (`from time import time`), `datetime.now()`, generators that
seed themselves in C (`random.Random()`, numpy's). `time.perf_counter` is left alone, for measuring.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from antiphon.simulation.loop.loop import VirtualTimeLoop


@contextmanager
def sealed(loop: VirtualTimeLoop) -> Iterator[None]:
    """Seals the world for a run on `loop`."""
    entropy = loop.stream("entropy")

    def urandom(size: int) -> bytes:
        return entropy.randbytes(size)

    replacements: list[tuple[Any, str, Any]] = [
        (os, "urandom", urandom),
        (random, "_urandom", urandom),
        (time, "time", loop.wall_time),
        (time, "time_ns", lambda: round(loop.wall_time() * 1e9)),
        (time, "monotonic", loop.time),
        (time, "monotonic_ns", lambda: round(loop.time() * 1e9)),
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
