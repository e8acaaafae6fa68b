"""From a snapshot of the conversation to a request for a provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from antiphon.context.llm_context import ContextSnapshot, LLMContext
from antiphon.context.messages import LLMSpecificMessage
from antiphon.errors import InvalidInputError
from antiphon.services.contracts import LLMRequest, ToolSpec
from antiphon.settings import LLMSettings
from antiphon.tools.registry import FunctionRegistry
from antiphon.tools.schema import FunctionSchema

ASYNC_TOOLS_INSTRUCTION = (
    "Some functions run in the background. Such a call is answered at once by a message "
    '{"type": "async_tool", "status": "started", ...}: it has no result yet, so go on with the '
    "conversation and never invent one. Later a developer message with the same tool_call_id tells "
    'you more: status "running" brings an intermediate result, "finished" the final one, '
    '"cancelled" and "timeout" that there will be none. Tell the user what is new when it fits, '
    "in your own words, without mentioning these messages."
)
CANCEL_TOOLS_INSTRUCTION = (
    "A running background function can be stopped with the function of the same name prefixed by "
    "'cancel_', when the user no longer wants its result."
)
CANCEL_PREFIX = "cancel_"


def snapshot_of(context: Any) -> ContextSnapshot:
    """What a context frame carries, as a snapshot; `InvalidInputError` for anything else."""
    if isinstance(context, LLMContext):
        return context.snapshot()
    if isinstance(context, ContextSnapshot):
        return context
    raise InvalidInputError(
        f"An LLMContextFrame carries an LLMContext or its snapshot(), not {type(context).__name__}."
    )


def request_of(
    snapshot: ContextSnapshot,
    *,
    provider: str,
    settings: LLMSettings,
    registry: FunctionRegistry,
    instructions: tuple[str, ...] = (),
) -> LLMRequest:
    """The request of one inference. `instructions` are added to the system instruction.

    Messages that only `provider` understands are handed to it as
    `{"role": "provider_specific", "message": ...}`.
    """
    messages = [_for_provider(message) for message in snapshot.get_messages(provider)]
    tools = [_spec(tool) for tool in snapshot.tools.functions]
    cancel = [_spec(tool) for tool in cancel_tools(snapshot, registry)]
    pieces = [settings.system_instruction or "", *instructions]
    if any(registry.options_of(tool.name).is_async for tool in tools):
        pieces.append(ASYNC_TOOLS_INSTRUCTION)
    if cancel:
        pieces.append(CANCEL_TOOLS_INSTRUCTION)
    return LLMRequest(
        messages=tuple(together(messages, snapshot.context.answer_of)),
        system_instruction="\n\n".join(piece for piece in pieces if piece) or None,
        tools=(*tools, *cancel),
        tool_choice=snapshot.tool_choice,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        extra=_extra(snapshot, provider, settings),
    )


def together(messages: list[dict[str, Any]], answer_of: Mapping[str, int]) -> list[dict[str, Any]]:
    """Puts the calls of one answer into one message, with their results behind it.

    The context has them one by one, as they start. A model that is shown its parallel calls as if
    they had come one after the other learns to make them so.
    """
    joined: list[dict[str, Any]] = []
    calling: dict[str, Any] | None = None
    for message in messages:
        calls = message.get("tool_calls")
        if message.get("role") == "tool":
            joined.append(message)
            continue
        if calling is not None and calls and not message.get("content"):
            answer = answer_of.get(calls[0]["id"])
            if answer is not None and answer == answer_of.get(calling["tool_calls"][0]["id"]):
                calling["tool_calls"] += calls
                continue
        joined.append(message)
        calling = message if calls else None
    return joined


def cancel_tools(
    snapshot: ContextSnapshot, registry: FunctionRegistry
) -> tuple[FunctionSchema, ...]:
    """A `cancel_<name>` tool for each advertised tool that the model may cancel."""
    found = []
    for tool in snapshot.tools.functions:
        name = CANCEL_PREFIX + tool.name
        if registry.options_of(tool.name).cancellable_by_llm and snapshot.tools.get(name) is None:
            found.append(
                FunctionSchema(
                    name=name,
                    description=f"Stops a running call of {tool.name}.",
                    properties={
                        "tool_call_id": {
                            "type": "string",
                            "description": "Which call, if several are running.",
                        }
                    },
                )
            )
    return tuple(found)


def _spec(tool: FunctionSchema) -> ToolSpec:
    return ToolSpec(name=tool.name, description=tool.description, parameters=tool.parameters)


def _for_provider(message: Any) -> dict[str, Any]:
    if isinstance(message, LLMSpecificMessage):
        return {"role": "provider_specific", "message": message.message}
    copy: dict[str, Any] = message
    return copy


def _extra(snapshot: ContextSnapshot, provider: str, settings: LLMSettings) -> dict[str, Any]:
    sampling: dict[str, Any] = {
        "top_p": settings.top_p,
        "top_k": settings.top_k,
        "frequency_penalty": settings.frequency_penalty,
        "presence_penalty": settings.presence_penalty,
        "seed": settings.seed,
    }
    extra = {name: value for name, value in sampling.items() if value is not None}
    if custom := snapshot.tools.custom_tools.get(provider):
        extra["custom_tools"] = list(custom)
    return {**extra, **settings.extra}
