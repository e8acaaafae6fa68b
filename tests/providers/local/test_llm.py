"""The embedded model's provider: its logic on a scripted engine, and the real model briefly."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from antiphon.errors import (
    ConfigurationError,
    InvalidRequestError,
    MissingExtraError,
    MissingModelError,
    RateLimitError,
    ServiceError,
)
from antiphon.providers.local.llm_engine import (
    MOST_WAITING,
    Completed,
    Completion,
    ContextOverflowError,
    Engine,
    Runs,
    shared_engine,
)
from antiphon.providers.local.llm_provider import MODEL, LocalLLMProvider
from antiphon.providers.local.model_store import ModelStore
from antiphon.services.contracts import (
    LLMEvent,
    LLMProvider,
    LLMRequest,
    TextDelta,
    TokenUsage,
    ToolCall,
    ToolSpec,
)
from tests.providers.llm_contract import Behaviour, LLMProviderContract

T = TypeVar("T")

WEATHER = ToolSpec(
    name="get_weather",
    description="Get the current weather in a city.",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
)


def asking(text: str, **rest: Any) -> LLMRequest:
    return LLMRequest(messages=({"role": "user", "content": text},), **rest)


class ScriptedEngine:
    """Answers completions from a script, on a thread of its own like the real one."""

    def __init__(self, *script: str | Exception) -> None:
        self.script = list(script)
        self.completions: list[Completion] = []
        self.spoken: list[str] = []
        self.warmed: set[str] = set()
        self.gate: threading.Event | None = None
        self.ended = threading.Event()

    def submit(
        self, work: Callable[[Runs], object], *, stopped: Callable[[], bool]
    ) -> Future[object]:
        future: Future[object] = Future()

        def body() -> None:
            try:
                future.set_result(work(self))
            except ServiceError as error:
                future.set_exception(error)
            finally:
                self.ended.set()

        threading.Thread(target=body).start()
        return future

    def run(
        self,
        completion: Completion,
        *,
        on_text: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> Completed:
        self.completions.append(completion)
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        said = ""
        for word in step.split(" "):
            if self.gate is not None and said:
                self.gate.wait(5)
            if stopped():
                break
            self.spoken.append(word)
            on_text(word if not said else f" {word}")
            said = f"{said} {word}".strip()
        return Completed(text=said, whole=True, prompt_tokens=7, completion_tokens=2)


def provider_on(engine: ScriptedEngine, warm: LLMRequest | None = None) -> LocalLLMProvider:
    provider = LocalLLMProvider(warm=warm)
    provider._engine = cast("Engine", engine)
    return provider


async def collect(provider: LocalLLMProvider, request: LLMRequest) -> list[LLMEvent]:
    return [event async for event in provider.complete(request)]


def run(main: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(main, 60))


def test_words_stream_without_tools() -> None:
    """Without tools there is one plain completion, streamed, and its usage."""
    engine = ScriptedEngine("Hello there friend")
    events = run(collect(provider_on(engine), asking("Hi")))
    assert events == [
        TextDelta("Hello"),
        TextDelta(" there"),
        TextDelta(" friend"),
        TokenUsage(7, 2),
    ]
    (completion,) = engine.completions
    assert completion.grammar is None
    assert completion.schema is None


def test_a_tool_is_chosen_first_and_its_arguments_follow_its_schema() -> None:
    """The name is completed under a grammar, then the arguments under the tool's schema."""
    engine = ScriptedEngine("get_weather", '{"city":"Rome"}')
    events = run(collect(provider_on(engine), asking("Weather in Rome?", tools=(WEATHER,))))
    call = events[0]
    assert isinstance(call, ToolCall)
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Rome"})
    first, second = engine.completions
    assert first.grammar is not None
    assert "get_weather" in first.grammar
    assert second.schema == {"additionalProperties": False, **WEATHER.parameters}
    assert second.prompt.startswith(first.prompt)
    assert events[-1] == TokenUsage(7, 4)


def test_speaking_is_a_choice_too() -> None:
    """Where the model chooses none, free words follow and no call."""
    engine = ScriptedEngine("none", "I am well.")
    events = run(collect(provider_on(engine), asking("How are you?", tools=(WEATHER,))))
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "I am well."
    assert not [event for event in events if isinstance(event, ToolCall)]


def test_unfinished_arguments_are_never_a_call() -> None:
    """Arguments that were cut off are not called with: the model speaks instead."""
    engine = ScriptedEngine("get_weather", '{"city": "Ro', "I did not get that.")
    events = run(collect(provider_on(engine), asking("Weather?", tools=(WEATHER,))))
    assert not [event for event in events if isinstance(event, ToolCall)]
    assert any(isinstance(event, TextDelta) for event in events)


def test_closing_the_iterator_stops_the_engine() -> None:
    """After the iterator is closed the engine says no further word."""

    async def main() -> None:
        engine = ScriptedEngine("one two three four")
        engine.gate = threading.Event()
        async with aclosing(provider_on(engine).complete(asking("Count"))) as events:
            async for event in events:
                assert event == TextDelta("one")
                break
        engine.gate.set()
        assert await asyncio.to_thread(engine.ended.wait, 5)
        assert engine.spoken == ["one"]

    run(main())


