"""One conversation: start, graceful end, bounded cancel, idle timeout, heartbeat, hooks, observers.

States              left by
  wired             `run`
  starting          every processor has handled the StartFrame -> running; too late -> ending
  running           `stop_when_done` (the EndFrame goes through the pipeline), `cancel`
  ending            the EndFrame has come out, or a cancel; then everything is closed -> finished
  finished          never

Invariants: `run` returns, whatever the processors do, within the deadlines given;
`on_pipeline_finished` fires exactly once for a task that ran; after `run` no task of the
conversation is left but those that were reported as abandoned.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Awaitable, Iterable, Sequence

from antiphon.errors import (
    AntiphonError,
    ConfigurationError,
    KernelError,
    StartTimeoutError,
)
from antiphon.frames.base import Frame, not_a_frame
from antiphon.frames.lifecycle import (
    CancelFrame,
    EndFrame,
    EndRequestFrame,
    ErrorFrame,
    HeartbeatFrame,
    InterruptionFrame,
    StartFrame,
    StopFrame,
)
from antiphon.frames.turns import BotSpeakingFrame, UserSpeakingFrame
from antiphon.kernel.chain import ChainEnd
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.event_source import DONE, Event, EventSource, finish_handlers
from antiphon.kernel.interruption import interrupt
from antiphon.kernel.monitors import FrameFilter, Heartbeat, IdleWatch, LateFrames
from antiphon.kernel.observers import BaseObserver, Observers
from antiphon.kernel.params import ErrorPolicy, PipelineParams, check_secs
from antiphon.kernel.pipeline import Pipeline, accompanied, check, wire
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.session import Session
from antiphon.kernel.station import leave_place
from antiphon.kernel.tasks import to_its_end

__all__ = ["ErrorPolicy", "PipelineParams", "PipelineTask"]

logger = logging.getLogger("antiphon")

LastFrame = EndFrame | StopFrame | CancelFrame


def _check_kinds(pipeline: object, params: object) -> None:
    if not isinstance(pipeline, Pipeline):
        raise ConfigurationError(f"PipelineTask takes a Pipeline, not {pipeline!r}")
    if params is not None and not isinstance(params, PipelineParams):
        raise ConfigurationError(f"PipelineTask(params=...) takes PipelineParams, not {params!r}")


class PipelineTask(EventSource):
    """Runs one pipeline for one conversation. Timeouts are in seconds.

    `idle_timeout_secs`: after so long without any of `idle_timeout_frames` the hook
    `on_idle_timeout` fires, and with `cancel_on_idle_timeout` the conversation is cancelled; None
    switches it off. `end_timeout_secs` bounds each processor's part of a graceful end while it
    makes no progress.
    """

    on_pipeline_started = Event[[StartFrame]]()
    on_pipeline_finished = Event[[LastFrame]]()
    on_pipeline_error = Event[[ErrorFrame]]()
    on_idle_timeout = Event[[]]()
    on_heartbeat_timeout = Event[[]]()
    on_frame_reached_upstream = Event[[Frame]]()
    on_frame_reached_downstream = Event[[Frame]]()

    def __init__(
        self,
        pipeline: Pipeline,
        *,
        params: PipelineParams | None = None,
        observers: Iterable[BaseObserver] = (),
        idle_timeout_secs: float | None = 300.0,
        idle_timeout_frames: tuple[type[Frame], ...] = (BotSpeakingFrame, UserSpeakingFrame),
        cancel_on_idle_timeout: bool = True,
        start_timeout_secs: float = 20.0,
        end_timeout_secs: float = 20.0,
        cancel_timeout_secs: float = 5.0,
        error_policy: ErrorPolicy = ErrorPolicy.CONTINUE,
    ) -> None:
        _check_kinds(pipeline, params)
        if idle_timeout_secs is not None:
            check_secs("idle_timeout_secs", idle_timeout_secs, "more than 0, or None for never")
        check_secs("start_timeout_secs", start_timeout_secs)
        check_secs("end_timeout_secs", end_timeout_secs)
        check_secs("cancel_timeout_secs", cancel_timeout_secs)
        self.params = params or PipelineParams()
        pipeline = accompanied(pipeline)
        self._start_timeout = start_timeout_secs
        self._cancel_timeout = cancel_timeout_secs
        self._error_policy = error_policy
        watching = tuple(observers)
        self._session = Session(self, self.params, Observers(watching) if watching else None)
        self._session.end_timeout_secs = end_timeout_secs
        try:
            self._chain = wire(
                pipeline,
                self._session,
                ChainEnd("task (upstream end)", self._reached_upstream),
                ChainEnd("task (downstream end)", self._reached_downstream),
            )
        except AntiphonError:
            for station in self._session.stations:  # they can be used once that is mended
                leave_place(station)
            raise
        self.processors: Sequence[FrameProcessor] = pipeline.processors
        """Every processor that it was made of, those of branches too, in downstream order."""
        self.pipeline = pipeline
        self._idle = IdleWatch(idle_timeout_secs, self._idle_expired)
        self._cancel_on_idle = cancel_on_idle_timeout
        if idle_timeout_secs is not None:
            self._session.watched = idle_timeout_frames
            self._session.note_activity = self._idle.touch
        self._heartbeat = Heartbeat(self.params, self._enter, self.on_heartbeat_timeout)
        self._late = LateFrames()
        self._seen_upstream = FrameFilter(self.on_frame_reached_upstream)
        self._seen_downstream = FrameFilter(self.on_frame_reached_downstream)
        self._last: LastFrame | None = None
        self._ended: asyncio.Event = asyncio.Event()
        self._finished: asyncio.Event = asyncio.Event()
        self._running = False
        self._ending = False

    # ---- running ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Holds the conversation. Returns when it has ended and everything is cleaned up.

        Raises `KernelError` if it ran before, `AlreadyInPipelineError` if a part of it is in use in
        another conversation, `StartTimeoutError` if the start took too long. When
        the calling task is cancelled, the conversation is cancelled first.
        """
        if self._running or self._finished.is_set():
            raise KernelError("a PipelineTask runs once: make a new one for each conversation")
        self._running = True
        session = self._session
        session.open()
        try:
            if not self._ended.is_set():
                await self._start()
            await self._ended.wait()
            if not isinstance(self._last, CancelFrame):
                await self._session.drain()
        except asyncio.CancelledError:
            self._finish(CancelFrame(reason="the task that ran the conversation was cancelled"))
            raise
        finally:
            await to_its_end(self._close())

    async def _start(self) -> None:
        params = self.params
        check(self.pipeline)
        frame = StartFrame(
            audio_in_sample_rate=params.audio_in_sample_rate,
            audio_out_sample_rate=params.audio_out_sample_rate,
            enable_metrics=params.enable_metrics,
            enable_usage_metrics=params.enable_usage_metrics,
        )
        late = await self._session.start(frame, self._start_timeout)
        if self._session.refusal is not None:
            raise self._session.refusal
        if self._ended.is_set():
            return
        if late:
            names = ", ".join(late)
            message = f"the conversation did not start within {self._start_timeout:g} s: {names}"
            self._finish(CancelFrame(reason=message))
            raise StartTimeoutError(f"{message} did not return from handling the StartFrame")
        self._idle.start()
        self._heartbeat.start()
        await self.on_pipeline_started.emit(frame)

    async def _close(self) -> None:
        self._idle.stop()
        self._heartbeat.stop()
        last = self._last or CancelFrame()
        self._last = last
        cancelled = last if isinstance(last, CancelFrame) else None
        try:
            await self._session.close(
                cancelled, cleanup=not isinstance(last, StopFrame), timeout=self._cancel_timeout
            )
            await self.on_pipeline_finished.emit(last)
            await finish_handlers([self], self._cancel_timeout)
        finally:
            self._finished.set()
            self._late.report()

    # ---- what programs call -------------------------------------------------------------------

    def queue_frame(
        self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM
    ) -> Awaitable[None]:
        """Hands a frame to the pipeline at its beginning, or upstream at its end. Never waits.

        Frames queued before the start wait for it; frames queued after the end are reported.
        """
        if not isinstance(frame, Frame):
            raise not_a_frame("the task", frame)
        if isinstance(frame, CancelFrame):
            self.cancel_requested(frame)
        elif isinstance(frame, InterruptionFrame):
            interrupt(self._session, frame, source="task")
        elif isinstance(frame, StartFrame):
            raise KernelError("only the task itself sends a StartFrame")
        elif self._session.closed:
            self._late.note(frame)
        else:
            if isinstance(frame, EndFrame | StopFrame):
                if self._ending:
                    return DONE
                self._ending, direction = True, FrameDirection.DOWNSTREAM
            elif self._ending and not isinstance(frame, HeartbeatFrame):
                self._late.note(frame)
            self._enter(frame, direction)
        return DONE

    async def queue_frames(self, frames: Iterable[Frame] | AsyncIterable[Frame]) -> None:
        """Hands frames to the pipeline, one after the other."""
        if isinstance(frames, Frame) or not isinstance(frames, Iterable | AsyncIterable):
            raise ConfigurationError(
                f"queue_frames() takes several frames, as in queue_frames([...]), not {frames!r}: "
                f"for one there is queue_frame()"
            )
        if isinstance(frames, AsyncIterable):
            async for frame in frames:
                await self.queue_frame(frame)
        else:
            for frame in frames:
                await self.queue_frame(frame)

    def stop_when_done(self, reason: str | None = None) -> Awaitable[None]:
        """Ends the conversation when everything queued so far has been handled. Never waits."""
        return self.queue_frame(EndFrame(reason=reason))

    async def cancel(self, reason: str | None = None) -> None:
        """Ends the conversation now. From outside it, returns when it has ended; bounded."""
        self.cancel_requested(CancelFrame(reason=reason))
        inside = self._session.is_inside() or self.is_running_handler(asyncio.current_task())
        if self._running and not inside:
            await self._finished.wait()

    def has_finished(self) -> bool:
        """Whether the conversation has ended and everything is cleaned up."""
        return self._finished.is_set()

    def set_reached_upstream_filter(self, types: tuple[type[Frame], ...]) -> None:
        """Which frames fire `on_frame_reached_upstream` when they reach the beginning."""
        self._seen_upstream.types = tuple(types)

    def set_reached_downstream_filter(self, types: tuple[type[Frame], ...]) -> None:
        """Which frames fire `on_frame_reached_downstream` when they reach the end."""
        self._seen_downstream.types = tuple(types)

    # ---- what the session asks ----------------------------------------------------------------

    def end_requested(self, frame: EndFrame | StopFrame) -> None:
        """A processor asks for a graceful end."""
        self.queue_frame(frame)

    def cancel_requested(self, frame: CancelFrame) -> None:
        """Somebody asks for an immediate end: from now on nothing is handled."""
        self._finish(frame)
        if self._running:
            self._session.stop_lanes()

    def interrupted(self, frame: InterruptionFrame) -> None:
        """An interruption took place."""
        self._seen_downstream.see(frame)

    # ---- the two ends of the pipeline ---------------------------------------------------------

    def _enter(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, self._session.watched):
            self._idle.touch()
        self._chain.hand_in(frame, direction, source="task")

    def _reached_downstream(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, EndFrame | StopFrame):
            self._finish(frame)
        elif isinstance(frame, HeartbeatFrame):
            self._heartbeat.returned()
        self._seen_downstream.see(frame)

    def _reached_upstream(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, ErrorFrame):
            self._error(frame)
        elif isinstance(frame, EndRequestFrame) and not self._ending:
            for last in frame.before_the_end():
                self._enter(last, FrameDirection.DOWNSTREAM)
            self.queue_frame(EndFrame(reason=frame.reason))
        self._seen_upstream.see(frame)

    def _error(self, frame: ErrorFrame) -> None:
        logger.error("%s: %s", frame.processor or "unknown", frame.error, exc_info=frame.exception)
        self.on_pipeline_error.emit(frame)
        if frame.retryable or self._error_policy is ErrorPolicy.CONTINUE:
            return
        if self._error_policy is ErrorPolicy.END:
            self.queue_frame(EndFrame(reason=frame.error))
        else:
            self.cancel_requested(CancelFrame(reason=frame.error))

    def _finish(self, frame: LastFrame) -> None:
        if self._last is None:
            self._last = frame
            self._ended.set()

    def _idle_expired(self) -> None:
        self.on_idle_timeout.emit()
        if self._cancel_on_idle:
            logger.warning("nobody spoke for too long: the conversation is cancelled")
            self.cancel_requested(CancelFrame(reason="idle timeout"))
