"""Words as audio and back, without a model: each word is a tone that carries its own spelling.

`speak` makes 16-bit mono PCM, a buzz that a voice activity detector takes for speech by its energy;
`Listener` reads the words out of it again, however it is cut into chunks, and
knows how much of a word it got. So a fake transcriber hears what a fake voice or a scripted caller
said, and a test reads from the played audio what the caller heard.

A word starts with four marker samples, its length in bytes, the number of its samples (two samples,
15 bits each) and one sample per byte of its UTF-8. It does not survive resampling: let every
part of the test run at one rate.
"""

from __future__ import annotations

import array
import sys
from dataclasses import dataclass

assert sys.byteorder == "little", "samples are little-endian"

_MARK = array.array("h", [12345, -23456, 31337, -9876]).tobytes()
_HEADER = 4 + 3
_TONE = array.array("h", [6000] * 20 + [-6000] * 20).tobytes()
_SPELL, _OFFSET = 64, -8192
SECS_PER_WORD = 0.3
"""200 words a minute."""


def speak(text: str, *, sample_rate: int = 16_000, secs_per_word: float = SECS_PER_WORD) -> bytes:
    """The audio of a text, word by word without pauses: `secs_per_word` each."""
    return b"".join(
        speak_word(word, sample_rate=sample_rate, secs=secs_per_word) for word in text.split()
    )


def speak_word(word: str, *, sample_rate: int = 16_000, secs: float = SECS_PER_WORD) -> bytes:
    """The audio of one word. A word too long for its time takes the time it needs."""
    spelling = word.encode()[:255]
    count = max(round(secs * sample_rate), _HEADER + len(spelling))
    header = array.array("h", [len(spelling), count >> 15, count & 0x7FFF])
    letters = array.array("h", [byte * _SPELL + _OFFSET for byte in spelling])
    head = _MARK + header.tobytes() + letters.tobytes()
    rest = 2 * count - len(head)
    return head + (_TONE * (rest // len(_TONE) + 1))[:rest]


def tone(secs: float, *, sample_rate: int = 16_000) -> bytes:
    """Sound without words: a mumble, a cough, a door."""
    size = 2 * round(secs * sample_rate)
    return (_TONE * (size // len(_TONE) + 1))[:size]


def silence(secs: float, *, sample_rate: int = 16_000) -> bytes:
    """So many seconds of nothing."""
    return bytes(2 * round(secs * sample_rate))


def begins_a_word(pcm: bytes) -> bool:
    """Whether the sound in a piece of audio begins with the beginning of a word."""
    return pcm.lstrip(b"\0").startswith(_MARK)


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word and how much of it was heard (1.0 when complete)."""

    text: str
    fraction: float


class Listener:
    """Reads words out of audio that comes in chunks of any size."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._word: tuple[str, int, int] | None = None  # text, bytes in all, bytes still to come

    def hear(self, pcm: bytes) -> list[str]:
        """The words that end in this chunk."""
        self._data += pcm
        words: list[str] = []
        while True:
            if self._word is not None:
                text, size, missing = self._word
                taken = min(missing, len(self._data))
                del self._data[:taken]
                self._word = (text, size, missing - taken) if taken < missing else None
                if self._word is not None:
                    return words
                words.append(text)
            if not self._find_word():
                return words

    def cut(self) -> HeardWord | None:
        """The audio ends here: the word that is incomplete, if any. Forgets it."""
        word, self._word = self.unfinished, None
        self._data.clear()
        return word

    @property
    def unfinished(self) -> HeardWord | None:
        """The word of which more must come."""
        word = self._word
        return HeardWord(word[0], 1.0 - word[2] / word[1]) if word is not None else None

    def _find_word(self) -> bool:
        data = self._data
        at = data.find(_MARK)
        if at < 0:
            del data[: max(0, len(data) - len(_MARK) + 1)]
            return False
        del data[:at]
        if len(data) < 2 * _HEADER:
            return False
        length, high, low = array.array("h", bytes(data[len(_MARK) : 2 * _HEADER]))
        head = 2 * (_HEADER + length)
        if len(data) < head:
            return False
        letters = array.array("h", bytes(data[2 * _HEADER : head]))
        text = bytes((letter - _OFFSET) // _SPELL for letter in letters).decode(errors="replace")
        size = 2 * ((high << 15) + low)
        del data[:head]
        self._word = (text, size, size - head)
        return True
