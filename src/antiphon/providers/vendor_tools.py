"""Tools in the shape that a vendor takes, by rules that are data. Pure, but for what is logged.

Vendors refuse a whole request for one tool they do not understand. So every tool is rewritten to
what all of JSON Schema's readers agree on, then to what the vendor's `ToolRules` allow:

- names that the vendor does not take become ones made from them, and `own_name` leads back
- `$ref` is replaced by what it refers to; where that would never end, by its type
- boolean subschemas, `nullable`, draft-4 spellings and invented types become today's JSON Schema
- the root is an object: alternatives there are joined into one
- keywords that the vendor does not know are left out

A tool that cannot be rewritten (a dangling reference, arguments that are no object) is left out,
and logged once; the others are sent.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from antiphon.services.contracts import ToolSpec

logger: Final = logging.getLogger(__name__)

Schema = dict[str, Any]

_MOST_NODES = 5_000
_DEEPEST = 40
_PRINTABLE: Final = r"[ !#-\[\]-~\u00a1-\uffff]"

_GEMINI_KEYWORDS: Final = frozenset(
    "type format title description default enum items prefixItems minItems maxItems minimum "
    "maximum anyOf oneOf properties additionalProperties required".split()
)
"""ai.google.dev, `parametersJsonSchema`."""

_LOCAL_KEYWORDS: Final = frozenset(
    "type description default enum const items prefixItems minItems maxItems minLength maxLength "
    "minimum maximum anyOf oneOf properties additionalProperties required".split()
)
"""What llama.cpp turns into a grammar without complaint."""


class ToolRules(msgspec.Struct, frozen=True, kw_only=True):
    """What one interface takes. `keywords`: all that it knows, None for all of JSON Schema.

    `name`: a regular expression for one character; `property_name`: for a whole name of an
    argument. `scalars`: `enum` takes numbers and texts only. `most`: tools in one request.
    """

    vendor: str
    name: str = r"[a-zA-Z0-9_-]"
    name_limit: int = 64
    first: str = r"[a-zA-Z0-9_-]"
    description_limit: int | None = None
    keywords: frozenset[str] | None = None
    property_name: str | None = None
    scalars: bool = False
    most: int = 1_000


OPENAI: Final = ToolRules(vendor="openai", description_limit=1_024, most=128)
ANTHROPIC: Final = ToolRules(
    vendor="anthropic", name_limit=128, property_name=r"[a-zA-Z0-9_.-]{1,64}"
)
GEMINI: Final = ToolRules(
    vendor="google", first=r"[a-zA-Z_]", keywords=_GEMINI_KEYWORDS, scalars=True, most=128
)
LOCAL: Final = ToolRules(
    vendor="the local model",
    name=_PRINTABLE,
    first=_PRINTABLE,
    name_limit=200,
    keywords=_LOCAL_KEYWORDS,
)


class _RefusedError(Exception):
    """The tool cannot be rewritten; the text says why."""


def tools_for(tools: Sequence[ToolSpec], rules: ToolRules) -> tuple[ToolSpec, ...]:
    """The tools as the vendor takes them, without those that cannot be rewritten."""
    taken: list[ToolSpec] = []
    names: set[str] = set()
    for at, tool in enumerate(tools):
        if len(taken) == rules.most:
            others = f"it and {len(tools) - at - 1} more are beyond the {rules.most} that it takes"
            _report(rules.vendor, tool.name, others)
            break
        try:
            rewritten = _rewritten(msgspec.json.encode(tool), rules)
        except (TypeError, ValueError, RecursionError) as error:
            rewritten = f"it is not JSON: {error}"
        if isinstance(rewritten, ToolSpec) and rewritten.name in names:
            rewritten = f"another tool is called {rewritten.name} too"
        if isinstance(rewritten, str):
            _report(rules.vendor, tool.name, rewritten)
            continue
        names.add(rewritten.name)
        taken.append(rewritten)
    return tuple(taken)


def vendor_name(name: str, rules: ToolRules) -> str:
    """The name itself if the vendor takes it, else one made from it, always the same."""
    pattern = rf"{rules.first}{rules.name}{{0,{rules.name_limit - 1}}}"
    if re.fullmatch(pattern, name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
    clean = "".join(c if re.fullmatch(rules.name, c) else "_" for c in name)
    if not re.match(rules.first, clean):
        clean = f"f_{clean}"
    return f"{clean[: rules.name_limit - 9]}_{digest}"


def own_name(name: str, tools: Iterable[ToolSpec], rules: ToolRules) -> str:
    """The advertised tool that the vendor calls `name`, or `name` where there is none."""
    return next((t.name for t in tools if vendor_name(t.name, rules) == name), name)


def vendor_choice(choice: Any, tools: Sequence[ToolSpec], rules: ToolRules) -> Any:
    """The tool choice in OpenAI's chat shape, its name as the vendor knows it.

    None where there is nothing to choose from. A tool that was left out cannot be demanded: the
    model decides then.
    """
    if not tools:
        return None
    if not isinstance(choice, Mapping) or not isinstance(choice.get("function"), Mapping):
        return choice
    name = vendor_name(str(choice["function"].get("name", "")), rules)
    if all(tool.name != name for tool in tools):
        return "auto"
    return {**choice, "function": {**choice["function"], "name": name}}


@functools.lru_cache(maxsize=1_024)
def _report(vendor: str, name: str, reason: str) -> None:
    logger.error("tool %r is left out of requests to %s: %s", name, vendor, reason)


@functools.lru_cache(maxsize=2_048)
def _rewritten(encoded: bytes, rules: ToolRules) -> ToolSpec | str:
    """The tool, or why there is none. Cached: the same tools go out with every request."""
    tool = msgspec.json.decode(encoded, type=ToolSpec)
    try:
        parameters = _Rewriter(tool.parameters, rules).root()
    except _RefusedError as error:
        return str(error)
    description = tool.description[: rules.description_limit]
    name = vendor_name(tool.name, rules)
    return ToolSpec(name=name, description=description, parameters=parameters)


_BY_NAME = ("properties", "patternProperties", "dependentSchemas")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "contains", "not", "if", "then", "else", "propertyNames")
_OR_BOOLEAN = ("additionalProperties", "unevaluatedProperties", "unevaluatedItems")
_GONE = frozenset(
    "$ref $defs definitions $schema $id $anchor $comment $dynamicRef $dynamicAnchor $recursiveRef "
    "$recursiveAnchor $vocabulary nullable additionalItems dependencies".split()
)
_TYPES: Final = {
    "str": "string", "text": "string", "int": "integer", "long": "integer", "float": "number",
    "double": "number", "decimal": "number", "bool": "boolean", "list": "array", "tuple": "array",
    "dict": "object", "map": "object", "none": "null",
} | {name: name for name in "string integer number boolean array object null".split()}  # fmt: skip
"""Types by the names that people give them; others say nothing."""


class _Rewriter:
    """Rewrites the schema of one tool's arguments."""

    def __init__(self, root: Any, rules: ToolRules) -> None:
        self._root = root
        self._rules = rules
        self._nodes = 0

    def root(self) -> Schema:
        schema = self._schema(self._root, ())
        for kind in ("anyOf", "oneOf"):
            schema = _joined(schema, schema.pop(kind, []))
        for keyword in ("not", "enum", "const", "if", "then", "else"):
            schema.pop(keyword, None)
        kinds = schema.get("type", "object")
        if kinds != "object" and not (isinstance(kinds, list) and "object" in kinds):
            raise _RefusedError(f"its arguments are no object but {kinds!r}")
        properties = schema.setdefault("properties", {})
        for name in schema.get("required", ()):
            properties.setdefault(name, {})
        if self._rules.property_name is not None:
            for name in properties:
                if not re.fullmatch(self._rules.property_name, name):
                    raise _RefusedError(f"its argument is called {name!r}")
        return {**schema, "type": "object"}

    def _schema(self, node: Any, path: tuple[str, ...]) -> Schema:
        self._nodes += 1
        if self._nodes > _MOST_NODES or len(path) > _DEEPEST:
            raise _RefusedError("its schema is too large")
        if node is True:
            return {}
        if node is False:
            return {"not": {}}
        if not isinstance(node, dict):
            raise _RefusedError(f"{node!r:.50} is no schema")
        node, path = self._followed(node, (*path, ""))
        schema = {key: value for key, value in node.items() if key not in _GONE}
        _modernized(schema, node)
        self._inner(schema, path)
        schema = _folded(schema)
        if node.get("nullable") is True:
            schema = _nullable(schema)
        return self._allowed(schema)

    def _followed(self, node: Schema, path: tuple[str, ...]) -> tuple[Schema, tuple[str, ...]]:
        """What the node refers to, with what it says itself; `path` has the references so far."""
        while "$ref" in node:
            reference = str(node["$ref"])
            target = self._target(reference)
            beside = {key: value for key, value in node.items() if key != "$ref"}
            if reference in path:  # it holds itself: its type is as deep as it goes
                kind = {key: target[key] for key in ("type", "description") if key in target}
                return kind | {k: v for k, v in beside.items() if k == "description"}, path
            if beside.keys() & {"properties", "required", "allOf"}:
                node = {**beside, "allOf": [target, *beside.get("allOf", ())]}
            else:
                node = {**target, **beside}
            path = (*path, reference)
        return node, path

    def _target(self, reference: str) -> Schema:
        found: Any = self._root if reference.startswith("#") else None
        anchor = reference[1:]
        if anchor and not anchor.startswith("/"):
            found = _anchored(self._root, anchor)
        for part in anchor.split("/")[1:] if anchor.startswith("/") else ():
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(found, list) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            else:
                found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, bool):
            return {} if found else {"not": {}}
        if not isinstance(found, dict):
            raise _RefusedError(f"its schema refers to {reference!r}, which is not there")
        return found

    def _inner(self, schema: Schema, path: tuple[str, ...]) -> None:
        """Rewrites the subschemas in place."""
        for key in _BY_NAME:
            if key in schema:
                if not isinstance(schema[key], dict):
                    raise _RefusedError(f"{key} is {schema[key]!r:.50}")
                inner = schema[key].items()
                schema[key] = {n: self._schema(s, path) for n, s in inner if s is not False}
        for key in _LISTS:
            if key in schema:
                options = schema[key] if isinstance(schema[key], list) else [schema[key]]
                schema[key] = [self._schema(s, path) for s in options if s is not False]
                if not schema[key]:
                    del schema[key]
        for key in _SINGLE:
            if key in schema:
                schema[key] = self._schema(schema[key], path)
        for key in _OR_BOOLEAN:
            if key in schema and not isinstance(schema[key], bool):
                schema[key] = self._schema(schema[key], path)

    def _allowed(self, schema: Schema) -> Schema:
        keywords = self._rules.keywords
        if keywords is not None and "const" in schema and "const" not in keywords:
            schema["enum"] = [schema["const"]]
        if self._rules.scalars and "enum" in schema:
            values = [value for value in schema.pop("enum") if value is not None]
            if values and all(type(value) in (str, int, float) for value in values):
                schema["enum"] = values
        if keywords is None:
            return schema
        return {key: value for key, value in schema.items() if key in keywords}


