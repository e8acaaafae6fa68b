"""What of an utterance was heard when: aligns its text with its audio.

Theory of operation
-------------------
An utterance's text comes in *pieces* (sentences, clauses), each as it is shown and as it is
spoken, its audio in seconds, and the times of words if the voice knows them. The ledger keeps the
shown text as *tokens* (a word with the space before it) and hands each out, in order, when its end
is known to lie within the audio:

* by *word times*: the words a voice reports are matched, letter by letter, with what it was given
  to speak, and that with what is shown. A voice that promises them is waited for, until its end;
* else by *estimate*: every token weighs as many letters as are spoken for it, plus its pauses, and
  the piece's seconds are shared out by weight. While the length of a piece is not known, the pace
  of the voice so far is taken (`Pace`), and a token is held back until it may have been played:
  till then more may be known. When the length is known (`piece_spoken`, `settle`, `finish`), the
  rest is shared out exactly. No piece begins in audio that was there before it was read.

*Marks* are things that have their place between the tokens: frames that must neither overtake nor
be overtaken. While a `fixed` one waits, which has its place behind the audio sent before it, no
token is held back.

A token for which nothing is spoken, because a transform took it away, is `lost`.

Invariants: tokens and marks come out once and in the order they were added; joined, the tokens are
the shown text but for what is lost; ends never decrease and never lie beyond the audio; after
`finish` everything has come out, unless there was no audio at all: then only the marks do, because
nothing was heard. Of a voice that broke off (`break_off`) what it did not get to never comes out,
but for the marks.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from difflib import SequenceMatcher

import msgspec

from antiphon.frames.base import Frame

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
# A word with the space before it; scripts without spaces give one character each; then trailing
# space.
TOKEN = re.compile(rf"\s*[{_CJK}][^\w\s{_CJK}]*|\s*[^\s{_CJK}]+|\s+$")
_IS_CJK = re.compile(rf"[{_CJK}]")
_LONG_PAUSE, _SHORT_PAUSE = ".!?…。！？।", ",;:—–、，；："
_LONG_WEIGHT, _SHORT_WEIGHT = 8.0, 4.0
"""Pauses in letters: at 20 letters a second 0.4 and 0.2 s."""
_WORD_WEIGHT = 2.0
"""Short words are slower by the letter than long ones. These weights were fitted to real speech:
cut anywhere, the words by estimate and those that a transcriber hears differ by one, seldom two."""
_CJK_WEIGHT = 4.0
_FIRST_SECS_PER_LETTER = 0.05
_ENOUGH = 0.6
"""A voice is hardly ever faster than its pace so far by more than that."""
_EPSILON = 1e-6


class SpokenWord(msgspec.Struct, frozen=True):
    """A token of the shown text (spaces included) and when it has been heard, in seconds."""

    text: str
    end_secs: float
    estimated: bool
    in_context: bool = True


class SpokenMark(msgspec.Struct, frozen=True):
    """A frame whose place is behind `end_secs` of the audio."""

    frame: Frame
    end_secs: float


Heard = SpokenWord | SpokenMark


class Pace:
    """How fast a voice speaks, learnt from the pieces whose length is known."""

    def __init__(self, secs_per_letter: float = _FIRST_SECS_PER_LETTER) -> None:
        self.secs_per_letter: float = secs_per_letter

    def learn(self, letters: float, secs: float) -> None:
        """A piece of so many letters took so long. Outliers move it little."""
        if letters < 5 or secs <= 0:
            return
        seen = min(max(secs / letters, self.secs_per_letter / 2), self.secs_per_letter * 2)
        self.secs_per_letter += 0.4 * (seen - self.secs_per_letter)


class _Token(msgspec.Struct):
    """`pause` is that part of the weight in which the word itself has been heard already."""

    text: str
    weight: float
    pause: float
    letters: int
    in_context: bool
    taken_away: bool = False
    """It has letters, and nothing is spoken for them: it is lost, whatever is heard around it."""


class _Mark(msgspec.Struct):
    frame: Frame
    fixed: bool


class _Piece:
    """The tokens of one piece that have not come out, and where the voice is in it."""

    def __init__(self, tokens: Sequence[_Token | _Mark], spoken: str, number: int) -> None:
        self.number = number
        self.left = deque(tokens)
        self.weight = sum(token.weight for token in tokens if isinstance(token, _Token))
        self.spoken = _letters(spoken)
        self.position = 0
        self.at = 0
        self.secs: float | None = None
        self.not_before = 0.0

    def length(self, pace: Pace) -> float:
        """How many seconds of audio it takes, as far as that is known."""
        return self.weight * pace.secs_per_letter if self.secs is None else self.secs

    def advance(self, word: str) -> None:
        """The voice has said these letters."""
        at = self.spoken.find(word, self.position) if word else -1
        # Far away it is another word of the same spelling: believe the order, not the spelling.
        near = 0 <= at - self.position <= 3 * max(len(word), 4)
        start = at if near else self.position
        self.position = min(start + len(word), len(self.spoken))


class SpokenLedger:
    """Aligns one utterance. Times are seconds from the beginning of its audio.

    `word_times`: the voice promises to say where its words end.
    """

    def __init__(self, pace: Pace | None = None, *, word_times: bool = False) -> None:
        self._pace = pace or Pace()
        self._pieces: deque[_Piece] = deque()
        self._count = 0
        self.audio_secs: float = 0.0
        """How much audio the utterance has so far."""
        self._begin = 0.0
        self._last_end = 0.0
        self._timed: deque[tuple[str, float]] = deque()
        self._knows_times = word_times
        self._was_told = False
        self._broken = False
        self._fixed = 0
        self.lost: str = ""
        """The shown text that nobody heard, once everything else has come out."""

    def add_piece(self, shown: str, spoken: str | None = None, *, in_context: bool = True) -> None:
        """Text goes to the voice: `spoken` where it differs from what is shown."""
        said = shown if spoken is None else spoken
        tokens = _tokens(shown, said, in_context=in_context)
        self._count += 1
        self._pieces.append(_Piece(tokens, said, self._count))

    def add_mark(self, mark: Frame, *, fixed: bool = True) -> None:
        """Something that comes out after everything added before it. See the module for `fixed`."""
        self._pieces.append(_Piece([_Mark(mark, fixed)], "", self._count))
        self._fixed += fixed

    def add_audio(self, secs: float) -> None:
        """Audio has come."""
        self.audio_secs += secs

    def add_word(self, word: str, end_secs: float) -> None:
        """The voice says that a word ends there."""
        self._knows_times = self._was_told = True
        self._timed.append((word, end_secs))

    def forget_words(self) -> None:
        """The voice begins anew."""
        self._timed.clear()

    def piece_read(self, count: int) -> None:
        """The voice has read the piece of that number: the audio so far is not its."""
        for piece in self._pieces:
            if piece.number == count and piece.weight:
                piece.not_before = self.audio_secs

    def settle(self) -> None:
        """The voice is silent and waits for more text: what has enough audio has been spoken."""
        if self._knows_times:
            return
        begin, last = self._begin, 0
        for piece in self._pieces:
            length = piece.length(self._pace)
            if begin + _ENOUGH * length > self.audio_secs:
                break
            begin, last = begin + length, piece.number
        if last:
            self.piece_spoken(last)

    def begun(self, until: float) -> int:
        """How many pieces have begun by then."""
        left = [piece for piece in self._pieces if piece.weight]
        count, begin = self._count - len(left), self._begin
        if self._knows_times:
            return count + bool(left)
        for piece in left:
            if begin > until:
                break
            count, begin = count + 1, begin + piece.length(self._pace)
        return count

    def piece_spoken(self, count: int | None = None) -> None:
        """The audio so far is that of the first `count` pieces (None: of all): it is theirs to
        share.
        """
        if self._knows_times or not self.audio_secs:
            return
        last = self._count if count is None else count
        unknown = [
            piece
            for piece in self._pieces
            if piece.secs is None and piece.weight and piece.number <= last
        ]
        total = sum(piece.weight for piece in unknown)
        known = sum(piece.secs for piece in self._pieces if piece.secs is not None)
        left = max(self.audio_secs - self._begin - known, 0.0)
        if total and left:
            self._pace.learn(total, left)
        for piece in unknown:
            piece.secs = left * piece.weight / total

    def finish(self) -> None:
        """There will be no more audio: all was spoken."""
        self._knows_times = self._was_told
        self.piece_spoken()

    def break_off(self) -> None:
        """There will be no more audio, and not all was spoken."""
        self._knows_times = self._was_told
        self._broken = True

    def take(self, until: float | None = None, played: float | None = None) -> list[Heard]:
        """What has come to an end by `until` (default: by the end of the audio so far), but for
        what is not known so well and cannot have been `played` yet.
        """
        limit = self.audio_secs if until is None else min(until, self.audio_secs)
        held = limit if played is None or self._fixed else min(limit, played)
        out: list[Heard] = []
        if self._knows_times:
            self._take_timed(limit, out)
        while self._pieces:
            piece = self._pieces[0]
            self._begin = max(self._begin, piece.not_before)
            if not self._take_from(piece, held if piece.secs is None else limit, out):
                break
            self._begin += piece.length(self._pace)
            self._pieces.popleft()
        return out

    @property
    def next_end(self) -> float | None:
        """Where the next token ends, by an estimate that may yet become better."""
        piece = self._pieces[0] if self._pieces else None
        if piece is None or self._knows_times or piece.secs is not None or not piece.weight:
            return None
        left = sum(token.weight for token in piece.left if isinstance(token, _Token))
        token = next(token for token in piece.left if isinstance(token, _Token))
        before = left - token.weight + token.pause
        return self._begin + piece.length(self._pace) * (1 - before / piece.weight)

    def drain(self) -> list[Heard]:
        """Everything that is left, once the last sample has been handed over."""
        out = self.take()
        for piece in self._pieces:
            for item in piece.left:
                if isinstance(item, _Mark):
                    out.append(self._mark(item))
                elif self.audio_secs and not self._broken:
                    self._word(item, self.audio_secs, out)
                else:
                    self.lost += item.text
        self._pieces.clear()
        return out

    # ---- by estimate ---------------------------------------------------------------------------

    def _take_from(self, piece: _Piece, limit: float, out: list[Heard]) -> bool:
        """Takes what is due from a piece; whether all of it is out."""
        length = piece.length(self._pace)
        done = piece.weight - sum(t.weight for t in piece.left if isinstance(t, _Token))
        while piece.left:
            item = piece.left[0]
            if isinstance(item, _Mark):
                out.append(self._mark(item))
            elif self._knows_times:
                return False
            else:
                done += item.weight
                share = (done - item.pause) / piece.weight if piece.weight else 0.0
                end = self._begin + length * share
                if end > limit + _EPSILON or not self.audio_secs:
                    return False
                piece.at += item.letters
                self._word(item, end, out)
            piece.left.popleft()
        return True

    def _word(self, token: _Token, end: float, out: list[Heard]) -> None:
        if token.taken_away:
            self.lost += token.text
            return
        self._last_end = max(self._last_end, min(end, self.audio_secs))
        out.append(SpokenWord(token.text, self._last_end, not self._knows_times, token.in_context))

    def _mark(self, mark: _Mark) -> SpokenMark:
        self._fixed -= mark.fixed
        return SpokenMark(mark.frame, self._last_end)

    # ---- by word times -------------------------------------------------------------------------

    def _take_timed(self, limit: float, out: list[Heard]) -> None:
        while self._timed and self._timed[0][1] <= limit + _EPSILON:
            word, end = self._timed.popleft()
            piece = self._current_piece(_letters(word), out)
            if piece is None:
                continue
            piece.advance(_letters(word))
            while piece.left and isinstance(piece.left[0], _Token):
                token = piece.left[0]
                if piece.at + token.letters > piece.position:
                    break
                piece.at += token.letters
                piece.left.popleft()
                self._word(token, end, out)
            if piece.position >= len(piece.spoken):
                self._close(piece, end, out)

    def _current_piece(self, word: str, out: list[Heard]) -> _Piece | None:
        """The piece that a word belongs to: the first with letters left, or the next that has
        it.
        """
        while self._pieces:
            piece = self._pieces[0]
            if piece.left and isinstance(mark := piece.left[0], _Mark):
                out.append(self._mark(mark))
                piece.left.popleft()
            if not piece.left:
                self._pieces.popleft()
                continue
            if word and piece.spoken.find(word, piece.position) < 0 and len(self._pieces) > 1:
                following = next((p for p in list(self._pieces)[1:] if p.spoken), None)
                if following is not None and following.spoken.startswith(word):
                    self._close(piece, self._last_end, out)
                    continue
            return piece
        return None

    def _close(self, piece: _Piece, end: float, out: list[Heard]) -> None:
        """The voice has left the piece: what it forgot to report has been said."""
        for item in piece.left:
            if isinstance(item, _Mark):
                out.append(self._mark(item))
            else:
                self._word(item, end, out)
        piece.left.clear()
        if self._pieces and self._pieces[0] is piece:
            self._pieces.popleft()


def _letters(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _weight(text: str) -> tuple[float, float]:
    """The weight, and that of the pause at the end."""
    weight, pause, in_word = 0.0, 0.0, False
    for char in text:
        if _IS_CJK.match(char):
            weight, pause, in_word = weight + _CJK_WEIGHT, 0.0, False
        elif char.isalnum():
            weight += 1.0 if in_word else 1.0 + _WORD_WEIGHT
            pause, in_word = 0.0, True
        else:
            in_word = in_word and char in "'’"
            if char in _LONG_PAUSE:
                weight, pause = weight + _LONG_WEIGHT, pause + _LONG_WEIGHT
            elif char in _SHORT_PAUSE:
                weight, pause = weight + _SHORT_WEIGHT, pause + _SHORT_WEIGHT
    return weight, pause


def _tokens(shown: str, spoken: str, *, in_context: bool) -> list[_Token | _Mark]:
    """The shown text in tokens; each with the weight and the letters of what is spoken for it."""
    texts = TOKEN.findall(shown)
    if len(texts) > 1 and texts[-1].isspace():
        texts[-2:] = ["".join(texts[-2:])]
    if shown == spoken or not texts:
        return [_Token(t, *_weight(t), len(_letters(t)), in_context) for t in texts]
    said = TOKEN.findall(spoken)
    weights, letters = [0.0] * len(texts), [0] * len(texts)
    pauses = [0.0] * len(texts)
    unspoken = _taken_away(texts, said)
    matcher = SequenceMatcher(
        None, [_letters(t) for t in texts], [_letters(t) for t in said], autojunk=False
    )
    for _, begin, end, said_begin, said_end in matcher.get_opcodes():
        span = "".join(said[said_begin:said_end])
        # What is said but not shown belongs to the word before.
        target = range(begin, end) if begin < end else range(max(begin - 1, 0), max(begin, 1))
        own = [len(_letters(texts[i])) or 1 for i in target]
        whole, total_letters, shared = sum(own), len(_letters(span)), 0
        total_weight, pause = _weight(span)
        if span:
            pauses[target[-1]] = pause
        for index, share in zip(target, own, strict=True):
            weights[index] += total_weight * share / whole
            part = round(total_letters * share / whole)
            part = total_letters - shared if index == target[-1] else part
            letters[index] += part
            shared += part
    return [
        _Token(text, weight, min(pause, weight), count, in_context, index in unspoken)
        for index, (text, weight, pause, count) in enumerate(
            zip(texts, weights, pauses, letters, strict=True)
        )
    ]


def _taken_away(texts: Sequence[str], said: Sequence[str]) -> set[int]:
    """Which of the shown tokens have letters, and nothing is said for them."""
    shown = [(index, letters) for index, text in enumerate(texts) if (letters := _letters(text))]
    given = [letters for text in said if (letters := _letters(text))]
    while shown and given and shown[0][1] == given[0]:
        del shown[0], given[0]
    while shown and given and shown[-1][1] == given[-1]:
        del shown[-1], given[-1]
    matcher = SequenceMatcher(None, [letters for _, letters in shown], given, autojunk=False)
    return {
        index
        for what, begin, end, _, _ in matcher.get_opcodes()
        if what == "delete"
        for index, _ in shown[begin:end]
    }
