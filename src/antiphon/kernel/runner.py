"""Runs conversations and handles signals. One process runs many."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal

from antiphon.errors import ConfigurationError, KernelError
from antiphon.frames.lifecycle import CancelFrame, EndFrame
from antiphon.kernel.task import PipelineTask

logger = logging.getLogger("antiphon")


class PipelineRunner:
    """Runs tasks until they end. The first signal ends them gracefully, the next cancels them.

    `grace_secs`: how long the graceful end after a signal may take before it becomes a cancel.
    """

    def __init__(
        self,
        *,
        handle_sigint: bool = True,
        handle_sigterm: bool = False,
        grace_secs: float = 10.0,
    ) -> None:
        self._signals = [
            number
            for number, wanted in ((signal.SIGINT, handle_sigint), (signal.SIGTERM, handle_sigterm))
            if wanted
        ]
        self._grace = grace_secs
        self._tasks: dict[asyncio.Task[None], PipelineTask] = {}
        self._signalled = False
        self._grace_over: asyncio.TimerHandle | None = None

    @property
    def tasks(self) -> list[PipelineTask]:
        """The conversations that are running."""
        return list(self._tasks.values())

    async def run(self, *tasks: PipelineTask) -> None:
        """Runs conversations side by side until all have ended.

        A failure of one does not touch the others; failures are raised together when all have ended
        (a single one as it is).
        """
        if not tasks:
            raise KernelError("PipelineRunner.run() needs at least one PipelineTask")
        for task in tasks:
            if not isinstance(task, PipelineTask):
                raise ConfigurationError(f"PipelineRunner.run() takes PipelineTasks, not {task!r}")
        loop = asyncio.get_running_loop()
        if not self._tasks:
            self._listen(loop)
        running = {
            loop.create_task(task.run(), name=f"conversation {n}"): task
            for n, task in enumerate(tasks, len(self._tasks))
        }
        self._tasks.update(running)
        try:
            await asyncio.wait(running)
        except asyncio.CancelledError:
            for job in running:
                job.cancel()
            await asyncio.wait(running)
            raise
        finally:
            for job in running:
                self._tasks.pop(job, None)
            if not self._tasks:
                self._stop_listening(loop)
        failures = [error for job in running if not job.cancelled() and (error := job.exception())]
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise BaseExceptionGroup("several conversations failed", failures)

    async def stop_when_done(self) -> None:
        """Ends every conversation gracefully."""
        for task in self.tasks:
            await task.stop_when_done()

    async def cancel(self) -> None:
        """Ends every conversation now; returns when they have ended."""
        await asyncio.gather(*(task.cancel() for task in self.tasks))

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        self._signalled = False
        for number in self._signals:
            try:
                loop.add_signal_handler(number, self._on_signal, number)
            except (NotImplementedError, RuntimeError, ValueError) as error:
                # Not the main thread, or a system whose loop cannot: signals are the program's.
                logger.info("the runner does not see %s: %s", number.name, error)

    def _stop_listening(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in self._signals:
            with contextlib.suppress(NotImplementedError, ValueError):  # uvloop, in a thread
                loop.remove_signal_handler(number)
        if self._grace_over is not None:
            self._grace_over.cancel()

    def _on_signal(self, number: int) -> None:
        name = signal.Signals(number).name
        if self._signalled:
            logger.warning("%s again: cancelling", name)
            self._cancel_all()
            return
        self._signalled = True
        logger.warning("%s: ending gracefully (once more to cancel)", name)
        for task in self.tasks:
            task.queue_frame(EndFrame(reason=name))
        self._grace_over = asyncio.get_running_loop().call_later(self._grace, self._cancel_all)

    def _cancel_all(self) -> None:
        for task in self.tasks:
            task.queue_frame(CancelFrame(reason="signal"))
