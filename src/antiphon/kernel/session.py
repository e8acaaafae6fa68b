"""What the processors of one conversation share: epoch, tasks, clock, and the way to the task.

States: *wired* (frames may be queued, nothing runs) -> *running* -> *closed* (nothing is handed
over any more). A session knows no frames but those of the life cycle, and leaves every decision to
its owner.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from antiphon.clock import Clock
from antiphon.errors import (
    AlreadyInPipelineError,
    AntiphonError,
    ErrorCategory,
    MailboxFullError,
    NotInPipelineError,
)
from antiphon.frames.base import DataFrame, Frame
from antiphon.frames.lifecycle import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from antiphon.kernel.epoch import (
    Epoch,
    FrameDirection,
    Work,
    context_of,
    current_work,
    free_context,
)
from antiphon.kernel.event_source import EventSource, finish_handlers
from antiphon.kernel.observers import Observers
from antiphon.kernel.station import Station, leave_place
from antiphon.kernel.tasks import TaskGroup, contained, described

if TYPE_CHECKING:
    from antiphon.kernel.params import PipelineParams
    from antiphon.kernel.processor import FrameProcessor

T = TypeVar("T")

_DRAIN_PERIOD_SECS = 0.001
logger = logging.getLogger("antiphon")


class Owner(Protocol):
    """Who decides about a session: the task."""

    def end_requested(self, frame: EndFrame | StopFrame) -> None:
        """A processor asks for a graceful end."""

    def cancel_requested(self, frame: CancelFrame) -> None:
        """A processor asks for an immediate end."""

    def interrupted(self, frame: InterruptionFrame) -> None:
        """An interruption took place."""


def _nobody_minds() -> None:
    """Nothing is watched."""


def _with_events(session: Session) -> list[EventSource]:
    """Everybody in the pipeline who has events."""
    return [*(station.processor for station in session.stations), *session.sources]


class BoundWork(DataFrame):
    """Stands for the work of a bound task where that of a handler is its frame."""


class Session:
    """Shared state of one conversation."""

    def __init__(self, owner: Owner, params: PipelineParams, observers: Observers | None) -> None:
        self.owner = owner
        self.params = params
        self.observers = observers
        self.watch_processing = (
            observers.processed if observers is not None and observers.wants_processed else None
        )
        self.epoch = Epoch(0, object())
        self.stations: list[Station] = []
        self.sources: list[EventSource] = []
        """Parts of the pipeline that are no processors and have events."""
        self.tasks = TaskGroup(self._task_failed)
        self.watched: tuple[type[Frame], ...] = ()
        self.note_activity: Callable[[], None] = _nobody_minds
        """Called when a frame of a watched type is handed over."""
        self.closed = False
        self.in_step = False
        """An interruption is calling those who keep state for its epoch."""
        self.refusal: AlreadyInPipelineError | None = None
        """A part of the pipeline is in use elsewhere: the conversation cannot be held."""
        self.voided = 0
        """Frames of an older epoch that were pushed and vanished."""
        self.end_timeout_secs = 20.0
        self._clock: Clock | None = None
        self._halted: asyncio.Future[None] | None = None
        self._bound: dict[asyncio.Task[Any], Station] = {}  # in the order of their start
        self._names: Counter[str] = Counter()

    @property
    def clock(self) -> Clock:
        """The conversation's clock; `NotInPipelineError` before it has started."""
        if self._clock is None:
            raise NotInPipelineError("the conversation has not started: there is no clock yet")
        return self._clock

    def name_for(self, processor: FrameProcessor) -> str:
        """The processor's own name, or `TypeName#n` counted within the pipeline."""
        own = processor.name
        kind = type(processor).__name__
        if own != kind:
            return own
        number = self._names[kind]
        self._names[kind] += 1
        return f"{kind}#{number}"

    def is_inside(self) -> bool:
        """Whether the running task is the session's own: a handler, or an event's handler."""
        task = asyncio.current_task()
        inside = any(source.is_running_handler(task) for source in _with_events(self))
        return inside or task in self.tasks

    # ---- life cycle ---------------------------------------------------------------------------

    def open(self) -> None:
        """The loop runs: time starts."""
        self._clock = Clock()
        if self.observers is not None:
            self.observers.start(self.tasks, self._clock)

    async def start(self, frame: StartFrame, timeout: float) -> list[str]:
        """Starts all processors at once; returns the names of those not ready in time."""
        starting: dict[asyncio.Task[None], str] = {}
        for station in self.stations:
            if self.observers is not None:
                self.observers.pushed("task", station.name, frame, FrameDirection.DOWNSTREAM)
            if station.handles(StartFrame):
                task = self.tasks.create(
                    station.life.start(frame),
                    name=f"{station.name} start",
                    owner=station.name,
                    context=free_context(),
                )
                starting[task] = station.name
            else:
                station.open()
        pending = await self._until_started(set(starting), timeout)
        return sorted(starting[task] for task in pending)

    async def _until_started(
        self, pending: set[asyncio.Task[None]], timeout: float
    ) -> set[asyncio.Task[None]]:
        """Waits for the start, the deadline, or a cancel; returns the tasks that go on."""
        loop = asyncio.get_running_loop()
        halted = self._halted = loop.create_future()
        deadline = loop.time() + timeout
        while pending and not halted.done() and (left := deadline - loop.time()) > 0:
            await asyncio.wait(
                {*pending, halted}, timeout=left, return_when=asyncio.FIRST_COMPLETED
            )
            pending = {task for task in pending if not task.done()}
        return pending

    async def drain(self) -> None:
        """Waits for what nobody may drop and is still on its way, such as upstream of the end.

        Bounded by `end_timeout_secs`; what is stuck after that is reported when the lanes are
        cancelled.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.end_timeout_secs
        for station in self.stations:
            station.ordered.watch.start()
        while not self.closed and any(station.owes for station in self.stations):
            if loop.time() >= deadline:
                return
            await asyncio.sleep(_DRAIN_PERIOD_SECS)

    def stop_lanes(self) -> None:
        """Nothing is handled or handed over any more, from this instant; a start is given up."""
        self.closed = True
        self.epoch.end()
        if self._halted is not None and not self._halted.done():
            self._halted.set_result(None)
        for station in self.stations:
            station.end()

    async def close(self, cancelled: CancelFrame | None, *, cleanup: bool, timeout: float) -> None:
        """Ends every task, tells the processors, and lets them clean up; each bounded."""
        self.stop_lanes()
        lanes = [t for t in self.tasks.running() if not t.get_name().endswith(" observer")]
        self._abandon(await self.tasks.cancel(lanes, timeout), "did not stop when the task ended")
        if cancelled is not None:
            await self._each("cancel", timeout, cancelled)
        if cleanup:
            await self._each("cleanup", timeout, None)
        if self.observers is not None:
            await self.observers.finish(timeout)
        self._abandon(await self.tasks.close(timeout), "left a task behind")
        await finish_handlers(_with_events(self), timeout)
        for station in self.stations:
            leave_place(station)

    async def _each(self, what: str, timeout: float, cancelled: CancelFrame | None) -> None:
        jobs = {}
        for station in self.stations:
            if cancelled is not None and not station.handles(CancelFrame):
                continue
            life = station.life
            coro = life.cleanup() if cancelled is None else life.cancel(cancelled)
            task = self.tasks.create(
                coro, name=f"{station.name} {what}", owner=station.name, context=free_context()
            )
            jobs[task] = station.name
        if jobs:
            _, pending = await asyncio.wait(jobs, timeout=timeout)
            self._abandon({jobs[task] for task in pending}, f"is still busy with its {what}")

    def _abandon(self, names: set[str], what: str) -> None:
        for name in sorted(names):
            logger.error("%s %s: it is abandoned", name, what)

    # ---- tasks --------------------------------------------------------------------------------

    def create_task(
        self, coro: Coroutine[Any, Any, T], *, name: str, station: Station, bound: bool
    ) -> asyncio.Task[T]:
        """Starts a task of a processor's; see `FrameProcessor.create_task`."""
        work = Work(station.present_epoch(), BoundWork()) if bound else None
        task = self.tasks.create(
            contained(coro),
            name=f"{station.name} {name}",
            owner=station.name,
            context=context_of(work),
        )
        task.add_done_callback(lambda _: coro.close())  # it has not begun if cancelled before
        if work is None:
            return task
        self._bound[task] = station
        task.add_done_callback(self._bound.pop)
        if not work.epoch.live:
            task.cancel()
        return task

    def void_bound_tasks(self, initiator: asyncio.Task[Any] | None) -> None:
        """Cancels the bound tasks of the epoch that is over, except one that interrupted."""
        for task in self._bound:
            if task is not initiator:
                task.cancel()

    def void_bound_tasks_of(self, station: Station) -> None:
        """Cancels the bound tasks of one processor."""
        for task, owner in self._bound.items():
            if owner is station:
                task.cancel()

    # ---- reports and requests -----------------------------------------------------------------

    def report_error(self, message: str, error: BaseException, station: Station) -> None:
        """Sends an `ErrorFrame` upstream from a station; logs it when there is no way any more."""
        if self.closed:
            logger.error(message, exc_info=error)
            return
        if isinstance(error, AlreadyInPipelineError):
            self.refusal = error
            self.owner.cancel_requested(CancelFrame(reason=message))
            return
        category, retryable = ErrorCategory.APPLICATION, False
        if isinstance(error, AntiphonError):
            category, retryable = error.category, error.retryable
        frame = ErrorFrame(
            error=message,
            processor=station.name,
            exception=error,
            category=category,
            retryable=retryable,
        )
        try:
            station.route(frame, FrameDirection.UPSTREAM)
        except MailboxFullError:  # somebody upstream is stuck, and reported by its own lane
            logger.exception("nobody could be told: %s", message)

    def _task_failed(self, owner: str, error: BaseException) -> None:
        for station in self.stations:
            if station.name == owner:
                self.report_error(f"a task of {owner} failed: {described(error)}", error, station)
                return
        logger.error("a task of %s failed", owner, exc_info=error)

    def request_end(self, frame: EndFrame | StopFrame) -> None:
        """A processor wants the conversation to end."""
        self.owner.end_requested(frame)

    def request_cancel(self, frame: CancelFrame) -> None:
        """A processor wants the conversation to end at once."""
        self.owner.cancel_requested(frame)

    def interrupted(self, frame: InterruptionFrame) -> None:
        """An interruption took place."""
        self.owner.interrupted(frame)

    def extend_deadline(self, secs: float) -> None:
        """The handler at work asks for time."""
        if (work := current_work.get()) is not None:
            work.patience = (work.frame, asyncio.get_running_loop().time() + secs)
