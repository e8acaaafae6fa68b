"""What was heard of an answer's sound."""

from __future__ import annotations

from antiphon.services.realtime_played import PlayedLedger


def cut(ledger: PlayedLedger, now: float) -> list[tuple[str, float]]:
    """What a cut says, rounded."""
    return [(item, round(secs, 3)) for item, secs in ledger.cut(now)]


def test_sound_is_heard_at_the_pace_of_time() -> None:
    """A cut in the middle of the second item leaves the first alone and forgets the third."""
    ledger = PlayedLedger()
    for item in "abc":
        ledger.sent(item, 1.0, 10.0)
        ledger.sent(item, 1.0, 10.0)
    ledger.started(10.0)
    assert cut(ledger, 13.25) == [("b", 1.25), ("c", 0.0)]
    assert cut(ledger, 14.0) == []


def test_what_was_not_audible_yet_was_not_heard() -> None:
    """Sound that was sent before the agent became audible counts from then on."""
    ledger = PlayedLedger()
    ledger.sent("a", 3.0, 1.0)
    assert cut(ledger, 5.0) == [("a", 0.0)]


def test_silence_means_that_all_was_played() -> None:
    """After a gap in the middle of an item its sound goes on from where it was."""
    ledger = PlayedLedger()
    ledger.sent("a", 1.0, 0.0)
    ledger.started(0.0)
    ledger.stopped()
    assert cut(ledger, 3.0) == []
    ledger.sent("a", 1.0, 4.0)
    ledger.started(4.0)
    ledger.stopped()
    ledger.sent("a", 2.0, 5.0)
    ledger.started(5.0)
    assert cut(ledger, 5.5) == [("a", 1.5)]


def test_held_sound_is_not_heard() -> None:
    """Time does not count while the agent's speech is held; nor when it does not speak."""
    ledger = PlayedLedger()
    ledger.held(0.0, True)
    ledger.sent("a", 5.0, 0.5)
    ledger.started(1.0)
    ledger.held(2.0, True)
    ledger.held(4.0, False)
    assert cut(ledger, 4.5) == [("a", 1.5)]


def test_time_without_sound_is_not_heard() -> None:
    """A gap that is too short for the agent to be called silent counts for nothing."""
    ledger = PlayedLedger()
    ledger.sent("a", 1.0, 0.0)
    ledger.started(0.0)
    ledger.sent("a", 1.0, 1.5)
    assert cut(ledger, 2.0) == [("a", 1.5)]