def test_a_prompt_that_is_too_long_is_shortened_by_the_engine_s_count() -> None:
    """An overflow is answered by a shorter prompt; one that never fits is an error."""
    talk = tuple({"role": "user", "content": "word " * 40} for _ in range(200))
    engine = ScriptedEngine(ContextOverflowError(6_000, 4_096), "Fine.")
    events = run(collect(provider_on(engine), LLMRequest(messages=talk)))
    assert TextDelta("Fine.") in events
    first, second = engine.completions
    assert len(second.prompt) < len(first.prompt)
    hopeless = ScriptedEngine(*[ContextOverflowError(9_000, 4_096)] * 3)
    with pytest.raises(InvalidRequestError, match="9000 tokens"):
        run(collect(provider_on(hopeless), asking("Hi")))


def test_a_prompt_is_warmed_once() -> None:
    """Two sessions that start together read the common prompt once."""

    async def main() -> None:
        engine = ScriptedEngine("", "")
        request = LLMRequest(messages=())
        await asyncio.gather(*(provider_on(engine).warm(request) for _ in range(2)))
        assert len(engine.completions) == 1
        assert engine.completions[0].max_tokens == 0

    run(main())


def test_connecting_reads_the_prompt_that_it_was_given() -> None:
    """`warm` is in the cache when `connect` returns, before the first turn."""

    async def main() -> None:
        engine = ScriptedEngine("")
        request = LLMRequest(messages=(), system_instruction="You sell bread.")
        await provider_on(engine, warm=request).connect()
        (completion,) = engine.completions
        assert completion.max_tokens == 0
        assert "You sell bread." in completion.prompt

    run(main())


def test_a_failed_warm_up_is_tried_again() -> None:
    """A prompt whose warm-up failed is not taken for warm."""

    async def main() -> None:
        engine = ScriptedEngine(InvalidRequestError("no"), "")
        with pytest.raises(InvalidRequestError):
            await provider_on(engine).warm(LLMRequest(messages=()))
        await provider_on(engine).warm(LLMRequest(messages=()))
        assert len(engine.completions) == 2

    run(main())


def test_the_queue_is_bounded_and_stopped_work_is_skipped(tmp_path: Path) -> None:
    """More requests than may wait are refused at once; stopped ones never reach the model."""
    engine = Engine(tmp_path / "none.gguf", threads=1, context_tokens=256)
    gate = threading.Event()
    engine._server = object()
    futures = [engine.submit(lambda _: gate.wait(10), stopped=lambda: False)]
    stopped = threading.Event()
    futures += [engine.submit(lambda _: True, stopped=stopped.is_set) for _ in range(MOST_WAITING)]
    with pytest.raises(RateLimitError, match="waiting"):
        engine.submit(lambda _: True, stopped=lambda: False)
    stopped.set()
    gate.set()
    assert [future.result(10) for future in futures] == [True] + [None] * MOST_WAITING


def test_missing_weights_are_a_clear_error(tmp_path: Path) -> None:
    """A path without a file is named, at connect and not at construction."""
    provider = LocalLLMProvider(path=tmp_path / "absent.gguf")
    with pytest.raises(MissingModelError, match=r"absent\.gguf"):
        run(provider.connect())


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without xllamacpp the error says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "xllamacpp", None)
    with pytest.raises(MissingExtraError, match=r"antiphon\[local\]"):
        shared_engine(tmp_path / "x.gguf", threads=1, context_tokens=256)


@pytest.fixture(scope="module")
def real() -> LocalLLMProvider:
    """The embedded model, or a skip where it is not on this machine."""
    try:
        shared_engine(ModelStore().path(MODEL), threads=1, context_tokens=4_096)
    except ConfigurationError as error:
        pytest.skip(str(error))
    return LocalLLMProvider(threads=1)


@pytest.mark.models
def test_the_real_model_speaks_and_stops(real: LocalLLMProvider) -> None:
    """The model answers in text, and a closed iterator frees it for the next request."""

    async def main() -> None:
        await real.connect()
        async with aclosing(real.complete(asking("Tell me a very long story."))) as events:
            async for event in events:
                assert isinstance(event, TextDelta)
                break
        events_after = await collect(real, asking("What is the capital of Germany?", max_tokens=20))
        said = "".join(event.text for event in events_after if isinstance(event, TextDelta))
        assert "Berlin" in said
        usage = events_after[-1]
        assert isinstance(usage, TokenUsage)
        assert 0 < usage.completion_tokens <= 20

    run(main())


@pytest.mark.models
class TestLocalContract(LLMProviderContract):
    @asynccontextmanager
    async def provider(self, behaviour: Behaviour) -> AsyncIterator[LLMProvider]:
        try:
            ModelStore().path(MODEL)
        except ConfigurationError as error:
            pytest.skip(str(error))
        yield LocalLLMProvider(threads=1)


def test_a_runtime_that_cannot_be_loaded_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A library of the system that is missing is named, and not taken for a missing package."""
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('libgomp.so.1: cannot open')")
    monkeypatch.delitem(sys.modules, "xllamacpp", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError, match=r"libgomp\.so\.1"):
        shared_engine(tmp_path / "x.gguf", threads=1, context_tokens=256)
