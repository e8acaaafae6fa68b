"""One call whose line misbehaves: the caller hangs up, vanishes, returns, or what carries the
agent's sound raises anything, at any moment. `EdgeCall` holds it, `violations` says what broke.
"""

from __future__ import annotations

import asyncio
import enum
import random

from antiphon.context.assistant_aggregator import AssistantTurnStoppedMessage
from antiphon.context.llm_context import LLMContext
from antiphon.context.messages import user_message
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.errors import ConnectivityError
from antiphon.frames.lifecycle import EndFrame, ErrorFrame
from antiphon.frames.llm import LLMRunFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.services.tts import TTSService
from antiphon.simulation.calls.caller import Caller
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.transports.params import TransportParams

WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
).split()


class Stranger(BaseException):
    """What no code of ours knows."""


class DisconnectedError(Exception):
    """As a server's library raises it after the close of a websocket."""


ERRORS: tuple[BaseException, ...] = (
    OSError("broken pipe"),
    ConnectivityError("reset"),
    RuntimeError("cannot call send once a close message has been sent"),
    DisconnectedError(),
    ValueError("operands could not be broadcast"),
    KeyError("k"),
    asyncio.CancelledError(),
    Stranger("odd"),
)


class Edge(enum.Enum):
    """What happens to the line."""

    NOTHING = "the program ends the call"
    HANGS_UP = "the caller hangs up"
    VANISHES = "the line is lost for good"
    RETURNS = "the line is lost and comes back"
    RAISES = "writes fail for a while"
    FAILS = "writes fail from now on"


class EdgeCall:
    """One seeded call."""

    def __init__(self, seed: int) -> None:
        rng = self.rng = random.Random(f"edges {seed}")
        self.seed = seed
        self.edge = rng.choice(list(Edge))
        self.at = rng.choice([rng.uniform(0.0, 1.0), rng.uniform(0.0, 7.0)])
        self.lasts = rng.choice([rng.uniform(0.0, 0.3), rng.uniform(0.0, 5.0)])
        self.error = rng.choice(ERRORS)
        self.text = " ".join(WORDS[: rng.randint(4, 20)]) + "."
        self.reconnect_secs = rng.choice([0.0, 6.0, 10.0])
        self.caller = Caller(TransportParams(reconnect_secs=self.reconnect_secs))
        self.context = LLMContext([user_message("count")])
        self.pair = LLMContextAggregatorPair(self.context)
        self.exact = self.rng.random() < 0.8
        """The voice tells when its words end; else they are estimated."""
        self.turns: list[AssistantTurnStoppedMessage] = []
        self.errors: list[ErrorFrame] = []
        self.gone: list[tuple[object, object, str]] = []
        self.ended_after = float("inf")
        self.restored = 0
        self._failing = False

    def hold(self) -> EdgeCall:
        """Holds the call, in virtual time."""
        run(self._call(), seed=self.seed)
        return self

    async def _call(self) -> None:
        llm = LLMService(FakeLLMProvider(default=self.text))
        tts = TTSService(FakeTTSProvider(word_times=self.exact))
        caller = self.caller
        task = PipelineTask(
            Pipeline([caller.input(), llm, tts, caller.output(), self.pair.assistant()])
        )
        self._listen(task)
        self._break_sink()
        await task.queue_frame(LLMRunFrame())
        loop = asyncio.get_running_loop()
        job = loop.create_task(task.run())
        await asyncio.sleep(self.at)
        began = loop.time()
        await self._happens(task)
        await asyncio.wait({job}, timeout=60.0)
        if job.done():
            self.ended_after = loop.time() - began
        else:
            await task.cancel("the test is over")
        await job

    def _listen(self, task: PipelineTask) -> None:
        task.add_event_handler("on_pipeline_error", lambda _, frame: self.errors.append(frame))
        self.pair.assistant().add_event_handler(
            "on_assistant_turn_stopped", lambda _, message: self.turns.append(message)
        )
        self.caller.add_event_handler(
            "on_client_disconnected",
            lambda transport, client: self.gone.append(
                (transport, client, transport.disconnect_reason)
            ),
        )

        def restored(_: object, __: object) -> None:
            self.restored += 1

        self.caller.add_event_handler("on_line_restored", restored)

    def _break_sink(self) -> None:
        hearing = self.caller.hearing
        write = hearing.write

        async def broken(pcm: bytes) -> None:
            if self._failing:
                raise self.error
            await write(pcm)

        hearing.write = broken  # type: ignore[method-assign]

    async def _happens(self, task: PipelineTask) -> None:
        caller = self.caller
        match self.edge:
            case Edge.NOTHING:
                await task.queue_frame(EndFrame())
            case Edge.HANGS_UP:
                await caller.hangs_up()
            case Edge.VANISHES:
                await caller.loses_line()
            case Edge.RETURNS:
                await caller.loses_line()
                await asyncio.sleep(self.lasts)
                await caller.returns()
                await asyncio.sleep(10.0)
                await task.queue_frame(EndFrame())
            case Edge.RAISES:
                self._failing = True
                await asyncio.sleep(min(self.lasts, 1.9))
                self._failing = False
                await asyncio.sleep(10.0)
                await task.queue_frame(EndFrame())
            case Edge.FAILS:
                self._failing = True
                await asyncio.sleep(15.0)
                await task.queue_frame(EndFrame())


