"""One turn of the assistant: what it said, as the caller heard it. Pure.

    closed --answer begins, or speech begins--> open --ends or is cut off--> closed

A turn belongs to one answer of the model, or to speech without one (`TTSSpeakFrame`). Text is what
came out of the output; `unheard` is what the model had generated beyond it when the turn was cut
off.
"""

from __future__ import annotations

import msgspec

from antiphon.tools.run_gate import Epoch


class AssistantTurn(msgspec.Struct):
    """An open turn, of an epoch. `response_id` is None for speech without the model."""

    epoch: Epoch
    response_id: int | None
    timestamp: str
    text: str = ""
    marker: str = ""

    def hear(self, piece: str, *, spaced: bool) -> None:
        """Another piece; `spaced`: spaces are inside the pieces already."""
        gap = self.text and piece and not self.text[-1].isspace() and not piece[0].isspace()
        self.text += f" {piece}" if gap and not spaced else piece

    @property
    def written(self) -> str:
        """What the context keeps: what was heard, behind the model's own marker if it set one."""
        return f"{self.marker} {self.heard}" if self.marker and self.heard else self.heard

    @property
    def heard(self) -> str:
        """All that was heard, without space around it."""
        return self.text.strip()


def remainder(generated: str, heard: str) -> str:
    """What of `generated` comes after `heard`; spaces need not agree.

    Where the words differ too (numbers spelled out, markup removed), as many words as were heard
    are taken to be the same.
    """
    position = 0
    for character in heard:
        if character.isspace():
            continue
        while position < len(generated) and generated[position].isspace():
            position += 1
        if position == len(generated) or generated[position] != character:
            words = generated.split()
            return " ".join(words[len(heard.split()) :])
        position += 1
    return generated[position:].strip()
