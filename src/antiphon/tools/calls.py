"""The table of function calls: which there are, how each ended, and what follows for the model.

    announced --start--> running --end--> ended (result | failure | timeout | cancelled)
        |                                   ^
        '---------------end-----------------'

Nothing leaves `ended`; a second end is refused. So each call ends exactly once, whatever order
results, cancellations, timeouts and interruptions come in.

Groups. The calls of one answer share a `group_id`, fixed when they are announced. A synchronous
member holds the group open until it has ended, by whatever end; when the last one has, the model is
owed one inference if any of them wants it. Asynchronous members hold nothing: the result of each
wants an inference of its own, as does every call without a group. A result may say itself that it
wants an inference now, whoever else is running, or that it wants none and none is owed after it.

Calls that are announced together belong together: if they learn their group only when one of them
starts, the others are in it too, until they say otherwise.

The LLM service keeps one table to run calls, the aggregators keep one to write them down; both are
fed the same frames, and both therefore agree.
"""

from __future__ import annotations

import enum
import heapq
import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from antiphon.frames.tools import FunctionCallFromLLM

_REMEMBERED = 1000
"""Ended calls that are still recognised, so that a late answer to one can be told apart."""


class CallState(enum.Enum):
    """Where a call is in its life."""

    ANNOUNCED = "announced"
    RUNNING = "running"
    ENDED = "ended"


class CallEnd(enum.Enum):
    """How a call ended."""

    RESULT = "result"
    FAILURE = "failure"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


class FunctionCall(msgspec.Struct, frozen=True, kw_only=True):
    """One call as it stands. `deadline` in seconds on the loop's clock."""

    function_name: str
    tool_call_id: str
    arguments: Mapping[str, Any]
    group_id: str | None = None
    state: CallState = CallState.ANNOUNCED
    is_async: bool = False
    cancel_on_interruption: bool = True
    deadline: float | None = None
    end: CallEnd | None = None


class CallStep(msgspec.Struct, frozen=True):
    """What a change of one call brings: the call after it, and whether the model is owed an
    inference.
    """

    call: FunctionCall
    run_llm: bool = False


class _Group(msgspec.Struct):
    holding: set[str]
    wants_run: bool = False


def _likeness(call: FunctionCall) -> tuple[str, str]:
    """What two calls that would do the same have in common."""
    return call.function_name, json.dumps(call.arguments, sort_keys=True, default=repr)


