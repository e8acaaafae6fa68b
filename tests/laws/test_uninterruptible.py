"""Law 2: an uninterruptible frame is handled exactly once by every processor on its way."""

from __future__ import annotations

from tests.laws.plan import Flavour
from tests.laws.scenario import sweep


def test_uninterruptible_and_urgent_frames_are_handled_exactly_once() -> None:
    """Of 500 runs full of such frames and of interruptions, none loses or doubles one."""
    assert sweep(range(500), Flavour.KEEPING) == {}
