"""The embedded language model: Qwen2.5-Coder-0.5B-Instruct through llama.cpp, in this process.

It is there to try the framework without a key or a network. It is small: it calls tools well (its
calls are valid by construction) and knows little.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from antiphon.providers.local import llm_prompt
from antiphon.providers.local.llm_engine import (
    Completed,
    Completion,
    ContextOverflowError,
    Engine,
    Runs,
    shared_engine,
)
from antiphon.providers.local.registry import MODELS, model_named
from antiphon.providers.vendor_tools import LOCAL, tools_for
from antiphon.services.contracts import LLMEvent, LLMRequest, TextDelta, TokenUsage, ToolCall

MODEL = "qwen2.5-coder-0.5b-instruct-q4_k_m"
"""The name of the default weights in the model store."""

LANGUAGE_MODELS = tuple(model for model in MODELS if model.purpose.startswith("language model"))

CONTEXT_TOKENS = 4_096
"""The window that is set up: 48 MB of memory for the 0.5B model, which can read eight times it."""

MAX_TOKENS = 120
"""The longest answer unless the request says otherwise: about half a minute of speech."""

_ARGUMENT_TOKENS = 300
_ATTEMPTS = 3


class LocalLLMProvider:
    """Answers with a local model.

    `model`: a name of the model store (`UnknownNameError` for another, `MissingModelError` on
    `connect` where it is not on this machine); `path`: a GGUF file of another model that reads
    ChatML, instead. `threads`: None for half of the cores, one to four: hearing and speaking need
    the others, and threads that share a core wait for each other so long that all is slower than
    with one. `warm`: a request with the persona and tools of the conversations to come, whose
    beginning `connect` puts into the prompt cache: it takes about 13 ms a token on one core, once
    per process.
    """

    name = "local"

    def __init__(
        self,
        *,
        model: str = MODEL,
        path: Path | None = None,
        threads: int | None = None,
        context_tokens: int = CONTEXT_TOKENS,
        warm: LLMRequest | None = None,
    ) -> None:
        self.model: str = path.stem if path else model_named(model, LANGUAGE_MODELS).name
        self._path = path
        self._threads = threads or min(4, max(1, (os.cpu_count() or 1) // 2))
        self._context_tokens = context_tokens
        self._warm = warm
        self._engine: Engine | None = None

    async def connect(self) -> None:
        """Loads the weights, unless another session has; warms what it was told to."""
        engine = await self._loaded()
        await asyncio.wrap_future(engine.submit(lambda _: None, stopped=lambda: False))
        if self._warm is not None:
            await self.warm(self._warm)

    async def warm(self, request: LLMRequest) -> None:
        """Reads what the turns of conversations like `request` have in common into the cache."""
        engine = await self._loaded()
        prefix = llm_prompt.prefix(_for_this_model(request))
        if prefix in engine.warmed:
            return
        engine.warmed.add(prefix)  # at once: sessions that start together warm once
        completion = Completion(prompt=prefix, max_tokens=0)
        answer = _Answer(lambda run, answer: run.run(completion, **answer.wires()))
        try:
            async for _ in answer.events(engine):
                pass
        except BaseException:
            engine.warmed.discard(prefix)
            raise
        finally:
            answer.stop()

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        """Streams the answer; closing the iterator stops the model at its next token."""
        engine = await self._loaded()
        answer = _Answer(_Turn(_for_this_model(request), self._context_tokens).run)
        try:
            async for event in answer.events(engine):
                yield event
        finally:
            answer.stop()

    async def close(self) -> None:
        """The weights stay, for other sessions of this process."""

    async def _loaded(self) -> Engine:
        if self._engine is None:
            self._engine = await asyncio.to_thread(self._find)
        return self._engine

    def _find(self) -> Engine:
        """Looking the weights up may hash a gigabyte the first time, and the runtime is large."""
        from antiphon.providers.local.model_store import ModelStore

        path = self._path if self._path is not None else ModelStore().path(self.model)
        return shared_engine(path, threads=self._threads, context_tokens=self._context_tokens)


def _for_this_model(request: LLMRequest) -> LLMRequest:
    return msgspec.structs.replace(request, tools=tools_for(request.tools, LOCAL))


class _Answer:
    """Carries events from the engine's thread to the loop, and the wish to stop the other way.

    Bounded by the number of tokens that one answer may have.
    """

    def __init__(self, work: Callable[[Runs, _Answer], object]) -> None:
        self._work = work
        self._stopped = False
        self._events: deque[LLMEvent] = deque()
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        """Ends the work at the next token or batch, or before it begins."""
        self._stopped = True

    def stopped(self) -> bool:
        return self._stopped

    def wires(self) -> dict[str, Any]:
        """What a completion needs that nobody hears."""
        return {"on_text": lambda _: None, "stopped": self.stopped}

    def emit(self, event: LLMEvent) -> None:
        """From the engine's thread."""
        self._events.append(event)
        self._wake()

    def _wake(self, _: object = None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the loop is closed: nobody listens any more
            self._stopped = True

    async def events(self, engine: Engine) -> AsyncIterator[LLMEvent]:
        """Submits the work and yields what it emits; raises what it raises."""
        done = engine.submit(lambda run: self._work(run, self), stopped=self.stopped)
        done.add_done_callback(self._wake)
        while True:
            finished = done.done()
            while self._events:
                yield self._events.popleft()
            if finished:
                done.result()
                return
            await self._news.wait()
            self._news.clear()


class _Turn:
    """One answer, on the engine's thread: which tool, then its arguments or the words."""

    def __init__(self, request: LLMRequest, context_tokens: int) -> None:
        self._request = request
        self._context_tokens = context_tokens
        self._answer_tokens = request.max_tokens or MAX_TOKENS
        self._tools = llm_prompt.usable_tools(request)
        self._prompt_tokens = self._completion_tokens = 0

    def run(self, run: Runs, answer: _Answer) -> None:
        scale = 1.0
        for attempt in range(_ATTEMPTS):
            room = self._context_tokens - max(self._answer_tokens, _ARGUMENT_TOKENS) - 16
            prompt = llm_prompt.prompt(self._request, context_tokens=room, scale=scale)
            try:
                self._answer(run, answer, prompt)
            except ContextOverflowError as error:
                if attempt == _ATTEMPTS - 1:
                    raise
                scale = llm_prompt.scale_of(prompt, error.prompt_tokens)
            else:
                break
        if not answer.stopped():
            answer.emit(TokenUsage(self._prompt_tokens, self._completion_tokens))

    def _answer(self, run: Runs, answer: _Answer, prompt: str) -> None:
        if not self._tools:
            self._say(run, answer, prompt)
            return
        names = llm_prompt.names_allowed(self._request)
        name = names[0] if len(names) == 1 else self._choose(run, answer, prompt, names)
        if answer.stopped():
            return
        begun = f"{prompt}{llm_prompt.CALL} {name}\n"
        if name == llm_prompt.NONE:
            self._say(run, answer, begun)
        elif not self._call(run, answer, begun, name) and not answer.stopped():
            self._say(run, answer, f"{prompt}{llm_prompt.CALL} {llm_prompt.NONE}\n")

    def _choose(self, run: Runs, answer: _Answer, prompt: str, names: list[str]) -> str:
        completion = Completion(
            prompt=prompt + llm_prompt.CALL,
            max_tokens=64,
            grammar=llm_prompt.names_grammar(names),
            bias=llm_prompt.bias(self._request),
        )
        chosen = self._counted(run.run(completion, **answer.wires())).text.strip()
        return chosen if chosen in names else llm_prompt.NONE

    def _call(self, run: Runs, answer: _Answer, prompt: str, name: str) -> bool:
        """Writes the arguments and emits the call; False where they did not come to an end."""
        tool = next(tool for tool in self._tools if tool.name == name)
        arguments = "{}"
        if tool.parameters.get("properties"):
            completion = Completion(
                prompt=prompt,
                max_tokens=_ARGUMENT_TOKENS,
                # Where the schema does not say, a small model likes to add arguments of its own.
                schema={"additionalProperties": False, **tool.parameters},
                bias=llm_prompt.argument_bias(self._request, tool),
            )
            arguments = self._counted(run.run(completion, **answer.wires())).text.strip()
        if answer.stopped() or not _is_object(arguments):
            return False
        answer.emit(ToolCall(f"call_{uuid4().hex[:24]}", name, arguments))
        return True

    def _say(self, run: Runs, answer: _Answer, prompt: str) -> None:
        completion = Completion(
            prompt=prompt,
            max_tokens=self._answer_tokens,
            temperature=self._request.temperature or 0.0,
            stop=("\n\n", f"\n{llm_prompt.CALL}"),
        )
        said = run.run(
            completion,
            on_text=lambda text: answer.emit(TextDelta(text)),
            stopped=answer.stopped,
        )
        self._counted(said)

    def _counted(self, completed: Completed) -> Completed:
        self._prompt_tokens = max(self._prompt_tokens, completed.prompt_tokens)
        self._completion_tokens += completed.completion_tokens
        return completed


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
