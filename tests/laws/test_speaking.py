"""Law 3, its second half: the context says what was heard.

Random conversations through the real voice service, the real output and the assistant's half of
the context, in virtual time, with voices that deliver words and sound as they like and somebody who
cuts in at any instant. Each is checked against a reference that only knows which samples were
written (`speaking.reference`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from tests.laws.speaking.coverage import CUTS, VOICES, happenings
from tests.laws.speaking.reference import Law, violations
from tests.laws.speaking.session import Session

SEEDS = 3_000


@dataclass
class Sweep:
    """What came of all conversations."""

    broken: dict[Law, dict[int, str]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    estimates: Counter[int] = field(default_factory=Counter)
    cuts: int = 0
    chunks: int = 0


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    """Every seed is a conversation of its own."""
    all_of_it = Sweep()
    for seed in range(SEEDS):
        session = Session(seed).run()
        for law, what in violations(session):
            all_of_it.broken.setdefault(law, {}).setdefault(seed, what)
        all_of_it.seen += happenings(session)
        if not session.record.failed:
            all_of_it.estimates.update(session.estimates)
        all_of_it.cuts += len(session.record.cuts)
        all_of_it.chunks += len(session.record.chunks)
    return all_of_it


def test_the_context_is_what_was_heard(sweep: Sweep) -> None:
    """Word for word: whole when it was played out, cut at the last heard word, nothing when nothing
    was played; only a word in the air at the cut may or may not count.
    """
    assert sweep.broken.get(Law.CONTEXT, {}) == {}


def test_nothing_stale_is_audible(sweep: Sweep) -> None:
    """No sample of before an interruption is written after it, but for 10 ms where a fade is asked
    for; what is not cut off is heard whole, once and in order.
    """
    assert sweep.broken.get(Law.SOUND, {}) == {}


def test_no_frame_overtakes_or_is_stale(sweep: Sweep) -> None:
    """Words and frames between them come out in one order, and none after its interruption."""
    assert sweep.broken.get(Law.ORDER, {}) == {}


def test_what_may_not_be_dropped_comes_out(sweep: Sweep) -> None:
    """Every uninterruptible frame, once and in order, whatever was cut off around it."""
    assert sweep.broken.get(Law.KEPT, {}) == {}


def test_a_word_comes_out_when_it_has_been_heard(sweep: Sweep) -> None:
    """Not a sample before its end was played, and no later than the voice told of it."""
    assert sweep.broken.get(Law.HEARD, {}) == {}


def test_the_agent_starts_and_stops_in_turn(sweep: Sweep) -> None:
    """Started and Stopped alternate, and everything audible lies between them."""
    assert sweep.broken.get(Law.FLOOR, {}) == {}


def test_turns_pair_up(sweep: Sweep) -> None:
    """Every answer and every greeting that began is told of exactly once, as cut off or not."""
    assert sweep.broken.get(Law.TURNS, {}) == {}


def test_what_was_not_heard_is_kept_apart(sweep: Sweep) -> None:
    """What was heard and what was not are together what was generated."""
    assert sweep.broken.get(Law.UNHEARD, {}) == {}


def test_every_conversation_ends(sweep: Sweep) -> None:
    """In bounded time, with no task and no exception left behind."""
    assert sweep.broken.get(Law.CLEAN, {}) == {}


def test_the_sweep_leaves_nothing_out(sweep: Sweep) -> None:
    """Each kind of cut, and each way of a voice, is there many times."""
    print(sweep.cuts, sweep.chunks, sweep.seen)
    assert sweep.cuts > SEEDS / 2
    assert {kind: sweep.seen[kind] for kind in (*CUTS, *VOICES) if sweep.seen[kind] < 50} == {}


def test_an_estimate_is_close(sweep: Sweep) -> None:
    """Where the voice does not tell its words' times, a cut is off by more than one word seldom,
    and never by more than four.
    """
    print(sorted(sweep.estimates.items()))
    total = sum(sweep.estimates.values())
    near = sum(count for off, count in sweep.estimates.items() if abs(off) <= 1)
    assert total > 100
    assert near >= 0.94 * total, sorted(sweep.estimates.items())
    assert max(map(abs, sweep.estimates)) <= 4