def _anchored(node: Any, anchor: str) -> Any:
    """The subschema that gives itself this name."""
    if isinstance(node, dict):
        if node.get("$anchor") == anchor or node.get("$id") == f"#{anchor}":
            return node
        node = list(node.values())
    found = (_anchored(item, anchor) for item in node) if isinstance(node, list) else ()
    return next((one for one in found if one is not None), None)


def _modernized(schema: Schema, node: Schema) -> None:
    """Spellings of older drafts, and of nobody's, in place."""
    _with_types(schema)
    _with_items(schema, node)
    for bound in ("minimum", "maximum"):
        exclusive = f"exclusive{bound.title()}"
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)
    required = schema.pop("required", None)
    if isinstance(required, list):
        names = list(dict.fromkeys(name for name in required if isinstance(name, str)))
        schema |= {"required": names} if names else {}
    for key, well in (
        ("enum", lambda value: isinstance(value, list) and value),
        ("pattern", _is_pattern),
        ("description", lambda value: isinstance(value, str)),
    ):
        if key in schema and not well(schema[key]):
            del schema[key]


def _with_types(schema: Schema) -> None:
    kinds = schema.pop("type", None)
    said = kinds if isinstance(kinds, list) else [kinds]
    named = [_TYPES.get(k.lower()) if isinstance(k, str) else None for k in said]
    known = [kind for kind in dict.fromkeys(named) if kind is not None]
    if known and None not in named:
        schema["type"] = known if len(known) > 1 else known[0]


