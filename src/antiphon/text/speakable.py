"""From text that is read to text that is said: markup and symbols that a voice would stumble over.

Each function takes a piece of text and returns one; they can be combined, and given to a
`TTSService` as its transforms. What is shown and remembered stays as the model wrote it: only the
voice gets this.
"""

from __future__ import annotations

import re
import unicodedata

_CODE_FENCE = re.compile(r"^```.*$", re.MULTILINE)
_IMAGE_OR_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)")
_AUTOLINK = re.compile(r"<(https?://[^>\s]+)>")
_URL = re.compile(r"https?://(?:www\.)?([^\s/?#]+)\S*")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+", re.MULTILINE)
_QUOTE = re.compile(r"^\s{0,3}>\s?", re.MULTILINE)
_BULLET = re.compile(r"^(\s*)(?:[-*+]|\d{1,3}[.)])\s+(?=\S)", re.MULTILINE)
_RULE = re.compile(r"^\s*(?:[-*_]\s*){3,}$", re.MULTILINE)
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]*-{2,}[\s:|-]*$", re.MULTILINE)
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|_{1,3}|~~|`{1,2})(?=\S)(.+?)(?<=\S)\1(?![\w*])")
_STRAY = re.compile(r"(?<!\w)[*_`~]+|[*_`~]+(?!\w)")
_SYMBOLS = {
    "&": " and ",
    "%": " percent",
    "°C": " degrees Celsius",
    "°F": " degrees Fahrenheit",
    "°": " degrees",
    "→": " to ",
    "≈": " about ",
    "≥": " at least ",
    "≤": " at most ",
    "±": " plus or minus ",
    "×": " times ",
    "÷": " divided by ",
    "=": " equals ",
    "|": ", ",
    "…": "...",
    "•": "",
}
_SPACES = re.compile(r"[ \t]{2,}")


def strip_markdown(text: str) -> str:
    """Without markup: emphasis, headings, bullets, links (their text stays), code fences,
    tables.
    """
    text = _CODE_FENCE.sub("", text)
    text = _IMAGE_OR_LINK.sub(r"\1", text)
    text = _AUTOLINK.sub(r"\1", text)
    for pattern in (_RULE, _TABLE_RULE, _HEADING, _QUOTE):
        text = pattern.sub("", text)
    text = _BULLET.sub(r"\1", text)
    previous = None
    while previous != text:
        previous, text = text, _EMPHASIS.sub(r"\2", text)
    return _STRAY.sub("", text)


def strip_emoji(text: str) -> str:
    """Without emoji and other pictures; letters of all scripts stay."""
    return "".join(
        char
        for char in text
        if not (unicodedata.category(char) in ("So", "Sk", "Cs") and ord(char) > _LAST_SIGN)
        and char not in "\ufe0f\u200d"
    )


_LAST_SIGN = 0x2122
"""Signs up to the trade mark are said (degrees, copyright, ...); pictures come after."""


def speak_symbols(text: str) -> str:
    """Symbols as English words; the address of a link as its host."""
    text = _URL.sub(r"\1", text)
    for symbol, words in _SYMBOLS.items():
        if symbol in text:
            text = text.replace(symbol, words)
    return _SPACES.sub(" ", text)


def speakable(text: str) -> str:
    """What a voice is given by default."""
    return speak_symbols(strip_emoji(strip_markdown(text)))


def has_words(text: str) -> bool:
    """Whether there is anything to say."""
    return any(char.isalnum() for char in text)
