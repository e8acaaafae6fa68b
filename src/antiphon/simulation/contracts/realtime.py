"""`check_realtime_provider`: what every model that hears and speaks must keep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Self

from antiphon.kernel.mailbox import Feed
from antiphon.services.contracts import (
    AudioChunk,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CancelResponse,
    ConversationItem,
    Finalize,
    OutputTranscript,
    RealtimeEvent,
    RealtimeInput,
    RealtimeProvider,
    RealtimeSession,
    Respond,
    ResponseAudio,
    ResponseDone,
    ResponseStarted,
    ResponseStatus,
    TokenUsage,
    ToolCall,
    ToolOutput,
    Truncate,
    Truncated,
)
from antiphon.simulation.contracts.providers import WEATHER, require_object
from antiphon.simulation.contracts.streaming import Call, Pieces, ProviderKind, StreamSuite
from antiphon.simulation.contracts.suite import ContractRule, Run, require
from antiphon.simulation.fakes.voice import silence, speak

_CHUNK_SECS = 0.02
_PATIENCE_SECS = 30.0
Fed = tuple[float, RealtimeInput]

SESSION = RealtimeSession(system_instruction="Be brief.", tools=(WEATHER,))
_WITHIN = (ResponseAudio, OutputTranscript, ToolCall, TokenUsage)


def check_realtime_provider(
    factory: Callable[[], RealtimeProvider],
    *,
    seeds: int | Iterable[int] = 10,
    speech: Callable[[int], bytes] | None = None,
    failing: Callable[[int], RealtimeProvider] | None = None,
    held: Callable[[Any], int] | None = None,
    sessions: Sequence[RealtimeSession] = (SESSION,),
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    `speech`, `failing` and `held` are as for `check_stt_provider`. `sessions`: the first begins
    every conversation, the others change it at any instant; their tools may be called.
    """
    voice = speech or (lambda rate: speak("good morning", sample_rate=rate))
    suite = RealtimeSuite(
        "check_realtime_provider",
        factory,
        ProviderKind(_inputs(voice, sessions[0]), _judge),
        seeds,
        only,
        failing,
        held,
    )
    suite.sessions = list(sessions)
    return suite.run()


class RealtimeSuite(StreamSuite[RealtimeProvider]):
    """The cases of streaming providers, and talks in which one thing leads to another."""

    sessions: list[RealtimeSession]

    def cases(self) -> None:
        """Adds those of models that hold a conversation."""
        self.suite.sweep("response cancelled", self._response_cancelled)
        self.suite.case("truncated", self._truncated)
        self.suite.case("called", self._called)
        self.suite.case("changed", self._changed)
        self.suite.sweep("ended", self._ended)

    async def _response_cancelled(self, run: Run) -> None:
        """A response stops when it is told to, wherever it is; the next one is given."""
        async with CheckedTalk(self, run) as talk:
            run.strike_with(lambda: talk.put(CancelResponse()))
            await talk.response()
            run.spare()
            done = await talk.response()
            require(
                ContractRule.RECOVERS,
                done.status is ResponseStatus.COMPLETED,
                f"the response after a cancelled one ended as {done.status.value}",
            )

    async def _truncated(self, run: Run) -> None:
        """What was not heard of an item is forgotten, also while the next response begins."""
        async with CheckedTalk(self, run) as talk:
            if not talk.provider.capabilities.truncates:
                return
            await talk.response()
            items = {e.item_id for e in talk.events if isinstance(e, ResponseAudio)}
            for item_id in sorted(items):
                talk.put(Truncate(item_id, run.rng.choice([0.0, 0.05])))
            await talk.response()
            came = [event.item_id for event in talk.events if isinstance(event, Truncated)]
            require(
                ContractRule.ANSWERS,
                set(came) == items,
                f"of {sorted(items)} {came} were truncated",
            )

    async def _called(self, run: Run) -> None:
        """Outputs of calls are taken at any time; an output of no call is no catastrophe."""
        async with CheckedTalk(self, run) as talk:
            talk.put(ConversationItem({"role": "user", "content": "Is it sunny in Berlin?"}))
            for _ in range(3):
                await talk.response()
                for call in talk.unanswered():
                    talk.put(ToolOutput(call.id, '{"conditions": "sunny"}'))
            talk.put(ToolOutput("of no call", "nothing"))
            await talk.response()

    async def _changed(self, run: Run) -> None:
        """Sessions change at any time."""
        async with CheckedTalk(self, run) as talk:
            for session in (*self.sessions[1:], RealtimeSession(), self.sessions[0]):
                changing = run.rng.choice([0.0, 0.05, 0.4])
                run.loop.call_later(changing, talk.put, session)
                await talk.response()

    async def _ended(self, run: Run) -> None:
        """Inputs that end in the middle end the conversation, with what is under way."""
        async with CheckedTalk(self, run) as talk:
            run.strike_with(talk.end)
            for item in _question(talk.provider, lambda rate: speak("hello", sample_rate=rate)):
                talk.put(item)
                await asyncio.sleep(_CHUNK_SECS)
            talk.put(Respond())
            await talk.over()
            run.spare()


