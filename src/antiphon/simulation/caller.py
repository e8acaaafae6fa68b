"""A caller who does what a test says: a transport without a network.

    caller = Caller()
    pipeline = Pipeline([caller.input(), stt, user, llm, tts, caller.output(), assistant])

    async def script(caller: Caller) -> None:
        await caller.says("a table for tonight")
        await caller.expects_reply(within=2.0, containing="how many")
        await caller.interrupts("four", after=0.5)
        await caller.hangs_up()

    call = run(hold_call(PipelineTask(pipeline), caller, script), seed=1)

The caller speaks in the coded voice of `fakes.voice`, 20 ms of sound every 20 ms, silence when
nothing is said, and reads the agent's words from the audio that is played: what the caller heard
owes nothing to what the agent says of itself. An expectation that is not met raises
`ExpectationError`, which tells what was heard when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from antiphon.frames.lifecycle import EndFrame, ErrorFrame, StartFrame
from antiphon.frames.transport import InputDTMFFrame, KeypadEntry
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.processor import handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.fakes.voice import SECS_PER_WORD, HeardWord, Listener, speak, tone
from antiphon.transports.base import BaseTransport
from antiphon.transports.input import InputTransport
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams

CHUNK_SECS = 0.02
_GAP_SECS = 0.2
"""Silence after which a word that is not complete was cut off."""


class ExpectationError(AssertionError):
    """The agent did not do what the caller expected."""


@dataclass(frozen=True, slots=True)
class Line:
    """Something said: by whom ("caller" or "agent"), and the loop's time when it ended."""

    who: str
    text: str
    at: float


