"""A text that is said piece by piece."""

from __future__ import annotations

import re

from antiphon.text.draft import Draft


def test_what_is_said_is_not_touched_again() -> None:
    """A later rule sees only what is still open."""
    draft = Draft("a 12 b 3")
    draft.rewrite(re.compile(r"\d\d"), lambda match: "3 and 3")
    draft.rewrite(re.compile(r"3"), lambda match: "three")
    assert draft.text == "a 3 and 3 b three"


def test_a_rule_may_leave_what_it_is_not_sure_of() -> None:
    """None leaves the text open for the rules after it."""
    draft = Draft("1 2")
    draft.rewrite(re.compile(r"\d"), lambda match: "one" if match[0] == "1" else None)
    draft.rewrite(re.compile(r"\d"), lambda match: "two")
    assert draft.text == "one two"


def test_nothing_between_the_spans_is_lost() -> None:
    """Spans at the beginning, at the end and beside each other."""
    draft = Draft("abcd")
    draft.replace(lambda text: [(0, 1, "A"), (1, 2, "B"), (3, 4, "D")])
    assert draft.text == "ABcD"
    draft.replace(lambda text: [(0, 0, "")])
    assert draft.text == "ABcD"
