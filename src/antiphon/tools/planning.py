"""From what the model wrote to a call that can be run, or to the words by which it is refused."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from antiphon.errors import InvalidInputError
from antiphon.frames.tools import FunctionCallFromLLM
from antiphon.tools.arguments import check, parsed
from antiphon.tools.calls import CallTable
from antiphon.tools.registry import Registration
from antiphon.tools.results import failure
from antiphon.tools.run_gate import EpochLike
from antiphon.tools.schema import ToolOptions, ToolsSchema
from antiphon.tools.signature import converted

logger: Final = logging.getLogger(__name__)

MISSING_FUNCTION = "The function `{function_name}` is not currently available."
DUPLICATE = (
    "An identical call of `{function_name}` is still running ({tool_call_id}); "
    "this one was not started."
)

Inner = Callable[[FunctionCallFromLLM], dict[str, Any]]
"""A function of the service itself, which answers at once."""


class Asked(msgspec.Struct, frozen=True):
    """A call as the model wrote it, its arguments as JSON text."""

    tool_call_id: str
    function_name: str
    arguments: str


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """What the calls of one answer have in common.

    `epoch` is that of the answer, `context` is the live conversation, `tools` what was advertised,
    `response_id` the answer, `inner` the functions of the service itself.
    """

    epoch: EpochLike
    context: Any
    tools: ToolsSchema
    group_id: str | None
    response_id: int | None = None
    inner: Mapping[str, Inner] = msgspec.field(default_factory=dict)


class PlannedCall(msgspec.Struct):
    """A call with all it takes to run it. `wrong` says what is wrong with its arguments."""

    call: FunctionCallFromLLM
    occasion: Occasion
    options: ToolOptions
    wrong: str | None = None
    task: asyncio.Task[None] | None = None
    siblings: tuple[FunctionCallFromLLM, ...] = ()

    @property
    def is_interrupted(self) -> bool:
        """The epoch of its answer is over, and it does not outlive that."""
        return self.options.cancel_on_interruption and not self.occasion.epoch.live

    @property
    def inner(self) -> Inner | None:
        """The service's own function, if it is one."""
        return self.occasion.inner.get(self.call.function_name)


def plan(
    asked: Asked, occasion: Occasion, options: ToolOptions, is_taken: Callable[[str], bool]
) -> PlannedCall:
    """Parses the arguments; an id that is missing or taken is replaced."""
    wrong = None
    arguments: dict[str, Any] = {}
    schema = occasion.tools.get(asked.function_name)
    try:
        arguments = parsed(asked.arguments)
        if schema is not None:
            check(schema, arguments)
    except InvalidInputError as error:
        wrong = str(error)
    wanted = asked.tool_call_id
    ids = itertools.chain([wanted], (f"{wanted or 'call'}_{n}" for n in itertools.count(2)))
    tool_call_id = next(one for one in ids if one and not is_taken(one))
    call = FunctionCallFromLLM(asked.function_name, tool_call_id, arguments, occasion.group_id)
    return PlannedCall(call, occasion, options, wrong)


def refusal(
    planned: PlannedCall,
    registration: Registration | None,
    table: CallTable,
    missing: str = MISSING_FUNCTION,
) -> Any:
    """The result instead of running, or None if the call can run; logs for the developer.

    `missing` is what the model is told of a `{function_name}` that has no handler.
    """
    name = planned.call.function_name
    if registration is None:
        advertised = planned.occasion.tools.get(name) is not None
        why = "is advertised but has no handler" if advertised else "does not exist"
        level = logging.ERROR if advertised else logging.WARNING
        logger.log(level, "The model called the function %r, which %s.", name, why)
        return missing.format(function_name=name)
    if planned.wrong is None and registration.direct:
        try:
            converted(registration.handler, planned.call.arguments)
        except InvalidInputError as error:
            planned.wrong = str(error)
    if planned.wrong is not None:
        logger.warning("The model called %r wrongly: %s", name, planned.wrong)
        return failure(planned.wrong)
    call = table.get(planned.call.tool_call_id)
    twin = table.twin(call) if call and not registration.options.allow_duplicates else None
    if twin is not None:
        text = DUPLICATE.format(function_name=name, tool_call_id=twin.tool_call_id)
        return {"status": "already_running", "message": text}
    return None
