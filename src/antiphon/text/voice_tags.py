"""Tags for the voice in a text, such as `<break time="1s"/>`: they reach it as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable

_ATTRIBUTE = r"""\s+[\w:.-]{1,40}\s?=\s?(?:"[^"<>]{0,200}"|'[^'<>]{0,200}')"""
_TAG = re.compile(rf"</?[A-Za-z][\w:.-]{{0,40}}(?:{_ATTRIBUTE}){{0,10}}\s?/?>")
_LONGEST = 400
_BEGINNING = re.compile(r"<(?:/?[A-Za-z][^<>]*)?$")
_VALUE = re.compile(r"""<[A-Za-z][\w:.-]{0,40}\s[^<>]*=\s?(?:"[^"<>]*|'[^'<>]*)$""")
# A character for private use: no letter, no sign, and no text has it.
_PLACE = "\uf8ff"


def outside_tags(text: str, change: Callable[[str], str]) -> str:
    """`change` applied to a text whose tags it does not see."""
    if "<" not in text or not _TAG.search(text):
        return change(text)
    text = text.replace(_PLACE, "")
    tags = _TAG.findall(text)
    pieces = change(_TAG.sub(_PLACE, text)).split(_PLACE)
    if len(pieces) != len(tags) + 1:
        return change(_TAG.sub("", text))  # their places are lost
    return "".join(part for pair in zip(pieces, [*tags, ""], strict=True) for part in pair)


def open_tag(text: str) -> int:
    """Where a tag begins that `text` ends in the middle of; else the length of the text."""
    at = text.rfind("<", max(0, len(text) - _LONGEST))
    if at < 0 or not _BEGINNING.match(text, at):
        return len(text)
    return at


def ends_in_value(text: str) -> bool:
    """Whether `text` ends in the middle of a tag's quoted value: it cannot be cut there."""
    at = text.rfind("<", max(0, len(text) - _LONGEST))
    return at >= 0 and _VALUE.match(text, at) is not None
