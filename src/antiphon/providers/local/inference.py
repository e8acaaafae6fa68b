"""Where the embedded models run: a few threads beside the event loop, and models loaded once.

Why threads: a transcript takes 100 ms of CPU, a clause of speech 200. On the loop, each would stop
the audio of every conversation for as long. onnxruntime releases the interpreter lock while it
computes. Work under a millisecond (voice activity) stays on the loop: handing it over costs more
than doing it.

Why lanes: each kind of work has threads of its own, so a long synthesis never delays a transcript.
A lane has one thread on a machine of up to three cores and a quarter of the cores on larger ones,
and each model computes on one thread: on two cores, hearing and speaking at once is what there is
to do.

Invariants

- A result arrives on the loop that asked. Whoever stops waiting (a cancelled task, a closed
  iterator) leaves nothing behind: a job that has not begun is taken out of the lane, one that runs
  finishes and its result is dropped.
- A lane holds at most `limit` jobs; one more is refused with a ServerError, which is retryable.
- A model is loaded once per process and store, by the first who needs it, while others wait.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from antiphon.errors import MissingExtraError, ServerError
from antiphon.providers.local.model_store import ModelStore

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

T = TypeVar("T")


class InferenceQueue:
    """Threads for one kind of work. `pending` counts the jobs that wait or run."""

    def __init__(self, name: str, *, threads: int | None = None, limit: int = 64) -> None:
        """`threads`: by default one, or a quarter of the machine's cores."""
        self.name = name
        self.threads: int = threads or max(1, (os.cpu_count() or 1) // 4)
        self.limit = limit
        self.pending: int = 0
        self._lock = threading.RLock()  # a job is also forgotten while garbage is collected
        self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix=f"antiphon-{name}")

    @property
    def has_free_thread(self) -> bool:
        """Whether a job submitted now would run at once."""
        return self.pending < self.threads

    def submit(self, job: Callable[[], T]) -> asyncio.Future[T]:
        """Starts `job` on a thread of this lane; the future belongs to the running loop.

        Cancelling the future takes the job out of the lane if it has not begun.
        ServerError if the lane is full.
        """
        with self._lock:
            if self.pending >= self.limit:
                raise ServerError(
                    f"{self.pending} jobs wait for the local {self.name} model: this machine "
                    f"does not keep up with so many conversations"
                )
            self.pending += 1
        begun = _Once()

        def counted() -> T:
            if not begun.take():
                raise asyncio.CancelledError  # nobody waits any more
            try:
                return job()
            finally:
                self._release()

        future: asyncio.Future[T] = asyncio.get_running_loop().run_in_executor(
            self._executor, counted
        )

        def forget_if_not_begun() -> None:
            if begun.take():
                self._release()

        future.add_done_callback(lambda done: forget_if_not_begun() if done.cancelled() else None)
        # A loop that is closed with jobs waiting never calls back.
        weakref.finalize(future, forget_if_not_begun).atexit = False
        return future

    async def run(self, job: Callable[[], T]) -> T:
        """Runs `job` and returns its result. Cancelling the caller is cancelling the job."""
        return await self.submit(job)

    def _release(self) -> None:
        with self._lock:
            self.pending -= 1


class _Once:
    """Tells the first of two threads to ask that it is the first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def take(self) -> bool:
        """True for the first call only."""
        return self._lock.acquire(blocking=False)


HEARING = InferenceQueue("transcription")
SPEAKING = InferenceQueue("speech")
TURNS = InferenceQueue("turn")


class Shared(Generic[T]):
    """A model that all sessions of the process share, loaded once from each store."""

    def __init__(self, load: Callable[[ModelStore], T]) -> None:
        self._load = load
        self._loaded: dict[Path, T] = {}
        self._lock = threading.Lock()

    def get(self, store: ModelStore) -> T:
        """The model. Loads it in the calling thread, which takes up to a second, if need be."""
        with self._lock:
            if store.root not in self._loaded:
                self._loaded[store.root] = self._load(store)
            return self._loaded[store.root]


def onnx_session(model: Path | bytes, feature: str) -> InferenceSession:
    """An onnxruntime session on one thread, without spinning; `model` is a file or its content.

    `feature` is what needs it, for the MissingExtraError that is raised without onnxruntime.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(feature, "local", "onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # A spinning worker would burn a core between the windows of a conversation.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A memory pattern is kept for each shape of input, and no two utterances are of one length.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    content = str(model) if isinstance(model, Path) else model
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    # It keeps them for a change of its providers, which never comes.
    session._model_bytes = None  # noqa: SLF001
    return session


def outputs(
    session: InferenceSession, feed: dict[str, Any], *, give_back_memory: bool = False
) -> list[Any]:
    """What the session computes from `feed`, in the order of its outputs.

    A session keeps the memory of its largest run for the next ones, which is faster;
    `give_back_memory` after a run that was unusually large. ServerError, with the runtime's own
    words, if it fails.
    """
    from onnxruntime import RunOptions
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

    options = RunOptions()
    if give_back_memory:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    try:
        results: list[Any] = session.run(None, feed, options)
    except (Fail, InvalidArgument, RuntimeException) as error:
        raise ServerError(f"the local model failed: {error}") from error
    return results
