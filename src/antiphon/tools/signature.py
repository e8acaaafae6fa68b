"""Direct functions: a tool's schema from its signature, and its arguments from the model's JSON.

Types are translated by msgspec (so builtins, enums, literals, unions, dataclasses, structs, typed
dicts and dates work) and pydantic models by pydantic itself. References within a schema are
resolved, because some providers know no `$ref`.
"""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import msgspec

from antiphon.errors import ConfigurationError, InvalidInputError
from antiphon.tools.docstrings import documentation

Handler = Callable[..., Awaitable[Any]]

_DEPTH = 4
"""Recursive types are cut off at this depth: below it anything goes."""


class Parameter(msgspec.Struct, frozen=True):
    """One argument of a direct function."""

    name: str
    type: Any
    required: bool
    description: str | None


def parameters_of(function: Handler) -> tuple[Parameter, ...]:
    """The arguments of a direct function, without its `params`.

    Raises:
        ConfigurationError: it is no direct function; the text says why.

    """
    name = typing.cast("Any", function).__name__
    given = list(inspect.signature(function).parameters.values())
    if not given or given[0].name != "params":
        raise ConfigurationError(
            f"The first parameter of {name!r} must be called 'params': it is a FunctionCallParams."
        )
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise ConfigurationError(
            f"The type hints of {name!r} cannot be resolved: {error}"
        ) from error
    described = documentation(function).parameters
    found = []
    for parameter in given[1:]:
        if parameter.kind in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}:
            raise ConfigurationError(f"{name!r} takes {parameter}: a model needs named parameters.")
        hint, note = _noted(hints.get(parameter.name, Any))
        found.append(
            Parameter(
                parameter.name,
                hint,
                parameter.default is parameter.empty,
                note or described.get(parameter.name),
            )
        )
    return tuple(found)


def _noted(hint: Any) -> tuple[Any, str | None]:
    if typing.get_origin(hint) is Annotated:
        note = next((extra for extra in hint.__metadata__ if isinstance(extra, str)), None)
        if note is not None:
            return hint.__origin__, note
    return hint, None


def properties_of(function: Handler) -> dict[str, Any]:
    """The JSON schema of each argument of a direct function."""
    name = typing.cast("Any", function).__name__
    properties = {}
    for parameter in parameters_of(function):
        schema = _schema_of_type(parameter.type, f"{name}({parameter.name})")
        if parameter.description:
            schema = {**schema, "description": parameter.description}
        properties[parameter.name] = schema
    return properties


def _schema_of_type(hint: Any, where: str) -> dict[str, Any]:
    if hint is Any:
        return {}
    try:
        (schema,), components = msgspec.json.schema_components(
            [hint], schema_hook=_pydantic_schema, ref_template="#/$defs/{name}"
        )
    except (TypeError, NotImplementedError) as error:
        raise ConfigurationError(f"{where} has a type that a model cannot fill: {error}") from error
    resolved = _resolved(schema, {**components, **schema.get("$defs", {})}, _DEPTH)
    return typing.cast("dict[str, Any]", resolved)


def _pydantic_schema(kind: type) -> dict[str, Any]:
    if _is_pydantic(kind):
        schema = typing.cast("Any", kind).model_json_schema()
        return typing.cast("dict[str, Any]", _resolved(schema, schema.get("$defs", {}), _DEPTH))
    raise NotImplementedError(f"no JSON schema for {kind!r}")


def _is_pydantic(kind: Any) -> bool:
    # Whoever passes a pydantic model has imported pydantic; nobody else has to.
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def _resolved(schema: Any, definitions: Mapping[str, Any], depth: int) -> Any:
    if isinstance(schema, list):
        return [_resolved(item, definitions, depth) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        if depth == 0:
            return {}
        target = definitions.get(schema["$ref"].rsplit("/", 1)[-1], {})
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _resolved({**target, **rest}, definitions, depth - 1)
    found = {
        key: _resolved(value, definitions, depth) for key, value in schema.items() if key != "$defs"
    }
    values = found.get("enum")
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        found.setdefault("type", "string")  # some providers insist
    return found


@functools.lru_cache(maxsize=256)
def _cached_parameters(function: Handler) -> tuple[Parameter, ...]:
    return parameters_of(function)


def converted(function: Handler, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The model's arguments as the types the function's hints ask for.

    Raises:
        InvalidInputError: something is missing, unknown or of the wrong type; meant for the model
            to read.

    """
    wanted = _cached_parameters(function)
    names = [parameter.name for parameter in wanted]
    if unknown := sorted(set(arguments) - set(names)):
        raise InvalidInputError(f"Unknown arguments {unknown}; known are {names}.")
    given: dict[str, Any] = {}
    for parameter in wanted:
        if parameter.name not in arguments:
            if parameter.required:
                raise InvalidInputError(f"The argument {parameter.name!r} is missing.")
            continue
        value = arguments[parameter.name]
        try:
            given[parameter.name] = msgspec.convert(value, parameter.type, dec_hook=_from_pydantic)
        except msgspec.ValidationError as error:
            raise InvalidInputError(f"The argument {parameter.name!r} is wrong: {error}") from error
    return given


def _from_pydantic(kind: type, value: Any) -> Any:
    if not _is_pydantic(kind):
        raise NotImplementedError(f"cannot make {kind!r}")
    validate: Callable[[Any], Any] = typing.cast("Any", kind).model_validate
    try:
        return validate(value)
    except ValueError as error:
        raise msgspec.ValidationError(str(error)) from error
