"""What must hold in every conversation, computed from the samples that were written.

`violations` knows what was sent, in which order, what the voice gave and which samples were written
when. It asks nothing of the framework but what came out of it.
"""

from __future__ import annotations

import array
import enum
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from antiphon.frames.audio import TTSAudioRawFrame
from antiphon.frames.text import AggregatedTextFrame, TTSTextFrame
from antiphon.frames.turns import BotSpeakingFrame, BotStartedSpeakingFrame, BotStoppedSpeakingFrame
from tests.laws.speaking.record import CHUNK_SECS, RATE, Chunk, Token, Turn
from tests.laws.speaking.session import FADE_SECS, Must, Note, Session
from tests.laws.speaking.voice import Words

TIE_SECS = 1e-4
"""What happens closer together than this happens at one instant."""
LATE_SECS = 0.2
"""How late something may be where computing takes time and stalls."""


class Law(enum.Enum):
    """What must hold."""

    CLEAN = "the conversation ends, and leaves nothing behind"
    SOUND = "words are heard whole and in order, and nothing stale"
    ORDER = "frames come out in order, and none that is stale"
    KEPT = "what may not be dropped comes out once, in order"
    HEARD = "a word comes out when it has been heard, and soon"
    FLOOR = "the agent starts and stops in turn, around its sound"
    TURNS = "each turn begins once and ends once, interrupted or not as it was"
    CONTEXT = "what is written is what was heard"
    UNHEARD = "what was not heard is told apart"


Violation = tuple[Law, str]


def violations(session: Session) -> list[Violation]:
    """What broke which law; empty if all hold."""
    played = Played(session)
    found = [(Law.CLEAN, text) for text in session.record.wrong]
    found += [(Law.SOUND, text) for text in played.stale]
    found += [(Law.SOUND, text) for text in _order_of_sound(played)]
    found += [(Law.ORDER, text) for text in _order_of_frames(session)]
    found += [(Law.HEARD, text) for text in _heard(played)]
    found += [(Law.KEPT, text) for text in _kept(session)]
    found += [(Law.FLOOR, text) for text in _floor(session)]
    return found + list(Turns(played).check())


# ---- the sound ---------------------------------------------------------------------------------


@dataclass
class Sound:
    """What was written of one word, and when the last of it."""

    samples: int = 0
    last: float = 0.0


class Played:
    """The sound of a conversation, word by word."""

    def __init__(self, session: Session) -> None:
        self.session, self.record = session, session.record
        self.stale: list[str] = []
        self.words: dict[int, Sound] = {}
        self.orders: list[list[int]] = [[] for _ in self.record.turns]
        self._last_epoch = 0
        for chunk in self.record.chunks:
            self._read(chunk)

    def _read(self, chunk: Chunk) -> None:
        values = array.array("h", chunk.pcm)
        first, self._last_epoch = chunk.epoch != self._last_epoch, chunk.epoch
        for value, run in itertools.groupby(values):
            if value == 0:
                continue
            count = sum(1 for _ in run)
            token = self.record.tokens.get(value)
            if token is None or token.epoch != chunk.epoch:
                if first and self.session.fade and _fades(values):
                    return
                self.stale.append(
                    f"{count} samples of {value} at {chunk.at:.4f} in epoch {chunk.epoch}"
                )
                continue
            sound = self.words.setdefault(value, Sound())
            sound.samples, sound.last = sound.samples + count, chunk.at
            order = self.orders[chunk.epoch]
            if not order or order[-1] != value:
                order.append(value)

    def is_last(self, epoch: int) -> bool:
        """Whether nothing cut this stretch off."""
        return epoch == len(self.record.cuts) and self.record.cancelled_at is None

    def whole(self, token: Token) -> bool:
        """Whether all of a word was written."""
        sound = self.words.get(token.number)
        return sound is not None and 0 < token.samples <= sound.samples

    def heard_at(self, token: Token) -> float:
        """When all of a word that was written whole had been heard."""
        return self.words[token.number].last + CHUNK_SECS * self.session.paced

    @property
    def slack(self) -> float:
        """How far apart things may be that belong together."""
        return TIE_SECS if self.session.exact else LATE_SECS

    def surely(self, token: Token, by: float) -> bool:
        """Whether it was heard, and known to have been, so long before `by` that it must count."""
        known = token.told_at if self.session.voice.words is not Words.NEVER else 0.0
        return self.whole(token) and max(self.heard_at(token), known) + self.slack <= by

    def perhaps(self, token: Token, by: float) -> bool:
        """Whether it may have been heard by then."""
        return self.whole(token) and self.heard_at(token) - self.slack <= by

    def arranged(self, turn: Turn) -> list[Token]:
        """The words of a turn, with what is said aside where it was heard: after the sentences
        that were complete, before those that began later.
        """
        heard = {n: at for at, n in enumerate(itertools.chain.from_iterable(self.orders))}
        own = [token for token in turn.tokens if not token.aside]
        asides = [token for token in turn.tokens if token.aside]
        said: dict[int, list[Token]] = {}
        for aside, group in itertools.groupby(asides, key=lambda token: token.aside):
            tokens = list(group)
            at = next((heard[t.number] for t in tokens if t.number in heard), None)
            place, most = _sentence(own, aside)
            if at is None:
                place = most
            else:
                earlier = (i for i in range(place, most) if heard.get(own[i].number, at) < at)
                place = max(earlier, default=place - 1) + 1
            said.setdefault(place, []).extend(tokens)
        places = range(len(own) + 1)
        return [t for i in places for t in (*said.get(i, ()), *own[i : i + 1])]


