"""From a snapshot of the conversation to a request for a provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.context.llm_context import ContextSnapshot, LLMContext
from antiphon.context.messages import LLMSpecificMessage, Message
from antiphon.errors import InvalidInputError
from antiphon.services.contracts import LLMRequest, ToolSpec
from antiphon.settings import LLMSettings
from antiphon.tools.json_data import copied
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
    tools = [_spec(tool) for tool in snapshot.tools.functions]
    cancel = [_spec(tool) for tool in cancel_tools(snapshot, registry)]
    pieces = [settings.system_instruction or "", *instructions]
    if any(registry.options_of(tool.name).is_async for tool in tools):
        pieces.append(ASYNC_TOOLS_INSTRUCTION)
    if cancel:
        pieces.append(CANCEL_TOOLS_INSTRUCTION)
    return LLMRequest(
        messages=tuple(together(snapshot.messages, provider, snapshot.context.answer_of)),
        system_instruction="\n\n".join(piece for piece in pieces if piece) or None,
        tools=(*tools, *cancel),
        tool_choice=snapshot.tool_choice,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        extra=_extra(snapshot, provider, settings),
    )


def together(
    messages: Sequence[Message], provider: str, answer_of: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Copies of the messages for that provider, the calls of one answer in one message with their
    results behind it.

    The context has them one by one, as they start. A model that is shown its parallel calls as if
    they had come one after the other learns to make them so.
    """
    joined: list[dict[str, Any]] = []
    calling: dict[str, Any] | None = None
    for kept in messages:
        if isinstance(kept, LLMSpecificMessage):
            if kept.llm == provider:
                joined.append({"role": "provider_specific", "message": kept.message})
                calling = None
            continue
        message = copied(kept)
        calls = message.get("tool_calls")
        if calls:
            if calling is not None and not message.get("content"):
                answer = answer_of.get(calls[0]["id"])
                if answer is not None and answer == answer_of.get(calling["tool_calls"][0]["id"]):
                    calling["tool_calls"] += calls
                    continue
            calling = message
        elif message["role"] != "tool":
            calling = None
        joined.append(message)
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
