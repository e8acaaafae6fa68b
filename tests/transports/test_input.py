"""Tests of `antiphon.transports.input`."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from antiphon.audio.filters import GainFilter
from antiphon.audio.pcm import to_samples
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.transport import FilterEnableFrame, FilterUpdateSettingsFrame
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.transports.input import InputTransport
from antiphon.transports.params import TransportParams


def steady(value: int, count: int) -> bytes:
    return np.full(count, value, "<i2").tobytes()


def hear(
    frames: list[Frame], params: TransportParams | None = None
) -> tuple[list[InputAudioRawFrame], list[Frame]]:
    async def main() -> tuple[list[Frame], list[Frame]]:
        return await run_test(InputTransport(params), frames_to_send=[*frames, SleepFrame(0.1)])

    down, up = run(main())
    return [f for f in down if isinstance(f, InputAudioRawFrame)], up


def test_audio_comes_in_at_the_pipelines_rate() -> None:
    """48 kHz stereo, as WebRTC has it, becomes 16 kHz mono."""
    heard, _ = hear([InputAudioRawFrame(steady(1000, 1920), 48_000, 2) for _ in range(50)])
    assert {(f.sample_rate, f.num_channels) for f in heard} == {(16_000, 1)}
    assert abs(sum(f.num_frames for f in heard) - 16_000) < 40


def test_bytes_cut_anywhere_are_put_together() -> None:
    """Half a sample waits for its other half."""
    pcm = np.arange(1, 301, dtype="<i2").tobytes()
    frames: list[Frame] = [InputAudioRawFrame(pcm[i : i + 7], 16_000) for i in range(0, 600, 7)]
    heard, up = hear(frames)
    assert to_samples(b"".join(f.audio for f in heard)).tolist() == list(range(1, 301))
    assert up == []


def test_an_impossible_rate_is_one_error_until_it_is_right_again() -> None:
    """The culprit is named once; good audio after it is heard."""
    bad = [InputAudioRawFrame(steady(1, 160), 12) for _ in range(3)]
    good = InputAudioRawFrame(steady(5, 160), 16_000)
    heard, up = hear([*bad, good, *bad])
    errors = [f.error for f in up if isinstance(f, ErrorFrame)]
    assert (
        errors
        == ["the caller's audio is dropped: a sample rate of 12 Hz is outside 1000..768000"] * 2
    )
    assert [f.audio for f in heard] == [good.audio]


def test_a_filter_sees_all_audio_before_anybody_else() -> None:
    """Noise filters sit between the caller and the pipeline."""
    params = TransportParams(audio_in_filter=GainFilter(2.0))
    heard, _ = hear([InputAudioRawFrame(steady(100, 160), 16_000)], params)
    assert heard[0].audio == steady(200, 160)


def test_a_filter_obeys_frames() -> None:
    """Off and on, and with other settings; what it cannot do is one error and changes nothing."""
    piece = InputAudioRawFrame(steady(100, 160), 16_000)
    pause = SleepFrame(0.01)
    frames: list[Frame] = [piece, pause]
    for order in (
        FilterEnableFrame(enable=False),
        FilterEnableFrame(enable=True),
        FilterUpdateSettingsFrame({"gain": 3.0}),
        FilterUpdateSettingsFrame({"pain": 4.0}),
    ):
        frames += [order, pause, piece, pause]
    heard, up = hear(frames, TransportParams(audio_in_filter=GainFilter(2.0)))
    assert [int(to_samples(f.audio)[0]) for f in heard] == [200, 100, 200, 300, 300]
    (error,) = [f.error for f in up if isinstance(f, ErrorFrame)]
    assert "'pain'" in error


def test_the_caller_can_be_shut_out() -> None:
    """By parameter, or until streaming is started."""
    frame = InputAudioRawFrame(steady(100, 160), 16_000)
    for params in (
        TransportParams(audio_in_enabled=False),
        TransportParams(audio_in_passthrough=False),
        TransportParams(audio_in_stream_on_start=False),
    ):
        assert hear([frame], params)[0] == []


def test_audio_before_there_is_a_loop_is_not_kept() -> None:
    """Nothing can be late that was given when no conversation could run."""
    InputTransport().push_audio(steady(1, 160), 16_000)


def early(
    secs: float, wait: float, params: TransportParams | None = None
) -> tuple[list[InputAudioRawFrame], list[Frame], float]:
    """Sound of `secs` that comes `wait` seconds before the start, in pieces of 0.1 s."""

    async def main() -> tuple[list[Frame], list[Frame], float]:
        transport, loop = InputTransport(params), asyncio.get_running_loop()
        began = loop.time()
        for number in range(round(secs * 10)):
            await asyncio.sleep(0.1)
            transport.push_audio(steady(number % 30_000, 1600), 16_000)
        await asyncio.sleep(wait)
        down, up = await run_test(transport, frames_to_send=[SleepFrame(0.1)])
        return down, up, began

    down, up, began = run(main())
    return [f for f in down if isinstance(f, InputAudioRawFrame)], up, began


@pytest.mark.parametrize("wait", [0.0, 2.4, 20.0])
def test_what_is_said_before_the_start_is_heard_at_its_place(wait: float) -> None:
    """However long the start takes, each piece says when it was said."""
    heard, up, began = early(2.0, wait)
    assert [round(f.timestamp - began, 3) for f in heard if f.timestamp is not None] == [
        round(0.1 * n, 3) for n in range(20)
    ]
    assert up == []


def test_sound_before_the_start_waits_for_thirty_seconds_at_most() -> None:
    """The oldest is dropped, and how much that was is told once."""
    heard, up, _ = early(40.0, 0.0)
    assert round(sum(f.extent for f in heard), 1) == 30.0
    (error,) = [f.error for f in up if isinstance(f, ErrorFrame)]
    assert "dropped the first 10.0 s that the caller said" in error


def test_a_transport_that_streams_later_keeps_nothing_from_before() -> None:
    """`audio_in_stream_on_start=False` means what it says."""
    assert early(2.0, 1.0, TransportParams(audio_in_stream_on_start=False))[:2] == ([], [])
