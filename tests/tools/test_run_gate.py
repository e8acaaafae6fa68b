"""When an owed inference is due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon.tools.run_gate import RunGate


class Span:
    """An epoch."""

    def __init__(self, *, live: bool) -> None:
        self.live = live


EPOCH = Span(live=False)
"""The one that is over when a test interrupts."""


def test_owed_and_quiet_is_due() -> None:
    """With nobody speaking an owed inference is due at once, and paid by being sent."""
    gate = RunGate()
    assert not gate.due
    gate.owe()
    assert gate.due
    gate.inference_sent(1, EPOCH)
    assert not gate.due


def test_it_waits_for_the_user() -> None:
    """While the user speaks nothing is due; after the turn it is, unless its inference paid."""
    gate = RunGate()
    gate.user_speaking(True)
    gate.owe()
    assert not gate.due
    gate.user_speaking(False)
    assert gate.due
    gate.user_speaking(True)
    gate.inference_sent(1, EPOCH)
    gate.user_speaking(False)
    assert not gate.due


def test_it_waits_for_the_bot_and_for_the_answer_under_way() -> None:
    """Speech and an answer that has not come out yet both stand against it."""
    gate = RunGate()
    gate.owe()
    gate.response_started(EPOCH)
    assert not gate.due
    gate.bot_speaking(True)
    gate.response_ended(None)
    assert not gate.due
    gate.bot_speaking(False)
    assert gate.due


def test_an_inference_cut_off_unheard_is_owed_again() -> None:
    """Results whose inference was interrupted before anything was heard are not lost."""
    gate = RunGate()
    gate.owe()
    gate.inference_sent(1, EPOCH)
    gate.response_started(EPOCH)
    gate.interrupted()
    assert gate.due


def test_an_inference_that_was_heard_has_paid() -> None:
    """Once the caller heard something of the answer an interruption owes nothing."""
    gate = RunGate()
    gate.owe()
    gate.inference_sent(1, EPOCH)
    gate.response_started(EPOCH)
    gate.response_heard(None)
    gate.interrupted()
    assert not gate.owed


def test_hearing_an_older_answer_pays_nothing() -> None:
    """Only an answer to a context that has the results in it tells the caller about them."""
    gate = RunGate()
    gate.owe()
    gate.inference_sent(7, EPOCH)
    gate.response_heard(6)
    gate.interrupted()
    assert gate.owed
    gate.inference_sent(8, EPOCH)
    gate.response_heard(8)
    gate.interrupted()
    assert not gate.owed


def test_an_interruption_leaves_what_came_after_it() -> None:
    """It may be heard of late: an inference and an answer of the present epoch go on."""
    gate = RunGate()
    epoch = Span(live=True)
    gate.owe()
    gate.inference_sent(7, epoch)
    gate.response_started(epoch)
    gate.interrupted()
    assert not gate.owed
    gate.owe()
    assert not gate.due
    epoch.live = False
    gate.interrupted()
    assert gate.due


@given(
    st.lists(
        st.sampled_from(
            ["owe", "sent", "u+", "u-", "b+", "b-", "start", "heard", "end", "interrupted"]
        ),
        max_size=30,
    )
)
def test_nothing_is_due_while_anybody_speaks_and_all_is_due_in_silence(events: list[str]) -> None:
    """After any history: due means owed and quiet, and quiet with a debt means due."""
    gate = RunGate()
    user = bot = False
    for event in events:
        match event:
            case "owe":
                gate.owe()
            case "sent":
                gate.inference_sent(1, EPOCH)
            case "u+" | "u-":
                user = event == "u+"
                gate.user_speaking(user)
            case "b+" | "b-":
                bot = event == "b+"
                gate.bot_speaking(bot)
            case "start":
                gate.response_started(EPOCH)
            case "heard":
                gate.response_heard(None)
            case "end":
                gate.response_ended(None)
            case "interrupted":
                gate.interrupted()
        assert not (gate.due and (user or bot))
    gate.user_speaking(False)
    gate.bot_speaking(False)
    gate.response_ended(None)
    assert gate.due == gate.owed
