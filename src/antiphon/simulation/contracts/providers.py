"""`check_stt_provider`, `check_tts_provider`, `check_llm_provider`: what providers must keep."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from antiphon.errors import ServiceError
from antiphon.services.contracts import (
    AudioChunk,
    Finalize,
    LLMEvent,
    LLMProvider,
    LLMRequest,
    SpeechAudio,
    STTProvider,
    TextDelta,
    TokenUsage,
    ToolCall,
    ToolSpec,
    Transcript,
    TTSProvider,
    WordTime,
)
from antiphon.settings import ServiceSettings
from antiphon.simulation.contracts.streaming import Call, Pieces, ProviderKind, StreamSuite
from antiphon.simulation.contracts.suite import ContractRule, Run, Violation, require
from antiphon.simulation.fakes.voice import silence, speak

_CHUNK_SECS = 0.02
Fed = tuple[float, AudioChunk | Finalize]


def check_stt_provider(
    factory: Callable[[], STTProvider],
    *,
    seeds: int | Iterable[int] = 10,
    speech: Callable[[int], bytes] | None = None,
    failing: Callable[[int], STTProvider] | None = None,
    held: Callable[[Any], int] | None = None,
    settings: Sequence[ServiceSettings] = (),
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    Args:
        factory: makes a new provider for each run.
        seeds: how many, or which.
        speech: PCM with words in it, at the given rate (Hz); by default the coded voice that the
            fakes understand.
        failing: makes a provider whose n-th call to the vendor fails, counted from 0.
        held: how many things (connections, streams) a provider holds; 0 when no call goes on.
        settings: given to `configure` at any instant.
        only: the case to repeat, as the error names it.

    """
    voice = speech or (lambda rate: speak("good morning", sample_rate=rate))

    def judge(provider: STTProvider, events: list[Any], name: str) -> None:
        _judge_transcripts(provider, events)
        finals = [event for event in events if event.final and event.text.strip()]
        if name in {"segments", "huge", "odd pieces", "no last Finalize"}:
            require(ContractRule.ANSWERS, bool(finals), f"{name}: speech gave no final transcript")

    kind = ProviderKind(_stt_inputs(voice), judge)
    return StreamSuite(
        "check_stt_provider", factory, kind, seeds, only, failing, held, settings
    ).run()


def _stt_inputs(voice: Callable[[int], bytes]) -> dict[str, Callable[[STTProvider], Call]]:
    def feed(items: Callable[[int], list[Fed]]) -> Callable[[STTProvider], Call]:
        def call(provider: STTProvider) -> Call:
            pieces = Pieces(items(provider.capabilities.sample_rate))
            return provider.transcribe(pieces), pieces

        return call

    def segment(rate: int) -> list[Fed]:
        pcm = silence(0.1, sample_rate=rate) + voice(rate) + silence(0.1, sample_rate=rate)
        size = 2 * round(_CHUNK_SECS * rate)
        cut = [pcm[at : at + size] for at in range(0, len(pcm), size)]
        return [(_CHUNK_SECS, AudioChunk(piece)) for piece in cut]

    def odd(rate: int) -> list[Fed]:
        rng, pcm, at = random.Random(rate), voice(rate), 0
        items: list[Fed] = []
        while at < len(pcm):
            size = 2 * rng.choice([0, 1, 7, 4001])
            items.append((rng.choice([0.0, 0.01]), AudioChunk(pcm[at : at + size])))
            at += size
        return [*items, (0.0, Finalize())]

    end: Fed = (0.05, Finalize())
    return {
        "segments": feed(lambda rate: [*segment(rate), end, *segment(rate), end, (0.5, end[1])]),
        "nothing": feed(lambda rate: []),
        "silence": feed(lambda rate: [(0.0, AudioChunk(silence(1.0, sample_rate=rate))), end]),
        "empty pieces": feed(lambda rate: [(0.0, AudioChunk(b"")), end, end]),
        "no last Finalize": feed(segment),
        "odd pieces": feed(odd),
        "huge": feed(
            lambda rate: [(0.0, AudioChunk(voice(rate) + silence(60.0, sample_rate=rate))), end]
        ),
    }


