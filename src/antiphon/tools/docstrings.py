"""What a function's docstring says about it and its parameters (Google style, and `:param x:`)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import msgspec

_SECTION = re.compile(r"^(\w[\w ]*):\s*$")
_GOOGLE_ITEM = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_REST_ITEM = re.compile(r"^:param\s+(?:[\w\[\], .|]+\s)?(\w+):\s*(.*)$")
_REST_FIELD = re.compile(r"^:\w+.*:")


class Documentation(msgspec.Struct, frozen=True):
    """The text before the sections as one line, and a line per documented parameter."""

    description: str
    parameters: dict[str, str]


def documentation(function: Callable[..., Any]) -> Documentation:
    """Reads the docstring of `function`; everything is empty if there is none."""
    lines = (inspect.getdoc(function) or "").splitlines()
    summary: list[str] = []
    parameters: dict[str, str] = {}
    section: str | None = None
    current: str | None = None
    indent = 0
    for line in lines:
        text = line.strip()
        depth = len(line) - len(line.lstrip())
        if rest := _REST_ITEM.match(text):
            section, current = "rest", rest[1]
            parameters[current] = rest[2]
        elif _REST_FIELD.match(text):
            section, current = "rest", None
        elif depth == 0 and (heading := _SECTION.match(line)):
            section, current, indent = heading[1].lower(), None, 0
        elif section is None:
            summary.append(text)
        elif section in {"args", "arguments", "parameters", "params"} and text:
            indent = indent or depth
            item = _GOOGLE_ITEM.match(text) if depth <= indent else None
            if item:
                current = item[1]
                parameters[current] = item[2]
            elif current:
                parameters[current] += f" {text}"
        elif section == "rest" and current and text:
            parameters[current] += f" {text}"
    description = " ".join(part for part in summary if part)
    return Documentation(description, {k: v.strip() for k, v in parameters.items()})
