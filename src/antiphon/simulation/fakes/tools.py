"""Functions for models to call that do as they are told: late, in steps, wrongly, never.

book = FakeTool("book", {"booked": True}, latency=lognormal(0.5, 4.0))
llm.register_function("book", book)             # or ToolsSchema([book.schema])
...
assert book.uses[0].arguments == {"people": 4}
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.frames.tools import FunctionCallResultProperties
from antiphon.simulation.fakes.delays import Delay, stream, wait
from antiphon.simulation.fakes.provider import Faults, PlannedFaults
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import FunctionSchema


@dataclass(slots=True)
class ToolUse:
    """One call: when it came, with which arguments, when it was answered, whether it was cut."""

    at: float
    arguments: Mapping[str, Any]
    answered: float | None = None
    cancelled: bool = False


class FakeTool:
    """A handler.

    Args:
        name: the function's.
        result: what it answers; or a function of the arguments that says so, or raises. Anything
            goes: an open file is a result that cannot be told to a model.
        latency: seconds from the call to the answer.
        steps: intermediate results before it, each with the seconds before it; they take a tool
            that is registered with `is_async=True`.
        error: raised in place of the answer.
        hangs: it never answers.
        faults: what goes wrong, by the number of the call; `after` counts its results.
        returns: the answer is returned; otherwise given by the callback.
        stubborn: a cancel does not stop it: it answers all the same, in its time.
        properties: of the schema, by name, as JSON schema has them.

    """

    def __init__(
        self,
        name: str,
        result: Any | Callable[[Mapping[str, Any]], Any] = "done",
        *,
        latency: Delay = 0.0,
        steps: Sequence[tuple[Delay, Any]] = (),
        error: Exception | None = None,
        hangs: bool = False,
        faults: Faults | None = None,
        returns: bool = False,
        stubborn: bool = False,
        properties: Mapping[str, Any] | None = None,
        description: str = "Does as it is told.",
    ) -> None:
        self.name: str = name
        self.__name__: str = name
        self.uses: list[ToolUse] = []
        self._result, self._latency, self._steps = result, latency, tuple(steps)
        self._error, self._hangs, self._returns = error, hangs, returns
        self._stubborn, self._plan = stubborn, PlannedFaults(faults)
        self.schema: FunctionSchema = FunctionSchema(
            name=name, description=description, properties=dict(properties or {}), handler=self
        )

    async def __call__(self, params: FunctionCallParams) -> Any:
        """The handler."""
        use = ToolUse(_now(), dict(params.arguments))
        self.uses.append(use)
        if not self._stubborn:
            return await self._answer(params, use)
        answering = asyncio.get_running_loop().create_task(
            self._answer(params, use), name=f"stubborn {self.name}"
        )
        try:
            return await asyncio.shield(answering)
        except asyncio.CancelledError:
            use.cancelled = True
            return await answering

    async def _answer(self, params: FunctionCallParams, use: ToolUse) -> Any:
        rng, planned = stream(f"tool {self.name}"), self._plan.begin()
        try:
            for before, step in self._steps:
                await wait(before, rng)
                await planned.checkpoint()
                unfinished = FunctionCallResultProperties(is_final=False)
                await params.result_callback(step, properties=unfinished)
            await wait(self._latency, rng)
            await planned.checkpoint()
            if self._hangs:
                await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            use.cancelled = True
            raise
        if self._error is not None:
            raise self._error
        result = self._result(use.arguments) if callable(self._result) else self._result
        use.answered = _now()
        if self._returns:
            return result
        await params.result_callback(result)
        return None


def _now() -> float:
    return asyncio.get_running_loop().time()
