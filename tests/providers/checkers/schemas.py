"""What vendors' published rules have against the schema of a tool's arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

ROOT = {"anyOf", "oneOf", "allOf", "not", "enum"}
BY_NAME = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
LISTS = {"anyOf", "oneOf", "allOf", "prefixItems"}
SINGLE = {"items", "contains", "not", "if", "then", "else", "propertyNames"}
DATA = {"enum", "const", "default", "examples"}


def about_schema(schema: Any, *, keywords: frozenset[str] | None = None) -> list[str]:
    """Every breach, one sentence each. `keywords`: all that the vendor knows."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return ["a tool's arguments must be of type object"]
    found = [f"{key} at the root of a tool's schema" for key in sorted(ROOT & schema.keys())]
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        found.append(f"no valid schema: {error.message}")
    for node in _nodes(schema):
        if not isinstance(node, dict):
            found.append(f"{node!r} is no object")
            continue
        if "$ref" in node and not _leads_somewhere(schema, str(node["$ref"])):
            found.append(f"dangling $ref {node['$ref']!r}")
        if "nullable" in node:
            found.append("nullable is no JSON Schema")
        if "array" in _kinds(node) and "items" not in node:
            found.append("array schema missing items")
        if keywords is not None:
            found += [f"unknown keyword {key!r}" for key in sorted(node.keys() - keywords)]
        if set(node.get("required", ())) - set(node.get("properties", ())) and node is schema:
            found.append("required names what properties do not have")
        if isinstance(node.get("enum"), list) and keywords is not None:
            found += [
                f"enum value {value!r}"
                for value in node["enum"]
                if isinstance(value, bool) or not isinstance(value, str | int | float)
            ]
    return found


def _kinds(node: dict[str, Any]) -> list[Any]:
    kinds = node.get("type", [])
    return kinds if isinstance(kinds, list) else [kinds]


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key in BY_NAME and isinstance(value, dict):
            for inner in value.values():
                yield from _nodes(inner)
        elif key in LISTS and isinstance(value, list):
            for inner in value:
                yield from _nodes(inner)
        elif key in SINGLE or (key == "additionalProperties" and not isinstance(value, bool)):
            yield from _nodes(value)


def _leads_somewhere(root: Any, reference: str) -> bool:
    if not reference.startswith("#"):
        return False
    for part in reference.removeprefix("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(root, dict) or key not in root:
            return False
        root = root[key]
    return True
