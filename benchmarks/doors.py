"""How long the largest inputs hold the loop, door by door: at most 50 ms in one step for 1 MB.

Each door is given a megabyte of what is worst for it. The figure is the longest step of the loop in
milliseconds of CPU of this thread, without Python's garbage collections, whose longest is beside
it: they belong to the process and grow with all that it holds. `--size` takes other sizes. What is
read by people's tools before a conversation begins (files of scenarios, recordings, WAV) is shown
as a whole.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

from antiphon.audio.wav import parse_wav, wav_bytes
from antiphon.context.llm_context import LLMContext
from antiphon.errors import AntiphonError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import EndFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMFullResponseStartFrame
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.frames.text import AggregatedTextFrame, LLMTextFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.services.tts import TTSService
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.mapping_file import read_yaml
from antiphon.simulation.record.recording import Recording

LIMIT_MS = 50.0
WATCHED_SECS = 4.0
"""What a text does is done by then, but for the speaking of it."""
WORST = {
    "line breaks": "\n",
    "words": "Hello there, you. ",
    "no space": "a",
    "numbered": "1. ",
    "unclosed thought": "<think>abc ",
    "unclosed fence": "``` x",
    "stars": "*a ",
    "links": "[a](",
    "addresses": "https://a.b/c ",
    "tags": '<b x="a. ',
    "Chinese": "你好。",
    "halves": "\ud83d",
}


class Steps:
    """The longest step of the loop while it is watched."""

    def __init__(self) -> None:
        self.longest_ms = self.longest_collection_ms = 0.0
        self._run = asyncio.events.Handle._run  # noqa: SLF001 (the one place all steps pass)
        self._collected = self._began = 0.0

    def _collection(self, phase: str, _: object) -> None:
        now = time.thread_time()
        if phase == "start":
            self._began = now
            return
        took = now - self._began
        self._collected += took
        self.longest_collection_ms = max(self.longest_collection_ms, took * 1e3)

    def __enter__(self) -> Self:
        honest = self._run

        def timed(handle: asyncio.Handle) -> None:
            begun, collected = time.thread_time(), self._collected
            honest(handle)
            took = time.thread_time() - begun - (self._collected - collected)
            self.longest_ms = max(self.longest_ms, took * 1e3)

        gc.callbacks.append(self._collection)
        asyncio.events.Handle._run = timed  # type: ignore[method-assign]  # noqa: SLF001
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.events.Handle._run = self._run  # type: ignore[method-assign]  # noqa: SLF001
        gc.callbacks.remove(self._collection)


async def spoken(frames: list[Frame]) -> None:
    """Gives frames to a voice, and ends."""
    task = PipelineTask(Pipeline([TTSService(FakeTTSProvider())]), idle_timeout_secs=None)
    await task.queue_frames([*frames, EndFrame()])
    running = asyncio.ensure_future(task.run())
    await asyncio.wait([running], timeout=WATCHED_SECS)
    if not running.done():
        await task.cancel()
        await running


def answer(text: str) -> list[Frame]:
    """An answer in one delta."""
    return [LLMFullResponseStartFrame(), LLMTextFrame(text), LLMFullResponseEndFrame()]


async def context_of(text: str) -> None:
    """A message of that size, and its request."""
    context = LLMContext([{"role": "user", "content": text}])
    context.snapshot().get_messages()


DOORS: dict[str, Callable[[str], Awaitable[None]]] = {
    "delta of a model": lambda text: spoken(answer(text)),
    "TTSSpeakFrame": lambda text: spoken([TTSSpeakFrame(text)]),
    "AggregatedTextFrame": lambda text: spoken([AggregatedTextFrame(text)]),
    "message of a context": context_of,
}


def files(size: int) -> dict[str, Callable[[], object]]:
    """Readers of whole files, with what each is given."""
    noise = bytes(size)
    folder = Path(tempfile.mkdtemp())
    recording = folder / "noise.antiphon"
    recording.write_bytes(b"antiphon recording 1\n" + noise)
    return {
        "WAV": lambda: parse_wav(wav_bytes(noise, 8_000)),
        "WAV of empty chunks": lambda: parse_wav(b"RIFF\0\0\0\0WAVE" + noise),
        "scenario": lambda: read_yaml("- " * (size // 2), "scenario"),
        "scenario of words": lambda: read_yaml("a: b\n- c\n" * (size // 9), "scenario"),
        "recording": lambda: Recording.load(recording),
    }


def main() -> None:
    """Prints a line for each door and input; exits with 1 where one holds the loop too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--door", default="")
    given = parser.parse_args()
    failed = 0
    for name, door in DOORS.items():
        if given.door not in name:
            continue
        for what, worst in WORST.items():
            text = (worst * given.size)[: given.size]
            with Steps() as steps:
                begun = time.perf_counter()
                asyncio.run(door(text))
            late = steps.longest_ms > LIMIT_MS
            failed += late
            mark = "  TOO LONG" if late else ""
            whole = time.perf_counter() - begun
            print(
                f"{name:22} {what:18} {steps.longest_ms:8.1f} ms{mark}  (a collection "
                f"{steps.longest_collection_ms:.0f} ms; watched for {whole:.1f} s)"
            )
    print("Files, read as a whole:")
    for name, read in files(given.size).items():
        begun = time.thread_time()
        said = "read"
        try:
            read()
        except AntiphonError as error:
            said = str(error)[:70]
        print(f"{name:22} {(time.thread_time() - begun) * 1e3:8.1f} ms  {said}")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
