from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from antiphon.audio.pcm import to_samples
from antiphon.demo.verdict import ReadBack, context_holds_only_heard, promises, read_back
from antiphon.observe.conversation_log import ConversationLog
from antiphon.observe.recording import TwoSides
from tests.observe.sample import RATE, sample_log, sample_sides

TURNS = len(sample_log().user_turns)


def broken(log: ConversationLog) -> list[str]:
    """The promises that were not kept, by their first words."""
    return [" ".join(p.text.split()[:4]) for p in promises(log, turns=TURNS) if not p.kept]


def test_a_good_conversation_keeps_all_promises() -> None:
    """Nothing is broken in the sample."""
    assert broken(sample_log()) == []


def _unanswered(log: ConversationLog) -> None:
    log.agent_turns[-1].heard = ""


def _idle_while_waiting(log: ConversationLog) -> None:
    log.tools[0].end = 14.0


def _never_told(log: ConversationLog) -> None:
    log.agent_turns[3].heard = ""


def _not_cut(log: ConversationLog) -> None:
    log.agent_turns[4].interrupted = False


def _context_with_more(log: ConversationLog) -> None:
    log.context[1]["content"] = log.agent_turns[4].generated


def _lost_turn(log: ConversationLog) -> None:
    log.user_turns[3].text = ""


def _split_turn(log: ConversationLog) -> None:
    half = msgspec.structs.replace(log.user_turns[-1], index=len(log.user_turns))
    log.user_turns.append(half)
    log.agent_turns.append(msgspec.structs.replace(log.agent_turns[-1], reply_to=half.index))


@pytest.mark.parametrize(
    ("spoil", "which"),
    [
        (_unanswered, ["every turn of the"]),
        (_idle_while_waiting, ["the talk went on"]),
        (_never_told, ["its result was told"]),
        (_not_cut, ["the caller cut the", "after which the context"]),
        (_context_with_more, ["after which the context"]),
        (_lost_turn, ["every turn of the", "a pause in mid-sentence"]),
        (_split_turn, ["a pause in mid-sentence"]),
    ],
)
def test_each_promise_can_be_broken(
    spoil: Callable[[ConversationLog], None], which: list[str]
) -> None:
    """What is missing from a conversation breaks the promise that is about it, and no other."""
    log = sample_log()
    spoil(log)
    assert broken(log) == which


def test_only_an_unanswered_turn_is_a_failure() -> None:
    """The other promises are told, not enforced: a busy machine may miss an interruption."""
    assert [p.essential for p in promises(sample_log(), turns=TURNS)] == [True] + [False] * 5


@pytest.mark.parametrize(
    ("content", "holds"),
    [
        ("The Thames is the longest river in England. It flows through", True),
        ("The Thames is the longest river in England. It flows through London", True),
        ("The Thames is the longest river in England. It flows", True),
        ("The Thames is the longest river in England. It flows through London and past", False),
        ("The Thames is long.", False),
    ],
)
def test_the_context_may_differ_by_the_last_word(content: str, *, holds: bool) -> None:
    """A word that was being said when the caller cut in may be on either side."""
    log = sample_log()
    log.context[1]["content"] = content
    assert context_holds_only_heard(log, log.agent_turns[4]) is holds


def test_each_utterance_is_read_back_by_itself() -> None:
    """The reader gets the agent's sound of each audible utterance, at its rate."""
    log = sample_log()
    sides = sample_sides(log)
    lengths: list[float] = []

    def reader(pcm: bytes) -> str:
        lengths.append(len(to_samples(pcm)) / RATE)
        return "word"

    double = TwoSides(RATE, sides.caller, sides.agent)
    back = read_back(log, double, reader)
    spans = [(t.end or 0.0) - (t.start or 0.0) for t in log.agent_turns]
    assert lengths == pytest.approx([span + 0.3 for span in spans], abs=0.01)
    assert back.transcribed == " ".join(["word"] * len(spans))
    assert back.heard.startswith("Hi! I am Ada")


@pytest.mark.parametrize(
    ("heard", "transcribed", "rate"),
    [
        ("There are 7 days.", "There are seven days.", 0.0),
        ("Goodbye!", "Good-bye.", 0.0),
        ("In London it is cloudy.", "In London at his cloudy.", 0.4),
    ],
)
def test_the_same_words_written_otherwise_are_the_same(
    heard: str, transcribed: str, rate: float
) -> None:
    """Figures and spellings do not count as errors."""
    assert ReadBack(heard, transcribed).error_rate == pytest.approx(rate)
