"""Voices that do what no adapter should: nobody waits for them longer than is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from antiphon.errors import ConnectivityError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import EndFrame, ErrorFrame
from antiphon.frames.speech import TTSSpeakFrame, TTSStoppedFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.services.contracts import TTSEvent
from antiphon.services.tts import TTSService
from antiphon.services.tts_synthesis import SpeechBounds
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.transports.output import OutputTransport
from antiphon.transports.sinks import CallbackSink
from tests.services.test_tts import of, spoken

THREE = [TTSSpeakFrame("One."), TTSSpeakFrame("Two."), TTSSpeakFrame("Three.")]
POLICY = ConnectionPolicy(stall_secs=2.0, connect_secs=2.0, give_up_secs=1.0)
ONE_AT_A_TIME = [SpeechBounds(max_in_flight=1), SpeechBounds(wait_for_playout=True)]


class Buggy(FakeTTSProvider):
    """Its first call fails with an exception that adapters never raise."""

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        if not self.utterances:
            self.utterances.append([])
            raise KeyError("audio")
        async for event in super().synthesize(text):
            yield event


@pytest.mark.parametrize("bounds", ONE_AT_A_TIME)
def test_a_fault_of_an_adapter_is_a_failed_attempt(bounds: SpeechBounds) -> None:
    """The utterance is spoken at the next."""
    service = TTSService(Buggy(), policy=POLICY, bounds=bounds)
    out, up = run(run_test(service, frames_to_send=[*THREE, SleepFrame(sleep=10.0)]))
    assert spoken(out) == "One. Two. Three."
    assert of(up, ErrorFrame) == []


class Clinging(FakeTTSProvider):
    """Its first two calls hang, and then take a minute to close their connections."""

    async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
        if len(self.utterances) > 1:
            async for event in super().synthesize(text):
                yield event
            return
        self.utterances.append([])
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(60.0)


@pytest.mark.parametrize("bounds", ONE_AT_A_TIME)
def test_a_voice_that_does_not_stop_is_left_behind(
    bounds: SpeechBounds, caplog: pytest.LogCaptureFixture
) -> None:
    """What comes behind its utterance comes out before it has stopped."""
    times: list[float] = []

    async def main() -> tuple[list[Frame], list[Frame]]:
        clock = asyncio.get_running_loop().time
        output = OutputTransport(CallbackSink(lambda _: times.append(clock())))
        pipeline = Pipeline([TTSService(Clinging(), policy=POLICY, bounds=bounds), output])
        return await run_test(pipeline, frames_to_send=[*THREE, SleepFrame(sleep=100.0)])

    out, up = run(main())
    assert spoken(out) == "Two. Three."
    assert times[0] < 10.0
    assert "did not stop" in caplog.text
    assert any("owes audio" in error.error for error in of(up, ErrorFrame))


class Unreachable(FakeTTSProvider):
    """Cannot connect at first, and then tries for ever."""

    tried = False

    async def connect(self) -> None:
        if self.tried:
            await asyncio.Event().wait()
        self.tried = True
        raise ConnectivityError("down")


def test_connecting_for_an_utterance_is_bounded() -> None:
    """A voice that was not there at the start, and never comes, is reported and given up."""
    service = TTSService(Unreachable(), policy=POLICY)
    _, up = run(run_test(service, frames_to_send=[*THREE[:1], SleepFrame(sleep=10.0)]))
    errors = [error.error for error in of(up, ErrorFrame)]
    assert "did not connect within 2 s" in errors[-1]
    assert "given up" in errors[-1]


def test_the_end_of_a_conversation_does_not_wait_for_a_paused_output() -> None:
    """More than fits its buffer is to be said: it is said to the end, and the end is bounded."""
    heard: list[bytes] = []
    output = OutputTransport(CallbackSink(heard.append))
    service = TTSService(FakeTTSProvider())
    text = " ".join(f"word{number}" for number in range(60))

    async def main() -> float:
        loop = asyncio.get_running_loop()
        task = PipelineTask(Pipeline([service, output]), idle_timeout_secs=None)
        running = loop.create_task(task.run())
        await task.queue_frame(TTSSpeakFrame(text))
        await asyncio.sleep(1.0)
        output.pause()
        await task.queue_frame(EndFrame())
        await running
        return loop.time()

    ended = run(main())
    assert ended < 40.0
    assert sum(1 for pcm in heard if any(pcm)) * 0.02 == pytest.approx(60 * 0.3, abs=0.1)


def test_an_utterance_that_was_left_behind_ends_once() -> None:
    """What the voice still gives when it has been given up is not heard."""

    class Late(FakeTTSProvider):
        async def synthesize(self, text: AsyncIterator[str]) -> AsyncGenerator[TTSEvent, None]:
            try:
                await asyncio.sleep(30.0)
            except asyncio.CancelledError:
                await asyncio.sleep(30.0)
            async for event in super().synthesize(text):
                yield event

    service = TTSService(Late(), policy=POLICY)
    out, _ = run(run_test(service, frames_to_send=[*THREE[:1], SleepFrame(sleep=100.0)]))
    assert spoken(out) == ""
    assert of(out, TTSStoppedFrame) == []
