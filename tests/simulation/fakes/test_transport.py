"""The fake transport: what comes in and goes out, when, and what goes wrong."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from antiphon.errors import ConnectivityError
from antiphon.frames.audio import InputAudioRawFrame, TTSAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import EndFrame, InterruptionFrame
from antiphon.frames.transport import (
    InputDTMFFrame,
    InputTransportMessageFrame,
    KeypadEntry,
    OutputDTMFUrgentFrame,
    OutputTransportMessageUrgentFrame,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.contracts import check_output_sink, check_transport
from antiphon.simulation.fakes.provider import Fail, Hang, Stall
from antiphon.simulation.fakes.transport import (
    CallerAudio,
    CallerSpeech,
    Connect,
    Disconnect,
    FakeTransport,
    Keys,
    Message,
)
from antiphon.simulation.fakes.voice import Listener, speak
from antiphon.simulation.loop.virtual_time import run

RATE = 16_000


class Notes(FrameProcessor):
    """Notes what comes in, and when."""

    def __init__(self) -> None:
        super().__init__()
        self.came: list[tuple[float, Frame]] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        if frame.lifecycle:
            return
        self.came.append((asyncio.get_running_loop().time(), frame))
        if not isinstance(frame, InterruptionFrame):
            await self.push_frame(frame, direction)

    def of(self, kind: type[Frame]) -> list[tuple[float, Any]]:
        """Those of one type."""
        return [(round(at, 3), frame) for at, frame in self.came if isinstance(frame, kind)]


def talk(
    transport: FakeTransport, says: list[tuple[float, Frame]] | None = None, *, secs: float = 10.0
) -> tuple[Notes, list[str]]:
    """A conversation in which the agent sends frames at times; ends after `secs` at the latest."""
    notes, errors = Notes(), list[str]()

    async def main() -> None:
        task = PipelineTask(
            Pipeline([transport.input(), notes, transport.output()]),
            params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
        )
        task.add_event_handler("on_pipeline_error", lambda _, frame: errors.append(frame.error))
        running = asyncio.get_running_loop().create_task(task.run())
        for at, frame in says or []:
            await asyncio.sleep(at - asyncio.get_running_loop().time())
            await task.queue_frame(frame)
        await asyncio.wait({running}, timeout=secs - asyncio.get_running_loop().time())
        await task.queue_frame(EndFrame())
        await running

    run(main())
    return notes, errors


def speech(text: str = "one two three four") -> TTSAudioRawFrame:
    """Some sound of the agent's."""
    return TTSAudioRawFrame(speak(text, sample_rate=RATE), RATE)


def test_what_happens_happens_at_its_time() -> None:
    """Words, messages, keys and the end come when the script says."""
    transport = FakeTransport(
        [
            (4.0, Disconnect()),
            (0.5, CallerSpeech("good morning")),
            (2.0, Message({"a": 1})),
            (3.0, Keys("1#")),
        ]
    )
    notes, errors = talk(transport)
    sound = notes.of(InputAudioRawFrame)
    assert (sound[0][0], sound[-1][0], len(sound)) == (0.5, 1.08, 30)
    listener = Listener()
    assert [w for _, frame in sound for w in listener.hear(frame.audio)] == ["good", "morning"]
    (message,) = notes.of(InputTransportMessageFrame)
    assert (message[0], message[1].message) == (2.0, {"a": 1})
    keys = [(at, frame.button) for at, frame in notes.of(InputDTMFFrame)]
    assert keys == [(3.0, KeypadEntry.ONE), (3.0, KeypadEntry.POUND)]
    assert (transport.connected, transport.gone, transport.closed) == (False, True, 1)
    assert errors == []


def test_connections_are_told() -> None:
    """The hooks of a transport fire; without a word in the script somebody is there at once."""
    transport = FakeTransport([(1.0, Connect()), (2.0, Disconnect())])
    told: list[str] = []
    transport.add_event_handler("on_client_connected", lambda *_: told.append("connected"))
    transport.add_event_handler("on_client_disconnected", lambda *_: told.append("gone"))
    talk(transport)
    assert told == ["connected", "gone"]
    early = FakeTransport()
    early.add_event_handler("on_client_connected", lambda *_: told.append("early"))
    talk(early)
    assert told[-1] == "early"


def test_what_goes_out_is_kept_with_its_times() -> None:
    """Sound at the pace of time, messages, keys; and when something was thrown away."""
    transport = FakeTransport()
    talk(
        transport,
        [
            (1.0, speech()),
            (1.1, OutputTransportMessageUrgentFrame("now")),
            (1.2, OutputDTMFUrgentFrame((KeypadEntry.TWO,))),
            (1.7, InterruptionFrame()),
        ],
    )
    assert transport.words == ["one", "two"]
    assert [(round(m.at, 2), m.what) for m in transport.out.messages] == [(1.1, "now")]
    assert [(round(k.at, 2), k.what) for k in transport.out.keys] == [(1.2, "2")]
    times = [entry.at for entry in transport.out.audio]
    assert times[0] == 1.0
    assert [round(at, 2) for at in transport.out.clears] == [1.7]
    assert transport.opened == (RATE, 1)


def test_writes_are_slow_stall_and_fail() -> None:
    """Each write can go wrong; what the agent says goes on or is given up, and the end comes."""
    slow = FakeTransport(write_delay=0.005)
    talk(slow, [(1.0, speech())])
    assert slow.words == ["one", "two", "three", "four"]
    stalled = FakeTransport(faults={10: Stall(2.0)})
    talk(stalled, [(1.0, speech())])
    times = [entry.at for entry in stalled.out.audio]
    assert max(b - a for a, b in itertools.pairwise(times)) > 1.9
    failed = FakeTransport(faults=lambda n: Fail(ConnectivityError("gone")) if n > 9 else None)
    _, errors = talk(failed, [(1.0, speech())])
    assert len(failed.out.audio) == 10
    assert len([error for error in errors if "gone" in error]) == 1
    hanging = FakeTransport(faults={10: Hang()})
    _, errors = talk(hanging, [(1.0, speech())], secs=20.0)
    assert any("took nothing" in error for error in errors)


def test_a_line_that_is_gone_takes_nothing() -> None:
    """After a disconnect nothing is written, which is no error; the conversation goes on if it
    should.
    """
    transport = FakeTransport([(1.5, Disconnect())], ends=False)
    _, errors = talk(transport, [(1.0, speech())])
    assert transport.words == ["one"]
    assert errors == []
    closed = FakeTransport(open_error=ConnectivityError("no line"))
    _, errors = talk(closed, [(1.0, speech())])
    assert closed.words == []
    assert any("no line" in error for error in errors)


def test_sound_of_any_kind_comes_in() -> None:
    """Another rate is converted, pieces have the length that is asked for."""
    transport = FakeTransport([(0.0, CallerAudio(bytes(2 * 8_000), 8_000, chunk_secs=0.1))])
    notes, _ = talk(transport)
    sound = notes.of(InputAudioRawFrame)
    assert {frame.sample_rate for _, frame in sound} == {RATE}
    assert len(sound) in {10, 11}


def test_the_fake_keeps_the_contract_of_transports() -> None:
    """Its sink and both its ends bear whatever may happen to a transport."""
    check_output_sink(FakeTransport, seeds=1, moments=10)
    check_transport(lambda: FakeTransport([(0.1, CallerSpeech("hello"))]), seeds=1, moments=6)
