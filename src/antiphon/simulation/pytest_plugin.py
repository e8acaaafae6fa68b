"""pytest: the fixture `virtual_time`, which runs a coroutine in virtual time."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

import pytest

from antiphon.simulation import virtual_time as _virtual_time

T = TypeVar("T")


class RunInVirtualTime(Protocol):
    """`virtual_time(main(), seed=3)`: see `antiphon.simulation.virtual_time.run`."""

    def __call__(self, coro: Coroutine[Any, Any, T], *, seed: int | None = None) -> T: ...


@pytest.fixture
def virtual_time() -> RunInVirtualTime:
    """Runs a coroutine in virtual time."""
    return _virtual_time.run
