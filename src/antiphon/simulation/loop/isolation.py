"""The rest of the world during a run: wall clock, sleep and entropy come from the loop's seed.

Libraries draw ids, masks and nonces from the system, and stamp messages with `time.time()`. While a
run is sealed they get the simulated clock and random numbers of the seed, so that two runs of a
seed agree in these as well.

A module that is first imported during a run, and takes such a function by its name, keeps working
afterwards and in the runs to come: what stands in its place asks for the run of the moment.

What escapes: names imported before (`from time import time`), `datetime.now()`, generators that
seed themselves in C (`random.Random()`, numpy's). `time.perf_counter` is left alone, for measuring.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from antiphon.simulation.loop.loop import VirtualTimeLoop

P = ParamSpec("P")
T = TypeVar("T")


class _Seal:
    """The world of one run."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        self._loop = loop
        self._entropy = loop.stream("entropy")

    def urandom(self, size: int) -> bytes:
        return self._entropy.randbytes(size)

    def time(self) -> float:
        return self._loop.wall_time()

    def time_ns(self) -> int:
        return round(self._loop.wall_time() * 1e9)

    def monotonic(self) -> float:
        return self._loop.time()

    def monotonic_ns(self) -> int:
        return round(self._loop.time() * 1e9)


_now: list[_Seal] = []
"""The seal that holds, if one does."""

_REPLACED: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
    (os, "urandom", _Seal.urandom),
    (random, "_urandom", _Seal.urandom),
    (time, "time", _Seal.time),
    (time, "time_ns", _Seal.time_ns),
    (time, "monotonic", _Seal.monotonic),
    (time, "monotonic_ns", _Seal.monotonic_ns),
)


@contextmanager
def sealed(loop: VirtualTimeLoop) -> Iterator[None]:
    """Seals the world for a run on `loop`."""
    originals = [(module, name, getattr(module, name)) for module, name, _ in _REPLACED]
    state = random.getstate()
    random.seed(f"{loop.seed}:global")
    before, _now[:] = list(_now), [_Seal(loop)]
    for module, name, replacement in _REPLACED:
        setattr(module, name, _of_the_run(replacement, getattr(module, name)))
    try:
        yield
    finally:
        for module, name, value in originals:
            setattr(module, name, value)
        _now[:] = before
        random.setstate(state)


def _of_the_run(simulated: Callable[..., T], original: Callable[P, T]) -> Callable[P, T]:
    """The function of the run of the moment, and the system's where there is none."""

    def function(*args: P.args, **kwargs: P.kwargs) -> T:
        return simulated(_now[-1], *args, **kwargs) if _now else original(*args, **kwargs)

    return function


def beside(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which runs beside the simulation while virtual time stands still.

    Raises what it raises.
    """
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualTimeLoop):
        loop.may_take_long = True
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="antiphon-beside") as thread:
            return thread.submit(asyncio.run, work).result()
    finally:
        if isinstance(loop, VirtualTimeLoop):
            loop.may_take_long = False
