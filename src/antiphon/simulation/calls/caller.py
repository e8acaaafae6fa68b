"""A caller who does what a test says: a transport without a network.

    caller = Caller()
    pipeline = Pipeline([caller.input(), stt, user, llm, tts, caller.output(), assistant])

    async def script(caller: Caller) -> None:
        await caller.says("a table for tonight")
        await caller.expects_reply(within=2.0, containing="how many")
        await caller.interrupts("four", after=0.5)
        await caller.hangs_up()

    call = run(hold_call(PipelineTask(pipeline), caller, script), seed=1)

There are three manners of speaking:

| `manner` | speaks | and hears | for agents with |
|---|---|---|---|
| `CODED` | in the coded voice of `fakes.voice` | the same | fakes for ears and voice |
| `FRAMES` | voice activity and transcripts | what the output tells | any voice, or none |
| `SPOKEN` | with the embedded voice | as the embedded transcriber | real ears and a real voice |

What the caller heard is read from what was played, and owes nothing to what the agent says of
itself (but in the second manner). An expectation that is not met raises `ExpectationError`, which
tells what was heard when.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from antiphon.errors import InvalidInputError
from antiphon.frames.lifecycle import ErrorFrame, StartFrame
from antiphon.frames.transport import InputDTMFFrame, KeypadEntry
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import FramePushed
from antiphon.kernel.processor import handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.calls.ears import CaptionEar, CodedEar, Ear, Hearing, TranscribingEar
from antiphon.simulation.calls.mouths import CHUNK_SECS, FactMouth, Mouth, SoundMouth
from antiphon.simulation.calls.voices import CodedVoice, SynthesisedVoice
from antiphon.simulation.fakes.voice import SECS_PER_WORD, HeardWord
from antiphon.simulation.tap import tap
from antiphon.transports.base import BaseTransport
from antiphon.transports.input import InputTransport
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams

_KEYS_PER_SEC = 5.0
_INTERRUPTION = "hold on a moment"
_NO_WORDS = (
    "  the agent's sound had no words that could be read: the coded voice needs a FakeTTSProvider\n"
    "  at the rate of the output (audio_out_sample_rate); for other voices there are other manners"
)


class Manner(enum.Enum):
    """How a caller speaks and hears."""

    CODED = "coded"
    FRAMES = "frames"
    SPOKEN = "spoken"


class ExpectationError(AssertionError):
    """The agent did not do what the caller expected.

    `what` says it without times, the same in every run; `story` is what was said and heard until
    then; `at` the loop's time; `step` which step of a scenario it was, if there is one.
    """

    def __init__(self, what: str, story: str = "", *, at: float | None = None) -> None:
        super().__init__(f"{what}:\n{story}" if story else what)
        self.what: str = what
        self.story: str = story
        self.at: float | None = at
        self.step: str = ""


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """Something said: by whom ("caller" or "agent"), and the loop's time when it ended.

    Or a step of a "scenario", and when it began.
    """

    who: str
    text: str
    at: float


class Caller(BaseTransport):
    """One caller. `secs_per_word` is how fast they speak (but for `Manner.SPOKEN`); `sample_rate`
    that of their line, in Hz. `mouth` and `ear` replace those of the manner.

    `heard` and `lines` grow during the call; `cut` is the word in which the agent was last cut off.
    """

    def __init__(
        self,
        params: TransportParams | None = None,
        *,
        manner: Manner = Manner.CODED,
        secs_per_word: float = SECS_PER_WORD,
        sample_rate: int = 16_000,
        mouth: Mouth | None = None,
        ear: Ear | None = None,
    ) -> None:
        super().__init__(params)
        self.manner = manner
        self.mouth: Mouth = mouth or _mouth(manner, secs_per_word, sample_rate)
        self.hearing: Hearing = Hearing(ear or _EARS[manner]())
        self.lines: list[SpokenLine] = []
        self.errors: list[ErrorFrame] = []
        """What parts of the agent reported, in a call that `hold_call` holds."""
        self.steps: list[SpokenLine] = []
        """What a scenario had the caller do, and when it began."""
        self.connected: bool = False
        self._spoke_until = 0.0
        self._input = CallerInput(self, self.params)
        self._output = OutputTransport(self.hearing, self.params, line=self.line)

    def input(self) -> InputTransport:
        """The caller's sound."""
        return self._input

    def output(self) -> OutputTransport:
        """The agent's sound."""
        return self._output

    @property
    def heard(self) -> list[str]:
        """The words that the caller has heard so far."""
        return self.hearing.words

    @property
    def cut(self) -> HeardWord | None:
        """The word in which the agent was last cut off."""
        return self.hearing.ear.cut

    # ---- what a caller does -------------------------------------------------------------------

    async def says(self, text: str) -> None:
        """Says a text; returns when it is said. What the agent says meanwhile is no reply."""
        await self.mouth.say(text)
        self._spoke()
        self.lines.append(SpokenLine("caller", text, self._now()))

    async def mumbles(self, secs: float = 0.4) -> None:
        """Makes a sound without words."""
        await self.mouth.mumble(secs)
        self._spoke()

    async def pauses(self, secs: float) -> None:
        """Says nothing for a while."""
        await asyncio.sleep(secs)

    async def interrupts(
        self, text: str = _INTERRUPTION, *, after: float = 0.5, within: float = 10.0
    ) -> None:
        """Waits until the agent has been speaking for `after` seconds, then says a text, also to an
        agent who said less.

        Raises `ExpectationError` if the agent does not speak within `within` seconds.
        """
        until = self._now() + within
        since = await self._agent_speaks(until, f"within {within:g} s, to be interrupted")
        await asyncio.sleep(max(0.0, since + after - self._now()))
        await self.says(text)

    async def presses(self, keys: str) -> None:
        """Presses keys of a telephone, five a second. `InvalidInputError` for one there is not."""
        check_keys(keys)
        for key in keys:
            await self._input.push_frame(InputDTMFFrame(KeypadEntry(key)))
            await asyncio.sleep(1.0 / _KEYS_PER_SEC)

    async def hangs_up(self) -> None:
        """Ends the call."""
        if self.connected:
            self.disconnect()
            self.line.hang_up("the caller hung up")

    async def loses_line(self) -> None:
        """Vanishes without a word; `returns` may follow."""
        self.hearing.there = False
        self.line.lost("the connection broke")

    async def returns(self) -> None:
        """Is on the line again, after `loses_line`."""
        self.hearing.there = True
        self.line.open(self)

    async def expects_reply(
        self,
        *,
        within: float = 3.0,
        containing: str = "",
        without: str = "",
        settle: float = 0.8,
    ) -> str:
        """Waits for an answer to what was said last, and returns its words.

        Raises `ExpectationError` if the agent does not begin `within` seconds after the caller was
        silent, or does not say what it should, or says what it should not (compared without regard
        to case). The answer is over when the agent has been silent for `settle` seconds.
        """
        await self._agent_speaks(self._spoke_until + within, f"within {within:g} s")
        while (left := self.hearing.until + settle - self._now()) > 0.0:  # noqa: ASYNC110
            await asyncio.sleep(max(left, CHUNK_SECS))
        reply = self.hearing.reply()
        self.lines.append(SpokenLine("agent", reply, self.hearing.until))
        self.hearing.since = None
        said = reply.casefold()
        if containing.casefold() not in said:
            self._disappointed(f"{containing!r} is not in what was heard")
        if without and without.casefold() in said:
            self._disappointed(f"{without!r} is in what was heard, and should not be")
        return reply

    # ---- what those who hold the call tell ----------------------------------------------------

    def watch(self, event: FramePushed) -> None:
        """Reads what the output hands on, which is being heard."""
        if event.source == self._output.name and event.direction is FrameDirection.DOWNSTREAM:
            self.hearing.read(event.frame)

    def begins(self, step: str) -> None:
        """A scenario has the caller do something."""
        self.steps.append(SpokenLine("scenario", step, self._now()))

    def connect(self) -> None:
        """The line is open: from now on a reply can be late."""
        self.connected = True
        self._spoke_until = self._now()

    def disconnect(self) -> None:
        """The line is closed, by whoever hung up."""
        self.connected = False
        self.mouth.close()

    # ---- inside -------------------------------------------------------------------------------

    def _spoke(self) -> None:
        self._spoke_until = self._now()
        self.hearing.begin()

    async def _agent_speaks(self, until: float, when: str) -> float:
        """Since when the agent has been speaking; waits for it."""
        while self.hearing.since is None:
            if self._now() >= until:
                self._disappointed(f"the agent does not speak {when}")
            if not self.connected:
                self._disappointed("the call is over, and the agent was to speak")
            await asyncio.sleep(CHUNK_SECS)
        return self.hearing.since

    def _disappointed(self, what: str) -> None:
        lines = [f"  {line.at:8.2f} {line.who}: {line.text}" for line in self.lines]
        heard = self.hearing.reply()
        lines.append(f"  {self._now():8.2f} heard since: {heard!r}")
        if self.manner is Manner.CODED and not heard and self.hearing.until > self._spoke_until:
            lines.append(_NO_WORDS)
        raise ExpectationError(what, "\n".join(lines), at=self._now())

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def check_keys(keys: str) -> None:
    """Raises `InvalidInputError` for a key that no telephone has."""
    known = [entry.value for entry in KeypadEntry]
    for key in keys:
        if key not in known:
            raise InvalidInputError(f"there is no key {key!r} on a telephone: {' '.join(known)}")