class CheckedTalk:
    """One conversation, in which inputs are put as events come."""

    def __init__(self, suite: RealtimeSuite, run: Run) -> None:
        self.events: list[RealtimeEvent] = []
        self.provider: RealtimeProvider = suite.factory()
        self._suite, self._run = suite, run
        self._inputs: Feed[RealtimeInput] = Feed(name="inputs")
        self._news = asyncio.Event()
        self._asked = 0
        self._answered: set[str] = set()
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.provider.connect()
        self.put(self._suite.sessions[0])
        self._reader = self._run.loop.create_task(self._read(), name="client")
        return self

    async def __aexit__(self, *failed: object) -> None:
        assert self._reader is not None
        self.end()
        if failed[0] is None:
            await self.over()
        self._reader.cancel()
        await asyncio.wait({self._reader})
        if failed[0] is None:
            self._reader.result()
            judge_talk(self.provider, self.events)
            for _ in range(2):
                await self.provider.close()

    def put(self, item: RealtimeInput) -> None:
        """An input, now."""
        self._inputs.put(item)

    def end(self) -> None:
        """There are no more inputs."""
        self._inputs.close()

    async def over(self) -> None:
        """Until the model has ended."""
        assert self._reader is not None
        self.end()
        await asyncio.wait({self._reader}, timeout=_PATIENCE_SECS)
        require(ContractRule.ENDS, self._reader.done(), "it goes on although the inputs have ended")

    async def response(self) -> ResponseDone:
        """Asks for a response and waits for its end."""
        self.put(Respond())
        self._asked += 1
        async with asyncio.timeout(_PATIENCE_SECS):
            while True:
                done = [event for event in self.events if isinstance(event, ResponseDone)]
                if len(done) >= self._asked:
                    return done[-1]
                self._news.clear()
                await self._news.wait()

    def unanswered(self) -> list[ToolCall]:
        """The calls since the last time."""
        calls = [event for event in self.events if isinstance(event, ToolCall)]
        new = [call for call in calls if call.id not in self._answered]
        self._answered |= {call.id for call in new}
        return new

    async def _read(self) -> None:
        stream: Any = self.provider.converse(self._inputs)
        try:
            async for event in stream:
                self.events.append(event)
                self._news.set()
        finally:
            await stream.aclose()


def _question(provider: RealtimeProvider, voice: Callable[[int], bytes]) -> list[RealtimeInput]:
    """The caller says something."""
    rate = provider.capabilities.input_sample_rate
    pcm = voice(rate) + silence(0.2, sample_rate=rate)
    size = 2 * round(_CHUNK_SECS * rate)
    return [*(AudioChunk(pcm[at : at + size]) for at in range(0, len(pcm), size)), Finalize()]


