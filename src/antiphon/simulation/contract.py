"""What every processor and provider must keep, as suites for parts of one's own.

    def test_my_parts() -> None:
        check_llm_provider(MyProvider)

A suite runs the part in virtual time, again and again: undisturbed, under shuffled schedules, and
interrupted, cancelled and ended at every step of the loop (at `MOMENTS` of them, evenly chosen,
where there are more). It raises `ContractError`, which lists each promise that was broken and when.
The factory makes a new part for each run. `processor_contract` has `check_processor`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any

from antiphon.errors import ServiceError
from antiphon.services.contracts import (
    AudioChunk,
    Finalize,
    LLMProvider,
    LLMRequest,
    SpeechAudio,
    STTProvider,
    TextDelta,
    ThoughtDelta,
    TokenUsage,
    ToolCall,
    Transcript,
    TTSProvider,
    WordTime,
)
from antiphon.simulation.fakes.voice import silence, speak
from antiphon.simulation.loop import VirtualTimeLoop
from antiphon.simulation.virtual_time import Outcome, run_on

MOMENTS = 60
STOP_SECS = 1.0
"""How long a part may take to stop when it is cancelled."""

Main = Callable[[], Coroutine[Any, Any, None]]


class ContractError(AssertionError):
    """A part does not keep its contract. The message lists what was broken, and when."""


class Findings:
    """What a suite found."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.broken: list[str] = []

    def add(self, promise: str, when: str = "") -> None:
        """A promise was broken."""
        self.broken.append(f"{promise} ({when})" if when else promise)

    def check(self, outcome: Outcome[Any], when: str) -> None:
        """A run must leave nothing behind and raise nothing but a `ServiceError`."""
        error = outcome.error
        if error is not None and not isinstance(error, ServiceError | asyncio.CancelledError):
            self.add(f"it raised {error!r}; only a ServiceError may come out", when)
        for task in outcome.leaked:
            self.add(f"it left a task running: {task}", when)
        for report in outcome.unhandled:
            self.add(f"an exception was not retrieved: {report}", when)
        for call in outcome.blocking_calls:
            self.add(f"it blocks the loop: {call}", when)

    def conclude(self) -> None:
        """Raises if anything was found: each promise once, the first ten."""
        if self.broken:
            kinds = list(dict.fromkeys(self.broken))
            shown = "\n".join(f"  - {line}" for line in kinds[:10])
            more = f"\n  and {len(kinds) - 10} more" if len(kinds) > 10 else ""
            raise ContractError(f"{self._what} does not keep its contract:\n{shown}{more}")


def name_of(factory: object) -> str:
    """What to call the part that a factory makes."""
    return factory.__qualname__ if isinstance(factory, type) else repr(factory)


class SteppedLoop(VirtualTimeLoop):
    """Calls a function after a given step."""

    def __init__(self, seed: int | None, step: int, disturb: Callable[[], None]) -> None:
        super().__init__(seed, deadline_secs=3600.0, executor_secs=0.001)
        self._step, self._disturb = step, disturb

    def _run(self, handle: Any, task: Any) -> None:
        super()._run(handle, task)
        if self.steps == self._step:
            self._disturb()


def moments(steps: int) -> list[int]:
    """The steps at which a run of so many is disturbed."""
    if steps <= MOMENTS:
        return list(range(1, steps + 1))
    return [1 + round(i * (steps - 1) / (MOMENTS - 1)) for i in range(MOMENTS)]


def undisturbed(main: Main, seed: int | None = None) -> Outcome[None]:
    """One run to its end."""
    return run_on(VirtualTimeLoop(seed, deadline_secs=3600.0, executor_secs=0.001), main())


def cancelled_everywhere(main: Main, steps: int, findings: Findings) -> None:
    """Cancels the work at each moment: it stops in time, and nothing is left."""
    for step in moments(steps):
        victims: list[asyncio.Task[None]] = []

        def cancel(victims: list[asyncio.Task[None]] = victims) -> None:
            for victim in victims:
                victim.cancel()

        async def watch(victims: list[asyncio.Task[None]] = victims, step: int = step) -> None:
            loop = asyncio.get_running_loop()
            victims.append(loop.create_task(main(), name="the part"))
            while not victims[0].cancelling() and not victims[0].done():
                await asyncio.wait(victims, timeout=0.05)
            cancelled_at = loop.time()
            await asyncio.wait(victims, timeout=30.0)
            if not victims[0].done() or loop.time() - cancelled_at > STOP_SECS:
                findings.add("it does not stop when it is cancelled", f"at step {step}")
            victims[0].cancel()
            await asyncio.wait(victims, timeout=1.0)
            if victims[0].done() and not victims[0].cancelled():
                victims[0].result()

        findings.check(run_on(SteppedLoop(None, step, cancel), watch()), f"cancelled at {step}")


# ---- providers --------------------------------------------------------------------------------


