"""llama.cpp in this process: one engine per model, one thread, one completion at a time.

Theory of operation. An `Engine` owns the weights and a worker thread. Work (a function that runs
completions) is queued to that thread and runs to its end before the next begins: two conversations
that decode at once would each be slow, and the prompt cache serves whoever came last.
The queue is bounded. Work is stopped by its `stopped` flag, which the engine looks at after every
token and every batch of the prompt, so a stopped request costs at most one batch more. Loading is
the first work of the queue; a failed load is reported to everyone who waits and tried again by the
next.

    idle --submit--> queued --(thread free)--> running --> done
                       |                          |
                       `--- stopped: skipped      `--- stopped: ends at the next token or batch

Engines are shared by all sessions of the process (`shared_engine`).
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from antiphon.errors import (
    ConfigurationError,
    InvalidRequestError,
    MissingExtraError,
    MissingModelError,
    RateLimitError,
    ServerError,
    ServiceError,
)

T = TypeVar("T")

MOST_WAITING = 8
"""Requests that may wait for the engine. At one to two seconds each, a ninth waits in vain."""

_PROMPT_BATCH = 64
"""Tokens of a prompt between two looks at the stop flag: about 0.4 s on one core."""

_CACHE_MIB = 256
"""Memory for the prompts of other conversations; one thousand tokens of a 0.5B model take 12."""


class ContextOverflowError(InvalidRequestError):
    """The prompt is longer than the model's window: `prompt_tokens` of `context_tokens`."""

    def __init__(self, prompt_tokens: int, context_tokens: int) -> None:
        super().__init__(
            f"the prompt has {prompt_tokens} tokens, the local model's window {context_tokens}"
        )
        self.prompt_tokens: int = prompt_tokens
        self.context_tokens: int = context_tokens


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """What to complete. `grammar` (GBNF) or `schema` (JSON schema) constrain the answer.

    `bias` adds to the logits of the tokens of a text: -2.0 makes it about seven times less likely.
    """

    prompt: str
    max_tokens: int
    temperature: float = 0.0
    grammar: str | None = None
    schema: dict[str, Any] | None = None
    stop: tuple[str, ...] = ()
    bias: tuple[tuple[str, float], ...] = ()


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `whole`: the model ended by itself, not at `max_tokens` and not stopped."""

    text: str
    whole: bool
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


class Runs(Protocol):
    """Something that completes prompts: the engine, or a test's stand-in."""

    def run(
        self,
        completion: Completion,
        *,
        on_text: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> Completed:
        """Completes, calling `on_text` with each piece. Blocks; belongs on the engine's thread.

        Raises:
            ServiceError: `ContextOverflowError` where the prompt does not fit.

        """
        ...


class Engine:
    """One model in memory. Methods are safe from any thread, but for `run`."""

    def __init__(self, path: Path, *, threads: int, context_tokens: int) -> None:
        self.path: Path = path
        self.threads: int = threads
        self.context_tokens: int = context_tokens
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="antiphon-llm")
        self._server: Any = None
        self._lock = threading.Lock()
        self._waiting = 0
        self.warmed: set[str] = set()

    def submit(self, work: Callable[[Runs], T], *, stopped: Callable[[], bool]) -> Future[T | None]:
        """Queues `work`; its future is None where it was stopped before it began.

        Raises:
            RateLimitError: too many requests wait already.

        """
        with self._lock:
            if self._waiting > MOST_WAITING:
                raise RateLimitError(
                    f"the local model has {self._waiting} requests waiting and takes no more"
                )
            self._waiting += 1
        return self._pool.submit(self._work, work, stopped)

    def _work(self, work: Callable[[Runs], T], stopped: Callable[[], bool]) -> T | None:
        try:
            if stopped():
                return None
            if self._server is None:
                self._server = _load(self.path, self.threads, self.context_tokens)
            return work(self)
        finally:
            with self._lock:
                self._waiting -= 1

    def run(
        self,
        completion: Completion,
        *,
        on_text: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> Completed:
        """See `Runs.run`."""
        stream = _Stream(on_text, stopped)
        try:
            self._server.handle_completions(_as_request(completion), stream.take)
        except RuntimeError as error:
            raise ServerError(f"the local model failed: {error}") from error
        if stream.error is not None:
            raise stream.error
        return stream.completed()


class _Stream:
    """Reads the chunks of one completion; `take` returns True to end it."""

    def __init__(self, on_text: Callable[[str], None], stopped: Callable[[], bool]) -> None:
        self._on_text, self._stopped = on_text, stopped
        self._pieces: list[str] = []
        self._reason: str | None = None
        self._usage: dict[str, Any] = {}
        self.error: ServiceError | None = None

    def take(self, chunk: dict[str, Any]) -> bool:
        if "error" in chunk:
            self.error = _mapped(chunk["error"])
            return True
        if self._stopped():
            return True
        choice = chunk["choices"][0]
        text = choice.get("text") or ""
        if text:
            self._pieces.append(text)
            self._on_text(text)
        self._reason = choice.get("finish_reason") or self._reason
        self._usage = chunk.get("usage") or self._usage
        return False

    def completed(self) -> Completed:
        details = self._usage.get("prompt_tokens_details") or {}
        return Completed(
            text="".join(self._pieces),
            whole=self._reason == "stop",
            prompt_tokens=self._usage.get("prompt_tokens", 0),
            cached_tokens=details.get("cached_tokens", 0),
            completion_tokens=self._usage.get("completion_tokens", len(self._pieces)),
        )


def _as_request(completion: Completion) -> dict[str, Any]:
    request: dict[str, Any] = {
        "prompt": completion.prompt,
        "n_predict": completion.max_tokens,
        "temperature": completion.temperature,
        "stop": list(completion.stop),
        "stream": True,
        "cache_prompt": True,
        "return_progress": True,  # a chunk per batch of the prompt: a chance to stop
        "seed": 0,
    }
    if completion.bias:
        request["logit_bias"] = [list(pair) for pair in completion.bias]
    if completion.grammar is not None:
        request["grammar"] = completion.grammar
    if completion.schema is not None:
        request["json_schema"] = completion.schema
    return request


def _mapped(error: dict[str, Any]) -> ServiceError:
    if error.get("type") == "exceed_context_size_error":
        return ContextOverflowError(int(error["n_prompt_tokens"]), int(error["n_ctx"]))
    message = f"the local model: {error.get('message', error)}"
    return InvalidRequestError(message) if error.get("code") == 400 else ServerError(message)


def _load(path: Path, threads: int, context_tokens: int) -> Any:
    """Loads the weights: 2 to 3 s, 650 MB for the 0.5B model."""
    xllamacpp = _xllamacpp()
    if not path.is_file():
        raise MissingModelError(f"there is no model file {path}")
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel = context_tokens, 1
    params.n_batch = params.n_ubatch = _PROMPT_BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    # waiting threads sleep: hearing and speaking need the cores in between
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.cache_ram_mib = _CACHE_MIB
    params.warmup, params.verbosity = False, 0
    # The library opens an HTTP server on a loopback port besides. Nothing here uses it, so nobody
    # else shall either.
    params.api_keys = [secrets.token_hex(32)]
    params.endpoint_slots = params.endpoint_props = params.ui = False
    params.n_threads_http = 1
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise ServerError(f"llama.cpp does not load {path}: {error}") from error


def _xllamacpp() -> Any:
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        raise MissingExtraError("The local language model", "local", "xllamacpp") from error
    except ImportError as error:  # such as a library of the system that it is linked against
        raise ConfigurationError(
            f"the local language model's runtime, xllamacpp, cannot be loaded: {error}"
        ) from error
    return xllamacpp


_ENGINES: dict[tuple[Path, int, int], Engine] = {}
_ENGINES_LOCK = threading.Lock()


def shared_engine(path: Path, *, threads: int, context_tokens: int) -> Engine:
    """The process's engine of these weights and settings. Loads nothing yet."""
    _xllamacpp()
    key = (path.resolve(), threads, context_tokens)
    with _ENGINES_LOCK:
        if key not in _ENGINES:
            _ENGINES[key] = Engine(path, threads=threads, context_tokens=context_tokens)
        return _ENGINES[key]
