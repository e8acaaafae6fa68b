"""Sent is not heard: calls whose line misbehaves at any moment (`edges`)."""

from __future__ import annotations

import collections
import os

from tests.laws.edges import Edge, EdgeCall, violations

SEEDS = int(os.environ.get("ANTIPHON_SEEDS", "300"))


def test_what_is_remembered_was_heard_however_the_line_behaves() -> None:
    """In calls that are hung up, lost, restored and broken anywhere, content + unheard = text, what
    is content was heard by the caller, and the session ends.
    """
    edges: collections.Counter[Edge] = collections.Counter()
    for seed in range(SEEDS):
        call = EdgeCall(seed)
        assert violations(call.hold()) == [], f"seed {seed}: {call.edge} at {call.at:.2f}"
        edges[call.edge] += 1
    assert len(edges) == len(Edge)
