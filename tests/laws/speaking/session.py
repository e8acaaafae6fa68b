"""One conversation: a model that answers, a voice, the real output, the assistant's half of the
context, and somebody who cuts in.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from antiphon.context.assistant_aggregator import (
    AssistantTurnStoppedMessage,
    LLMAssistantAggregator,
)
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair_state import PairState
from antiphon.frames.audio import OutputAudioRawFrame
from antiphon.frames.base import DataFrame, Frame, UninterruptibleFrame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.frames.text import LLMTextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.tts import TTSService
from antiphon.simulation.loop.cpu import BUSY, ORDINARY
from antiphon.simulation.loop.loop import VirtualTimeLoop
from antiphon.simulation.loop.schedule import Policy
from antiphon.simulation.loop.virtual_time import run_on
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams
from tests.laws.speaking.record import CHUNK_SECS, RATE, Chunk, Moment, Record, Stopped, Turn
from tests.laws.speaking.voice import OddVoice

FADE_SECS = 0.01


class Must(UninterruptibleFrame, DataFrame):
    """Comes out, whatever happens, once and in order."""

    number: int


class Note(DataFrame):
    """Comes out in its place, or not at all."""

    place: int


class Model(FrameProcessor):
    """Pushes what it is told, until it is interrupted."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record


class Probe(FrameProcessor):
    """What comes out behind the output."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        self.record = record

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Notes everything and passes it on."""
        if isinstance(frame, InterruptionFrame):
            return
        if direction is FrameDirection.DOWNSTREAM:
            self.record.came.append((self.record.now(), self.record.epoch, frame))
        await self.push_frame(frame, direction)
        if direction is FrameDirection.DOWNSTREAM and not isinstance(frame, OutputAudioRawFrame):
            self.record.seen(Moment.FRAME)


class Assistant(LLMAssistantAggregator):
    """The assistant's half of the context; its events are noted when they are fired."""

    def start_handlers(self, name: str, handlers: Any, args: Any, kwargs: Any) -> None:
        for handler in handlers:
            handler(self, *args, **kwargs)


class Ear:
    """The caller's side: keeps what is written, and sometimes takes its time."""

    def __init__(self, record: Record, *, slow: bool) -> None:
        self.record, self.slow = record, slow
        self.rng = random.Random(record.rng.random())

    async def write(self, pcm: bytes) -> None:
        self.record.chunks.append(Chunk(self.record.now(), self.record.epoch, pcm))
        self.record.seen(Moment.WRITE)
        self.record.seen(Moment.DUE, after=CHUNK_SECS - self.rng.random() * 3e-4)
        if self.slow and self.rng.random() < 0.05:
            await asyncio.sleep(self.rng.choice((0.0, 0.003, 0.05)))