def _fades(values: Sequence[int]) -> bool:
    """Whether a chunk is the fading end of something, followed by silence."""
    return not any(values[round(FADE_SECS * RATE) :])


def _sentence(tokens: list[Token], place: int) -> tuple[int, int]:
    """Where the sentence that is open at this place of the script begins and ends."""
    before = sum(1 for token in tokens if token.place < place)
    closed = [i + 1 for i in range(before - 1) if _closes(tokens[i])]
    if before and not tokens[before - 1].number:
        closed.append(before)
    begin = max(closed, default=0)
    end = next((i + 1 for i in range(before, len(tokens)) if _closes(tokens[i])), len(tokens))
    return begin, before if begin == before else end


def _closes(token: Token) -> bool:
    return token.number == 0 or token.text[-1] in ".!"


def _order_of_sound(played: Played) -> Iterator[str]:
    record = played.record
    for epoch, order in enumerate(played.orders):
        last = played.is_last(epoch)
        tokens = [t for turn in record.turns[epoch] for t in played.arranged(turn)]
        said = [token.number for token in tokens if token.yielded > 1]
        if order != said[: len(order)] or (last and len(order) < len(said)):
            yield f"epoch {epoch}: {order} is heard of {said}"
        for number in order:
            got, given = played.words[number].samples, record.tokens[number].yielded // 2
            cut = number == order[-1] and not last
            if got > given or (got < given - record.failed and not cut):
                yield f"epoch {epoch}: {got} of {given} samples of {number} are heard"


# ---- the frames --------------------------------------------------------------------------------


def _order_of_frames(session: Session) -> Iterator[str]:
    record = session.record
    words = {token.text: token for token in record.tokens.values()}
    ends = {t.text: turn.ended_at_place for ts in record.turns for turn in ts for t in turn.tokens}
    notes: dict[int, int] = {}
    tokens: dict[int, int] = {}
    for at, epoch, frame in record.came:
        if isinstance(frame, Note):
            if notes.get(epoch, 0) >= frame.place:
                yield f"note {frame.place} comes out behind note {notes[epoch]}"
            if tokens.get(epoch, 0) > frame.place:
                yield f"note {frame.place} comes out behind a word that was sent later"
            if record.notes[frame.place] != epoch:
                yield f"note {frame.place} comes out at {at:.4f} in epoch {epoch}"
            notes[epoch] = frame.place
        elif isinstance(frame, TTSAudioRawFrame):
            number = next(filter(None, array.array("h", frame.audio)), 0)
            spoken = record.tokens.get(number)
            if number and (spoken is None or spoken.epoch != epoch):
                yield f"the sound of {number} comes out at {at:.4f} in epoch {epoch}"
        elif _is_word(frame):
            token = words[frame.text.strip()]
            if token.epoch != epoch:
                yield f"{token.text} of epoch {token.epoch} comes out at {at:.4f} in epoch {epoch}"
            end = ends[token.text]
            if end is not None and end < notes.get(epoch, 0):
                yield f"{token.text} comes out behind a note that was sent later"
            tokens[epoch] = max(tokens.get(epoch, 0), token.place)


