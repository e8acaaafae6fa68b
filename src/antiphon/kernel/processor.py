"""What users subclass.

    class Shout(FrameProcessor):
        @handles(TextFrame)
        async def shout(self, frame: TextFrame, direction: FrameDirection) -> None:
            await self.push_frame(TextFrame(frame.text.upper()), direction)

Methods declare the frames they handle, subclasses of the type included: the nearest type in the
frame's method resolution order wins. Frames that no method handles flow past the processor.

Ordered frames are handled one after the other; urgent ones one after the other beside them. So
what an urgent and an ordered handler share must be changed without awaiting in between, and
nothing else needs care. Pushing takes effect at the call and never waits; `await` is only for the
look of it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from antiphon.clock import Clock
from antiphon.errors import (
    AntiphonError,
    ConfigurationError,
    ErrorCategory,
    NotInPipelineError,
)
from antiphon.frames.base import Frame, not_a_frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame
from antiphon.kernel.call_frames import CallFrame, Timer
from antiphon.kernel.epoch import Epoch, FrameDirection, current_work
from antiphon.kernel.event_source import DONE, EventSource
from antiphon.kernel.handlers import HandlerTable, handles
from antiphon.kernel.mailbox import CAPACITY

if TYPE_CHECKING:
    from antiphon.kernel.params import PipelineParams
    from antiphon.kernel.station import Station

__all__ = ["Emitter", "FrameDirection", "FrameProcessor", "handles"]

T = TypeVar("T")
DOWNSTREAM = FrameDirection.DOWNSTREAM
UPSTREAM = FrameDirection.UPSTREAM


class Emitter:
    """Pushes for a processor on behalf of one epoch, from a loop that outlives it."""

    __slots__ = ("_epoch", "_station")

    def __init__(self, station: Station, epoch: Epoch) -> None:
        self._station = station
        self._epoch = epoch

    @property
    def live(self) -> bool:
        """False once an interruption has made the request void."""
        return self._epoch.live

    def push_frame(self, frame: Frame, direction: FrameDirection = DOWNSTREAM) -> Awaitable[None]:
        """Pushes a frame; an interruptible one of a void request vanishes."""
        if not isinstance(frame, Frame):
            raise not_a_frame(self._station.name, frame)
        if self._epoch.live or not frame.interruptible:
            self._station.emit(frame, direction)
        return DONE


class FrameProcessor(EventSource):
    """A part of a pipeline. See the module's docstring."""

    stop_timeout_secs: ClassVar[float] = 1.0
    """How long a cancelled handler may take to stop before it is abandoned."""
    mailbox_capacity: ClassVar[int] = CAPACITY

    handlers: ClassVar[HandlerTable]
    _station: Station | None = None
    _name: str | None = None
    _over: bool = False
    also_voided: Sequence[Callable[[Epoch], None]] = ()
    """What is called like `voided`, and after it: the parts of this processor that keep state."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if inspect.iscoroutinefunction(cls.voided):
            raise ConfigurationError(
                f"{cls.__name__}.voided is called inside the interruption itself and cannot await: "
                f"declare it with `def`"
            )
        overridden = cls.process_frame is not FrameProcessor.process_frame
        cls.handlers = HandlerTable(cls, cls.handlers, cls.process_frame if overridden else None)

    def __init__(self, *, name: str | None = None) -> None:
        self._name = name

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Override to get every frame that no `@handles` method takes, and push on what goes on."""

    def voided(self, epoch: Epoch) -> None:
        """Override to drop what belongs to an epoch that an interruption (or a switch) has ended.

        Called inside the step itself, before anything else runs: it may neither await nor push nor
        interrupt. Emitters of the epoch are no longer `live`. What it raises is reported. The end
        of the conversation is told by its own frames, not here.
        """

    async def cleanup(self) -> None:
        """Releases what the processor holds. Called once, after the end; bounded."""

    # ---- pushing ------------------------------------------------------------------------------

    def push_frame(self, frame: Frame, direction: FrameDirection = DOWNSTREAM) -> Awaitable[None]:
        """Hands a frame to the next processor in a direction. Never waits.

        Raises `MailboxFullError` if that one does not keep up, `NotInPipelineError` if there is no
        pipeline. An `EndFrame` or `CancelFrame` asks the task to end; an `InterruptionFrame`
        interrupts.
        """
        station = self._station or self.station
        near = (station.near_down if direction is DOWNSTREAM else station.near_up).get(type(frame))
        if near is None:
            station.push(frame, direction)
            return DONE
        if frame.interruptible:
            work = current_work.get()
            if work is not None and not work.epoch.live and station.epoch.voids(work):
                station.session.voided += 1
                return DONE
        near.deliver(frame, direction)
        return DONE

    def queue_frame(self, frame: Frame, direction: FrameDirection = DOWNSTREAM) -> Awaitable[None]:
        """Puts a frame into this processor, as if its neighbour had pushed it."""
        self.station.receive(frame, direction)
        return DONE

    def broadcast_frame(self, frame: Frame | type[Frame], **fields: Any) -> Awaitable[None]:
        """Pushes one frame both ways: a frame, or a type and its fields."""
        instance = frame(**fields) if isinstance(frame, type) else frame
        station = self.station
        if not isinstance(instance, Frame):
            raise not_a_frame(self.name, instance)
        station.push(instance, DOWNSTREAM)
        station.push(instance, UPSTREAM)
        return DONE

    def broadcast_interruption(self) -> Awaitable[None]:
        """Interrupts the conversation, in one step. The handler that calls this goes on.

        One that calls it from a task of its own making, `asyncio.gather` included, does not.
        """
        self.station.interrupt(InterruptionFrame())
        return DONE

    def push_error(
        self,
        message: str,
        *,
        exception: BaseException | None = None,
        category: ErrorCategory | None = None,
        count: int = 1,
    ) -> Awaitable[None]:
        """Reports an error upstream. The category is the exception's unless given; `count` says how
        often it has occurred in one outage.
        """
        if category is None and isinstance(exception, AntiphonError):
            category = exception.category
        retryable = isinstance(exception, AntiphonError) and exception.retryable
        frame = ErrorFrame(
            error=message,
            processor=self.name,
            exception=exception,
            category=category or ErrorCategory.UNKNOWN,
            retryable=retryable,
            count=count,
        )
        self.station.route(frame, UPSTREAM)
        return DONE

    def emitter(self) -> Emitter:
        """A handle that pushes on behalf of the present epoch."""
        station = self.station
        return Emitter(station, station.present_epoch())

    # ---- work beside the handlers -------------------------------------------------------------

    def create_task(
        self, coro: Coroutine[Any, Any, T], *, name: str, bound: bool = False
    ) -> asyncio.Task[T]:
        """Runs a coroutine beside the handlers; what it raises is reported as this processor's.

        A `bound` task belongs to the present epoch: an interruption cancels it and voids what it
        still pushes. Others push on their own behalf, and end with the session.
        """
        station = self.station
        return station.session.create_task(coro, name=name, station=station, bound=bound)

    async def cancel_task(self, task: asyncio.Task[Any]) -> None:
        """Cancels a task and waits until it has stopped, at most `stop_timeout_secs`."""
        station = self.station
        left = await station.session.tasks.cancel([task], self.stop_timeout_secs)
        if left:
            message = f"the task {task.get_name()!r} of {self.name} did not stop: it is abandoned"
            station.report(message, TimeoutError(message))

    def timer(self, callback: Callable[[], Awaitable[None]]) -> Timer:
        """A timer whose callback takes its turn among this processor's urgent frames."""
        return Timer(self.station, callback)

    def allow(self, secs: float) -> None:
        """Extends the deadline of the handler that calls this to `secs` seconds from now."""
        self.station.session.extend_deadline(secs)

    def pause_processing_frames(self) -> Awaitable[None]:
        """Handles no further ordered frame until `resume_processing_frames`."""
        self.station.ordered.hold()
        return DONE

    def resume_processing_frames(self) -> Awaitable[None]:
        """Undoes `pause_processing_frames`."""
        self.station.ordered.release()
        return DONE

    # ---- where it is --------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name given, or the one its pipeline gave it: `TypeName#n`."""
        if self._name is not None:
            return self._name
        return self._station.name if self._station is not None else type(self).__name__

    @property
    def station(self) -> Station:
        """The processor's place; `NotInPipelineError` if it has none."""
        if self._station is None:
            what = "was in a conversation that is over" if self._over else "is in no pipeline"
            raise NotInPipelineError(
                f"{self.name} {what}: put it into a Pipeline, and that into a PipelineTask"
            )
        return self._station

    @property
    def clock(self) -> Clock:
        """The conversation's clock; there is one once it has started."""
        return self.station.session.clock

    @property
    def params(self) -> PipelineParams:
        """The parameters of the task."""
        return self.station.session.params

    @handles(CallFrame)
    async def _take_call(self, frame: CallFrame, direction: FrameDirection) -> None:
        await frame.call()

    def report_handler_error(self, message: str, error: BaseException) -> None:
        """A handler of one of this processor's events failed."""
        if self._station is None:
            super().report_handler_error(message, error)
        else:
            self._station.report(message, error)


FrameProcessor.handlers = HandlerTable(FrameProcessor, None, None)
