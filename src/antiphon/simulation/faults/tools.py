"""Faults of tools: any function that a service runs for its model.

A registry is asked for a function at each call. While faults are in force it answers with one that
behaves as they say around the user's own, whichever way that was made known to it.
"""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import msgspec

from antiphon.frames.tools import FunctionCallResultProperties
from antiphon.simulation.faults.fault import Armed, Hits
from antiphon.tools.params import FunctionCallParams, ResultCallback
from antiphon.tools.registry import FunctionRegistry, Registration
from antiphon.tools.signature import Handler


class FaultyTools:
    """The faults of one registry's functions, in force until `restore`.

    `armed`: by the function's name; None is every function.
    """

    def __init__(self, registry: FunctionRegistry, armed: dict[str | None, list[Armed]]) -> None:
        self._registry, self._armed = registry, armed
        self._find = registry.find
        registry.find = self.find  # type: ignore[method-assign]  # until `restore`

    def restore(self) -> None:
        """The registry is as it was."""
        del self._registry.find

    def find(self, name: str) -> Registration | None:
        """In place of the registry's."""
        found = self._find(name)
        armed = [*self._armed.get(None, ()), *self._armed.get(name, ())]
        if found is None or not armed:
            return found
        return msgspec.structs.replace(found, handler=faulty_tool(found.handler, *armed))


def faulty_tool(handler: Handler, *armed: Armed) -> Handler:
    """A function that looks like `handler` and suffers faults; each call is one occasion."""

    @functools.wraps(handler)
    async def suffering(params: FunctionCallParams, **given: Any) -> Any:
        all_hits = [one.strike() for one in armed]
        for hits in all_hits:
            await hits.suffer()
        answer = _answering(params.result_callback, all_hits)
        result = await handler(msgspec.structs.replace(params, result_callback=answer), **given)
        if result is None:
            return None
        await answer(result)
        return None

    return suffering


def _answering(answer: ResultCallback, all_hits: list[Hits]) -> ResultCallback:
    late = sum(hits.late for hits in all_hits)
    drop = any(hits.drop for hits in all_hits)
    copies = 1 + sum(hits.copies - 1 for hits in all_hits)

    async def suffering(
        result: Any, *, properties: FunctionCallResultProperties | None = None
    ) -> None:
        if late > 0.0:
            await asyncio.sleep(late)
        for _ in range(0 if drop else copies):
            await answer(result, properties=properties)

    return suffering