class Caller(BaseTransport):
    """One caller. `secs_per_word` is how fast they speak; `sample_rate` that of their line, in Hz.

    `heard` and `lines` grow during the call; `cut` is the word in which the agent was last cut off.
    """

    def __init__(
        self,
        params: TransportParams | None = None,
        *,
        secs_per_word: float = SECS_PER_WORD,
        sample_rate: int = 16_000,
    ) -> None:
        super().__init__(params)
        self.secs_per_word, self.sample_rate = secs_per_word, sample_rate
        self.lines: list[Line] = []
        self.heard: list[str] = []
        self.cut: HeardWord | None = None
        self.connected = False
        self._listener = Listener()
        self._saying = bytearray()
        self._said: asyncio.Event = asyncio.Event()
        self._spoke_until = 0.0
        self._agent_since: float | None = None
        self._agent_until = float("-inf")
        self._words_before = 0
        self._input = CallerInput(self, self.params)
        self._output = OutputTransport(self, self.params)

    def input(self) -> InputTransport:
        """The caller's sound."""
        return self._input

    def output(self) -> OutputTransport:
        """The agent's sound."""
        return self._output

    # ---- what a caller does -------------------------------------------------------------------

    async def says(self, text: str) -> None:
        """Says a text; returns when it is said. What the agent says meanwhile is no reply."""
        await self._sound(
            speak(text, sample_rate=self.sample_rate, secs_per_word=self.secs_per_word)
        )
        self.lines.append(Line("caller", text, self._now()))

    async def mumbles(self, secs: float = 0.4) -> None:
        """Makes a sound without words."""
        await self._sound(tone(secs, sample_rate=self.sample_rate))

    async def pauses(self, secs: float) -> None:
        """Says nothing for a while."""
        await asyncio.sleep(secs)

    async def interrupts(self, text: str, *, after: float = 0.5, within: float = 10.0) -> None:
        """Waits until the agent has been speaking for `after` seconds, then says a text.

        Raises `ExpectationError` if the agent does not speak within `within` seconds.
        """
        await self._agent_speaks(within)
        assert self._agent_since is not None
        await asyncio.sleep(max(0.0, self._agent_since + after - self._now()))
        await self.says(text)

    async def presses(self, keys: str) -> None:
        """Presses keys of a telephone, five a second."""
        for key in keys:
            await self._input.push_frame(InputDTMFFrame(KeypadEntry(key)))
            await asyncio.sleep(0.2)

    async def hangs_up(self) -> None:
        """Ends the call."""
        if self.connected:
            self.connected = False
            await self.on_client_disconnected.emit(self)
            await self._input.push_frame(EndFrame(reason="the caller hung up"))

    async def expects_reply(
        self, *, within: float = 3.0, containing: str = "", settle: float = 0.8
    ) -> str:
        """Waits for an answer to what was said last, and returns its words.

        Raises `ExpectationError` if the agent does not begin `within` seconds after the caller was
        silent, or does not say what it should (compared without regard to case). The answer is over
        when the agent has been silent for `settle` seconds.
        """
        left = self._spoke_until + within - self._now()
        await self._agent_speaks(left)
        while self._now() < self._agent_until + settle:  # noqa: ASYNC110
            await asyncio.sleep(CHUNK_SECS)
        reply = " ".join(self.heard[self._words_before :])
        self.lines.append(Line("agent", reply, self._agent_until))
        self._agent_since = None
        if containing.casefold() not in reply.casefold():
            raise ExpectationError(f"{containing!r} is not in what was heard:\n{self._story()}")
        return reply

    # ---- as the output's sink -----------------------------------------------------------------

    async def open(self, sample_rate: int, num_channels: int) -> None:
        """The line is there."""

    async def write(self, pcm: bytes) -> None:
        """Listens to a chunk of the agent's."""
        if not any(pcm):
            return
        now = self._now()
        if now > self._agent_until + _GAP_SECS:
            self.cut = self._listener.cut() or self.cut
        if self._agent_since is None:
            self._agent_since = now
        self._agent_until = now + CHUNK_SECS
        self.heard += self._listener.hear(pcm)

    async def close(self) -> None:
        """The line is gone."""
        self.cut = self._listener.cut() or self.cut

    # ---- inside -------------------------------------------------------------------------------

    def next_chunk(self) -> bytes:
        """The next 20 ms of the caller's sound."""
        size = 2 * round(CHUNK_SECS * self.sample_rate)
        chunk = bytes(self._saying[:size])
        del self._saying[:size]
        if not self._saying:
            self._said.set()
        return chunk.ljust(size, b"\0")

    async def _sound(self, pcm: bytes) -> None:
        self._said.clear()
        self._saying += pcm
        await self._said.wait()
        self._spoke_until = self._now()
        self._agent_since = None
        self._words_before = len(self.heard)

    async def _agent_speaks(self, within: float) -> None:
        until = self._now() + within
        while self._agent_since is None:
            if self._now() >= until:
                raise ExpectationError(f"the agent does not speak:\n{self._story()}")
            await asyncio.sleep(CHUNK_SECS)

    def _story(self) -> str:
        now = self._now()
        lines = [f"  {line.at:8.2f} {line.who}: {line.text}" for line in self.lines]
        heard = " ".join(self.heard[self._words_before :])
        return "\n".join([*lines, f"  {now:8.2f} heard since: {heard!r}"])

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class CallerInput(InputTransport):
    """Sends the caller's sound into the pipeline."""

    def __init__(self, caller: Caller, params: TransportParams) -> None:
        super().__init__(params)
        self._caller = caller

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        await super().start(frame, direction)
        self.create_task(self._send(), name="line")

    async def _send(self) -> None:
        caller = self._caller
        caller.connected = True
        await caller.on_client_connected.emit(caller)
        at = self.clock.now()
        while caller.connected:
            self.push_audio(caller.next_chunk(), caller.sample_rate)
            at += CHUNK_SECS
            await asyncio.sleep(max(0.0, at - self.clock.now()))


Script = Callable[[Caller], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Call:
    """What came of a call. `secs` is how long it lasted, `heard` all the caller heard."""

    caller: Caller
    secs: float
    heard: str
    errors: tuple[ErrorFrame, ...]


async def hold_call(
    task: PipelineTask, caller: Caller, script: Script, *, end_timeout_secs: float = 60.0
) -> Call:
    """Runs the agent and the caller's script; hangs up after it, and waits for the end.

    Raises what the script raises, and `ExpectationError` if the agent does not end in time.
    """
    loop = asyncio.get_running_loop()
    errors: list[ErrorFrame] = []
    connected: asyncio.Future[None] = loop.create_future()

    def on_error(_: PipelineTask, frame: ErrorFrame) -> None:
        errors.append(frame)

    def on_connected(_: Caller, __: object) -> None:
        if not connected.done():
            connected.set_result(None)

    task.add_event_handler("on_pipeline_error", on_error)
    caller.add_event_handler("on_client_connected", on_connected)
    job = loop.create_task(task.run(), name="call")
    started = loop.time()
    try:
        await asyncio.wait({job, connected}, return_when=asyncio.FIRST_COMPLETED)
        await script(caller)
        await caller.hangs_up()
        await asyncio.wait({job}, timeout=end_timeout_secs)
        if not job.done():
            raise ExpectationError(f"the call did not end within {end_timeout_secs:g} s")
    finally:
        if not job.done():
            await task.cancel("the test is over")
        await asyncio.wait({job})
    await job
    return Call(caller, loop.time() - started, " ".join(caller.heard), tuple(errors))
