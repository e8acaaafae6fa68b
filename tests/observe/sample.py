"""One conversation made up for the tests of this folder and of the page."""

from __future__ import annotations

import numpy as np

from antiphon.audio.pcm import to_bytes
from antiphon.observe.conversation_log import (
    AgentTurn,
    ConversationLog,
    InterruptionRecord,
    Party,
    ReplyLatency,
    SpeechSpan,
    ToolCallRecord,
    ToolOutcome,
    Trigger,
    UserTurn,
)
from antiphon.observe.recording import TwoSides
from antiphon.observe.words import rest_of

RATE = 16_000
SECS = 60.0

_TURNS = [
    (1.0, 2.6, "Hello! Who am I talking to?"),
    (8.2, 10.9, "What is the weather like in London today?"),
    (15.0, 18.4, "It was the best of times, it was the worst of times."),
    (31.6, 33.4, "Tell me something about the river Thames."),
    (40.1, 42.0, "Wait, sorry. How old is the Tower?"),
    (51.0, 52.4, "Thank you, goodbye."),
]
_CUT = "The Thames is the longest river in England. It flows through"
_ANSWERS: list[tuple[float, float, str, str | None, int | None, Trigger]] = [
    (4.5, 7.4, "Hi! I am Ada, your guide to London.", None, 0, Trigger.USER),
    (12.6, 14.2, "Let me check on that.", None, 1, Trigger.SPEAK),
    (20.5, 25.0, "That is the opening of A Tale of Two Cities by Charles Dickens.", None, 2,
     Trigger.USER),
    (26.4, 30.8, "By the way, the weather in London is cloudy with eighteen degrees.", None, None,
     Trigger.TOOL),
    (35.6, 40.5, f"{_CUT} London and past many famous places.", _CUT, 3, Trigger.USER),
    (44.1, 48.8, "The Tower of London is nearly a thousand years old.", None, 4, Trigger.USER),
    (54.3, 57.9, "You are welcome. Enjoy your stay, goodbye!", None, 5, Trigger.USER),
]  # fmt: skip


def sample_log() -> ConversationLog:
    """Six turns, a slow tool, one interruption, 60 s."""
    log = ConversationLog(title="A visit to London", started_at="2026-11-22T05:00:00.000+00:00")
    log.duration = SECS
    log.parts = {
        "Speech to text": "Moonshine tiny (local)",
        "Language model": "Qwen2.5-Coder-0.5B-Instruct (local)",
        "Voice": "Piper joe (local)",
    }
    log.notes = {"Agent's speech transcribed back": "word error rate 2.1 %"}
    _add_user_turns(log)
    _add_agent_turns(log)
    log.tools.append(
        ToolCallRecord(
            id="call_1",
            name="get_weather",
            arguments={"location": "London"},
            start=11.9,
            end=24.0,
            is_async=True,
            outcome=ToolOutcome.RESULT,
            result={"conditions": "cloudy", "temperature_celsius": 18},
        )
    )
    log.interruptions.append(InterruptionRecord(at=40.5, agent_turn=4))
    log.context = [
        {"role": "user", "content": _TURNS[3][2]},
        {"role": "assistant", "content": _ANSWERS[4][3]},
    ]
    return log


def _add_user_turns(log: ConversationLog) -> None:
    for index, (start, end, text) in enumerate(_TURNS):
        log.speech.append(SpeechSpan(side=Party.CALLER, start=start, end=end, text=text))
        log.user_turns.append(
            UserTurn(
                index=index,
                start=start,
                started=start + 0.2,
                speech_end=end,
                transcribed=end + 0.3,
                stopped=end + 0.45,
                text=text,
                interrupting=index == 4,
            )
        )


def _add_agent_turns(log: ConversationLog) -> None:
    for index, (start, end, generated, heard, reply_to, trigger) in enumerate(_ANSWERS):
        text = generated if heard is None else heard
        log.speech.append(SpeechSpan(side=Party.AGENT, start=start, end=end, text=text))
        log.agent_turns.append(
            AgentTurn(
                index=index,
                trigger=trigger,
                reply_to=reply_to,
                start=start,
                end=end,
                generated=generated,
                heard=text,
                unheard=rest_of(generated, text),
                interrupted=heard is not None,
                latency=None if reply_to is None else _latency(start - _TURNS[reply_to][1]),
            )
        )


def _latency(total: float) -> ReplyLatency:
    return ReplyLatency(
        end_of_turn=0.45,
        stt=0.3,
        llm_first_token=0.4,
        tts_first_audio=total - 0.93,
        playout=0.08,
        total=total,
    )


def sample_sides(log: ConversationLog | None = None) -> TwoSides:
    """Noise with the rhythm of speech where somebody speaks in `log`."""
    spans = (log or sample_log()).speech
    random = np.random.default_rng(7)
    time = np.arange(int(SECS * RATE)) / RATE
    tracks = {}
    for side in Party:
        gate = np.zeros_like(time)
        for span in spans:
            if span.side is side and span.end is not None:
                gate[(time >= span.start) & (time < span.end)] = 1.0
        syllables = np.abs(np.sin(2 * np.pi * 2.1 * time)) * (0.6 + 0.4 * np.sin(0.7 * time))
        tracks[side] = to_bytes(gate * syllables * random.normal(0, 0.12, len(time)))
    return TwoSides(RATE, tracks[Party.CALLER], tracks[Party.AGENT])
