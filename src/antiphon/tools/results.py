"""What a tool returned, as text for a model: JSON, honest and bounded.

`False`, `0`, `""` and `[]` are results; None is the absence of one. Dataclasses, structs, enums,
dates, sets and pydantic models are written as JSON has it. What JSON cannot carry (an open file,
NaN) and what is too long becomes a result that says so, and a problem for the developer's log.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from antiphon.tools.json_data import well_formed

COMPLETED = "COMPLETED"
"""What the model reads when a function returned nothing."""
MAX_RESULT_CHARS = 1_000_000
"""The default: more than any voice answer can use, and quickly encoded."""
_CHARS_PER_VALUE = 10
"""So many values as this leaves room for can be encoded without holding up the conversation."""
_BEGINNING_CHARS = 2_000


class ToolText(msgspec.Struct, frozen=True):
    """What the model reads, and what the developer should know; `value` is the JSON-like data."""

    text: str
    value: Any
    problem: str | None = None


def tool_text(function_name: str, result: Any) -> ToolText:
    """The text of a result; never raises, never longer than about `MAX_RESULT_CHARS`."""
    if result is None:
        return ToolText(COMPLETED, COMPLETED)
    problem = oversize(function_name, result)
    if problem is not None:
        return _instead(problem)
    try:
        value = well_formed(_builtin(result))
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError, NotImplementedError) as error:
        return _instead(
            f"The function `{function_name}` returned something that cannot be given to the model: "
            f"{str(error) or type(error).__name__:.300}"
        )
    if len(text) > MAX_RESULT_CHARS:  # of a frame that no runner has sent
        return _instead(
            f"The function `{function_name}` returned {len(text):,} characters, "
            f"more than the {MAX_RESULT_CHARS:,} that a result may have.",
            beginning=text[:_BEGINNING_CHARS],
        )
    return ToolText(text, value)


def oversize(function_name: str, result: Any, limit: int = MAX_RESULT_CHARS) -> str | None:
    """What the model is told of a result that is too large to be encoded; None if it is not.

    Looks at no more values than a result may have.
    """
    values, chars = limit // _CHARS_PER_VALUE, limit
    waiting = [result]
    while waiting:
        value = waiting.pop()
        values -= 1
        if isinstance(value, str | bytes | bytearray):
            chars -= len(value)
        elif isinstance(value, Mapping):
            values -= len(value)
            if values >= 0:
                waiting += [*value.values(), *(key for key in value if len(str(key)) > 10)]
        elif isinstance(value, list | tuple | set | frozenset):
            if len(value) <= values:
                waiting += value
            else:
                values = -1
        if values < 0 or chars < 0:
            return (
                f"The function `{function_name}` returned more than the {limit:,} characters "
                "that a result may have."
            )
    return None


def failure(message: str) -> dict[str, str]:
    """A result that says what went wrong."""
    return {"error": message}


def _instead(problem: str, **more: str) -> ToolText:
    value = {**failure(well_formed(problem)), **more}
    return ToolText(json.dumps(value, ensure_ascii=False), value, problem)


def _builtin(result: Any) -> Any:
    if type(result) in {str, int, float, bool}:
        return result
    return msgspec.to_builtins(result, enc_hook=_pydantic_data, str_keys=True)


def _pydantic_data(value: Any) -> Any:
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json")
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")
