"""Text that every encoder takes.

Streams of models are cut anywhere, also between the two halves of an emoji (a surrogate pair), and
JSON may carry a half alone. Such text is made well formed once, where it enters: halves that belong
together are joined, lone ones become U+FFFD.
"""

from __future__ import annotations

from typing import Final

_FIRST_HALVES = ("\ud800", "\udbff")


def well_formed_text(text: str) -> str:
    """The same text without lone surrogates."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class TextJoiner:
    """Makes a stream of pieces well formed; the first half of a pair waits for the second."""

    def __init__(self) -> None:
        self._held: str = ""

    def push(self, piece: str) -> str:
        """The next piece, with what was held back before it."""
        text, self._held = self._held + piece, ""
        low, high = _FIRST_HALVES
        if text and low <= text[-1] <= high:
            text, self._held = text[:-1], text[-1]
        return well_formed_text(text)

    def flush(self) -> str:
        """The stream is over: a half that waits stays alone."""
        text, self._held = self._held, ""
        return well_formed_text(text)


BOUNDED_CHARS: Final = 500
"""How much text is looked at in one go: what is longer is cut, and the loop runs in between."""


def bounded(text: str, size: int = BOUNDED_CHARS) -> list[str]:
    """The text in pieces of at most `size` characters."""
    return [text[at : at + size] for at in range(0, len(text), size)]
