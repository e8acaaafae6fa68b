"""Conversations in the order and shape that every vendor takes."""

from __future__ import annotations

from typing import Any

from antiphon.providers.arrangement import FOLLOWS, NO_RESULT, arranged, data_url, short_id
from tests.providers.conversations import PICTURE, SOUND
from tests.providers.llm_contract import called, result, user


def test_results_stand_behind_their_calls() -> None:
    """Whatever came in between follows; a result that is missing has a note in its place."""
    first, second = called("a", "f", "{}"), called("b", "g", "{}")
    both = {"role": "assistant", "tool_calls": [*first["tool_calls"], *second["tool_calls"]]}
    messages = arranged([both, user("Well?"), result("b", "2")])
    assert [m.get("tool_call_id", m["role"]) for m in messages] == ["assistant", "a", "b", "user"]
    assert messages[1]["content"] == NO_RESULT
    assert messages[2]["content"] == "2"


def test_results_without_calls_and_repeated_calls() -> None:
    """The one is told by a developer message, the other is left out."""
    once = [called("a", "f", "{}"), result("a", "1")]
    messages = arranged([result("gone", "0"), *once, called("a", "f", "{}")])
    assert messages[0] == {"role": "developer", "content": "0"}
    assert [m["role"] for m in messages] == ["developer", "assistant", "tool"]


def test_an_id_that_is_used_again_is_another_call() -> None:
    """Two turns that number their calls alike keep both calls, each with its own result."""
    first = [called("call_0", "f", "{}"), result("call_0", "1")]
    second = [called("call_0", "f", "{}"), result("call_0", "2")]
    messages = arranged([user("a"), *first, user("b"), *second])
    ids = [m["tool_calls"][0]["id"] for m in messages if m["role"] == "assistant"]
    assert len(set(ids)) == 2
    answers = [(m["tool_call_id"], m["content"]) for m in messages if m["role"] == "tool"]
    assert answers == list(zip(ids, ["1", "2"], strict=True))


def test_pictures_are_the_user_s() -> None:
    """A picture in a result follows all results of its answer, unless it may stay."""
    looked = [called("a", "look", "{}"), {**result("a", ""), "content": [PICTURE]}]
    call, answer, picture = arranged(looked)
    assert answer["content"] == FOLLOWS
    assert picture == {"role": "user", "content": [PICTURE]}
    assert arranged(looked, pictures_in_results=True)[1]["content"] == [PICTURE]
    told = {"role": "developer", "content": [{"type": "text", "text": "See."}, SOUND]}
    assert arranged([told]) == [
        {"role": "developer", "content": "See."},
        {"role": "user", "content": [SOUND]},
    ]
    assert call["tool_calls"] == looked[0]["tool_calls"]


def test_what_is_empty_is_left_out() -> None:
    """Messages without words, parts and calls are gone; a refusal is text."""
    empty: list[dict[str, Any]] = [
        {"role": "assistant", "content": None},
        user(" "),
        {"role": "user", "content": [{"type": "text", "text": ""}]},
    ]
    refusal = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    assert arranged([*empty, refusal]) == [{"role": "assistant", "content": "No."}]


def test_ids_are_shortened_only_where_they_must_be() -> None:
    """Long ids get a short one of their own, always the same."""
    assert short_id("call_1", limit=40) == "call_1"
    long = [short_id("x" * 60 + end, limit=40) for end in "aba"]
    assert len(long[0]) == 40
    assert long[0] == long[2] != long[1]


def test_data_urls_are_read() -> None:
    """A data URL gives its type and data, another URL nothing."""
    found = data_url("data:image/png;base64,AAAA")
    assert found is not None
    assert (found.type, found.data) == ("image/png", "AAAA")
    assert data_url("https://example.com/x.png") is None
