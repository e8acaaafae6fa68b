"""What both halves of a context do alike, each towards its own side of the model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from antiphon.errors import AntiphonError
from antiphon.frames.audio import UserImageRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import StartFrame
from antiphon.frames.llm import LLMSetToolsFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import FrameProcessor

if TYPE_CHECKING:
    from antiphon.context.pair_state import PairState


class ContextEditor:
    """Edits, calls and runs on behalf of one processor; `to_model` is where it finds the model."""

    def __init__(
        self, processor: FrameProcessor, shared: PairState, *, to_model: FrameDirection
    ) -> None:
        self._processor = processor
        self._shared = shared
        self._to_model = to_model

    def life(self, frame: Frame) -> None:
        """Takes the context for this conversation when it starts, and leaves it when it ends."""
        if isinstance(frame, StartFrame):
            self._shared.begin(self._to_model.name)
        else:
            self._shared.finish(self._to_model.name)

    async def edit(self, frame: Frame) -> None:
        """Applies an edit and runs the model if it asks for it; a bad one is reported."""
        try:
            run = self._shared.edit(frame)
        except AntiphonError as error:
            await self._report(frame, error)
            return
        if run:
            await self.run()

    async def set_tools(self, frame: LLMSetToolsFrame, direction: FrameDirection) -> None:
        """Sets the tools; the frame goes on if the model is still ahead of it."""
        try:
            self._shared.set_tools(frame)
        except AntiphonError as error:
            await self._report(frame, error)
            return
        if direction is self._to_model:
            await self._processor.push_frame(frame, direction)

    async def image(self, frame: UserImageRawFrame) -> None:
        """Takes in a picture, and runs the model if it is to look at it now."""
        try:
            run = self._shared.image(frame)
        except AntiphonError as error:
            await self._report(frame, error)
            return
        if run:
            await self.run()

    async def log(self, frame: Frame) -> None:
        """Writes down what a frame says about a call."""
        updated = self._shared.log(frame)
        if updated is not None:
            self._processor.create_task(_awaited(updated), name="on_context_updated")

    async def run(self) -> None:
        """Runs the model on the context as it is now."""
        await self._processor.push_frame(
            self._shared.run(self._processor.emitter()), self._to_model
        )

    async def note_run(self) -> None:
        """Queues a note to run what is owed, if it is due."""
        note = self._shared.note_run()
        if note is not None:
            await self._processor.queue_frame(note)

    async def run_noted(self) -> None:
        """The note is handled: runs the model if that is still due."""
        frame = self._shared.run_now(self._processor.emitter())
        if frame is not None:
            await self._processor.push_frame(frame, self._to_model)

    async def _report(self, frame: Frame, error: AntiphonError) -> None:
        await self._processor.push_error(f"{type(frame).__name__}: {error}", exception=error)


async def _awaited(updated: Callable[[], Awaitable[None]]) -> None:
    await updated()
