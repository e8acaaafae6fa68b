"""One turn of the assistant: what is remembered of it, and how it ended."""

from __future__ import annotations

import pytest

from antiphon.context.assistant_turn import AssistantTurn, remainder


class Always:
    """An epoch that does not end."""

    live = True


def turn(response_id: int | None = 1) -> AssistantTurn:
    return AssistantTurn(Always(), response_id, "now")


def test_words_of_two_utterances_are_two_words() -> None:
    """Within an utterance the spaces are in the words; between two there is one in any case."""
    said = turn()
    said.hear("One", spaced=True, utterance="a")
    said.hear(" two", spaced=True, utterance="a")
    said.hear("three", spaced=True, utterance="b")
    assert said.heard == "One two three"


def test_what_is_said_aside_is_not_taken_for_the_answer() -> None:
    """Both are in what was heard; what was not heard is the rest of each."""
    said = turn()
    said.hear("One two. ", spaced=True, utterance="a")
    said.begin_aside("b", "A moment please.")
    said.hear("A moment", spaced=True, utterance="b")
    assert said.heard == "One two. A moment"
    assert said.unheard("One two. Three.") == "please. Three."


@pytest.mark.parametrize(
    ("generated", "heard", "rest"),
    [
        ("one two three", "one", "two three"),
        ("one two three", "", "one two three"),
        ("see https://x.example for more. Bye.", "see for", "https://x.example more. Bye."),
        ("a https://a and a b", "a and", "https://a a b"),
        ("你好 https://x 世界和平", "你好世界", "https://x 和平"),
        ("New York is big", "NewYork", "is big"),
    ],
)
def test_what_was_taken_away_in_the_middle_was_not_heard(
    generated: str, heard: str, rest: str
) -> None:
    """What was not heard is all the words in between and behind, each once and in order."""
    assert remainder(generated, heard) == rest
