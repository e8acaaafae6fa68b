"""Addresses of pages in a text, of which a voice says the host."""

from __future__ import annotations

import re

# What an address consists of is ASCII (others are encoded), so it ends where another script goes
# on; and it ends with none of the marks that end a sentence or a bracket.
_PATH = r"(?:[/?#][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*[A-Za-z0-9\-_~/#@$&+=%]|/)?"
_HOST = (
    r"(?:(?:[\w-]{1,63}\.){1,10}(?:xn--[A-Za-z0-9-]{2,59}|[A-Za-z]{2,63})"  # any script, ASCII top
    r"|[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,10})"
)
_USER = r"(?:[A-Za-z0-9._~!$&'*+,;=%:-]{1,200}@)?"
_URL = re.compile(
    rf"https?://{_USER}(?:www\.)?(?P<host>{_HOST}(?::\d{{1,5}})?){_PATH}", re.IGNORECASE
)


def speak_links(text: str) -> str:
    """Addresses as their hosts: "https://www.example.com/a?b=c" is "example.com"."""
    return _URL.sub(r"\g<host>", text) if "://" in text else text