def violations(call: EdgeCall) -> list[str]:
    """What the call broke of: content + unheard = text; what is content was heard; the call ends;
    the line's events fire once; one cause is one error.
    """
    found: list[str] = []
    text, heard = _words(call.text), _words(" ".join(call.caller.heard))
    content = _words(" ".join(turn.content for turn in call.turns))
    unheard = _words(" ".join(turn.unheard for turn in call.turns))
    cut = any(turn.interrupted for turn in call.turns)
    written = [m["content"] for m in call.context.messages if m["role"] == "assistant"]  # type: ignore[index]
    if content + unheard != text[: len(content + unheard)]:
        found.append(f"content and unheard are not the text: {content} {unheard}")
    if (call.at > 1.0 or (call.turns and not cut)) and content + unheard != text:
        found.append(f"neither heard nor unheard: {text[len(content + unheard) :]}")
    held = call.edge in (Edge.RETURNS, Edge.RAISES)
    if call.exact and not _same(content, heard, split=held):
        found.append(f"the context says {content}, the caller heard {heard}")
    if unheard and (call.edge in (Edge.NOTHING, Edge.RAISES) or _comes_back(call)):
        found.append(f"the line was there in the end, and {unheard} was not said")
    if unheard and not cut:
        found.append(f"{unheard} was not heard, and the turn says it was not interrupted")
    if _words(" ".join(str(one) for one in written)) != content:
        found.append(f"the context holds {written}, the turn {content}")
    if call.ended_after > 40.0:
        found.append("the call does not end")
    return found + _line(call)


def _same(content: list[str], heard: list[str], *, split: bool) -> bool:
    """The caller heard what the context says, and at most one word more, which was cut off behind
    its end. A word in which the line was lost (`split`) is in two parts, and not understood.
    """
    whole = [heard, *([*heard[:at], content[at], *heard[at:]] for at in range(len(content)))]
    return any(
        content == words[: len(content)] and len(words) <= len(content) + 1
        for words in (whole if split else whole[:1])
    )


def _comes_back(call: EdgeCall) -> bool:
    return call.edge is Edge.RETURNS and call.lasts < call.reconnect_secs


def _line(call: EdgeCall) -> list[str]:
    found: list[str] = []
    comes_back = _comes_back(call)
    over = call.edge in (Edge.HANGS_UP, Edge.VANISHES) or (
        call.edge is Edge.RETURNS and not comes_back
    )
    if over and [(t, c) for t, c, _ in call.gone] != [(call.caller, call.caller)]:
        found.append(f"on_client_disconnected fired with {call.gone}")
    if call.edge in (Edge.NOTHING, Edge.RAISES) and call.gone:
        found.append(f"the caller did not hang up: {call.gone}")
    if any(not reason for _, _, reason in call.gone):
        found.append("a call ended without a reason")
    if comes_back and (call.restored != 1 or call.gone):
        found.append(f"a line that came back: {call.restored} times restored, {call.gone}")
    if call.edge is Edge.HANGS_UP and call.ended_after > 3.0:
        found.append(f"after a hang-up the call went on for {call.ended_after:.1f} s")
    waits = call.reconnect_secs + 3.0
    if call.edge is Edge.VANISHES and call.ended_after > waits:
        found.append(f"a lost line was waited for {call.ended_after:.1f} s")
    most = 0 if call.edge in (Edge.NOTHING, Edge.HANGS_UP, Edge.VANISHES) else 1
    if len(call.errors) > most:
        found.append(f"errors: {[frame.error for frame in call.errors]}")
    return found


def _words(text: str) -> list[str]:
    return [word for word in ("".join(c for c in w if c.isalnum()) for w in text.split()) if word]
