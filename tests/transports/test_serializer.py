"""Frames over a line in the package's own encoding, and what the suite for serializers finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from antiphon.errors import InvalidInputError
from antiphon.frames.audio import InputAudioRawFrame, OutputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.codec import FrameCodec
from antiphon.frames.lifecycle import EndFrame, InterruptionFrame, StartFrame
from antiphon.frames.text import TextFrame, TranscriptionFrame
from antiphon.frames.transport import (
    InputDTMFFrame,
    InputTransportMessageFrame,
    KeypadEntry,
    OutputTransportMessageFrame,
)
from antiphon.simulation.contracts import ContractError, ContractRule, check_serializer
from antiphon.simulation.record.frame_text import same_content
from antiphon.transports.serializer import FrameCodecSerializer, FrameSerializer, Wire

SOUND = OutputAudioRawFrame(bytes(640), 16_000)
INCOMING = [
    InputAudioRawFrame(bytes(640), 16_000),
    InputTransportMessageFrame({"hello": 1}),
    InputDTMFFrame(KeypadEntry.POUND),
]


def test_what_is_sent_is_the_frame() -> None:
    """A frame that is sent is understood as itself; what is not for the client is not sent."""
    serializer: FrameSerializer = FrameCodecSerializer(incoming=(OutputAudioRawFrame,))
    serializer.setup(StartFrame())
    sent = serializer.serialize(SOUND)
    assert sent is not None
    back = serializer.deserialize(sent)
    assert back is not None
    assert same_content(back, SOUND)
    assert serializer.serialize(InterruptionFrame()) is not None
    assert serializer.serialize(EndFrame()) is None
    assert FrameCodecSerializer(outgoing=(TextFrame,)).serialize(SOUND) is None


def test_a_client_sends_what_clients_may_send() -> None:
    """Sound, messages and keys are taken; frames that would end the conversation are refused."""
    serializer, codec = FrameCodecSerializer(), FrameCodec()
    for frame in INCOMING:
        assert same_content(serializer.deserialize(codec.encode(frame)), frame)
    for bad in (EndFrame(), InterruptionFrame(), TranscriptionFrame("trust me")):
        with pytest.raises(InvalidInputError, match=f"a {type(bad).__name__} is not taken from"):
            serializer.deserialize(codec.encode(bad))
    with pytest.raises(InvalidInputError, match="a binary message, and this is a text"):
        serializer.deserialize("hello")
    with pytest.raises(InvalidInputError, match="not an encoded frame"):
        serializer.deserialize(b"\x81")


def test_the_serializer_keeps_its_contract() -> None:
    """The suite for serializers finds nothing in the real one."""
    codec = FrameCodec()
    frames = [SOUND, TextFrame("hello"), OutputTransportMessageFrame({"a": 1})]
    messages = [codec.encode(frame) for frame in INCOMING]
    check_serializer(FrameCodecSerializer, frames=frames, messages=messages, seeds=3)


class Telephone:
    """A small protocol in JSON, of the kind telephone companies have."""

    def __init__(self) -> None:
        self._rate = 0

    def setup(self, frame: StartFrame) -> None:
        self._rate = frame.audio_out_sample_rate

    def serialize(self, frame: Frame) -> Wire | None:
        if isinstance(frame, OutputAudioRawFrame):
            return json.dumps({"event": "media", "media": frame.audio.hex(), "rate": self._rate})
        return None

    def deserialize(self, data: Wire) -> Frame | None:
        try:
            message = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"this is no JSON: {error}") from error
        if not isinstance(message, dict) or message.get("event") != "media":
            return None
        return self.media(message.get("media"))

    def media(self, media: Any) -> Frame | None:
        """The sound of a media message."""
        try:
            return InputAudioRawFrame(bytes.fromhex(media), self._rate)
        except (ValueError, TypeError) as error:
            raise InvalidInputError(f"this is no media: {error}") from error


class Trusting(Telephone):
    """Does not look at what it is given."""

    def media(self, media: Any) -> Frame | None:
        return InputAudioRawFrame(bytes.fromhex(media), self._rate)


class Silent(Telephone):
    """Ignores what is malformed in JSON, and is lost after it."""

    lost = False

    def deserialize(self, data: Wire) -> Frame | None:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            self.lost = True
            return None
        return None if self.lost else super().deserialize(data)


class Obedient(Telephone):
    """Lets the other side end the conversation with half a message."""

    def deserialize(self, data: Wire) -> Frame | None:
        return EndFrame() if len(data) < 3 else super().deserialize(data)


class Once(Telephone):
    """Keeps the rate of its first conversation."""

    def setup(self, frame: StartFrame) -> None:
        self._rate = self._rate or frame.audio_out_sample_rate


class Shared(Telephone):
    """Two conversations count together."""

    seen: list[Wire] = []  # noqa: RUF012 - the mistake

    def deserialize(self, data: Wire) -> Frame | None:
        self.seen.append(data)
        return super().deserialize(data)

    def serialize(self, frame: Frame) -> Wire | None:
        sent = super().serialize(frame)
        return sent + " " * len(self.seen) if isinstance(sent, str) else None


class Mute(Telephone):
    """Cannot speak at 8 kHz."""

    def serialize(self, frame: Frame) -> Wire | None:
        return None if self._rate == 8_000 else super().serialize(frame)


class Raising(Telephone):
    """Cannot bear frames it does not know."""

    def serialize(self, frame: Frame) -> Wire | None:
        if not isinstance(frame, OutputAudioRawFrame | TextFrame):
            raise NotImplementedError(frame.name)
        return super().serialize(frame)


class Waiting(Telephone):
    """A coroutine where an answer is due."""

    async def serialize(self, frame: Frame) -> Wire | None:  # type: ignore[override]
        return super().serialize(frame)


MEDIA = json.dumps({"event": "media", "media": "0000"})


def test_a_small_protocol_keeps_the_contract() -> None:
    """What the broken ones are made from is found to be fine."""
    check_serializer(Telephone, frames=[SOUND], messages=[MEDIA, '{"event": "stop"}'], seeds=3)


@pytest.mark.parametrize(
    ("part", "rules"),
    [
        (Trusting, {ContractRule.EXCEPTIONS}),
        (Silent, {ContractRule.ANSWERS}),
        (Obedient, {ContractRule.VALUES}),
        (Once, {ContractRule.RECOVERS}),
        (Shared, {ContractRule.PURE, ContractRule.RECOVERS}),
        (Mute, {ContractRule.ANSWERS}),
        (Raising, {ContractRule.EXCEPTIONS}),
        (Waiting, {ContractRule.VALUES}),
    ],
)
def test_broken_serializers_are_found(
    part: Callable[[], FrameSerializer], rules: set[ContractRule]
) -> None:
    """Each way to be a bad serializer is found as what it is, within two seeds."""
    with pytest.raises(ContractError) as found:
        check_serializer(part, frames=[SOUND], messages=[MEDIA], seeds=2)
    assert found.value.rule in rules
