from __future__ import annotations

import pytest

from antiphon.observe.conversation_log import AgentTurn, ConversationLog, ReplyLatency, Trigger
from antiphon.observe.latency import LatencySummary, ReplyInstants, split, summarize

FULL = ReplyInstants(
    speech_end=10.0,
    transcribed=10.3,
    decided=10.5,
    first_token=11.0,
    first_audio=12.0,
    audible=12.1,
)


def stages(latency: ReplyLatency) -> tuple[float | None, ...]:
    """The stages in order, rounded, then stt and the total."""
    values = (
        latency.end_of_turn,
        latency.llm_first_token,
        latency.tts_first_audio,
        latency.playout,
        latency.stt,
        latency.total,
    )
    return tuple(None if v is None else round(v, 3) for v in values)


@pytest.mark.parametrize(
    ("instants", "expected"),
    [
        (FULL, (0.5, 0.5, 1.0, 0.1, 0.3, 2.1)),
        # The model was started before the turn was decided: its stage is 0, the next one shorter.
        (
            ReplyInstants(
                speech_end=10.0, decided=11.0, first_token=10.6, first_audio=12.0, audible=12.1
            ),
            (1.0, 0.0, 1.0, 0.1, None, 2.1),
        ),
        # A stage nobody saw: its time falls to the next.
        (
            ReplyInstants(speech_end=10.0, decided=10.5, first_audio=12.0, audible=12.1),
            (0.5, None, 1.5, 0.1, None, 2.1),
        ),
        # Nobody spoke: counted from the decision to run the model.
        (
            ReplyInstants(decided=20.0, first_token=20.5, first_audio=21.0, audible=21.1),
            (None, 0.5, 0.5, 0.1, None, 1.1),
        ),
        # Never heard.
        (
            ReplyInstants(speech_end=10.0, decided=10.5, first_token=11.0),
            (0.5, 0.5, None, None, None, None),
        ),
        (ReplyInstants(), (None,) * 6),
    ],
)
def test_a_wait_splits_into_stages(
    instants: ReplyInstants, expected: tuple[float | None, ...]
) -> None:
    """Each stage runs from the end of the one before it, whatever was not seen or came early."""
    assert stages(split(instants)) == expected


@pytest.mark.parametrize("early", [-3.0, 0.0, 0.4, 3.0])
def test_the_stages_add_up_to_the_total(early: float) -> None:
    """However early the model was run, end of turn, model, voice and playout make up the wait."""
    latency = split(
        ReplyInstants(
            speech_end=10.0, decided=11.0, first_token=11.0 + early, first_audio=14.5, audible=14.6
        )
    )
    parts = (
        latency.end_of_turn,
        latency.llm_first_token,
        latency.tts_first_audio,
        latency.playout,
    )
    assert sum(p for p in parts if p is not None) == pytest.approx(latency.total)


def turn(index: int, reply_to: int | None, total: float | None) -> AgentTurn:
    """An utterance that could be heard."""
    return AgentTurn(
        index=index,
        trigger=Trigger.USER,
        reply_to=reply_to,
        start=float(index),
        heard="yes",
        latency=ReplyLatency(total=total),
    )


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([], (0, None, None, None)),
        ([turn(0, 0, 2.0), turn(1, 1, 1.0), turn(2, 2, 4.0)], (3, 2.0, 1.0, 4.0)),
        ([turn(0, 0, 2.0), turn(1, 1, 1.0)], (2, 1.5, 1.0, 2.0)),
        # A second utterance for the same turn, and one that nobody asked for, do not count.
        ([turn(0, 0, 2.0), turn(1, 0, 9.0), turn(2, None, 0.1)], (1, 2.0, 2.0, 2.0)),
    ],
)
def test_the_summary_counts_the_first_reply_to_each_turn(
    turns: list[AgentTurn], expected: tuple[int, float | None, float | None, float | None]
) -> None:
    """Median, fastest and slowest are over the first audible reply to each turn of the caller."""
    replies, median, fastest, slowest = expected
    assert summarize(ConversationLog(agent_turns=turns)) == LatencySummary(
        replies=replies, median=median, fastest=fastest, slowest=slowest
    )
