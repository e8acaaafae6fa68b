"""What is left of a conversation: files, figures, and a verdict."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from antiphon.audio.pcm import to_float
from antiphon.demo.verdict import Promise, ReadBack, promises, read_back
from antiphon.observe.conversation_log import ConversationLog, ReplyLatency
from antiphon.observe.latency import summarize
from antiphon.observe.report import render
from antiphon.observe.timeline import latency_table
from antiphon.providers.local.stt import LocalSTTProvider

if TYPE_CHECKING:
    from antiphon.demo.conversation import HeldConversation

RECORDING, TRANSCRIPT, REPORT = "conversation.wav", "transcript.json", "report.html"


async def finish(
    held: HeldConversation,
    out: pathlib.Path,
    *,
    say: Callable[[str], None],
    check: bool = True,
    turns: int | None = None,
) -> bool:
    """Writes the files, says how it went; False if something essential is missing.

    `turns`: how many turns the caller's script has; None for a conversation without one.
    """
    log = held.log
    spoken = ""
    if check:
        back = await transcribed_back(held)
        spoken = f"transcribed back, {back.error_rate:.1%} of the words differ"
        log.notes["Agent's recorded speech"] = spoken
    kept = promises(log, turns=turns) if turns is not None else []
    if kept:
        log.notes["Promises kept"] = _tally(kept)
    write(held, out)
    say("")
    latency_table(latency_rows(log), say)
    summary = summarize(log)
    if summary.median is not None:
        say(
            f"\nThe caller waited {summary.median:.2f} s in the median for an answer, "
            f"{summary.fastest:.2f} to {summary.slowest:.2f} s."
        )
    if spoken:
        say(f"The agent's recorded speech: {spoken}.")
    for promise in kept:
        say(f"  {'✓' if promise.kept else '✗'} {promise.text}")
    say("")
    for name in (REPORT, RECORDING, TRANSCRIPT):
        say(f"{out / name}")
    return all(promise.kept for promise in kept if promise.essential)


def _tally(kept: list[Promise]) -> str:
    broken = [promise.text for promise in kept if not promise.kept]
    count = f"{len(kept) - len(broken)} of {len(kept)}"
    return f"{count}; not: {', '.join(broken)}" if broken else count


async def transcribed_back(held: HeldConversation) -> ReadBack:
    """The agent's side of the recording through the embedded transcriber."""
    stt = LocalSTTProvider()
    await stt.connect()
    return await stt.lane.run(
        lambda: read_back(held.log, held.sides, lambda pcm: stt.read(to_float(pcm)))
    )


def write(held: HeldConversation, out: pathlib.Path) -> None:
    """The three files."""
    out.mkdir(parents=True, exist_ok=True)
    held.sides.write(out / RECORDING)
    (out / TRANSCRIPT).write_bytes(held.log.to_json())
    (out / REPORT).write_text(render(held.log, held.sides), encoding="utf-8")


def latency_rows(log: ConversationLog) -> list[tuple[str, ReplyLatency]]:
    """Each reply to the caller: what was asked, and how long it took."""
    return [
        (log.user_turns[turn.reply_to].text, turn.latency)
        for turn in log.agent_turns
        if turn.reply_to is not None and turn.latency is not None and turn.start is not None
    ]
