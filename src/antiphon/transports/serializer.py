"""Frames as what goes over a line, and back: the seam between a transport and a protocol.

A serializer decides and does no I/O: a transport asks it what to send for a frame, and what a
message from the other side is. `FrameCodecSerializer` speaks the package's own encoding, for
clients that are written with it.
"""

from __future__ import annotations

from typing import Protocol

from antiphon.errors import InvalidInputError
from antiphon.frames.audio import InputAudioRawFrame, OutputAudioRawFrame, OutputImageRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.codec import FrameCodec
from antiphon.frames.lifecycle import InterruptionFrame, StartFrame
from antiphon.frames.text import InterimTranscriptionFrame, TextFrame, TranscriptionFrame
from antiphon.frames.transport import (
    InputDTMFFrame,
    InputTransportMessageFrame,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    OutputTransportMessageFrame,
    OutputTransportMessageUrgentFrame,
)
from antiphon.frames.turns import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)

Wire = bytes | str
"""What a line carries: a binary or a text message."""

OUTGOING: tuple[type[Frame], ...] = (
    OutputAudioRawFrame,
    OutputImageRawFrame,
    OutputTransportMessageFrame,
    OutputTransportMessageUrgentFrame,
    OutputDTMFFrame,
    OutputDTMFUrgentFrame,
    TextFrame,
    TranscriptionFrame,
    InterimTranscriptionFrame,
    InterruptionFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
)
INCOMING: tuple[type[Frame], ...] = (
    InputAudioRawFrame,
    InputTransportMessageFrame,
    InputDTMFFrame,
)


class FrameSerializer(Protocol):
    """Serves one conversation at a time, whose messages it is given in order.

    `InvalidInputError` is the only error: a message that is malformed is refused whole, with one
    text that says why, and what came before and comes after is understood as if it had not been.
    """

    def setup(self, frame: StartFrame) -> None:
        """A conversation begins: its rates, in Hz, are those of the frame. May come again."""

    def serialize(self, frame: Frame) -> Wire | None:
        """What to send for a frame; None: nothing."""
        ...

    def deserialize(self, data: Wire) -> Frame | None:
        """The frame that a message is; None: one that is none of the conversation's business."""
        ...


class FrameCodecSerializer:
    """Satisfies `FrameSerializer`: each message is one frame in MessagePack (`frames.codec`).

    Only frames of the types `outgoing` are sent; of what comes in only those of `incoming` are
    taken: nobody on the other side ends or interrupts a conversation by sending a frame that does.
    """

    def __init__(
        self,
        *,
        outgoing: tuple[type[Frame], ...] = OUTGOING,
        incoming: tuple[type[Frame], ...] = INCOMING,
    ) -> None:
        self._outgoing, self._incoming = outgoing, incoming
        self._codec = FrameCodec(*outgoing, *incoming)

    def setup(self, frame: StartFrame) -> None:
        """Frames carry their rates themselves: there is nothing to do."""

    def serialize(self, frame: Frame) -> bytes | None:
        """The frame, if it is of a type that is sent."""
        return self._codec.encode(frame) if isinstance(frame, self._outgoing) else None

    def deserialize(self, data: Wire) -> Frame:
        """The frame in a binary message."""
        if isinstance(data, str):
            raise InvalidInputError("an encoded frame is a binary message, and this is a text")
        frame = self._codec.decode(data)
        if not isinstance(frame, self._incoming):
            taken = ", ".join(kind.__name__ for kind in self._incoming)
            raise InvalidInputError(
                f"a {type(frame).__name__} is not taken from a client, only {taken}"
            )
        return frame