class Session:
    """Runs the conversation of a seed; `record` says what came of it."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.record = record = Record(seed)
        self.rng = rng = record.rng
        self.exact = rng.random() < 0.6
        """Computing takes no time, so every instant is exact."""
        self.paced = rng.random() < 0.95
        self.fade = rng.random() < 0.2
        self.transformed = rng.random() < 0.2
        self.cancelled = rng.random() < 0.08
        self.context = LLMContext()
        self.assistant = Assistant(PairState(self.context))
        self.voice = OddVoice(record)
        self.model = Model(record)
        self.task = self._task(Ear(record, slow=not self.exact))
        self.estimates: list[int] = []
        """By how many words a cut was off, where the voice does not tell its words' times."""

    def _task(self, ear: Ear) -> PipelineTask:
        transforms = [_spell] if self.transformed else []
        policy = ConnectionPolicy(stall_secs=3.0, give_up_secs=0.1)
        params = TransportParams(
            audio_out_end_silence_secs=0.0,
            audio_out_paced=self.paced,
            audio_out_fade_secs=FADE_SECS if self.fade else 0.0,
        )
        voice = TTSService(self.voice, text_transforms=transforms, policy=policy)
        output = OutputTransport(ear, params)
        self.assistant.add_event_handler("on_assistant_turn_started", self._turn_started)
        self.assistant.add_event_handler("on_assistant_turn_stopped", self._turn_stopped)
        return PipelineTask(
            Pipeline([self.model, voice, output, Probe(self.record), self.assistant]),
            params=PipelineParams(audio_out_sample_rate=RATE),
            idle_timeout_secs=None,
        )

    def _turn_started(self, _: object) -> None:
        self.record.open_turns.append(self.record.epoch)
        self.record.seen(Moment.TURN)

    def _turn_stopped(self, _: object, message: AssistantTurnStoppedMessage) -> None:
        if not self.record.open_turns:
            self.record.wrong.append("a turn ends that has not begun")
            return
        began = self.record.open_turns.pop(0)
        self.record.stopped.append(
            Stopped(began, message.content, message.interrupted, message.unheard)
        )
        self.record.seen(Moment.TURN)

    # ---- the run -------------------------------------------------------------------------------

    def run(self) -> Session:
        """Holds the conversation."""
        loop = VirtualTimeLoop(
            self.seed,
            policy=self.rng.choice(tuple(Policy)),
            cpu=None if self.exact else self.rng.choice((ORDINARY, ORDINARY, BUSY)),
            deadline_secs=2_000.0,
            livelock_steps=100_000,
        )
        with _silence():
            outcome = run_on(loop, self._main())
        wrong = self.record.wrong
        if outcome.error is not None:
            wrong.append(f"{type(outcome.error).__name__}: {outcome.error}")
        wrong += [f"leaked: {task}" for task in outcome.leaked]
        wrong += [f"unhandled: {report}" for report in outcome.unhandled]
        return self

    async def _main(self) -> None:
        started = asyncio.Event()
        self.task.add_event_handler("on_pipeline_started", lambda *_: started.set())
        self.record.interrupt = self._interrupt
        running = asyncio.get_running_loop().create_task(self.task.run())
        await started.wait()
        await self._converse()
        await running
        self.record.over = True

    def _interrupt(self) -> None:
        if self.rng.random() < 0.5:
            self.task.queue_frame(InterruptionFrame())
        else:
            self.model.broadcast_interruption()

    async def _converse(self) -> None:
        rng, record = self.rng, self.record
        for _ in range(rng.randint(1, 5)):
            match rng.choice(("answer", "answer", "answer", "greeting", "greeting", "must", "cut")):
                case "answer":
                    await self._answer()
                case "greeting":
                    self._greet(record.turns[-1], kept=rng.random() < 0.8)
                case "must":
                    self._must()
                case "cut":
                    self._arm()
            await self._wait((0.0, 0.0, 0.02, 0.3, 1.0, 3.0))
        if rng.random() < 0.5:
            self._arm()
        await self._wait((0.0, 0.1, 1.0, 6.0))
        record.ending_at = record.now()
        if self.cancelled:
            record.cancelled_at, record.over = record.now(), True
            await self.task.cancel()
            return
        await self.task.stop_when_done()
        if rng.random() < 0.2:
            await self._wait((0.0, 0.1, 0.5))
            if not self.task.has_finished():
                record.cut()

    def _arm(self) -> None:
        """Cuts in: now, or at a moment of the program's, the voice's or the output's."""
        if self.rng.random() < 0.4:
            self.record.cut(times=2 if self.rng.random() < 0.2 else 1)
        else:
            self.record.armed = (self.rng.choice(tuple(Moment)), self.rng.randint(1, 40))

    async def _wait(self, secs: tuple[float, ...]) -> None:
        wait = self.rng.choice(secs) * self.rng.random()
        if wait:
            await asyncio.sleep(wait)

    # ---- what is sent --------------------------------------------------------------------------

    async def _answer(self) -> None:
        rng, record = self.rng, self.record
        live = self.model.emitter()
        turn = Turn(opens=True, greeting=False)
        record.turns[-1].append(turn)
        start = LLMFullResponseStartFrame()
        self.context.drafts.begin(start.id, self.context.version)
        live.push_frame(start)
        for _ in range(rng.choice((0, 1, 3, 6, 6, 12))):
            await self._wait((0.0, 0.0, 0.0, 0.05, 0.5))
            if not live.live:
                return
            if rng.random() < 0.06:
                text = record.word("```c{}```", turn, spoken=False).text
            elif self.transformed and rng.random() < 0.2:
                text = record.word("@{}", turn).text
            else:
                end = rng.choice(("", "", "", ".", ",", "!"))
                text = record.word("w{}" + "x" * rng.randrange(6) + end, turn).text
            self.context.drafts.add(start.id, f"{text} ")
            live.push_frame(LLMTextFrame(f"{text} "))
            if rng.random() < 0.08:
                self._note()
            if rng.random() < 0.08:
                self._must()
            if rng.random() < 0.07:
                self._greet_within(turn, kept=rng.random() < 0.7)
            record.seen(Moment.PUSH)
        if live.live:
            turn.ended_at_place = record.place()
            live.push_frame(LLMFullResponseEndFrame())

    def _greet(self, turns: list[Turn], *, kept: bool) -> None:
        turn = Turn(opens=kept, greeting=True)
        turns.append(turn)
        self._greet_within(turn, kept=kept)
        turn.ended_at_place = self.record.place()
        if self.rng.random() < 0.3:
            self._note()

    def _greet_within(self, turn: Turn, *, kept: bool) -> None:
        count = self.rng.randint(1, 4)
        aside = self.record.place()
        words = [self.record.word("w{}", turn, kept=kept, aside=aside) for _ in range(count)]
        words[-1].text += "."
        text = " ".join(word.text for word in words)
        self.model.emitter().push_frame(TTSSpeakFrame(text, append_to_context=kept))

    def _note(self) -> None:
        note = Note(self.record.place())
        self.record.notes[note.place] = self.record.epoch
        self.model.push_frame(note)

    def _must(self) -> None:
        self.record.musts.append(self.record.place())
        self.model.push_frame(Must(self.record.musts[-1]))


def _spell(text: str) -> str:
    """Two words are spoken for one that is shown."""
    return re.sub(r"@(\d+)", r"at\1 sign\1", text)


@contextmanager
def _silence() -> Iterator[None]:
    """Without the log: voices fail on purpose."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
