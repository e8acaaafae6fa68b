"""Reads what people write: YAML, and also TOML and JSON. One clear error for whatever is wrong.

In the steps of a YAML file every scalar is text until its verb says what it is, so that `says: yes`
says "yes" and `presses: 007` presses three keys.
"""

from __future__ import annotations

import functools
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antiphon.errors import InvalidInputError, MissingExtraError

_BOOL = "tag:yaml.org,2002:bool"
_MOST_BYTES, _MOST_PARTS, _DEEPEST = 1_000_000, 50_000, 50
_BEGINNINGS = ("MappingStartEvent", "SequenceStartEvent")
_ENDINGS = ("MappingEndEvent", "SequenceEndEvent")
SUFFIXES = (".yaml", ".yml", ".toml", ".json")


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file's mapping; `lines` are those of its steps, counted from 1, where they are known."""

    data: dict[str, Any]
    lines: tuple[int, ...] = ()


def read_mapping(path: Path) -> WrittenFile:
    """Reads a file. Raises `InvalidInputError`, or `MissingExtraError` for YAML without PyYAML."""
    if path.suffix not in SUFFIXES:
        raise InvalidInputError(f"{path}: scenarios are {', '.join(SUFFIXES)} files")
    try:
        if (size := path.stat().st_size) > _MOST_BYTES:
            raise InvalidInputError(
                f"{path} has {size:,} bytes, and a scenario at most {_MOST_BYTES:,}: cut it"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidInputError(f"{path} cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} cannot be read: it is no text in UTF-8") from error
    if path.suffix in {".yaml", ".yml"}:
        written = _read_yaml(path, text)
    else:
        try:
            written = WrittenFile(
                tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
            )
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"{path} cannot be read: {error}") from error
    if not isinstance(written.data, Mapping):
        raise InvalidInputError(f"{path} is no scenario: it is to have a name and a list of steps")
    return written


def read_yaml(text: str, where: str) -> Any:
    """Data from YAML. Raises `InvalidInputError`, or `MissingExtraError` without PyYAML."""
    try:
        import yaml
    except ImportError as error:
        raise MissingExtraError(f"{where}: YAML", "cli", "yaml") from error
    try:
        _bound(yaml.parse(text, Loader=yaml.BaseLoader), where)
        tree = yaml.compose(text, Loader=yaml.BaseLoader)
        for key, line in _twice(tree):
            raise InvalidInputError(f"{where}, line {line}: {key!r} is there twice")
        return yaml.load(text, Loader=_loader())  # noqa: S506 (a safe one)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = "" if mark is None else f", line {mark.line + 1}"
        raise InvalidInputError(f"{where}{at}: {error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, LookupError, ArithmeticError) as error:  # "2024-13-45"
        raise InvalidInputError(f"{where} cannot be read: {error}") from error


def _bound(events: Iterable[Any], where: str) -> None:
    """Refuses what would be endless to read: too many parts, too deep, or within themselves.

    An alias (`*name`) stands for a part that may hold aliases itself, so that a few lines are
    billions of parts: it counts as what it stands for.
    """
    sizes: dict[str, int] = {}
    inside: list[tuple[str | None, int]] = []
    parts = 0
    for event in events:
        at = f"{where}, line {event.start_mark.line + 1}"
        name = type(event).__name__
        if name == "AliasEvent":
            if any(anchor == event.anchor for anchor, _ in inside):
                raise InvalidInputError(f"{at}: *{event.anchor} stands for a part that it is in")
            parts += sizes.get(event.anchor, 0)
        elif name in _ENDINGS:
            anchor, before = inside.pop()
            if anchor is not None:
                sizes[anchor] = parts - before
        elif name in _BEGINNINGS:
            inside.append((event.anchor, parts))
        parts += 1
        if len(inside) > _DEEPEST:
            raise InvalidInputError(f"{at}: more than {_DEEPEST} parts in each other")
        if parts > _MOST_PARTS:
            raise InvalidInputError(f"{at}: more than {_MOST_PARTS:,} parts")


@functools.cache
def _loader() -> Any:
    """PyYAML's safe loader, to which only true and false are truth values, as in YAML 1.2.

    With the others of YAML 1.1 the key of `on: connect` would not be a word.
    """
    import yaml

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        yaml_implicit_resolvers = {  # noqa: RUF012 (as PyYAML has it)
            first: [(tag, pattern) for tag, pattern in found if tag != _BOOL]
            for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    Loader.add_implicit_resolver(_BOOL, re.compile("(?:true|True|TRUE|false|False|FALSE)$"), "tTfF")
    return Loader


def _read_yaml(path: Path, text: str) -> WrittenFile:
    data = read_yaml(text, str(path))
    if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
        return WrittenFile(data)
    import yaml

    data["steps"] = yaml.load(text, Loader=yaml.BaseLoader)["steps"]  # noqa: S506 (text only)
    return WrittenFile(data, tuple(_step_lines(yaml.compose(text, Loader=yaml.BaseLoader))))


def _twice(node: Any) -> Iterator[tuple[str, int]]:
    """Keys that a mapping has twice, of which YAML silently keeps the last."""
    if node is None or node.id == "scalar":
        return
    if node.id == "sequence":
        for part in node.value:
            yield from _twice(part)
        return
    seen: set[str] = set()
    for key, value in node.value:
        if key.id == "scalar":
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
        yield from _twice(value)


def _step_lines(tree: Any) -> Iterator[int]:
    for key, value in tree.value if tree is not None and tree.id == "mapping" else ():
        if key.value == "steps" and value.id == "sequence":
            for step in value.value:
                yield step.start_mark.line + 1
