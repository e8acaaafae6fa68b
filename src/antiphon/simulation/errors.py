"""What can be wrong with a simulated run.

SimulationError
|-- DeterminismError        real threads, sockets or processes were asked for
|-- DeadlockError           nothing is ready and no timer is set, and somebody still waits
|-- LivelockError           task steps run on and on and the loop is never idle
|-- EndlessStepError        one step of a task never ended
|-- VirtualDeadlineError    the run did not end within its virtual seconds
`-- UncleanRunError         tasks were left behind, exceptions not retrieved, the loop blocked
"""

from __future__ import annotations

from antiphon.errors import AntiphonError, ErrorCategory


class SimulationError(AntiphonError):
    """A simulated run cannot go on, or went wrong."""

    category = ErrorCategory.APPLICATION


class DeterminismError(SimulationError):
    """A call would tie the run to the real world. Names the call and what to do instead."""

    def __init__(self, call: str, instead: str) -> None:
        super().__init__(f"{call} is not possible in virtual time: {instead}")
        self.call = call


class DeadlockError(SimulationError):
    """Nothing is ready, no timer is set, and the run has not ended. Lists who waits where."""


class LivelockError(SimulationError):
    """The loop has not been idle for very many steps. Lists the tasks."""


class EndlessStepError(SimulationError):
    """One step used up its CPU time without ever waiting. Names the task and the line."""


class VirtualDeadlineError(SimulationError):
    """The virtual deadline of the run has passed. Lists who waits where."""


class UncleanRunError(SimulationError):
    """The run ended, but left tasks running or exceptions unretrieved, or blocked the loop.

    `leaked` names the tasks and where they wait, `unhandled` the reports that reached the loop's
    exception handler, `blocking` the calls that would have stopped a real loop.
    """

    def __init__(
        self,
        leaked: tuple[str, ...],
        unhandled: tuple[str, ...],
        blocking: tuple[str, ...] = (),
    ) -> None:
        lines = []
        for title, found in (
            ("tasks left running:", leaked),
            ("exceptions nobody retrieved:", unhandled),
            ("calls that would have stopped a real loop:", blocking),
        ):
            if found:
                lines += [title, *(f"  {line}" for line in found)]
        super().__init__("\n".join(lines))
        self.leaked: tuple[str, ...] = leaked
        self.unhandled: tuple[str, ...] = unhandled
        self.blocking: tuple[str, ...] = blocking