def _heard(played: Played) -> Iterator[str]:
    session, record = played.session, played.record
    if session.voice.words is Words.NEVER or not session.exact:
        return
    words = {token.text: token for token in record.tokens.values()}
    # A frame without a time of its own waits for the sound that was sent before it, and words
    # behind it wait too.
    known: dict[int, float] = {}
    for at, epoch, frame in record.came:
        if not isinstance(frame, TTSTextFrame):
            continue
        token = words[frame.text.strip()]
        if not played.whole(token) or at + played.slack < played.heard_at(token):
            yield f"{token.text} comes out at {at:.4f}, before it has been heard"
            continue
        known[epoch] = max(known.get(epoch, 0.0), played.heard_at(token), token.told_at)
        held = record.failed or record.musts or epoch in record.notes.values()
        if at - played.slack > known[epoch] and not held:
            yield f"{token.text} comes out at {at:.4f}, and was heard by {known[epoch]:.4f}"


def _is_word(frame: object) -> TypeGuard[AggregatedTextFrame]:
    """Whether it is something the caller reads or hears."""
    if not isinstance(frame, AggregatedTextFrame) or not frame.text.strip():
        return False
    return isinstance(frame, TTSTextFrame) or not frame.will_be_spoken


def _floor(session: Session) -> Iterator[str]:
    spans: list[list[float]] = []
    for at, _, frame in session.record.came:
        speaking = bool(spans) and len(spans[-1]) == 1
        match frame:
            case BotStartedSpeakingFrame():
                if speaking:
                    yield f"the agent starts twice, at {at:.4f}"
                spans.append([at])
            case BotStoppedSpeakingFrame():
                if not speaking:
                    yield f"the agent stops without having started, at {at:.4f}"
                else:
                    spans[-1].append(at)
            case BotSpeakingFrame() if not speaking:
                yield f"the agent speaks without having started, at {at:.4f}"
    if spans and len(spans[-1]) == 1:
        if session.record.cancelled_at is None:
            yield "the agent never stops"
        spans[-1].append(float("inf"))
    for chunk in session.record.chunks if session.exact and not session.fade else ():
        if any(chunk.pcm) and not any(begin <= chunk.at <= end for begin, end in spans):
            yield f"sound at {chunk.at:.4f}, when the agent does not speak"


def _kept(session: Session) -> Iterator[str]:
    got = [frame.number for _, _, frame in session.record.came if isinstance(frame, Must)]
    want = session.record.musts
    if session.record.cancelled_at is not None:
        want = want[: len(got)]
    if got != want:
        yield f"uninterruptible frames come out as {got}, sent {want}"


# ---- the turns ---------------------------------------------------------------------------------


