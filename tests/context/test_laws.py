"""The laws of context and tools, on random conversations."""

from __future__ import annotations

import pytest

from tests.context import fuzz


@pytest.mark.parametrize("first", range(0, 5000, 100))
def test_random_conversations_keep_the_laws(first: int, caplog: pytest.LogCaptureFixture) -> None:
    """The context is valid at every step, each call ends once, each result is told and heard."""
    caplog.set_level("CRITICAL", "antiphon")
    for seed in range(first, first + 100):
        fuzz.check(seed)
