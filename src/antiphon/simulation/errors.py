"""What can be wrong with a simulated run.

SimulationError
|-- DeterminismError        real threads, sockets or processes were asked for
|-- DeadlockError           nothing is ready and no timer is set, and somebody still waits
|-- LivelockError           task steps run on and on and the loop is never idle
|-- EndlessStepError        one step of a task never ended
|-- VirtualDeadlineError    the run did not end within its virtual seconds
`-- UncleanRunError         tasks were left behind, or exceptions that nobody retrieved
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
    """The run ended, but left tasks running or exceptions unretrieved.

    `leaked` names the tasks and where they wait, `unhandled` the reports that reached the loop's
    exception handler.
    """

    def __init__(self, leaked: tuple[str, ...], unhandled: tuple[str, ...]) -> None:
        lines = []
        if leaked:
            lines += ["tasks left running:", *(f"  {line}" for line in leaked)]
        if unhandled:
            lines += ["exceptions nobody retrieved:", *(f"  {line}" for line in unhandled)]
        super().__init__("\n".join(lines))
        self.leaked, self.unhandled = leaked, unhandled
