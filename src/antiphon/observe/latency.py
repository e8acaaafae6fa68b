"""Splits the caller's wait for a reply into its stages. Pure: instants in, durations out."""

from __future__ import annotations

import msgspec

from antiphon.observe.conversation_log import ConversationLog, ReplyLatency


class ReplyInstants(msgspec.Struct, frozen=True, kw_only=True):
    """When the stages of one reply were reached, in seconds; None: not seen."""

    speech_end: float | None = None
    """True end of the caller's speech."""
    transcribed: float | None = None
    """Final transcript."""
    decided: float | None = None
    """The turn was over; or the tool's result came, where nobody had spoken."""
    first_token: float | None = None
    """First text or tool call of the model."""
    first_audio: float | None = None
    """First synthesised audio."""
    audible: float | None = None
    """First audio played."""


def split(instants: ReplyInstants) -> ReplyLatency:
    """The stages add up to the total.

    A stage begins where the one before it ended, so one that was reached early (a model that was
    started before the turn was decided) counts as 0 and shortens the next. A stage that was not
    seen is None, and its time falls to the next one that was.
    """
    begin = instants.speech_end if instants.speech_end is not None else instants.decided
    if begin is None:
        return ReplyLatency()
    durations: list[float | None] = []
    edge = begin
    for index, instant in enumerate(
        (instants.decided, instants.first_token, instants.first_audio, instants.audible)
    ):
        if instant is None or (index == 0 and instants.speech_end is None):
            durations.append(None)
            continue
        durations.append(max(0.0, instant - edge))
        edge = max(edge, instant)
    stt = None
    if instants.transcribed is not None and instants.speech_end is not None:
        stt = max(0.0, instants.transcribed - instants.speech_end)
    return ReplyLatency(
        end_of_turn=durations[0],
        stt=stt,
        llm_first_token=durations[1],
        tts_first_audio=durations[2],
        playout=durations[3],
        total=None if instants.audible is None else max(0.0, instants.audible - begin),
    )


class LatencySummary(msgspec.Struct, frozen=True, kw_only=True):
    """Figures over the replies to the caller, in seconds."""

    replies: int
    median: float | None
    fastest: float | None
    slowest: float | None


def summarize(log: ConversationLog) -> LatencySummary:
    """Counts the first audible utterance after each turn of the caller, and no other."""
    totals: list[float] = []
    seen: set[int] = set()
    for turn in log.agent_turns:
        if turn.reply_to is None or turn.reply_to in seen or turn.start is None:
            continue
        if turn.latency is not None and turn.latency.total is not None:
            seen.add(turn.reply_to)
            totals.append(turn.latency.total)
    totals.sort()
    if not totals:
        return LatencySummary(replies=0, median=None, fastest=None, slowest=None)
    middle = len(totals) // 2
    median = totals[middle] if len(totals) % 2 else (totals[middle - 1] + totals[middle]) / 2
    return LatencySummary(replies=len(totals), median=median, fastest=totals[0], slowest=totals[-1])
