"""Tests of `antiphon.transports.output` and `antiphon.transports.player`, on the real kernel."""

from __future__ import annotations

import asyncio
import itertools

import numpy as np
import pytest

from antiphon.audio.dtmf import tones
from antiphon.audio.pcm import to_samples
from antiphon.frames.audio import OutputAudioRawFrame, TTSAudioRawFrame
from antiphon.frames.base import DataFrame, Frame, UninterruptibleFrame
from antiphon.frames.lifecycle import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    HeartbeatFrame,
    InterruptionFrame,
)
from antiphon.frames.llm import LLMFullResponseEndFrame
from antiphon.frames.speech import TTSStartedFrame, TTSStoppedFrame
from antiphon.frames.text import TextFrame, TTSTextFrame
from antiphon.frames.transport import (
    KeypadEntry,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    OutputTransportMessageFrame,
    OutputTransportMessageUrgentFrame,
    PlayoutBufferFrame,
)
from antiphon.frames.turns import (
    BotSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams
from antiphon.transports.sinks import CallbackSink
from tests.transports.lines import RATE, BareEar, Ear, MustBeHeard, names, speech

BOT = (BotStartedSpeakingFrame, BotStoppedSpeakingFrame)
MS = 1_000_000


class Vital(UninterruptibleFrame, DataFrame):
    text: str


def utterance(value: int, secs: float, context_id: str = "u") -> list[Frame]:
    return [
        TTSStartedFrame(context_id=context_id, pts=0),
        speech(value, secs, context_id),
        TTSStoppedFrame(context_id=context_id),
    ]


def play(
    frames: list[Frame], params: TransportParams | None = None, ear: Ear | None = None
) -> tuple[Ear, list[Frame], list[Frame]]:
    """Sends the frames through an output; returns the ear and what left it down and up."""
    ear = ear or Ear()
    output = OutputTransport(ear, params or TransportParams(audio_out_end_silence_secs=0.0))

    async def main() -> tuple[list[Frame], list[Frame]]:
        return await run_test(output, frames_to_send=frames)

    return (ear, *run(main()))


def test_an_utterance_is_played_in_real_time_and_announced_both_ways() -> None:
    """Chunks of 20 ms; everyone hears that the agent starts, goes on and stops."""
    ear, down, up = play(utterance(7, 0.5))
    times = [at for at, _ in ear.chunks]
    assert times == pytest.approx([times[0] + 0.02 * i for i in range(25)])
    assert {len(pcm) for _, pcm in ear.chunks} == {960}
    assert names(up, *BOT) == names(down, *BOT) == [kind.__name__ for kind in BOT]
    assert names(up, BotSpeakingFrame) == ["BotSpeakingFrame"] * 3
    both = [f for f in down if isinstance(f, BotStartedSpeakingFrame)]
    assert both == [f for f in up if isinstance(f, BotStartedSpeakingFrame)]


def test_what_was_played_goes_on_downstream_chunk_by_chunk() -> None:
    """For recorders behind the output: the written chunks, with their utterance."""
    ear, down, _ = play([*utterance(7, 0.1, "a"), OutputAudioRawFrame(b"\1\0" * 480, RATE)])
    played = [f for f in down if isinstance(f, OutputAudioRawFrame)]
    assert [f.audio for f in played] == [pcm for _, pcm in ear.chunks]
    assert [f.context_id for f in played if isinstance(f, TTSAudioRawFrame)] == ["a"] * 5
    assert not isinstance(played[-1], TTSAudioRawFrame)


def test_frames_come_out_in_order_when_the_sound_before_them_was_heard() -> None:
    """Words at their instants, the end of the answer last."""
    arrivals: list[tuple[float, str]] = []

    class Last(FrameProcessor):
        @handles(TextFrame, LLMFullResponseEndFrame)
        async def note(self, frame: Frame, direction: FrameDirection) -> None:
            text = frame.text if isinstance(frame, TextFrame) else "end"
            arrivals.append((round(self.clock.now(), 3), text))

    async def main() -> None:
        output = OutputTransport(Ear())
        task = PipelineTask(Pipeline([output, Last()]))
        await task.queue_frames(
            [
                TTSStartedFrame(context_id="u", pts=5_000 * MS),
                speech(7, 1.0),
                TTSTextFrame("one", pts=5_200 * MS, context_id="u"),
                TTSTextFrame("two", pts=5_900 * MS, context_id="u"),
                TextFrame("plain"),
                TTSStoppedFrame(context_id="u"),
                LLMFullResponseEndFrame(),
            ]
        )
        await task.stop_when_done()
        await task.run()

    run(main())
    assert arrivals == [(0.2, "one"), (0.9, "two"), (1.0, "plain"), (1.0, "end")]


def test_an_interruption_is_heard_within_one_chunk() -> None:
    """Nothing is written after it; the sink is told to clear; the agent has stopped."""
    frames = [*utterance(7, 5.0), TextFrame("gone"), SleepFrame(0.99), InterruptionFrame()]
    ear, down, up = play([*frames, SleepFrame(1.0)])
    assert ear.chunks[-1][0] <= 0.99
    assert ear.asked("clear") == [None]
    assert not names(down, TextFrame)
    assert names(up, *BOT) == [kind.__name__ for kind in BOT]


def test_no_step_after_the_interruption_brings_out_anything_older() -> None:
    """Not even in the instant between the interruption and the output's handler of it."""
    ear = Ear()
    late: list[Frame] = []

    class Source(FrameProcessor):
        @handles(Vital)
        async def cut(self, frame: Vital, direction: FrameDirection) -> None:
            for sent in [*utterance(1, 1.0, "old"), TextFrame("old")]:
                await self.push_frame(sent)
            await asyncio.sleep(0.5)
            await self.broadcast_interruption()
            for sent in [*utterance(2, 0.1, "new"), TextFrame("new")]:
                await self.push_frame(sent)

    class Last(FrameProcessor):
        @handles(TextFrame)
        async def note(self, frame: TextFrame, direction: FrameDirection) -> None:
            late.append(frame)

    async def main() -> None:
        task = PipelineTask(Pipeline([Source(), OutputTransport(ear), Last()]))
        await task.queue_frame(Vital("go"))
        await task.stop_when_done()
        await task.run()

    run(main())
    assert ear.heard == [1, 2]
    cut = [at for at, pcm in ear.chunks if pcm[0] == 1][-1]
    assert cut <= 0.5
    assert [f.text for f in late if isinstance(f, TextFrame)] == ["new"]


def test_the_resampler_forgets_what_was_interrupted() -> None:
    """The millisecond it still held is not the beginning of the next answer."""
    loud = speech(20_000, 2.0, rate=8_000)
    silent = speech(0, 0.5, rate=8_000)
    frames = [loud, SleepFrame(0.5), InterruptionFrame(), SleepFrame(0.1), silent]
    ear, _, _ = play([*frames, TTSStoppedFrame(context_id="u")])
    assert max(abs(int(v)) for at, pcm in ear.chunks for v in to_samples(pcm) if at > 0.5) == 0


def test_what_may_not_be_dropped_survives_and_sound_goes_on() -> None:
    """Uninterruptible sound is played out; vital frames come out behind it, in order."""
    must = MustBeHeard(np.full(4800, 9, "<i2").tobytes(), RATE, 1, "v")
    frames = [*utterance(7, 2.0), Vital("a"), must, Vital("b"), TextFrame("gone")]
    ear, down, _ = play([*frames, SleepFrame(0.3), InterruptionFrame(), SleepFrame(0.5)])
    assert [f.text for f in down if isinstance(f, Vital)] == ["a", "b"]
    assert ear.heard == [7, 9]
    assert not names(down, TextFrame)


def test_audio_of_any_format_is_brought_to_the_outputs_rate() -> None:
    """8 kHz stereo in odd pieces comes out as 24 kHz mono of the same length."""
    pcm = np.full(2 * 4000, 3000, "<i2").tobytes()
    pieces: list[Frame] = [
        TTSAudioRawFrame(pcm[i : i + 1001], 8_000, 2, "u") for i in range(0, len(pcm), 1001)
    ]
    ear, _, up = play([TTSStartedFrame(context_id="u"), *pieces, TTSStoppedFrame(context_id="u")])
    samples = to_samples(b"".join(p for _, p in ear.chunks))
    assert abs(np.count_nonzero(samples) - 12_000) < 100
    assert not names(up, ErrorFrame)


def test_audio_in_an_impossible_format_is_one_error_and_nothing_else_is_lost() -> None:
    """Reported once, upstream; the utterance around it is played."""
    bad: list[Frame] = [TTSAudioRawFrame(bytes(4), 0, 1, "u") for _ in range(5)]
    begin, sound, end = utterance(7, 0.1)
    ear, _, up = play([begin, *bad, sound, end])
    assert [f.error for f in up if isinstance(f, ErrorFrame)] == [
        "audio for the caller is dropped: a sample rate of 0 Hz is outside 1000..768000"
    ]
    assert ear.heard == [7]


def test_an_impossible_rate_is_one_error_and_text_still_comes_out() -> None:
    """Said at the start, once, with what to do."""
    params = TransportParams(audio_out_sample_rate=11_025)
    ear, down, up = play([*utterance(7, 0.1), TextFrame("shown")], params)
    (error,) = [f.error for f in up if isinstance(f, ErrorFrame)]
    assert "20 ms are not a whole number of samples at 11025 Hz" in error
    assert names(down, TextFrame) == ["TextFrame"]
    assert ear.chunks == []


def test_rates_that_fit_the_chunk_are_played() -> None:
    """22,050 Hz has no whole 10 ms, but whole chunks of 20 ms."""
    params = TransportParams(audio_out_sample_rate=22_050, audio_out_end_silence_secs=0.0)
    ear, _, _ = play(utterance(7, 1.0), params)
    assert [len(pcm) for _, pcm in ear.chunks] == [882] * 50


def test_an_end_plays_out_what_is_queued_and_a_little_silence() -> None:
    """An `EndFrame` waits for the goodbye, however long; the sink is closed after it."""
    params = TransportParams(audio_out_end_silence_secs=0.4)
    ear, _, up = play(utterance(7, 30.0), params)
    assert len(ear.chunks) == 30 * 50 + 20
    assert names(up, ErrorFrame) == []
    assert ear.log[-1][1] == "close"
    assert ear.asked("open") == [(RATE, 1)]


def test_a_cancel_stops_at_once() -> None:
    """Nothing is played out."""
    ear = Ear()

    async def main() -> None:
        task = PipelineTask(Pipeline([OutputTransport(ear)]))
        await task.queue_frames(utterance(7, 60.0))
        running = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(1.0)
        await task.queue_frame(CancelFrame())
        await running

    run(main())
    assert ear.chunks[-1][0] <= 1.0
    assert ear.log[-1][1] == "close"


def test_a_sink_that_hangs_does_not_hold_the_end() -> None:
    """A write that never returns is reported, and the end is bounded by the sound that waits; what
    nobody can hear is dropped, but for what may not be.
    """
    ear = Ear()
    ear.stall = 1e6
    _, down, up = play([*utterance(7, 1.0), TextFrame("after"), Vital("kept")], ear=ear)
    assert any("did not get rid of" in f.error for f in up if isinstance(f, ErrorFrame))
    assert names(down, TextFrame, Vital) == ["Vital"]


def test_a_sink_that_hangs_holds_nothing_up_for_long() -> None:
    """What stands behind ten seconds of speech comes out, and the conversation goes on."""
    ear = Ear()
    ear.stall = 1e6
    script = [*utterance(7, 10.0), TextFrame("after"), SleepFrame(70.0), TextFrame("and on")]
    _, down, up = play(script, ear=ear)
    assert names(down, TextFrame) == ["TextFrame", "TextFrame"]
    assert not any("did not get rid of" in f.error for f in up if isinstance(f, ErrorFrame))


def test_a_sink_that_fails_is_reported_once_until_it_works_again() -> None:
    """What stands behind the speech was not heard and does not come out, nor does any sound."""
    ear = Ear()
    ear.broken = ConnectionResetError("gone")
    _, down, up = play([*utterance(7, 1.0), TextFrame("after")], ear=ear)
    assert [f.error for f in up if isinstance(f, ErrorFrame)] == [
        "the caller's side of the output fails: gone"
    ]
    assert names(down, TextFrame, OutputAudioRawFrame) == []


def test_a_sink_that_stalls_is_made_up_for_by_a_bounded_burst() -> None:
    """After half a second without the sink, at most three chunks come at once."""
    ear = Ear()
    ear.stall = 0.5
    play(utterance(7, 2.0), ear=ear)
    times = [at for at, _ in ear.chunks]
    assert len(times) == 100
    assert times.count(times[0]) <= 4
    assert times[-1] == pytest.approx(2.43, abs=0.03)


def test_a_fast_voice_is_asked_to_wait_and_to_go_on() -> None:
    """The credit goes upstream; nothing else is delayed meanwhile."""
    frames = [*utterance(7, 10.0), SleepFrame(0.1)]
    _, _, up = play(frames)
    credits_ = [f for f in up if isinstance(f, PlayoutBufferFrame)]
    assert [f.full for f in credits_] == [True, False]
    assert credits_[0].buffered_secs == pytest.approx(10.0)
    assert credits_[1].buffered_secs == pytest.approx(3.0, abs=0.05)


def test_urgent_and_upstream_frames_and_heartbeats_do_not_wait() -> None:
    """Text going up and a heartbeat pass a long utterance at once."""
    seen: list[tuple[float, str]] = []

    class Neighbour(FrameProcessor):
        async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
            seen.append((round(self.clock.now(), 2), type(frame).__name__))
            await self.push_frame(frame, direction)

    async def main() -> None:
        task = PipelineTask(Pipeline([Neighbour(name="up"), OutputTransport(Ear()), Neighbour()]))
        await task.queue_frames(utterance(7, 3.0))
        await task.queue_frame(HeartbeatFrame(0))
        await task.queue_frame(TextFrame("up"), FrameDirection.UPSTREAM)
        running = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(1.0)
        await task.stop_when_done()
        await running

    run(main())
    assert [at for at, name in seen if name in ("HeartbeatFrame", "TextFrame")] == [0.0] * 4


def test_frame_types_can_be_let_through_at_once() -> None:
    """Whoever wants text ahead of the sound says so."""
    params = TransportParams(audio_out_at_once=(TextFrame,), audio_out_end_silence_secs=0.0)
    _, down, _ = play([*utterance(7, 1.0), TextFrame("now")], params)
    kinds = names(down, TextFrame, TTSStoppedFrame)
    assert kinds == ["TextFrame", "TTSStoppedFrame"]


def test_messages_have_their_place_behind_the_sound_or_before_everything() -> None:
    """Ordered ones come when the sound before them was heard, urgent ones at once."""
    later = OutputTransportMessageFrame({"n": 1})
    ear, down, _ = play([*utterance(7, 0.5), later, OutputTransportMessageUrgentFrame({"n": 0})])
    told = [(round(at, 2), value) for at, kind, value in ear.log if kind == "message"]
    assert [value for _, value in told] == [{"n": 0}, {"n": 1}]
    assert told[0][0] <= 0.02
    assert told[1][0] == pytest.approx(0.5)
    assert not names(down, OutputTransportMessageFrame)


def test_keys_are_pressed_by_a_sink_that_can_or_played_as_tones() -> None:
    """Ordered keys behind the sound; urgent keys before it."""
    keys = (KeypadEntry.ONE, KeypadEntry.POUND)
    ear, _, _ = play([*utterance(7, 0.2), OutputDTMFFrame(keys), OutputDTMFUrgentFrame(keys)])
    assert ear.asked("keys") == ["1#", "1#"]
    bare = BareEar()

    async def main() -> None:
        output = OutputTransport(bare, TransportParams(audio_out_end_silence_secs=0.0))
        await run_test(output, frames_to_send=[OutputDTMFFrame(keys)])

    run(main())
    want = tones("1#", RATE)
    assert b"".join(bare.chunks)[: len(want)] == want


def test_urgent_keys_are_heard_before_the_rest_of_the_speech() -> None:
    """As tones, where the sink presses no keys: at once, and no sample of the speech is lost."""
    bare, keys = BareEar(), (KeypadEntry.ONE, KeypadEntry.POUND)

    async def main() -> None:
        output = OutputTransport(bare, TransportParams(audio_out_end_silence_secs=0.0))
        urgent = [SleepFrame(0.2), OutputDTMFUrgentFrame(keys)]
        await run_test(output, frames_to_send=[*utterance(7, 1.0), *urgent])

    run(main())
    heard, want = b"".join(bare.chunks), tones("1#", RATE)
    at = heard.index(want) / 2 / RATE
    assert at == pytest.approx(0.2, abs=0.041)
    assert np.count_nonzero(to_samples(heard.replace(want, b"")) == 7) == RATE


def test_destinations_play_side_by_side_and_an_unknown_one_is_reported_once() -> None:
    """Each has its own stream; what is for nobody is one error."""
    ears = {None: Ear(), "music": Ear()}
    output = OutputTransport(ears, TransportParams(audio_out_end_silence_secs=0.0))
    music = OutputAudioRawFrame(b"\5\0" * 24_000, RATE, transport_destination="music")
    lost = OutputAudioRawFrame(b"\6\0" * 480, RATE, transport_destination="nowhere")

    async def main() -> tuple[list[Frame], list[Frame]]:
        return await run_test(output, frames_to_send=[music, *utterance(7, 0.5), lost, lost])

    _, up = run(main())
    assert (ears[None].heard, ears["music"].heard) == ([7], [5])
    errors = [f.error for f in up if isinstance(f, ErrorFrame)]
    assert errors == ["there is no destination 'nowhere' to play to; there are: None, music"]


def test_pause_and_resume_lose_nothing() -> None:
    """For backchannels: held, then on from where it was."""
    ear = Ear()

    async def main() -> None:
        output = OutputTransport(ear)
        task = PipelineTask(Pipeline([output]))
        await task.queue_frames([*utterance(7, 1.0)])
        running = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(0.5)
        output.pause()
        await asyncio.sleep(2.0)
        output.resume()
        await task.queue_frame(EndFrame())
        await running

    run(main())
    times = [at for at, pcm in ear.chunks if any(pcm)]
    assert len(times) == 50
    assert max(b - a for a, b in itertools.pairwise(times)) == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize("late", [0.0, 0.3])
def test_what_the_other_side_reports_as_played_is_what_was_heard(late: float) -> None:
    """A line with 0.3 s in it: words come out that much later, and a cut leaves those behind."""
    told: list[tuple[float, str]] = []

    class Last(FrameProcessor):
        @handles(TTSTextFrame)
        async def note(self, frame: TTSTextFrame, direction: FrameDirection) -> None:
            told.append((round(self.clock.now(), 2), frame.text))

    class Far:
        """Plays everything late, and says so, as a telephone line does with its marks."""

        samples = 0

        async def write(self, pcm: bytes) -> None:
            self.samples += len(pcm) // 2
            loop = asyncio.get_running_loop()
            loop.call_later(late + 0.02, output.acknowledge, self.samples)

    output = OutputTransport(Far())

    async def main() -> None:
        task = PipelineTask(Pipeline([output, Last()]))
        begin, sound, end = utterance(7, 2.0)
        words = [TTSTextFrame(str(n), context_id="u", pts=n * 500 * MS) for n in (1, 2, 3)]
        await task.queue_frames([begin, sound, *words, end])
        running = asyncio.get_running_loop().create_task(task.run())
        await asyncio.sleep(1.1)
        await task.queue_frame(InterruptionFrame())
        await task.stop_when_done()
        await running

    run(main())
    assert told == ([(0.5, "1"), (1.0, "2")] if late == 0.0 else [(0.8, "1")])


def test_without_pacing_a_long_speech_takes_no_time() -> None:
    """For files: everything in order, at once."""
    params = TransportParams(audio_out_paced=False, audio_out_end_silence_secs=0.0)
    ear, down, _ = play([*utterance(7, 30.0), TextFrame("after")], params)
    assert len(ear.chunks) == 1500
    assert ear.chunks[-1][0] < 0.1
    assert names(down, TextFrame) == ["TextFrame"]


def test_audio_can_be_switched_off() -> None:
    """Text and boundaries still come out, nobody speaks."""
    params = TransportParams(audio_out_enabled=False)
    ear, down, up = play([*utterance(7, 1.0), TextFrame("shown")], params)
    assert ear.chunks == []
    assert names(down, TextFrame) == ["TextFrame"]
    assert not names(up, *BOT)


def test_small_delays_do_not_add_up() -> None:
    """Timers up to 3 ms late: the two thousandth chunk is as late as the first."""
    times: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        sink = CallbackSink(lambda pcm: times.append(loop.time()))
        await run_test(OutputTransport(sink), frames_to_send=utterance(7, 40.0))

    run(main(), seed=5, timer_jitter_secs=0.003, cpu=None)
    late = [at - times[0] - 0.02 * i for i, at in enumerate(times)]
    assert max(late) < 0.01
    assert min(late) > -0.01
