from __future__ import annotations

import io

from antiphon.observe.conversation_log import (
    ErrorRecord,
    InterruptionRecord,
    TurnDecision,
)
from antiphon.observe.happenings import (
    AgentFinished,
    AgentInterrupted,
    AgentStarted,
    CallerTurnEnded,
    CallerVoice,
    ErrorSeen,
    Happening,
    ToolFinished,
    ToolStarted,
    TurnDecided,
)
from antiphon.observe.timeline import Timeline, clock, figures, latency_table
from tests.observe.sample import sample_log


def happenings() -> list[Happening]:
    """Everything that can happen, from the sample."""
    log = sample_log()
    call, cut = log.tools[0], log.agent_turns[4]
    error = ErrorRecord(at=50.0, processor="TTS", message="no voice", category="server")
    return [
        CallerVoice(at=1.0, active=True),
        CallerTurnEnded(at=3.0, turn=log.user_turns[0]),
        AgentStarted(at=4.5, turn=log.agent_turns[0]),
        AgentFinished(at=7.4, turn=log.agent_turns[0]),
        ToolStarted(at=11.9, call=call),
        ToolFinished(at=24.0, call=call),
        AgentInterrupted(at=40.5, record=InterruptionRecord(at=40.5, agent_turn=4)),
        AgentFinished(at=40.5, turn=cut),
        ErrorSeen(at=50.0, record=error),
        TurnDecided(
            at=51.0,
            decision=TurnDecision(
                at=51.0, what="turn stopped", strategy="Silence", reason="0.6 s", fact="deadline"
            ),
        ),
        TurnDecided(
            at=60.0,
            decision=TurnDecision(at=60.0, what="turn stopped", strategy="", reason="the end"),
        ),
    ]


PLAIN = """\
 0:01.0  Caller  Hello! Who am I talking to?
 0:04.5  Agent   Hi! I am Ada, your guide to London.
                 1.90 s: end of turn 0.45 (STT 0.30), LLM first token 0.40, TTS first audio 0.97, playout 0.08
 0:11.9  Tool    get_weather(location="London") is running
 0:24.0  Tool    get_weather gave {"conditions": "cloudy", "temperature_celsius": 18} after 12.1 s
 0:40.5          the caller interrupts
 0:35.6  Agent   The Thames is the longest river in England. It flows through [not heard: London and past many famous places.]
                 2.20 s: end of turn 0.45 (STT 0.30), LLM first token 0.40, TTS first audio 1.27, playout 0.08
 0:50.0  Error   TTS no voice
 0:51.0          turn stopped: 0.6 s (Silence, on deadline)
 1:00.0          turn stopped: the end (the turn machine)
"""  # noqa: E501


def test_without_a_terminal_the_timeline_is_plain_text() -> None:
    """One line for each thing said, called, cut off or gone wrong, and each split latency."""
    out = io.StringIO()
    timeline = Timeline(out)
    timeline.start()
    for happening in happenings():
        timeline(happening)
    timeline.stop()
    assert out.getvalue() == PLAIN


def test_on_a_terminal_it_has_colours_and_the_same_words() -> None:
    """Words said and not heard both appear, the latter struck through."""
    out = io.StringIO()
    timeline = Timeline(out, color=True)
    timeline.start()
    for happening in happenings():
        timeline(happening)
    timeline.stop()
    text = out.getvalue()
    assert "\x1b[" in text
    assert "Who am I talking to?" in text
    assert "the caller interrupts" in text


def test_an_utterance_nobody_heard_says_so() -> None:
    """What was generated and cut off before a word was heard is shown as such."""
    out = io.StringIO()
    turn = sample_log().agent_turns[0]
    turn.start, turn.heard = None, ""
    Timeline(out)(AgentFinished(at=3.0, turn=turn))
    assert "cut off before a word was heard" in out.getvalue()
    assert turn.generated in out.getvalue()


def test_times_are_minutes_and_tenths() -> None:
    """Rounded, never 0:60."""
    assert [clock(t) for t in (0.0, 59.96, 61.25, -1.0)] == ["0:00.0", "1:00.0", "1:01.2", "0:00.0"]


def test_the_table_shows_every_stage() -> None:
    """A dash where something was not measured; long questions are cut."""
    latency = sample_log().agent_turns[0].latency
    assert latency is not None
    assert figures(latency).startswith("1.90 s: end of turn 0.45")
    rows: list[str] = []
    latency_table([("x" * 50, latency)], rows.append)
    assert rows[0].split() == ["reply", "to", "end", "of", "turn", "STT", "LLM", "TTS", "playout",
                               "total"]  # fmt: skip
    assert rows[1].split() == ["x" * 33 + "…", "0.45", "0.30", "0.40", "0.97", "0.08", "1.90"]