class Turns:
    """The assistant's turns, and what the context has of them."""

    def __init__(self, played: Played) -> None:
        self.played, self.session, self.record = played, played.session, played.record
        self.estimated = self.session.voice.words is Words.NEVER

    def check(self) -> Iterator[Violation]:
        """One turn for each that was begun, in order, with what was heard of it."""
        record = self.record
        if record.open_turns:
            yield Law.TURNS, f"{len(record.open_turns)} turns never end"
        messages = self.session.context.get_messages()
        said = [message["content"] for message in messages if message["role"] == "assistant"]
        told = [turn.content for turn in record.stopped if turn.content]
        if said != told:
            yield Law.CONTEXT, f"the context has {said}, the turns {told}"
        for epoch, turns in enumerate(record.turns):
            yield from self._epoch(epoch, [turn for turn in turns if turn.opens])

    def _epoch(self, epoch: int, turns: list[Turn]) -> Iterator[Violation]:
        told = [turn for turn in self.record.stopped if turn.began_epoch == epoch]
        last = self.played.is_last(epoch)
        if len(told) > len(turns) or (last and len(told) < len(turns)):
            yield Law.TURNS, f"epoch {epoch}: {len(told)} turns of {len(turns)}"
            return
        end = None if last else self._end_of(epoch)
        for number, (turn, got) in enumerate(zip(turns, told, strict=False)):
            where = f"epoch {epoch}, turn {number}"
            words, kept = self._words(got.content), self._kept(turn)
            if not got.interrupted:
                if turn.ended_at_place is None:
                    yield Law.TURNS, f"{where} was cut off, and is said to have ended"
                yield from self._whole(where, words, kept)
            elif end is None or number < len(told) - 1:
                yield Law.TURNS, f"{where} was not interrupted"
            else:
                yield from self._cut_off(where, words, kept, end)
                yield from self._unheard(where, turn, words, got.unheard.split())
        for turn in turns[len(told) :]:
            if end is not None and any(self.played.surely(token, end) for token in turn.tokens):
                yield Law.TURNS, f"epoch {epoch}: a turn that was heard is not told of"

    def _end_of(self, epoch: int) -> float:
        if epoch < len(self.record.cuts):
            return self.record.cuts[epoch]
        assert self.record.cancelled_at is not None
        return self.record.cancelled_at

    def _words(self, content: str) -> list[str]:
        """What was said; where a voice broke off, the space before what is shown may be lost."""
        if self.record.failed:
            content = re.sub(r"(```c\d+```)", r" \1 ", content)
        return content.split()

    def _kept(self, turn: Turn) -> list[Token]:
        return [token for token in self.played.arranged(turn) if token.kept]

    def _whole(self, where: str, words: list[str], kept: list[Token]) -> Iterator[Violation]:
        want = [token for token in kept if not token.number or self.played.whole(token)]
        texts = [token.text for token in want]
        heard = kept if self.estimated else want
        if words == texts or (self.record.failed and self._forgivable(words, heard)):
            return
        yield Law.CONTEXT, f"{where}: {words} instead of {texts}"

    def _forgivable(self, words: list[str], want: list[Token]) -> bool:
        """Where a voice broke off, words that it did not tell the times of may be missing, and
        estimates wrong.
        """
        texts = iter([token.text for token in want])
        told = {t.text for t in want if not t.number or t.told_at < float("inf")}
        return told <= set(words) and all(word in texts for word in words)

    def _cut_off(
        self, where: str, words: list[str], kept: list[Token], at: float
    ) -> Iterator[Violation]:
        if self.record.failed:
            kept = [t for t in kept if not t.number or self.played.whole(t)]
        if words != [token.text for token in kept][: len(words)]:
            if not (self.record.failed and self.estimated):
                yield Law.CONTEXT, f"{where}: {words} is not the beginning of it"
            return
        least, most = self._least(kept, at), self._most(kept, at)
        if self.estimated:
            self.session.estimates.append(len(words) - most)
        elif not least <= len(words) <= most:
            yield Law.CONTEXT, f"{where}: {words}, but {least} to {most} were heard by {at:.4f}"

    def _least(self, kept: list[Token], at: float) -> int:
        count = 0
        for index, token in enumerate(kept):
            if token.number:
                if not self.played.surely(token, at):
                    break
                count = index + 1
        return count

    def _most(self, kept: list[Token], at: float) -> int:
        for index, token in enumerate(kept):
            if token.number and not self.played.perhaps(token, at):
                return index
        return len(kept)

    def _unheard(
        self, where: str, turn: Turn, words: list[str], unheard: list[str]
    ) -> Iterator[Violation]:
        own = [token.text for token in turn.tokens if turn.greeting or not token.aside]
        rest = own[len([word for word in words if word in own]) :]
        if self.record.failed or unheard == rest:
            return
        # What is said aside counts from when it was begun, and comes before the rest.
        asides = [t.text for t in turn.tokens if t.kept and t.text not in own + words]
        begun = unheard[: len(unheard) - len(rest)]
        if unheard != begun + rest or not set(begun) <= set(asides):
            yield Law.UNHEARD, f"{where}: {unheard} instead of {rest}"
