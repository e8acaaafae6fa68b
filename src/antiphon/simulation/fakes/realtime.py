"""A model that hears and speaks, and does as it is told; its sound is the coded voice of `voice`.

It hears what a scripted caller says in that voice, and its own answers can be heard with a
`Listener`. It finds speech by loudness: `CallerSpeechStarted` comes at once, `CallerSpeechStopped`
after `silence_secs` of silence in the sound it was given.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Any

from antiphon.errors import InvalidRequestError, ServiceError
from antiphon.services.contracts import (
    AudioChunk,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CancelResponse,
    ConversationItem,
    Finalize,
    InputTranscript,
    OutputTranscript,
    RealtimeCapabilities,
    RealtimeEvent,
    RealtimeInput,
    RealtimeProblem,
    RealtimeSession,
    Respond,
    ResponseAudio,
    ResponseDone,
    ResponseStarted,
    ResponseStatus,
    ToolCall,
    ToolOutput,
    Truncate,
    Truncated,
)
from antiphon.simulation.fakes.delays import Delay, stream, wait
from antiphon.simulation.fakes.provider import FakeProvider, Faults, FaultyCall
from antiphon.simulation.fakes.voice import SECS_PER_WORD, Listener, speak_word

Part = str | ToolCall
Reply = Part | Sequence[Part]
"""A text, which is spoken, a call (`fakes.llm.call`), or several of both."""

Script = Sequence[Reply] | Callable[[list[dict[str, Any]]], Reply]

_LOUD = 1_000
_LISTEN_SECS = 0.02
_ROUNDING = 0.1
"""Of a word: what is missing of its end is not missed."""


class FakeRealtimeProvider(FakeProvider):
    """Satisfies `RealtimeProvider`.

    Args:
        script: the replies in order, or a function of the conversation so far (messages in OpenAI
            chat shape, as the model remembers them).
        default: the reply once the script is used up; without it the response fails.
        first_audio: seconds from `Respond` to the first sound.
        speed: seconds of audio made in one second; `inf` for all at once.
        chunk_secs, secs_per_word: of its sound.
        transcript_latency: seconds from the end of the caller's speech to its transcript.
        word_times: its transcripts say where their sound ends.
        silence_secs: of silence that end a stretch of the caller's speech.
        answers_turns: it answers by itself when the caller has stopped, and stops when the caller
            begins.
        faults: what goes wrong, by the number of the `converse` call; `after` counts events.
        connect_error: `connect` raises this once.

    `conversation` is what it remembers, without what the caller did not hear; `sessions`,
    `truncations` and `cancels` what it was told; `running` the conversations that go on.

    """

    name = "fake-realtime"
    model = "scripted"

    def __init__(
        self,
        script: Script = (),
        *,
        default: Reply | None = None,
        first_audio: Delay = 0.3,
        speed: float = 5.0,
        chunk_secs: float = 0.1,
        secs_per_word: float = SECS_PER_WORD,
        transcript_latency: Delay = 0.4,
        silence_secs: float = 0.5,
        sample_rate: int = 16_000,
        word_times: bool = True,
        answers_turns: bool = False,
        faults: Faults | None = None,
        connect_delay: Delay = 0.0,
        connect_error: ServiceError | None = None,
    ) -> None:
        super().__init__(faults, connect_delay, connect_error)
        self.capabilities: RealtimeCapabilities = RealtimeCapabilities(
            input_sample_rate=sample_rate,
            output_sample_rate=sample_rate,
            answers_turns=answers_turns,
        )
        self.conversation: list[dict[str, Any]] = []
        self.sessions: list[RealtimeSession] = []
        self.truncations: list[Truncate] = []
        self.cancels = 0
        self.first_audio: Delay = first_audio
        self.transcript_latency: Delay = transcript_latency
        self.silence_secs: float = silence_secs
        self.secs_per_word: float = secs_per_word
        self.word_times = word_times
        self.secs_per_chunk: float = chunk_secs / speed
        self.chunk_bytes: int = 2 * round(chunk_secs * sample_rate)
        self.numbers: itertools.count[int] = itertools.count(1)
        self._script = script if callable(script) else list(script)
        self._default = default

    async def converse(
        self, inputs: AsyncIterator[RealtimeInput]
    ) -> AsyncGenerator[RealtimeEvent, None]:
        talk = _Talk(self, self.planned.begin())
        self.running += 1
        self.conversation = []
        reader = asyncio.get_running_loop().create_task(talk.read(inputs), name="fake's ears")
        try:
            while (event := await talk.events.get()) is not None:
                await talk.fault.checkpoint()
                yield event
            await reader
        finally:
            self.running -= 1
            reader.cancel()
            talk.hang_up()
            await asyncio.wait({reader, *talk.tasks})

    def reply(self) -> Reply | None:
        """What it says next; None if the script has nothing."""
        if callable(self._script):
            return self._script(list(self.conversation))
        return self._script.pop(0) if self._script else self._default


class _Talk:
    """One conversation: `read` takes inputs and puts events."""

    def __init__(self, fake: FakeRealtimeProvider, fault: FaultyCall) -> None:
        self.events: asyncio.Queue[RealtimeEvent | None] = asyncio.Queue()
        self.fault = fault
        self.tasks: set[asyncio.Task[None]] = set()
        self._fake = fake
        self._rng = stream(fake.name)
        self._listener = Listener()
        self._words: list[str] = []
        self._speaks, self._silence = False, 0.0
        self._response: _Response | None = None
        self._said: dict[str, tuple[dict[str, Any], float]] = {}  # message and secs by item
        self._open_calls: set[str] = set()

    async def read(self, inputs: AsyncIterator[RealtimeInput]) -> None:
        """Until the inputs end; then lets the response end."""
        try:
            async for item in inputs:
                self._take(item)
            while self.tasks:
                await asyncio.wait(self.tasks)
        finally:
            self.events.put_nowait(None)

    def hang_up(self) -> None:
        """Nothing more is said."""
        for task in self.tasks:
            task.cancel()

    def _take(self, item: RealtimeInput) -> None:
        fake = self._fake
        match item:
            case AudioChunk(pcm=pcm):
                self._hear(pcm)
            case Finalize():
                self._commit()
            case Respond():
                self._respond()
            case CancelResponse():
                fake.cancels += 1
                self._cancel()
            case Truncate():
                self._truncate(item)
            case ToolOutput(tool_call_id=call_id, output=output):
                if call_id not in self._open_calls:
                    self._problem(f"there is no call {call_id!r} that waits for an output")
                    return
                self._open_calls.discard(call_id)
                said = {"role": "tool", "tool_call_id": call_id, "content": output}
                fake.conversation.append(said)
            case ConversationItem(message=message):
                fake.conversation.append(dict(message))
            case RealtimeSession():
                fake.sessions.append(item)

    # ---- hearing ------------------------------------------------------------------------------

    def _hear(self, pcm: bytes) -> None:
        self._words += self._listener.hear(pcm)
        samples = memoryview(pcm[: len(pcm) // 2 * 2]).cast("h")
        loud = len(samples) > 0 and (max(samples) > _LOUD or min(samples) < -_LOUD)
        if loud:
            self._silence = 0.0
            if not self._speaks:
                self._speaks = True
                self.events.put_nowait(CallerSpeechStarted())
                if self._fake.capabilities.answers_turns:
                    self._cancel()
            return
        self._silence += len(pcm) / 2 / self._fake.capabilities.input_sample_rate
        if self._speaks and self._silence >= self._fake.silence_secs:
            self._speaks = False
            self.events.put_nowait(CallerSpeechStopped())
            if self._fake.capabilities.answers_turns:
                self._commit()
                self._respond()

    def _commit(self) -> None:
        words, self._words = self._words, []
        if words:
            text = " ".join(words)
            self._fake.conversation.append({"role": "user", "content": text})
            self._run(self._transcribe(text), "fake's transcript")

    async def _transcribe(self, text: str) -> None:
        await wait(self._fake.transcript_latency, self._rng)
        self.events.put_nowait(InputTranscript(text=text))

    # ---- answering ----------------------------------------------------------------------------

    def _respond(self) -> None:
        if self._response is not None:
            if not self._fake.capabilities.answers_turns:
                self._problem("a response is under way")
            return
        response = self._response = _Response(f"response_{next(self._fake.numbers)}")
        self.events.put_nowait(ResponseStarted(response.id))
        response.task = self._run(self._speak(response), "fake's voice")

    def _cancel(self) -> None:
        response = self._response
        if response is None or response.task is None:
            return
        response.task.cancel()
        self._done(response, ResponseStatus.CANCELLED)

    def _done(
        self, response: _Response, status: ResponseStatus, problem: str | None = None
    ) -> None:
        self._response = None
        if status is ResponseStatus.CANCELLED:
            self._open_calls -= response.calls
        self.events.put_nowait(ResponseDone(response.id, status, problem))

    async def _speak(self, response: _Response) -> None:
        try:
            reply = self._fake.reply()
        except ServiceError as error:
            self._done(response, ResponseStatus.FAILED, str(error))
            return
        if reply is None:
            self._done(response, ResponseStatus.FAILED, "the script has no further reply")
            return
        await wait(self._fake.first_audio, self._rng)
        parts = [reply] if isinstance(reply, str | ToolCall) else reply
        for part in parts:
            if isinstance(part, ToolCall):
                self._call(response, part)
            else:
                await self._say(part)
        self._done(response, ResponseStatus.COMPLETED)

    def _call(self, response: _Response, part: ToolCall) -> None:
        json.loads(part.arguments)
        call = ToolCall(part.id or f"call_{next(self._fake.numbers)}", part.name, part.arguments)
        function = {"name": call.name, "arguments": call.arguments}
        asked = {"id": call.id, "type": "function", "function": function}
        said = {"role": "assistant", "content": None, "tool_calls": [asked]}
        self._fake.conversation.append(said)
        self._open_calls.add(call.id)
        response.calls.add(call.id)
        self.events.put_nowait(call)

    async def _say(self, text: str) -> None:
        fake = self._fake
        item_id = f"item_{next(fake.numbers)}"
        message = {"role": "assistant", "content": ""}
        fake.conversation.append(message)
        rate, size = fake.capabilities.output_sample_rate, fake.chunk_bytes
        secs = 0.0
        self._said[item_id] = (message, secs)
        for number, word in enumerate(text.split()):
            piece = f" {word}" if number else word
            pcm = speak_word(word, sample_rate=rate, secs=fake.secs_per_word)
            end = secs + len(pcm) / 2 / rate if fake.word_times else None
            self.events.put_nowait(OutputTranscript(item_id, piece, end))
            message["content"] += piece
            for start in range(0, len(pcm), size):
                await wait(fake.secs_per_chunk, self._rng)
                chunk = pcm[start : start + size]
                secs += len(chunk) / 2 / rate
                self._said[item_id] = (message, secs)
                self.events.put_nowait(ResponseAudio(item_id, chunk))

    def _truncate(self, item: Truncate) -> None:
        self._fake.truncations.append(item)
        message, secs = self._said.get(item.item_id, (None, 0.0))
        if message is None or item.audio_end_secs > secs + _LISTEN_SECS:
            self._problem(f"{item.item_id} has {secs:.2f} s, not {item.audio_end_secs:.2f} s")
            return
        words = str(message["content"]).split()
        heard = int(item.audio_end_secs / self._fake.secs_per_word + _ROUNDING)
        message["content"] = " ".join(words[:heard])
        self.events.put_nowait(Truncated(item.item_id, item.audio_end_secs))

    def _problem(self, text: str) -> None:
        self.events.put_nowait(RealtimeProblem(InvalidRequestError(text)))

    def _run(self, coro: Any, name: str) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(coro, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


class _Response:
    """A response under way."""

    def __init__(self, response_id: str) -> None:
        self.id = response_id
        self.task: asyncio.Task[None] | None = None
        self.calls: set[str] = set()
