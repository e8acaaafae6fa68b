"""`check_output_sink`, `check_transport`: what carries the agent's sound must keep."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence

from antiphon.errors import AntiphonError
from antiphon.frames.audio import OutputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import TTSTextFrame
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.simulation.contracts.processor import check_processor
from antiphon.simulation.contracts.suite import (
    ContractRule,
    Run,
    Suite,
    cancel_somewhere,
    name_of,
    require,
)
from antiphon.simulation.contracts.trace import Law
from antiphon.simulation.fakes.voice import speak
from antiphon.transports.base import BaseTransport
from antiphon.transports.output import OutputTransport
from antiphon.transports.sinks import AudioSink, ClearableSink, OpenableSink

RATE = 16_000
FAILURES = 50
"""Calls out that are made to fail, one after the other, at most."""
_GONE = (OSError, AntiphonError)
_PARAMS = PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE)


def speech_frames() -> list[Frame]:
    """Two short utterances, and audio of odd lengths."""
    audio = speak("one two", sample_rate=RATE)
    cut = [audio[at : at + 3_200] for at in range(0, len(audio), 3_200)]
    return [
        TTSStartedFrame("a"),
        *(OutputAudioRawFrame(piece, RATE) for piece in cut),
        TTSTextFrame("one two", context_id="a"),
        TTSStoppedFrame("a"),
        OutputAudioRawFrame(b"", RATE),
        OutputAudioRawFrame(bytes(2), RATE),
        OutputAudioRawFrame(speak("three", sample_rate=RATE), RATE),
    ]


def check_output_sink(
    factory: Callable[[], AudioSink],
    *,
    seeds: int | Iterable[int] = 5,
    failing: Callable[[int], AudioSink] | None = None,
    moments: int = 40,
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    The sink is used by itself, as its protocol says, and then as that of an `OutputTransport`.
    `failing`: makes a sink whose n-th call out fails, counted from 0.
    """
    runs = 0
    if only is None or only.startswith("sink "):
        cases = SinkCases(factory, failing)
        suite = Suite("check_output_sink", name_of(factory), seeds, only, moments=moments)
        suite.case("sink written", cases.written)
        suite.case("sink closed", cases.closed)
        suite.sweep("sink cancelled", cases.cancelled)
        if failing is not None:
            suite.case("sink failing", cases.fails)
        runs = suite.run()
        if only is not None:
            return runs

    def output() -> OutputTransport:
        return OutputTransport(factory())

    def failing_output(number: int) -> OutputTransport:
        assert failing is not None
        return OutputTransport(failing(number))

    output.__qualname__ = name_of(factory)
    return runs + check_processor(
        output,
        frames=speech_frames(),
        seeds=seeds,
        failing=None if failing is None else failing_output,
        said=(),
        recovers=False,
        moments=moments,
        settle_secs=2.0,
        params=_PARAMS,
        expected_errors=_GONE,
        only=only,
    )


class SinkCases:
    """A sink by itself, used by one task as its protocol says."""

    def __init__(
        self,
        factory: Callable[[], AudioSink],
        failing: Callable[[int], AudioSink] | None = None,
    ) -> None:
        self._factory, self._failing = factory, failing

    async def written(self, run: Run) -> None:
        """Chunks of every size, and what is void thrown away at any time."""
        sink = await self._open()
        for size in (640, 0, 2, 640, 2 * RATE * 60):
            await self._while_there(sink.write(bytes(size)))
            await asyncio.sleep(run.rng.choice([0.0, 0.02, 1.0]))
            if run.rng.random() < 0.5:
                await self._clear(sink)
        await self._close(sink)

    async def closed(self, run: Run) -> None:
        """Nothing blows up after the end, or without a beginning."""
        sink = self._factory()
        if isinstance(sink, OpenableSink):
            await self._close(sink)
        sink = await self._open()
        await self._while_there(sink.write(bytes(640)))
        await self._close(sink)
        await self._while_there(sink.write(bytes(640)))
        await self._clear(sink)
        await self._close(sink)

    async def cancelled(self, run: Run) -> None:
        """A call that is cancelled stops; the sink can still be cleared and closed."""
        sink = self._factory()

        async def use() -> None:
            await self._open_it(sink)
            for _ in range(3):
                await self._while_there(sink.write(bytes(640)))
                await asyncio.sleep(0.02)

        player = run.loop.create_task(use(), name="player")
        await cancel_somewhere(run, player)
        await self._clear(sink)
        await self._close(sink)

    async def fails(self, run: Run) -> None:
        """Each call out fails in turn, as those of a line that breaks do; it can be closed."""
        assert self._failing is not None
        for number in range(FAILURES):
            sink, failed = self._failing(number), False
            try:
                if isinstance(sink, OpenableSink):
                    await sink.open(RATE, 1)
                for _ in range(3):
                    await sink.write(bytes(640))
            except _GONE:
                failed = True
            await self._clear(sink)
            await self._close(sink)
            if number and not failed:
                return

    async def _open(self) -> AudioSink:
        sink = self._factory()
        await self._open_it(sink)
        return sink

    async def _open_it(self, sink: AudioSink) -> None:
        if isinstance(sink, OpenableSink):
            await self._while_there(sink.open(RATE, 1))

    async def _clear(self, sink: AudioSink) -> None:
        if isinstance(sink, ClearableSink):
            await self._while_there(sink.clear())

    async def _close(self, sink: AudioSink) -> None:
        if isinstance(sink, OpenableSink):
            for _ in range(2):
                await sink.close()

    async def _while_there(self, call: Awaitable[None]) -> None:
        """The other side may be gone."""
        with contextlib.suppress(*_GONE):
            await call


def check_transport(
    factory: Callable[[], BaseTransport],
    *,
    seeds: int | Iterable[int] = 5,
    frames: Sequence[Frame] | None = None,
    updates: Sequence[Frame] = (),
    failing: Callable[[int], BaseTransport] | None = None,
    laws: Sequence[Law] = (),
    expected_errors: tuple[type[BaseException], ...] = (),
    end_secs: float = 15.0,
    moments: int = 40,
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    Both ends stand in one pipeline, which is sent `frames` (by default some speech), and `updates`,
    which change how it works, at any instant. `failing`: makes a transport whose n-th call out
    fails. It must not end the conversation by itself within a minute.
    """

    def both_ends(transport: BaseTransport) -> Pipeline:
        same = transport.input() is transport.input() and transport.output() is transport.output()
        require(
            ContractRule.VALUES, same, "input() and output() give the same processor at each call"
        )
        return Pipeline([transport.input(), transport.output()])

    def pipeline() -> Pipeline:
        return both_ends(factory())

    def failing_pipeline(number: int) -> Pipeline:
        assert failing is not None
        return both_ends(failing(number))

    pipeline.__qualname__ = name_of(factory)
    return check_processor(
        pipeline,
        frames=speech_frames() if frames is None else frames,
        seeds=seeds,
        updates=updates,
        failing=None if failing is None else failing_pipeline,
        laws=laws,
        said=(),
        recovers=False,
        moments=moments,
        settle_secs=2.0,
        expected_errors=(*_GONE, *expected_errors),
        end_secs=end_secs,
        params=_PARAMS,
        only=only,
    )
