"""The arguments of a call, from the text the model wrote to something a handler can rely on.

What is wrong is said in words meant for the model, so that it can try again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from antiphon.errors import InvalidInputError
from antiphon.tools.json_data import well_formed
from antiphon.tools.json_schema import mismatches
from antiphon.tools.schema import FunctionSchema


def parsed(text: str) -> dict[str, Any]:
    """The object in the model's JSON; no text at all is an empty object.

    Raises:
        InvalidInputError: it is not JSON, or not an object.

    """
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"The arguments are not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidInputError(f"The arguments have to be a JSON object, not {text:.100}")
    fine: dict[str, Any] = well_formed(value)
    return fine


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def check(schema: FunctionSchema, arguments: Mapping[str, Any]) -> None:
    """Compares arguments with a tool's schema.

    Raises:
        InvalidInputError: what is missing or of the wrong type, all of it.

    """
    found = mismatches(schema.parameters, dict(arguments), schema.name)
    if found:
        raise InvalidInputError(f"Wrong arguments for `{schema.name}`: {'; '.join(found)}.")
