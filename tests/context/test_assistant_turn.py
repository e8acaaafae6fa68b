"""One turn of the assistant: what is remembered of it, and how it ended."""

from __future__ import annotations

from antiphon.context.assistant_turn import AssistantTurn


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
