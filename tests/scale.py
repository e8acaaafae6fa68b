"""How much the tests with random input try: `ANTIPHON_TEST_SCALE=10` is ten times as much."""

from __future__ import annotations

import os

from hypothesis import settings

SCALE = int(os.environ.get("ANTIPHON_TEST_SCALE", "1"))


def examples(number: int = 200) -> settings:
    """Settings of a property: so many examples, and `SCALE` times as many in a nightly run."""
    return settings(max_examples=number * SCALE)
