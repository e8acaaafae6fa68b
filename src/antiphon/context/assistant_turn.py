"""One turn of the assistant: what it said, as the caller heard it. Pure.

    closed --answer begins, or speech begins--> open --ends or is cut off--> closed

A turn belongs to one answer of the model, or to speech without one (`TTSSpeakFrame`). Text is what
came out of the output; `unheard` is what the model had generated beyond it when the turn was cut
off.
"""

from __future__ import annotations

import msgspec

from antiphon.context.spoken import TOKEN
from antiphon.tools.run_gate import EpochLike


class Request(msgspec.Struct):
    """Speech within an answer that is not the model's: `text` is asked for, `heard` was heard."""

    utterance: str | None
    text: str
    heard: str = ""


class AssistantTurn(msgspec.Struct):
    """An open turn, of an epoch. `response_id` is None for speech without the model, of which
    `request` is what it is to say, as far as that is known.
    """

    epoch: EpochLike
    response_id: int | None
    timestamp: str
    request: str = ""
    text: str = ""
    own: str = ""
    """What was heard of the answer itself."""
    marker: str = ""
    utterance: str | None = None
    """The one that was heard last."""
    aside: Request | None = None
    """The last that was begun within the answer."""
    lost: str = ""
    """What the voice did not say though nobody cut it off."""

    def begin_aside(self, utterance: str | None, text: str) -> None:
        """Something else is said within the model's answer."""
        if self.response_id is not None:
            self.aside = Request(utterance, text)

    def hear(self, piece: str, *, spaced: bool, utterance: str | None = None) -> None:
        """Another piece; `spaced`: spaces are inside the pieces of one utterance already."""
        spaced = spaced and utterance == self.utterance
        self.utterance = utterance
        self.text = _joined(self.text, piece, spaced=spaced)
        if self.aside is not None and self.aside.utterance == utterance:
            self.aside.heard = _joined(self.aside.heard, piece, spaced=spaced)
        else:
            self.own = _joined(self.own, piece, spaced=spaced)

    def unheard(self, draft: str) -> str:
        """What it still meant to say; `draft` is the model's answer so far."""
        rest = remainder(draft or self.request, self.own.strip())
        if self.aside is None:
            return rest
        return f"{remainder(self.aside.text, self.aside.heard.strip())} {rest}".strip()

    def lose(self, text: str) -> None:
        """The voice will never say this."""
        self.lost = _joined(self.lost, text, spaced=False)

    @property
    def written(self) -> str:
        """What the context keeps: what was heard, behind the model's own marker if it set one."""
        return f"{self.marker} {self.heard}" if self.marker and self.heard else self.heard

    @property
    def heard(self) -> str:
        """All that was heard, without space around it."""
        return self.text.strip()


def _joined(text: str, piece: str, *, spaced: bool) -> str:
    gap = text and piece and not text[-1].isspace() and not piece[0].isspace()
    return f"{text} {piece}" if gap and not spaced else text + piece


_AHEAD = 400
"""Characters in which a word that was heard is looked for behind what was taken away."""


def remainder(generated: str, heard: str) -> str:
    """What of `generated` is not in `heard`; spaces need not agree. Words in between that were not
    heard (a transform took them away) are part of it.

    Where the words differ too (numbers spelled out, markup removed), as many words as were heard
    are taken to be the same.
    """
    parts: list[str] = []
    position = 0
    for word in map(str.strip, TOKEN.findall(heard)):
        end = _match(generated, position, word)
        if end is None:
            found = _find(generated, position, word)
            if found is None:
                return " ".join(generated.split()[len(heard.split()) :])
            parts.append(generated[position:found])
            end = found + len(word)
        position = end
    parts.append(generated[position:])
    return " ".join(part.strip() for part in parts if part.strip())


def _match(text: str, position: int, word: str) -> int | None:
    """Where `word` ends if it comes next, with spaces anywhere."""
    for character in word:
        while position < len(text) and text[position].isspace():
            position += 1
        if position == len(text) or text[position] != character:
            return None
        position += 1
    return position


def _find(text: str, position: int, word: str) -> int | None:
    """Where `word` begins a little later."""
    found = text.find(word, position, position + _AHEAD)
    while found > 0 and word[0].isascii() and text[found - 1].isalnum():
        found = text.find(word, found + 1, position + _AHEAD)
    return None if found < 0 else found
