"""Valid conversations, and mending others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.context.messages import LLMSpecificMessage
from antiphon.context.validate import problems, repaired


def calls(*ids: str) -> dict[str, Any]:
    return {
        "role": "assistant",
        "tool_calls": [
            {"id": i, "type": "function", "function": {"name": "f", "arguments": "{}"}} for i in ids
        ],
    }


def answer(call_id: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": "ok"}


USER = {"role": "user", "content": "x"}

VALID: list[list[Any]] = [
    [],
    [USER],
    [calls("1"), answer("1")],
    [calls("1", "2"), answer("2"), answer("1"), USER],
    [calls("1"), answer("1"), calls("2"), answer("2")],
    [LLMSpecificMessage("x", object()), USER],
]

INVALID: list[tuple[list[Any], str]] = [
    ([{"role": "robot", "content": "x"}], "role"),
    ([{"role": "user", "content": ""}], "empty"),
    ([{"role": "assistant"}], "empty"),
    ([calls("1")], "without the results"),
    ([calls("1"), USER, answer("1")], "before the results"),
    ([calls("1", "2"), answer("1")], "without the results"),
    ([answer("1")], "no call"),
    ([calls("1"), answer("1"), answer("1")], "no call"),
    ([calls("1"), answer("1"), calls("1"), answer("1")], "repeats"),
    ([calls("1"), LLMSpecificMessage("x", 1), answer("1")], "between calls"),
    ([{"role": "user", "content": [{"type": "smell"}]}], "part of type"),
    ([{"role": "user", "content": "\ud800"}], "cannot be sent"),
    ([{"role": "user", "content": [{"type": "text", "text": float("nan")}]}], "cannot be sent"),
]


@pytest.mark.parametrize("messages", VALID)
def test_valid_conversations_have_no_problems(messages: list[Any]) -> None:
    """What every provider accepts is not complained about, and not mended either."""
    assert problems(messages) == []
    repair = repaired(messages)
    assert repair.done == ()
    assert all(a is b for a, b in zip(repair.messages, messages, strict=True))


@pytest.mark.parametrize(("messages", "complaint"), INVALID)
def test_every_breach_is_found(messages: list[Any], complaint: str) -> None:
    """Each rule has a breach, and the complaint says which."""
    assert complaint in " ".join(problems(messages))


@given(
    st.lists(
        st.sampled_from(
            [
                USER,
                calls("1"),
                calls("2"),
                calls("1", "2"),
                answer("1"),
                answer("2"),
                {"role": "assistant", "content": "y"},
                {"role": "user", "content": ""},
            ]
        ),
        max_size=8,
    )
)
def test_repairing_makes_any_order_of_messages_valid(messages: list[Any]) -> None:
    """However calls and results were shuffled or lost, the mended list is valid and keeps text."""
    repair = repaired(messages)
    assert problems(repair.messages) == []
    texts = [m["content"] for m in messages if m.get("content") in {"x", "y"}]
    mended: list[Any] = list(repair.messages)
    assert [m["content"] for m in mended if m.get("content") in {"x", "y"}] == texts
    assert bool(repair.done) == (mended != messages)