async def _take(stream: AsyncIterator[Any], count: int | None) -> list[Any]:
    """The first events of a stream (None: all), which is closed afterwards as a service does."""
    taken: list[Any] = []
    if not isinstance(stream, AsyncGenerator):
        raise TypeError("the stream has no aclose(): write it as an async generator")
    async with aclosing(stream):
        async for event in stream:
            taken.append(event)
            if count is not None and len(taken) >= count:
                break
    return taken


def _check_provider(
    factory: Callable[[], Any],
    use: Callable[[Any, int | None], Coroutine[Any, Any, list[Any]]],
    judge: Callable[[list[Any]], list[str]],
    seeds: Sequence[int],
) -> None:
    findings = Findings(name_of(factory))
    events: list[Any] = []

    async def whole() -> None:
        provider = factory()
        await provider.connect()
        events[:] = await use(provider, None)
        await provider.close()
        await provider.close()

    first = undisturbed(whole)
    findings.check(first, "undisturbed")
    for problem in judge(events):
        findings.add(problem)
    for seed in seeds:
        findings.check(undisturbed(whole, seed), f"seed {seed}")

    async def cut_short() -> None:
        provider = factory()
        await provider.connect()
        for count in range(1, min(len(events), 8) + 1):
            await use(provider, count)
        again = await use(provider, None)
        if events and not again:
            findings.add("after its stream was closed it gives nothing any more")
        await asyncio.gather(use(provider, None), use(provider, None))
        await provider.close()

    findings.check(undisturbed(cut_short), "closed in the middle")
    if first.error is None:
        cancelled_everywhere(whole, first.steps, findings)
    findings.conclude()


def check_llm_provider(
    factory: Callable[[], LLMProvider],
    *,
    request: LLMRequest | None = None,
    seeds: Sequence[int] = range(5),
) -> None:
    """An answer is made of known events; closing, cancelling and asking at once do no harm."""
    asked = request or LLMRequest(messages=({"role": "user", "content": "Hello."},))

    async def use(provider: LLMProvider, count: int | None) -> list[Any]:
        return await _take(provider.complete(asked), count)

    def judge(events: list[Any]) -> list[str]:
        known = (TextDelta, ThoughtDelta, ToolCall, TokenUsage)
        return [f"{event!r} is no LLMEvent" for event in events if not isinstance(event, known)]

    _check_provider(factory, use, judge, seeds)


def check_stt_provider(
    factory: Callable[[], STTProvider], *, pcm: bytes | None = None, seeds: Sequence[int] = range(5)
) -> None:
    """`Finalize` is answered, the stream ends with the audio, silence and nothing are borne.

    `pcm`: speech at the provider's rate; by default words in the coded voice of the fakes.
    """

    async def audio(provider: STTProvider) -> AsyncIterator[AudioChunk | Finalize]:
        rate = provider.capabilities.sample_rate
        speech = pcm if pcm is not None else speak("hello there", sample_rate=rate)
        sound = silence(0.2, sample_rate=rate) + speech + silence(0.3, sample_rate=rate)
        size = 2 * round(0.02 * rate)
        for start in range(0, len(sound), size):
            yield AudioChunk(sound[start : start + size])
            await asyncio.sleep(0.02)
        yield AudioChunk(b"")
        yield Finalize()
        await asyncio.sleep(2.0)

    async def use(provider: STTProvider, count: int | None) -> list[Any]:
        return await _take(provider.transcribe(audio(provider)), count)

    def judge(events: list[Any]) -> list[str]:
        wrong = [f"{event!r} is no Transcript" for event in events if type(event) is not Transcript]
        if not any(isinstance(event, Transcript) and event.finalized for event in events):
            wrong.append("Finalize was not answered by a finalized transcript")
        return wrong

    _check_provider(factory, use, judge, seeds)


def check_tts_provider(
    factory: Callable[[], TTSProvider],
    *,
    pieces: Sequence[str] = ("Good morning.", "How are you?"),
    seeds: Sequence[int] = range(5),
) -> None:
    """Audio comes in whole samples, word times rise, and an utterance without text is borne."""

    async def text(texts: Sequence[str]) -> AsyncIterator[str]:
        for piece in texts:
            yield piece

    async def use(provider: TTSProvider, count: int | None) -> list[Any]:
        await _take(provider.synthesize(text(())), None)
        return await _take(provider.synthesize(text(pieces)), count)

    _check_provider(factory, use, _judge_speech, seeds)


def _judge_speech(events: list[Any]) -> list[str]:
    wrong: list[str] = []
    last = 0.0
    for event in events:
        if isinstance(event, SpeechAudio):
            if len(event.pcm) % 2:
                wrong.append(f"a SpeechAudio of {len(event.pcm)} bytes ends within a sample")
        elif isinstance(event, WordTime):
            if event.start_secs < last or event.end_secs < event.start_secs:
                wrong.append(f"{event!r} goes back in time")
            last = event.start_secs
        else:
            wrong.append(f"{event!r} is no TTSEvent")
    if not any(isinstance(event, SpeechAudio) for event in events):
        wrong.append("no audio came")
    return wrong
