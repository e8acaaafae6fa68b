"""The part of JSON schema that tool parameters use: resolving it, and checking a value.

Covers `type`, `enum`, `const`, `anyOf`/`oneOf`, local `$ref`, numeric bounds, lengths, `pattern`,
`items`, `properties`, `required`. Anything else is taken as satisfied.
"""

from __future__ import annotations

import re
from typing import Any

Schema = dict[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def resolved(schema: Schema | bool, root: Schema) -> Schema:
    """The schema itself: local `$ref` followed, the first alternative that is not null taken."""
    if isinstance(schema, bool):
        return {}
    for _ in range(10):  # a reference may point to a reference, but not forever
        if "$ref" in schema:
            target: Any = root
            for part in str(schema["$ref"]).removeprefix("#/").split("/"):
                target = target.get(part, {}) if isinstance(target, dict) else {}
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**target, **rest}
            continue
        options = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if not options:
            break
        useful = [o for o in options if isinstance(o, dict) and o.get("type") != "null"] or [{}]
        rest = {k: v for k, v in schema.items() if k not in ("anyOf", "oneOf", "allOf")}
        schema = {**useful[0], **rest}
    return schema


def type_of(schema: Schema) -> str:
    """The (first, not null) type of a resolved schema; a schema that names none is a string."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "string")
    if kind:
        return str(kind)
    return "object" if "properties" in schema else "string"


def fits(value: Any, schema: Schema | bool, root: Schema | None = None) -> bool:
    """True where the value satisfies the schema."""
    if isinstance(schema, bool):
        return schema
    root = schema if root is None else root
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return any(fits(value, option, root) for option in options)
    schema = resolved(schema, root)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    return _within(value, schema) and _parts_fit(value, schema, root)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, (object,)))


def _within(value: Any, schema: Schema) -> bool:
    if isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return bool(
            value >= schema.get("minimum", value)
            and value <= schema.get("maximum", value)
            and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
            and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
        )
    if isinstance(value, str):
        long_enough = len(value) >= schema.get("minLength", 0)
        short_enough = len(value) <= schema.get("maxLength", len(value))
        return long_enough and short_enough and _matches(value, schema.get("pattern"))
    if isinstance(value, list):
        return bool(schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)))
    return True


def _matches(value: str, pattern: str | None) -> bool:
    if pattern is None:
        return True
    try:
        return re.search(pattern, value) is not None
    except re.error:  # JSON schema speaks ECMA's dialect; what Python cannot read is not judged
        return True


def _parts_fit(value: Any, schema: Schema, root: Schema) -> bool:
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return all(fits(item, schema["items"], root) for item in value)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        if any(name not in value for name in schema.get("required", ())):
            return False
        if schema.get("additionalProperties") is False and set(value) - set(properties):
            return False
        return all(fits(v, properties[k], root) for k, v in value.items() if k in properties)
    return True
