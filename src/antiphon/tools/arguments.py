"""The arguments of a call, from the text the model wrote to something a handler can rely on.

What is wrong is said in words meant for the model, so that it can try again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from antiphon.errors import InvalidInputError
from antiphon.tools.json_data import well_formed
from antiphon.tools.schema import FunctionSchema

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def parsed(text: str) -> dict[str, Any]:
    """The object in the model's JSON; no text at all is an empty object.

    Raises:
        InvalidInputError: it is not JSON, or not an object.

    """
    if not text.strip():
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"The arguments are not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidInputError(f"The arguments have to be a JSON object, not {text:.100}")
    fine: dict[str, Any] = well_formed(value)
    return fine


def check(schema: FunctionSchema, arguments: Mapping[str, Any]) -> None:
    """Compares arguments with a tool's schema.

    Raises:
        InvalidInputError: what is missing or of the wrong type, all of it.

    """
    found = [f"{name!r} is missing" for name in schema.required if name not in arguments]
    for name, value in arguments.items():
        wanted = schema.properties.get(name)
        if isinstance(wanted, Mapping):
            found += mismatches(wanted, value, name)
    if found:
        raise InvalidInputError(f"Wrong arguments for `{schema.name}`: {'; '.join(found)}.")


def mismatches(schema: Mapping[str, Any], value: Any, where: str) -> list[str]:
    """How a value differs from the part of JSON schema that tools use; empty if it fits."""
    if options := schema.get("anyOf") or schema.get("oneOf"):
        if any(not mismatches(option, value, where) for option in options):
            return []
        return [f"{where!r} fits none of its possible types"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where!r} has to be one of {schema['enum']}, not {value!r:.100}"]
    wanted = schema.get("type")
    kinds = [wanted] if isinstance(wanted, str) else list(wanted or ())
    if kinds and not any(_is(kind, value) for kind in kinds):
        return [f"{where!r} has to be of type {' or '.join(kinds)}, not {value!r:.100}"]
    found = []
    if isinstance(value, dict) and isinstance(schema.get("properties"), Mapping):
        required = schema.get("required") or ()
        found += [f"'{where}.{name}' is missing" for name in required if name not in value]
        for name, part in schema["properties"].items():
            if name in value:
                found += mismatches(part, value[name], f"{where}.{name}")
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        for index, item in enumerate(value):
            found += mismatches(schema["items"], item, f"{where}[{index}]")
    return found


def _is(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return kind not in _TYPES or isinstance(value, _TYPES[kind])
