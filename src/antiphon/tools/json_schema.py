"""Values compared with a JSON schema, the whole of it, by the `jsonschema` package.

`nullable: true` (of OpenAPI) is understood besides. References are followed within the schema and
nowhere else. A schema that cannot be read says nothing about a value: it is reported, once, and the
value taken; the tool will say what it thinks of it.

`jsonschema` is imported when the first value is compared: it takes a tenth of a second.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from antiphon.tools.outcome import HandlerOutcome

logger: Final = logging.getLogger(__name__)

_MOST = 20
"""Differences that are told: a model does not read more."""
_reported: set[str] = set()


def mismatches(schema: Any, value: Any, culprit: str) -> list[str]:
    """How a value differs from a schema, in words for a model; empty if it fits.

    `culprit` is whose schema it is, for the log.
    """
    with HandlerOutcome() as outcome:  # of a library on a stranger's schema
        errors = list(itertools.islice(_errors(schema, value), _MOST))
        errors.sort(key=lambda error: bool(error.validator != "required"))
        outcome.value = [_words(error) for error in errors]
    if outcome.error is None:
        found: list[str] = outcome.value
        return found
    if culprit not in _reported:
        _reported.add(culprit)
        logger.warning(
            "The schema of %r cannot be read (%s): its arguments are not checked.",
            culprit,
            type(outcome.error).__name__,
        )
    return []


def _errors(schema: Any, value: Any) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    validator = Draft202012Validator(_standard(schema), registry=Registry())
    return validator.iter_errors(value)


def _standard(schema: Any) -> Any:
    """The schema with `nullable` said as JSON Schema does."""
    if isinstance(schema, list):
        return [_standard(part) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {key: part if key in _DATA else _standard(part) for key, part in schema.items()}
    if made.get("nullable") is True:
        del made["nullable"]
        return {"anyOf": [made, {"type": "null"}]}
    return made


_DATA: Final = frozenset({"const", "default", "enum", "example", "examples"})


def _words(error: Any) -> str:
    where = _path(error.absolute_path)
    wanted, value = error.validator_value, error.instance
    match error.validator:
        case "required":
            name = error.message.removesuffix(" is a required property").strip("'\"")
            return f"{_path([*error.absolute_path, name])!r} is missing"
        case "type":
            kinds = wanted if isinstance(wanted, str) else " or ".join(wanted)
            return f"{where!r} has to be of type {kinds}, not {_short(value)}"
        case "enum":
            return f"{where!r} has to be one of {wanted}, not {_short(value)}"
        case "anyOf" | "oneOf":
            return f"{where!r} fits none of its possible types"
        case None:
            return f"{where!r} is not allowed"
    return f"{where!r} is wrong: {error.message:.200}"


def _path(parts: Any) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text or "arguments"


def _short(value: Any) -> str:
    return msgspec.json.encode(value)[:100].decode(errors="ignore")