def _with_items(schema: Schema, node: Schema) -> None:
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if "additionalItems" in node:
            schema["items"] = node["additionalItems"]
    if schema.get("items") is False:
        del schema["items"]
        schema.setdefault("maxItems", len(schema.get("prefixItems", ())))
    if "array" in schema.get("type", ()) and "items" not in schema:
        schema["items"] = {}


def _is_pattern(pattern: Any) -> bool:
    try:
        re.compile(pattern)
    except (re.error, TypeError):
        return False
    return True


def _nullable(schema: Schema) -> Schema:
    kinds = schema.get("type")
    if kinds is None:
        return {"anyOf": [schema, {"type": "null"}]} if schema else schema
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    return {**schema, "type": [*kinds, *([] if "null" in kinds else ["null"])]}


def _folded(schema: Schema) -> Schema:
    """The schema with what all of `allOf` say in itself; its own words come first."""
    for option in schema.pop("allOf", ()):
        properties = {**option.get("properties", {}), **schema.get("properties", {})}
        required = [*schema.get("required", ()), *option.get("required", ())]
        schema = {**option, **schema}
        schema |= {"properties": properties} if properties else {}
        schema |= {"required": list(dict.fromkeys(required))} if required else {}
    return schema


def _joined(schema: Schema, options: list[Schema]) -> Schema:
    """One object for alternatives: the properties of all, what each of them requires."""
    if not options:
        return schema
    objects = [o for o in options if o.get("type", "object") == "object"]
    if not objects:
        raise _RefusedError("none of its alternatives is an object")
    properties: dict[str, Any] = {}
    for option in objects:
        for name, inner in option.get("properties", {}).items():
            before = properties.setdefault(name, inner)
            others = before["anyOf"] if set(before) == {"anyOf"} else [before]
            if inner not in others and inner != before:
                properties[name] = {"anyOf": [*others, inner]}
    properties |= schema.get("properties", {})
    each = set.intersection(*(set(option.get("required", ())) for option in objects))
    required = [*schema.get("required", ()), *sorted(each)]
    joined = {**schema, "properties": properties}
    joined |= {"required": list(dict.fromkeys(required))} if required else {}
    if any("additionalProperties" not in option for option in objects):
        joined.pop("additionalProperties", None)
    return joined
