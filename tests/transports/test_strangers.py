"""What others wrote and a transport calls may raise anything: it is one failed call, told once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.errors import ConnectivityError
from antiphon.frames.audio import InputAudioRawFrame, TTSAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame, InterruptionFrame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.transport import (
    KeypadEntry,
    OutputDTMFUrgentFrame,
    OutputTransportMessageUrgentFrame,
)
from antiphon.frames.turns import BotStartedSpeakingFrame, BotStoppedSpeakingFrame
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.transports.input import InputTransport
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams
from tests.transports.lines import Ear, names, speech


class Stranger(BaseException):
    """What no code of ours knows."""


ERRORS = [
    OSError("broken pipe"),
    ConnectivityError("reset"),
    RuntimeError("cannot send once closed"),
    ValueError("operands could not be broadcast"),
    asyncio.CancelledError(),
    Stranger("odd"),
]
anything = pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)


def utterance(value: int, secs: float) -> list[Frame]:
    return [TTSStartedFrame(context_id="u"), speech(value, secs), TTSStoppedFrame(context_id="u")]


class Failing(Ear):
    """A sink whose calls of one name fail, as often as `times` says."""

    def __init__(self, name: str, error: BaseException, times: int = 10**9) -> None:
        super().__init__()
        self.name, self.error, self.times = name, error, times

    def _fails(self, name: str) -> None:
        if name == self.name and self.times > 0:
            self.times -= 1
            raise self.error

    async def open(self, sample_rate: int, num_channels: int) -> None:
        self._fails("open")

    async def write(self, pcm: bytes) -> None:
        self._fails("write")
        await super().write(pcm)

    async def clear(self) -> None:
        self._fails("clear")

    async def send_message(self, message: Any) -> None:
        self._fails("send_message")

    async def send_keys(self, keys: str) -> None:
        self._fails("send_keys")

    async def close(self) -> None:
        self._fails("close")


def play(
    frames: list[Frame], ear: Ear, params: TransportParams | None = None
) -> tuple[list[Frame], list[str]]:
    """What left the output downstream, and the errors."""

    async def main() -> tuple[list[Frame], list[Frame]]:
        return await run_test(OutputTransport(ear, params), frames_to_send=frames)

    down, up = run(main())
    return down, [frame.error for frame in up if isinstance(frame, ErrorFrame)]


@anything
def test_a_write_that_fails_for_a_second_delays_the_voice_and_loses_nothing(
    error: BaseException,
) -> None:
    """Every sample is heard once, and who speaks is told; one report."""
    ear = Failing("write", error, times=12)
    down, errors = play([*utterance(7, 1.0), SleepFrame(5.0)], ear)
    assert sum(any(pcm) for _, pcm in ear.chunks) == 50
    assert ear.heard == [7]
    assert names(down, BotStartedSpeakingFrame, BotStoppedSpeakingFrame) == [
        "BotStartedSpeakingFrame",
        "BotStoppedSpeakingFrame",
    ]
    assert len(errors) == 1


@anything
def test_a_write_that_always_fails_is_no_speech(error: BaseException) -> None:
    """Nothing is heard, nobody is told that the agent speaks; one report, and the call is over."""
    down, errors = play([*utterance(7, 1.0), SleepFrame(11.0)], Failing("write", error))
    assert names(down, BotStartedSpeakingFrame, TTSAudioRawFrame) == []
    assert names(down, InterruptionFrame) == ["InterruptionFrame"]
    assert len(errors) == 1


@anything
@pytest.mark.parametrize("call", ["open", "close", "clear", "send_message", "send_keys"])
def test_every_call_of_a_sink_may_fail(call: str, error: BaseException) -> None:
    """One report (but at the end, where it is only logged), and the voice goes on where the sink
    takes it.
    """
    keys = OutputDTMFUrgentFrame((KeypadEntry.ONE,))
    message = OutputTransportMessageUrgentFrame({"a": 1})
    frames = [*utterance(5, 0.5), SleepFrame(0.2), keys, message, InterruptionFrame()]
    ear = Failing(call, error)
    _, errors = play([*frames, SleepFrame(0.2), *utterance(7, 0.5), SleepFrame(1.0)], ear)
    assert ear.heard == ([] if call == "open" else [5, 7])
    assert len(errors) == (0 if call == "close" else 1)


class BadMixer:
    """Fails in every way a mixer can."""

    def __init__(self, where: str, error: BaseException) -> None:
        self.where, self.error = where, error

    def start(self, sample_rate: int, num_channels: int) -> None:
        if self.where == "start":
            raise self.error

    def mix(self, pcm: bytes) -> bytes:
        if self.where == "mix":
            raise self.error
        return pcm[:-2] if self.where == "length" else pcm


@anything
@pytest.mark.parametrize("where", ["start", "mix", "length"])
def test_a_mixer_that_fails_leaves_the_voice(where: str, error: BaseException) -> None:
    """The voice is heard without it; one report."""
    ear = Ear()
    mixer = BadMixer(where, error)
    params = TransportParams(audio_out_mixer=mixer)
    _, errors = play([*utterance(7, 1.0), SleepFrame(2.0)], ear, params)
    assert [v for v in ear.heard if v] == [7]
    assert len(errors) == 1


class BadFilter:
    """Fails in every way a filter can."""

    def __init__(self, where: str, error: BaseException) -> None:
        self.where, self.error = where, error

    def start(self, sample_rate: int) -> None:
        if self.where == "start":
            raise self.error

    def filter(self, pcm: bytes) -> bytes:
        if self.where == "filter":
            raise self.error
        return pcm

    def stop(self) -> None:
        if self.where == "stop":
            raise self.error


@anything
@pytest.mark.parametrize("where", ["start", "filter", "stop"])
def test_a_filter_that_fails_leaves_the_caller(where: str, error: BaseException) -> None:
    """The caller is heard without it; one report, but for an end at which nobody listens."""

    async def main() -> tuple[list[Frame], list[Frame]]:
        params = TransportParams(audio_in_filter=BadFilter(where, error))
        sound: list[Frame] = [InputAudioRawFrame(b"\7\0" * 160, 16_000) for _ in range(5)]
        return await run_test(InputTransport(params), frames_to_send=[*sound, SleepFrame(0.1)])

    down, up = run(main())
    assert [f.audio for f in down if isinstance(f, InputAudioRawFrame)] == [b"\7\0" * 160] * 5
    assert len(names(up, ErrorFrame)) == (0 if where == "stop" else 1)
