"""Services for the tests of switches."""

from __future__ import annotations

import asyncio

from antiphon.errors import (
    AntiphonError,
    AuthenticationError,
    ConfigurationError,
    ConnectivityError,
)
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import CancelFrame, EndFrame, StartFrame
from antiphon.frames.llm import (
    ServiceUpdateSettingsFrame,
)
from antiphon.frames.switch import ManuallySwitchServiceFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import Emitter, FrameProcessor, handles
from tests.kernel.parts import Mark, Shout, Vow, Word

AUTH, TIME_OUT = AuthenticationError("no such key"), ConnectivityError("time-out")


class Service(FrameProcessor):
    """Answers "x" with "<name>:x" between two marks, needing `secs`; fails for as long as told."""

    def __init__(self, name: str, *, secs: float = 0.0, pieces: int = 1) -> None:
        super().__init__(name=name)
        self.secs, self.pieces = secs, pieces
        self.broken: AntiphonError | None = None
        self.begun: list[str] = []
        self.handled: list[str] = []
        self.life: list[str] = []
        self.settings: list[object] = []
        self.answered: Emitter | None = None

    @handles(StartFrame, EndFrame, CancelFrame)
    async def live(self, frame: Frame, direction: FrameDirection) -> None:
        self.life.append(type(frame).__name__)

    async def cleanup(self) -> None:
        self.life.append("cleanup")

    @handles(Shout)
    async def shout(self, frame: Shout, direction: FrameDirection) -> None:
        await asyncio.sleep(self.secs)
        self.handled.append(frame.text)
        await self.push_frame(frame, direction)

    @handles(Vow)
    async def vow(self, frame: Vow, direction: FrameDirection) -> None:
        self.begun.append(frame.text)
        await asyncio.sleep(self.secs)
        self.handled.append(frame.text)
        await self.push_frame(Vow(f"{self.name}:{frame.text}"))

    @handles(Word)
    async def answer(self, frame: Word, direction: FrameDirection) -> None:
        self.begun.append(frame.text)
        self.answered = self.emitter()
        await self.push_frame(Mark("("))
        try:
            for number in range(self.pieces):
                await asyncio.sleep(self.secs)
                if self.broken is not None:
                    await self.push_error("broken", exception=self.broken)
                    return
                text = frame.text if not number else f"{frame.text}{number}"
                await self.push_frame(Word(f"{self.name}:{text}"))
            self.handled.append(frame.text)
        finally:
            await self.push_frame(Mark(")"))

    @handles(ServiceUpdateSettingsFrame)
    async def update(self, frame: ServiceUpdateSettingsFrame, direction: FrameDirection) -> None:
        if frame.service not in {None, self.name}:
            await self.push_frame(frame, direction)
        elif "bad" in frame.settings:
            await self.push_error("refused", exception=ConfigurationError("no such setting"))
        else:
            self.settings.append(frame.settings)


def pair(secs: float = 0.0, **fields: int) -> tuple[Service, Service]:
    return Service("a", secs=secs, **fields), Service("b", secs=secs, **fields)


def to(service: object) -> ManuallySwitchServiceFrame:
    return ManuallySwitchServiceFrame(service)
