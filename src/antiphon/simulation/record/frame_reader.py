"""Frames made again of their records, to be handed over in a replay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from antiphon.context.llm_context import ContextSnapshot, LLMContext
from antiphon.errors import ConfigurationError, InvalidInputError
from antiphon.frames.base import Frame
from antiphon.frames.codec import FrameCodec, standard_types
from antiphon.simulation.record.record_file import FrameRecord, HandOver
from antiphon.tools.schema import FunctionSchema, ToolsSchema

ID_SHIFT = 1 << 40
"""Added to the ids of recorded frames, so that they cannot be those of new ones."""
_MEDIA = frozenset({"audio", "image"})


class FrameReader:
    """Makes frames of their records: one for each record.

    Silence stands for sound that was not recorded. Of a context the messages, the tools without
    their handlers, and the tool choice are made again.
    """

    def __init__(self, types: Iterable[type[Frame]]) -> None:
        self._types = standard_types() | {kind.__name__: kind for kind in types}
        self._codec = FrameCodec(*self._types.values())
        self._frames: dict[FrameRecord, Frame] = {}

    def type(self, name: str) -> type[Frame]:
        """The type of that name; the program's own are found if they are loaded and one only."""
        if name not in self._types:
            found = [kind for kind in _subclasses(Frame) if kind.__name__ == name]
            if len(found) != 1:
                which = "no" if not found else "more than one"
                raise ConfigurationError(
                    f"there is {which} frame type {name}: pass its class in types=..."
                )
            self._types[name] = found[0]
            self._codec = FrameCodec(*self._types.values())
        return self._types[name]

    def frame(self, given: HandOver) -> Frame:
        """The frame to be handed over."""
        record = given.frame
        if record not in self._frames:
            kind = self.type(record.type)
            optional = {
                field.name
                for field in msgspec.structs.fields(kind)
                if field.default is not msgspec.NODEFAULT
            }
            fields: dict[str, Any] = {}
            for key, value in record.fields.items():
                if isinstance(value, dict) and "bytes" in value and key in _MEDIA:
                    fields[key] = bytes(value["bytes"])
                elif key == "context" and isinstance(value, dict) and "messages" in value:
                    fields[key] = _context(value)
                elif not _is_opaque(value):
                    fields[key] = value
                elif key not in optional:
                    raise InvalidInputError(
                        f"the {record.type} that {given.source} handed over at "
                        f"{given.time / 1e9:.3f} s cannot be made again: its {key} is not in the "
                        f"recording"
                    )
            for key in ("id", "response_id"):
                if isinstance(fields.get(key), int):
                    fields[key] += ID_SHIFT
            self._frames[record] = self._codec.from_builtins(fields)
        return self._frames[record]


def _is_opaque(value: Any) -> bool:
    """Whether something in a value was not recorded."""
    if isinstance(value, dict):
        return "$opaque" in value or any(_is_opaque(part) for part in value.values())
    return isinstance(value, list | tuple) and any(_is_opaque(part) for part in value)


def _subclasses(kind: type[Frame]) -> Iterable[type[Frame]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def _context(value: dict[str, Any]) -> ContextSnapshot:
    """The state of a context."""
    tools = [
        FunctionSchema(tool["name"], tool["description"], tool["properties"], tool["required"])
        for tool in value["tools"]["standard_tools"]
    ]
    context = LLMContext(value["messages"], ToolsSchema(tools), value["tool_choice"])
    return context.snapshot()