def _judge_transcripts(provider: STTProvider, events: list[Any]) -> None:
    for event in events:
        require(ContractRule.VALUES, isinstance(event, Transcript), f"{event!r} is no Transcript")
        known = event.final or not event.finalized
        require(ContractRule.VALUES, known, f"{event!r} is finalized, but not final")
        wanted = event.final or provider.capabilities.interim
        require(
            ContractRule.VALUES, wanted, f"{event!r}: the capabilities say that none is interim"
        )


_LONG = " ".join(["This sentence is one of very many that follow each other."] * 60)
_ROUNDING_SECS = 0.05


def check_tts_provider(
    factory: Callable[[], TTSProvider],
    *,
    seeds: int | Iterable[int] = 10,
    failing: Callable[[int], TTSProvider] | None = None,
    held: Callable[[Any], int] | None = None,
    settings: Sequence[ServiceSettings] = (),
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    Arguments as for `check_stt_provider`.
    """
    inputs = {
        "sentences": _feed([(0.0, "Good morning."), (0.4, "How are you?")]),
        "nothing": _feed([]),
        "empty pieces": _feed([(0.0, ""), (0.1, " "), (0.0, "...")]),
        "one word": _feed([(0.0, "Yes")]),
        "slow writer": _feed([(2.0, "One."), (3.0, "Two."), (0.0, "Three.")]),
        "strange": _feed([(0.0, "\u00e9\u4f60\u597d \U0001f600 <b>&amp;\n\t\0")]),
        "huge": _feed([(0.0, _LONG)]),
    }
    kind = ProviderKind(inputs, _judge_speech)
    return StreamSuite(
        "check_tts_provider", factory, kind, seeds, only, failing, held, settings
    ).run()


def _feed(items: list[tuple[float, str]]) -> Callable[[TTSProvider], Call]:
    def call(provider: TTSProvider) -> Call:
        pieces = Pieces(items)
        return provider.synthesize(pieces), pieces

    return call


def _judge_speech(provider: TTSProvider, events: list[Any], name: str) -> None:
    size, last = 0, 0.0
    for event in events:
        require(
            ContractRule.VALUES,
            isinstance(event, SpeechAudio | WordTime),
            f"{event!r} is no TTSEvent",
        )
        if isinstance(event, SpeechAudio):
            odd = len(event.pcm) % 2
            require(
                ContractRule.VALUES, not odd, f"{len(event.pcm)} bytes of audio end within a sample"
            )
            size += len(event.pcm)
        else:
            told = provider.capabilities.word_times
            require(
                ContractRule.VALUES,
                told,
                f"{event!r}: the capabilities say there are no word times",
            )
            rises = last <= event.start_secs <= event.end_secs
            require(ContractRule.VALUES, rises, f"{event!r} goes back in time")
            last = event.start_secs
    secs = size / 2 / provider.capabilities.sample_rate
    within = last <= secs + _ROUNDING_SECS
    require(ContractRule.VALUES, within, f"a word starts at {last:.2f} s of {secs:.2f} s of audio")
    if name in {"sentences", "one word", "slow writer", "huge"}:
        require(ContractRule.ANSWERS, size > 0, f"{name}: there is text and no audio")


WEATHER = ToolSpec(
    name="get_weather",
    description="Get the current weather in a city.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string", "description": "the city"}},
        "required": ["city"],
    },
)

_CALL = {"name": "get_weather", "arguments": '{"city": "Berlin"}'}
_RESULT = (
    {"role": "user", "content": "What is the weather in Berlin?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_7", "type": "function", "function": _CALL}],
    },
    {"role": "tool", "tool_call_id": "call_7", "content": '{"conditions": "sunny"}'},
)


def _says(text: str) -> tuple[dict[str, Any], ...]:
    return ({"role": "user", "content": text},)


REQUESTS = {
    "question": LLMRequest(messages=_says("What is the capital of Germany?")),
    "tool": LLMRequest(messages=_says("What is the weather in Berlin?"), tools=(WEATHER,)),
    "result": LLMRequest(messages=_RESULT, tools=(WEATHER,)),
    "instructed": LLMRequest(
        messages=_says("Hello."), system_instruction="Be brief.", temperature=0.0, max_tokens=50
    ),
    "huge": LLMRequest(messages=_says("Really? " * 5_000)),
}


def check_llm_provider(
    factory: Callable[[], LLMProvider],
    *,
    seeds: int | Iterable[int] = 10,
    requests: dict[str, LLMRequest] | None = None,
    failing: Callable[[int], LLMProvider] | None = None,
    held: Callable[[Any], int] | None = None,
    at_once: int = 2,
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    `requests`: what is asked, by name, in place of `REQUESTS`; the first must be answered.
    `at_once`: how many requests the provider must answer side by side; 1 for one at a time. The
    other arguments are as for `check_stt_provider`.
    """
    asked = requests or REQUESTS

    def ask(request: LLMRequest) -> Callable[[LLMProvider], Call]:
        return lambda provider: (provider.complete(request), None)

    def judge(provider: LLMProvider, events: list[Any], name: str) -> None:
        judge_answer(events, asked[name])

    inputs = {name: ask(request) for name, request in asked.items()}
    suite = LLMSuite(
        "check_llm_provider", factory, ProviderKind(inputs, judge), seeds, only, failing, held
    )
    suite.asked, suite.at_once = asked, at_once
    return suite.run()


class LLMSuite(StreamSuite[LLMProvider]):
    """The cases of streaming providers, with requests that stay as they were."""

    asked: dict[str, LLMRequest]
    at_once: int

    def cases(self) -> None:
        """Adds those of language models."""
        self.suite.case("no messages", self._no_messages)
        self.suite.case("request", self._request_is_left_alone)
        if self.at_once > 1:
            self.suite.case("at once", self._at_once)

    async def _no_messages(self, run: Run) -> None:
        provider = self.factory()
        await provider.connect()
        with contextlib.suppress(ServiceError):
            await collect(provider, LLMRequest(messages=()))
        await provider.close()

    async def _request_is_left_alone(self, run: Run) -> None:
        for name, request in self.asked.items():
            provider, before = self.factory(), msgspec.json.encode(request)
            await provider.connect()
            await collect(provider, request)
            await provider.close()
            same = msgspec.json.encode(request) == before
            require(ContractRule.VALUES, same, f"{name}: the request was changed")

    async def _at_once(self, run: Run) -> None:
        provider = self.factory()
        await provider.connect()
        request = self.asked[self.kind.plain]
        tasks = []
        for number in range(self.at_once):
            tasks.append(run.loop.create_task(collect(provider, request), name=f"client {number}"))
            await asyncio.sleep(run.rng.choice([0.0, 0.01, 0.4]))
        for task in tasks:
            judge_answer(await task, request)
        await provider.close()


async def collect(provider: LLMProvider, request: LLMRequest) -> list[LLMEvent]:
    """The whole answer."""
    return [event async for event in provider.complete(request)]


def judge_answer(events: list[Any], request: LLMRequest) -> None:
    """The events of one complete answer."""
    advertised = {tool.name for tool in request.tools}
    for event in events:
        require(ContractRule.VALUES, isinstance(event, LLMEvent), f"{event!r} is no LLMEvent")
        if isinstance(event, ToolCall):
            require(
                ContractRule.VALUES, event.name in advertised, f"{event!r}: there is no such tool"
            )
            require(ContractRule.VALUES, bool(event.id), f"{event!r} has no id")
            require_object(event)
    usages = [at for at, event in enumerate(events) if isinstance(event, TokenUsage)]
    last = not usages or usages == [len(events) - 1]
    require(ContractRule.VALUES, last, "the usage comes once, as the last event")
    ids = [event.id for event in events if isinstance(event, ToolCall)]
    require(ContractRule.VALUES, len(ids) == len(set(ids)), f"two calls have one id: {ids}")
    said = any(isinstance(event, TextDelta | ToolCall) for event in events)
    require(ContractRule.ANSWERS, said, "neither text nor a call came")


def require_object(call: ToolCall) -> None:
    """The arguments of a call are a JSON object."""
    try:
        arguments = json.loads(call.arguments)
    except ValueError as error:
        raise Violation(ContractRule.VALUES, f"{call!r}: the arguments are no JSON") from error
    require(
        ContractRule.VALUES, isinstance(arguments, dict), f"{call!r}: the arguments are no object"
    )
