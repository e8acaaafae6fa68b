"""What the demonstration promised, and whether it was kept. Pure, but for the transcription."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from antiphon.audio.pcm import SAMPLE_BYTES
from antiphon.audio.resample import resample
from antiphon.observe.conversation_log import AgentTurn, ConversationLog, Trigger
from antiphon.observe.recording import TwoSides
from antiphon.observe.words import error_rate, words
from antiphon.text.numbers import speak_numbers

Reader = Callable[[bytes], str]
"""Mono PCM at 16 kHz to the words in it."""

READER_SAMPLE_RATE = 16_000
_MARGIN_SECS = 0.15


class Promise(msgspec.Struct, frozen=True):
    """One thing that the demonstration shows. `essential`: without it the demonstration failed."""

    text: str
    kept: bool
    essential: bool = False


def promises(log: ConversationLog, *, turns: int) -> list[Promise]:
    """What was promised, for a script of so many turns of the caller.

    A turn of the script that was not heard, or ran together with the next, got no answer either.
    """
    unanswered = log.unanswered()
    spoken = [turn for turn in log.user_turns if turn.text]
    call = next((call for call in log.tools if call.end is not None), None)
    news = next((t for t in log.agent_turns if t.trigger is Trigger.TOOL and t.heard), None)
    meanwhile = call is not None and any(
        turn.stopped is not None and call.start < turn.stopped < (call.end or 0.0)
        for turn in spoken
    )
    cut = next((t for t in log.agent_turns if t.interrupted and t.heard and t.unheard), None)
    return [
        Promise(
            f"every turn of the caller got a spoken answer ({len(spoken) - len(unanswered)} of "
            f"{max(len(spoken), turns)})",
            len(spoken) >= max(5, turns) and not unanswered,
            essential=True,
        ),
        Promise("the talk went on while a tool was running", meanwhile),
        Promise("its result was told when it came", news is not None),
        Promise("the caller cut the agent off in mid-sentence", cut is not None),
        Promise(
            "after which the context holds only what was heard",
            cut is not None and context_holds_only_heard(log, cut),
        ),
        Promise(
            f"a pause in mid-sentence ended no turn ({len(spoken)} turns heard, {turns} spoken)",
            len(spoken) == turns,
        ),
    ]


def context_holds_only_heard(log: ConversationLog, cut: AgentTurn) -> bool:
    """An assistant message ends where the caller stopped hearing, give or take the last word."""
    heard = words(cut.heard)
    for message in log.context:
        if message.get("role") != "assistant" or not isinstance(message.get("content"), str):
            continue
        said = words(message["content"])
        if said[: len(heard) - 1] == heard[:-1] and abs(len(said) - len(heard)) <= 1:
            return True
    return False


class ReadBack(msgspec.Struct, frozen=True):
    """The agent's recorded speech, transcribed, beside what the log says was heard."""

    heard: str
    transcribed: str

    @property
    def error_rate(self) -> float:
        """Word error rate, 0.0 for the same words however they are written."""
        return error_rate(_as_said(self.heard), _as_said(self.transcribed))


def read_back(log: ConversationLog, sides: TwoSides, reader: Reader) -> ReadBack:
    """Transcribes each utterance of the recording."""
    audible = [t for t in log.agent_turns if t.start is not None and t.end is not None and t.heard]
    texts = []
    for turn in audible:
        assert turn.start is not None
        assert turn.end is not None
        piece = _cut(sides.agent, sides.sample_rate, turn.start, turn.end)
        texts.append(reader(resample(piece, sides.sample_rate, READER_SAMPLE_RATE)))
    return ReadBack(" ".join(turn.heard for turn in audible), " ".join(texts))


def _as_said(text: str) -> str:
    return speak_numbers(text).lower().replace("good-bye", "goodbye")


def _cut(pcm: bytes, sample_rate: int, start: float, end: float) -> bytes:
    first = round(max(0.0, start - _MARGIN_SECS) * sample_rate) * SAMPLE_BYTES
    last = round((end + _MARGIN_SECS) * sample_rate) * SAMPLE_BYTES
    return pcm[first:last]
