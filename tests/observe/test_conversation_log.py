from __future__ import annotations

import pathlib

import pytest

from antiphon.errors import InvalidInputError
from antiphon.observe.conversation_log import ConversationLog
from tests.observe.sample import sample_log


def test_a_log_survives_json(tmp_path: pathlib.Path) -> None:
    """Reading back what was written gives the same conversation."""
    path = tmp_path / "transcript.json"
    path.write_bytes(sample_log().to_json())
    assert ConversationLog.load(path) == sample_log()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not json", "talk.json is not a conversation log"),
        (b'{"version": 99}', "talk.json has format version 99; this program reads 1"),
    ],
)
def test_what_is_no_log_is_refused_by_name(
    tmp_path: pathlib.Path, data: bytes, message: str
) -> None:
    """One error names the file and what is wrong with it."""
    path = tmp_path / "talk.json"
    path.write_bytes(data)
    with pytest.raises(InvalidInputError, match=message):
        ConversationLog.load(path)


def test_turns_without_an_audible_answer_are_found() -> None:
    """A turn counts as answered only by an utterance that replies to it and was heard."""
    log = sample_log()
    assert log.unanswered() == []
    log.agent_turns[2].heard = ""
    log.agent_turns[5].start = None
    assert [turn.index for turn in log.unanswered()] == [2, 4]


def test_a_turn_without_words_needs_no_answer() -> None:
    """A cough that opened a turn is not counted as unanswered."""
    log = sample_log()
    log.agent_turns.clear()
    for turn in log.user_turns[1:]:
        turn.text = ""
    assert [turn.index for turn in log.unanswered()] == [0]
