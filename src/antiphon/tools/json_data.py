"""JSON-like data: copies of it, and text in it that can be sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.text.well_formed import well_formed_text


def copied(value: Any) -> Any:
    """A copy of JSON-like data; what is neither a list (or tuple) nor a mapping is shared."""
    kind = type(value)
    if kind is str:
        return value
    if kind is dict:  # asked first: whether something is a Mapping takes long to find out
        copy = value.copy()
        for key, item in value.items():
            if type(item) is not str:
                copy[key] = copied(item)
        return copy
    if kind is list or kind is tuple:
        return [copied(item) for item in value]
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    return value


def well_formed(value: Any) -> Any:
    """The same JSON-like data with text that UTF-8 can carry.

    Halves of surrogate pairs that belong together are joined, lone ones become U+FFFD.
    """
    if isinstance(value, str):
        return well_formed_text(value)
    if isinstance(value, Mapping):
        return {well_formed(key): well_formed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [well_formed(item) for item in value]
    return value
