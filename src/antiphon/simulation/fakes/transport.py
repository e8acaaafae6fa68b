"""A transport without a network for tests that need no conversation: what comes in is a list with
times, what goes out is recorded with times, and either side can be slow, fail, stall and vanish.

    transport = FakeTransport([(0.5, Speech("hello")), (3.0, Keys("1#")), (5.0, Disconnect())])
    pipeline = Pipeline([transport.input(), ..., transport.output()])
    ...
    assert transport.words == ["Good", "morning."]

Who wants a caller that listens and reacts takes `antiphon.simulation.calls.caller`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from antiphon.errors import ConnectivityError, ServiceError
from antiphon.frames.lifecycle import StartFrame
from antiphon.frames.transport import InputDTMFFrame, InputTransportMessageFrame, KeypadEntry
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import handles
from antiphon.simulation.fakes.delays import Delay, stream, wait
from antiphon.simulation.fakes.provider import Faults, PlannedFaults
from antiphon.simulation.fakes.voice import Listener, speak
from antiphon.transports.base import BaseTransport
from antiphon.transports.input import InputTransport
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams

_CHUNK_SECS = 0.02
_GAP_SECS = 0.2
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Connect:
    """Somebody is on the line. Happens by itself at 0 unless the list has one."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The caller hangs up: `on_client_disconnected`, and whatever is written fails."""


@dataclass(frozen=True, slots=True)
class LoseLine:
    """The connection breaks, whatever is written fails; a `Connect` restores it."""


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """Sound of the caller's, in pieces of 20 ms every 20 ms, or of `chunk_secs` each."""

    pcm: bytes
    sample_rate: int = 16_000
    chunk_secs: float = _CHUNK_SECS


@dataclass(frozen=True, slots=True)
class CallerSpeech:
    """Words of the caller's, in the coded voice of `voice`."""

    text: str
    sample_rate: int = 16_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the client's."""

    message: Any


@dataclass(frozen=True, slots=True)
class Keys:
    """Telephone keys, one after the other."""

    keys: str


Happening = Connect | Disconnect | LoseLine | CallerAudio | CallerSpeech | Message | Keys


@dataclass(frozen=True, slots=True)
class Recorded(Generic[T]):
    """Something that went out, `at` loop seconds."""

    at: float
    what: T


@dataclass
class SentOut:
    """What went out so far."""

    audio: list[Recorded[bytes]] = field(default_factory=list)
    messages: list[Recorded[Any]] = field(default_factory=list)
    keys: list[Recorded[str]] = field(default_factory=list)
    clears: list[float] = field(default_factory=list)
    """When what had been written and not been heard was thrown away."""


class FakeTransport(BaseTransport):
    """See the module's docstring.

    Args:
        script: what happens, and when, in seconds after the start.
        params: as of every transport.
        write_delay: how long each write takes.
        faults: what goes wrong, by the number of the write.
        open_error: opening the line raises this, each time.
        ends: a disconnect ends the conversation.

    """

    def __init__(
        self,
        script: Iterable[tuple[float, Happening]] = (),
        params: TransportParams | None = None,
        *,
        write_delay: Delay = 0.0,
        faults: Faults | None = None,
        open_error: ServiceError | None = None,
        ends: bool = True,
    ) -> None:
        params = params or TransportParams()
        super().__init__(replace(params, end_on_disconnect=ends and params.end_on_disconnect))
        self.script: list[tuple[float, Happening]] = sorted(script, key=lambda entry: entry[0])
        self.out: SentOut = SentOut()
        self.connected = False
        self.gone = False
        self.opened: tuple[int, int] | None = None
        """Rate and channels of the line, once it is open."""
        self.closed: int = 0
        self._write_delay, self._open_error = write_delay, open_error
        self._plan = PlannedFaults(faults)
        self._input = FakeInput(self, self.params)
        self._output = OutputTransport(self, self.params, line=self.line)

    def input(self) -> InputTransport:
        return self._input

    def output(self) -> OutputTransport:
        return self._output

    @property
    def words(self) -> list[str]:
        """The words that went out whole, if it was the coded voice. A pause cuts a word off."""
        listener, words, until = Listener(), list[str](), 0.0
        for entry in self.out.audio:
            if any(entry.what):
                if entry.at > until + _GAP_SECS:
                    listener.cut()
                words += listener.hear(entry.what)
                until = entry.at
        return words

    # ---- as the output's sink -----------------------------------------------------------------

    async def open(self, sample_rate: int, num_channels: int) -> None:
        if self._open_error is not None:
            raise self._open_error
        self.opened = (sample_rate, num_channels)

    async def write(self, pcm: bytes) -> None:
        await self._line()
        self.out.audio.append(Recorded(_now(), pcm))

    async def clear(self) -> None:
        self.out.clears.append(_now())

    async def send_message(self, message: Any) -> None:
        await self._line()
        self.out.messages.append(Recorded(_now(), message))

    async def send_keys(self, keys: str) -> None:
        await self._line()
        self.out.keys.append(Recorded(_now(), keys))

    async def close(self) -> None:
        self.closed += 1

    async def _line(self) -> None:
        write = self._plan.begin()
        if self.gone:
            raise ConnectivityError("the line is gone")
        await wait(self._write_delay, stream("fake-transport"))
        await write.checkpoint()


class FakeInput(InputTransport):
    """Lets the script happen."""

    def __init__(self, transport: FakeTransport, params: TransportParams) -> None:
        super().__init__(params)
        self._transport = transport

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        await super().start(frame, direction)
        self.create_task(self._play(), name="script")

    async def _play(self) -> None:
        began, script = _now(), self._transport.script
        if not any(isinstance(what, Connect) for _, what in script):
            await self._happens(Connect())
        for at, what in script:
            await asyncio.sleep(max(0.0, began + at - _now()))
            await self._happens(what)

    async def _happens(self, what: Happening) -> None:
        transport = self._transport
        match what:
            case Connect():
                transport.connected, transport.gone = True, False
                transport.line.open(transport)
            case Disconnect():
                transport.connected, transport.gone = False, True
                transport.line.hang_up("the client is gone")
            case LoseLine():
                transport.connected, transport.gone = False, True
                transport.line.lost("the connection broke")
            case CallerSpeech(text=text, sample_rate=rate):
                await self._sound(CallerAudio(speak(text, sample_rate=rate), rate))
            case CallerAudio():
                await self._sound(what)
            case Message(message=message):
                await self.push_frame(InputTransportMessageFrame(message))
            case Keys(keys=keys):
                for key in keys:
                    await self.push_frame(InputDTMFFrame(KeypadEntry(key)))

    async def _sound(self, audio: CallerAudio) -> None:
        size, due = 2 * round(audio.chunk_secs * audio.sample_rate), _now()
        for at in range(0, len(audio.pcm), size):
            self.push_audio(audio.pcm[at : at + size], audio.sample_rate)
            due += audio.chunk_secs
            await asyncio.sleep(max(0.0, due - _now()))


def _now() -> float:
    return asyncio.get_running_loop().time()