def _mouth(manner: Manner, secs_per_word: float, sample_rate: int) -> Mouth:
    if manner is Manner.FRAMES:
        return FactMouth(secs_per_word=secs_per_word)
    voice = SynthesisedVoice() if manner is Manner.SPOKEN else CodedVoice(secs_per_word)
    return SoundMouth(voice, sample_rate=sample_rate)


_EARS: dict[Manner, Callable[[], Ear]] = {
    Manner.CODED: CodedEar,
    Manner.FRAMES: CaptionEar,
    Manner.SPOKEN: TranscribingEar,
}


class CallerInput(InputTransport):
    """Sends what the caller says into the pipeline."""

    def __init__(self, caller: Caller, params: TransportParams) -> None:
        super().__init__(params)
        self._caller = caller

    @handles(StartFrame)
    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        await super().start(frame, direction)
        self._caller.mouth.attach(self)
        self.create_task(self._talk(), name="line")

    async def cleanup(self) -> None:
        self._caller.disconnect()
        await super().cleanup()

    async def _talk(self) -> None:
        self._caller.connect()
        self._caller.line.open(self._caller)
        await self._caller.mouth.run()


Script = Callable[[Caller], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class HeldCall:
    """What came of a call. `secs` is how long it lasted, `heard` all the caller heard."""

    caller: Caller
    secs: float
    heard: str
    errors: tuple[ErrorFrame, ...]


async def hold_call(
    task: PipelineTask, caller: Caller, script: Script, *, end_timeout_secs: float = 60.0
) -> HeldCall:
    """Runs the agent and the caller's script; hangs up after it, and waits for the end.

    Raises what the script raises, and `ExpectationError` if the agent does not end in time.
    """
    loop = asyncio.get_running_loop()
    connected: asyncio.Future[None] = loop.create_future()

    def on_error(_: PipelineTask, frame: ErrorFrame) -> None:
        caller.errors.append(frame)

    def on_connected(_: Caller, __: object) -> None:
        if not connected.done():
            connected.set_result(None)

    task.add_event_handler("on_pipeline_error", on_error)
    caller.add_event_handler("on_client_connected", on_connected)
    if caller.manner is Manner.FRAMES:
        tap(task, caller.watch)
    job = loop.create_task(task.run(), name="call")
    started = loop.time()
    try:
        await asyncio.wait({job, connected}, return_when=asyncio.FIRST_COMPLETED)
        await script(caller)
        await caller.hangs_up()
        await asyncio.wait({job}, timeout=end_timeout_secs)
        if not job.done():
            what = f"the call did not end within {end_timeout_secs:g} s"
            raise ExpectationError(what, at=loop.time())
    finally:
        if not job.done():
            await task.cancel("the test is over")
        await asyncio.wait({job})
    await job
    return HeldCall(caller, loop.time() - started, " ".join(caller.heard), tuple(caller.errors))
