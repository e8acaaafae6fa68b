"""Rigs with tools."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from antiphon.context.llm_context import LLMContext
from antiphon.frames.tools import FunctionCallResultProperties
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema, ToolsSchema
from tests.context.rig import Rig

INTERIM = FunctionCallResultProperties(is_final=False)


def context_with(*names: str) -> LLMContext:
    city = {"city": {"type": "string"}}
    return LLMContext(tools=ToolsSchema([FunctionSchema(n, n, city) for n in names]))


def answering(result: Any, after: float = 0.0) -> Callable[[FunctionCallParams], Awaitable[None]]:
    async def handler(params: FunctionCallParams) -> None:
        await asyncio.sleep(after)
        await params.result_callback(result)

    return handler


def rig_with(
    script: Any, handlers: dict[str, Any], *, options: Any = None, **more: Any
) -> Callable[[], Rig]:
    """A rig whose model follows `script` and whose tools are `handlers`, all with `options`."""

    def make() -> Rig:
        rig = Rig(script, context=context_with(*handlers), **more)
        for name, handler in handlers.items():
            if handler is not None:
                rig.llm.register_function(name, handler, **(options or {}))
        return rig

    return make


async def asks(rig: Rig) -> None:
    """The caller says one thing and then listens."""
    await rig.says("Well?")
    await asyncio.sleep(20)