class CallTable:
    """Every call of a conversation. See the module's docstring."""

    def __init__(self) -> None:
        self._open: dict[str, FunctionCall] = {}
        self._ended: OrderedDict[str, FunctionCall] = OrderedDict()
        self._groups: dict[str, _Group] = {}
        self._together: dict[str, list[str]] = {}
        self._running: dict[tuple[str, str], dict[str, None]] = {}
        self._deadlines: list[tuple[float, str]] = []

    # ---- changes ----

    def announce(self, calls: Iterable[FunctionCallFromLLM]) -> list[FunctionCall]:
        """Enters calls; those that are known already are left out of the answer."""
        fresh, together, found = [], [], None
        for asked in calls:
            together.append(asked.tool_call_id)
            known = self.get(asked.tool_call_id)
            if known is not None:
                found = found or known.group_id
                continue
            call = FunctionCall(
                function_name=asked.function_name,
                tool_call_id=asked.tool_call_id,
                arguments=asked.arguments,
            )
            self._open[call.tool_call_id] = call
            fresh.append(self._join(call, asked.group_id))
        loose = [call.tool_call_id for call in fresh if call.group_id is None]
        if loose and len(together) > 1:
            if found in self._groups:
                self._gather(loose, found)
            else:
                self._together.update(dict.fromkeys(loose, loose))
        return [self._open[call.tool_call_id] for call in fresh]

    def _gather(self, ids: list[str], group_id: str) -> None:
        """Puts the calls among these that know no group into one."""
        for one in ids:
            self._together.pop(one, None)
            if one in self._open and self._open[one].group_id is None:
                self._join(self._open[one], group_id)

    def _join(self, call: FunctionCall, group_id: str | None) -> FunctionCall:
        if group_id is not None:
            call = msgspec.structs.replace(call, group_id=group_id)
            self._open[call.tool_call_id] = call
            if not call.is_async:
                self._groups.setdefault(group_id, _Group(set())).holding.add(call.tool_call_id)
        return call

    def start(
        self,
        tool_call_id: str,
        *,
        is_async: bool = False,
        cancel_on_interruption: bool = True,
        deadline: float | None = None,
        group_id: str | None = None,
    ) -> CallStep | None:
        """An announced call begins to run; None if it is not announced.

        `group_id`: if it was announced without one, or with another.
        """
        call = self._open.get(tool_call_id)
        if call is None or call.state is not CallState.ANNOUNCED:
            return None
        run = False
        if group_id is not None and group_id != call.group_id:
            run = self._let_go(call, wants_run=False)
            self._join(call, group_id)
            self._gather(self._together.pop(tool_call_id, []), group_id)
            call = self._open[tool_call_id]
        call = msgspec.structs.replace(
            call,
            state=CallState.RUNNING,
            is_async=is_async,
            cancel_on_interruption=cancel_on_interruption,
            deadline=deadline,
        )
        self._open[tool_call_id] = call
        self._running.setdefault(_likeness(call), {})[tool_call_id] = None
        if deadline is not None:
            heapq.heappush(self._deadlines, (deadline, tool_call_id))
        run = (is_async and self._let_go(call, wants_run=False)) or run
        return CallStep(call, run)

    def finish(
        self,
        tool_call_id: str,
        end: CallEnd,
        *,
        wants_run: bool | None = None,
        run_llm: bool | None = None,
    ) -> CallStep | None:
        """A call ends; None if it is not open, because each call ends once.

        `wants_run`: the model is to see it when all calls of the group have ended; None is the
        rule, that it is to see every end but a cancellation. `run_llm` overrides that, now and for
        the group.
        """
        call = self._open.pop(tool_call_id, None)
        if call is None:
            return None
        if call.state is CallState.RUNNING:
            alike = self._running[_likeness(call)]
            del alike[tool_call_id]
            if not alike:
                del self._running[_likeness(call)]
        self._together.pop(tool_call_id, None)
        wanted = end is not CallEnd.CANCELLED if wants_run is None else wants_run
        call = msgspec.structs.replace(call, state=CallState.ENDED, end=end, deadline=None)
        self._ended[tool_call_id] = call
        while len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
        if call.is_async or call.group_id is None:
            return CallStep(call, wanted if run_llm is None else run_llm)
        owed = self._let_go(call, wants_run=run_llm is None and wanted)
        return CallStep(call, owed if run_llm is None else run_llm)

    def _let_go(self, call: FunctionCall, *, wants_run: bool) -> bool:
        """Takes a call out of its group; True if that was the last one and an inference is owed."""
        if call.group_id is None or call.group_id not in self._groups:
            return False
        group = self._groups[call.group_id]
        group.holding.discard(call.tool_call_id)
        group.wants_run = group.wants_run or wants_run
        if group.holding:
            return False
        del self._groups[call.group_id]
        return group.wants_run

    # ---- questions ----

    def get(self, tool_call_id: str) -> FunctionCall | None:
        """An open call, or an ended one as long as it is remembered."""
        return self._open.get(tool_call_id) or self._ended.get(tool_call_id)

    def is_open(self, tool_call_id: str) -> bool:
        return tool_call_id in self._open

    @property
    def open_calls(self) -> tuple[FunctionCall, ...]:
        """Announced and running calls, oldest first."""
        return tuple(self._open.values())

    @property
    def interruptible(self) -> tuple[FunctionCall, ...]:
        """Open calls that an interruption cancels; one that has not started is among them."""
        return tuple(call for call in self._open.values() if call.cancel_on_interruption)

    def twin(self, call: FunctionCall) -> FunctionCall | None:
        """A running call of the same function with the same arguments."""
        alike = self._running.get(_likeness(call), {})
        return next((self._open[one] for one in alike if one != call.tool_call_id), None)

    @property
    def deadline(self) -> float | None:
        """When the next call times out, in seconds on the loop's clock."""
        while self._deadlines and self._deadlines[0][1] not in self._open:
            heapq.heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def overdue(self, now: float) -> tuple[FunctionCall, ...]:
        """Running calls whose deadline has come."""
        return tuple(
            call
            for call in self._open.values()
            if call.deadline is not None and call.deadline <= now
        )
