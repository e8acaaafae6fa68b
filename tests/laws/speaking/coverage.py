"""What happened in a conversation, so that a sweep can show that it left nothing out."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

from tests.laws.speaking.reference import Played
from tests.laws.speaking.session import Session

CUTS = (
    "a cut before anything was heard",
    "a cut within a word",
    "a cut between two utterances",
    "a cut when everything had been heard",
    "a cut within a greeting",
    "a cut within an aside",
    "two cuts at one instant",
    "a cut while the conversation ends",
    "a conversation that is cancelled",
)
VOICES = (
    *(f"words told {kind}" for kind in ("NEVER", "EARLY", "BEFORE", "AFTER", "LATE")),
    *(f"text read in {kind}" for kind in ("PIECES", "STREAM", "WHOLE")),
    "a later utterance was made before an earlier one",
    "odd bytes",
    "a voice that breaks off",
    "a voice slower than speech",
)


def happenings(session: Session) -> Counter[str]:
    """Which of these there were, and how often."""
    voice, record = session.voice, session.record
    seen = Counter(_cuts(session))
    seen[f"words told {voice.words.name}"] += 1
    seen[f"text read in {voice.reading.name}"] += 1
    seen["a later utterance was made before an earlier one"] += record.overtaken > 0
    seen["odd bytes"] += any(size % 2 for size in voice.sizes)
    seen["a voice that breaks off"] += record.failed
    seen["a voice slower than speech"] += voice.speed < 1.0
    seen["a conversation that is cancelled"] += record.cancelled_at is not None
    return seen


def _cuts(session: Session) -> Iterator[str]:
    record, played = session.record, Played(session)
    for epoch, at in enumerate(record.cuts):
        order = played.orders[epoch]
        turns = record.turns[epoch]
        spoken = [t for turn in turns for t in turn.tokens if t.number]
        if not spoken:
            continue
        token = record.tokens[order[-1]] if order else None
        if token is None:
            yield "a cut before anything was heard"
        elif not played.whole(token):
            yield "a cut within a word"
            turn = next(turn for turn in turns if token in turn.tokens)
            if turn.greeting:
                yield "a cut within a greeting"
            elif token.aside:
                yield "a cut within an aside"
        elif len(order) == len(spoken):
            yield "a cut when everything had been heard"
        elif any(turn.tokens and turn.tokens[-1] is token for turn in turns):
            yield "a cut between two utterances"
        if record.ending_at is not None and at >= record.ending_at:
            yield "a cut while the conversation ends"
    yield from ("two cuts at one instant" for a, b in itertools.pairwise(record.cuts) if a == b)