def _inputs(
    voice: Callable[[int], bytes], session: RealtimeSession
) -> dict[str, Callable[[RealtimeProvider], Call]]:
    def feed(
        items: Callable[[RealtimeProvider], Iterable[Fed]],
    ) -> Callable[[RealtimeProvider], Call]:
        def call(provider: RealtimeProvider) -> Call:
            pieces: Pieces[RealtimeInput] = Pieces([(0.0, session), *items(provider)])
            inputs: AsyncIterator[RealtimeInput] = pieces
            return provider.converse(inputs), pieces

        return call

    def question(provider: RealtimeProvider) -> list[Fed]:
        return [(_CHUNK_SECS, item) for item in _question(provider, voice)]

    def typed(text: str) -> list[Fed]:
        return [(0.0, ConversationItem({"role": "user", "content": text})), (0.0, Respond())]

    def minute(provider: RealtimeProvider) -> list[Fed]:
        rate = provider.capabilities.input_sample_rate
        return [(0.0, AudioChunk(voice(rate) + silence(60.0, sample_rate=rate)))]

    return {
        "question": feed(lambda p: [*question(p), (0.1, Respond())]),
        "nothing": feed(lambda p: []),
        "unasked": feed(question),
        "typed": feed(lambda p: typed("What is the capital of Germany?")),
        "empty pieces": feed(lambda p: [(0.0, AudioChunk(b"")), (0.1, Finalize()), *typed("")]),
        "cancel of nothing": feed(lambda p: [(0.0, CancelResponse()), *typed("Hello.")]),
        "huge": feed(lambda p: [*minute(p), *typed("Really? " * 5_000)]),
    }


def _judge(provider: RealtimeProvider, events: list[Any], name: str) -> None:
    judge_talk(provider, events)
    asked = name not in {"nothing", "unasked"}
    done = [event for event in events if isinstance(event, ResponseDone)]
    if provider.capabilities.answers_turns:
        require(ContractRule.ANSWERS, not asked or bool(done), f"{name}: no response came")
        return
    what = f"{name}: {len(done)} responses came, and {int(asked)} was asked for"
    require(ContractRule.ANSWERS, len(done) == asked, what)
    if name in {"question", "typed", "huge"}:
        said = any(isinstance(event, ResponseAudio | ToolCall) for event in events)
        completed = done[0].status is ResponseStatus.COMPLETED
        require(ContractRule.ANSWERS, said and completed, f"{name}: the response is {done[0]!r}")


def judge_talk(provider: RealtimeProvider, events: Sequence[RealtimeEvent]) -> None:
    """What holds of the events of every conversation."""
    under_way: str | None = None
    speaks = False
    seen: set[str] = set()
    for event in events:
        require(
            ContractRule.VALUES, isinstance(event, RealtimeEvent), f"{event!r} is no RealtimeEvent"
        )
        if isinstance(event, ResponseStarted):
            fresh = under_way is None and event.response_id not in seen
            require(ContractRule.VALUES, fresh, f"{event!r}, and {under_way} is under way")
            under_way = event.response_id
            seen.add(under_way)
        elif isinstance(event, ResponseDone):
            ours = event.response_id == under_way
            require(ContractRule.VALUES, ours, f"{event!r}, and {under_way} is under way")
            under_way = None
        elif isinstance(event, _WITHIN):
            require(ContractRule.VALUES, under_way is not None, f"{event!r} belongs to no response")
            _judge_piece(event)
        elif isinstance(event, CallerSpeechStarted | CallerSpeechStopped):
            begins = isinstance(event, CallerSpeechStarted)
            require(
                ContractRule.VALUES, begins is not speaks, f"{type(event).__name__} twice in a row"
            )
            speaks = begins
    require(ContractRule.ANSWERS, under_way is None, f"{under_way} never ends")
    calls = [event.id for event in events if isinstance(event, ToolCall)]
    require(ContractRule.VALUES, len(calls) == len(set(calls)), f"two calls have one id: {calls}")


def _judge_piece(event: RealtimeEvent) -> None:
    if isinstance(event, ResponseAudio):
        whole = len(event.pcm) % 2 == 0
        require(ContractRule.VALUES, whole, f"{len(event.pcm)} bytes of audio end within a sample")
    elif isinstance(event, ToolCall):
        require(ContractRule.VALUES, bool(event.id), f"{event!r} has no id")
        require_object(event)
