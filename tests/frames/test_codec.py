"""FrameCodec: what goes in comes out, and what cannot go in is named."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from antiphon.errors import ErrorCategory, InvalidInputError
from antiphon.frames.audio import InputAudioRawFrame, UserImageRawFrame, UserImageRequestFrame
from antiphon.frames.base import DataFrame, Frame
from antiphon.frames.codec import FrameCodec, Opaque, standard_types
from antiphon.frames.lifecycle import ErrorFrame, MetricsFrame, TTFBMetricsData
from antiphon.frames.llm import LLMMessagesAppendFrame, LLMMessagesTransformFrame
from antiphon.frames.text import TextFrame, TTSTextFrame
from antiphon.frames.tools import (
    FunctionCallFromLLM,
    FunctionCallResultFrame,
    FunctionCallResultProperties,
    FunctionCallsStartedFrame,
)
from antiphon.frames.transport import InputDTMFFrame, KeypadEntry


class Own(DataFrame):
    """A frame of a program's own."""

    numbers: tuple[int, ...]


FRAMES: list[Frame] = [
    TextFrame("hello", append_to_context=False),
    TTSTextFrame("word", pts=123, context_id="a", transport_destination="left"),
    InputAudioRawFrame(b"\x00\xff" * 3, 16_000, 2),
    InputDTMFFrame(KeypadEntry.POUND),
    MetricsFrame((TTFBMetricsData("llm", 0.25),)),
    LLMMessagesAppendFrame([{"role": "user", "content": "héllo"}], run_llm=True),
    FunctionCallsStartedFrame((FunctionCallFromLLM("f", "1", {"a": [1, None]}),)),
    FunctionCallResultFrame("f", "1", {}, {"x": 1.5}, FunctionCallResultProperties(run_llm=False)),
    ErrorFrame("oops", category=ErrorCategory.QUOTA, retryable=True),
    UserImageRawFrame(b"\x89", (2, 1), "RGB", request=UserImageRequestFrame("me", "look")),
    Own((1, 2)),
]


def as_dict(frame: Any) -> Any:
    """All fields, nested structs included."""
    return msgspec.to_builtins(frame, builtin_types=(bytes,), enc_hook=repr)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_frame_survives_the_journey(frame: Frame) -> None:
    """Type, number and every field are the same after encoding and decoding."""
    codec = FrameCodec(Own)
    back = codec.decode(codec.encode(frame))
    assert type(back) is type(frame)
    assert as_dict(back) == as_dict(frame)


def test_every_standard_type_is_known() -> None:
    """All frame types of the package's modules can be encoded by name."""
    names = standard_types()
    assert {"EndFrame", "TTSAudioRawFrame", "VADUserStoppedSpeakingFrame", "LLMRunFrame"} <= set(
        names
    )
    assert len(names) > 70


def test_what_cannot_leave_the_process_is_refused_by_name() -> None:
    """The error names the frame, the field and the kind of value."""
    frame = LLMMessagesTransformFrame(lambda messages: messages)
    with pytest.raises(
        InvalidInputError, match=r"LLMMessagesTransformFrame#\d+.transform holds a f"
    ):
        FrameCodec().encode(frame)


def test_a_lenient_codec_describes_what_it_cannot_encode() -> None:
    """The value comes back as an Opaque with its repr; everything else is exact."""
    codec = FrameCodec(lenient=True)
    error = ErrorFrame("oops", exception=ValueError("why"), processor="tts")
    back = codec.decode(codec.encode(error))
    assert isinstance(back, ErrorFrame)
    opaque: Any = back.exception
    assert opaque == Opaque("ValueError('why')")
    assert (back.error, back.processor, back.id) == ("oops", "tts", error.id)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"\xc1", "not an encoded frame"),
        (msgspec.msgpack.encode([1]), "a map with the name of its type"),
        (msgspec.msgpack.encode({"type": "Nope"}), "no frame type 'Nope'"),
        (msgspec.msgpack.encode({"type": "TextFrame", "txt": "x"}), "TextFrame has no field 'txt'"),
        (
            msgspec.msgpack.encode({"type": "TextFrame", "text": 5}),
            "TextFrame.text: Expected `str`",
        ),
        (msgspec.msgpack.encode({"type": "TextFrame"}), "TextFrame cannot be made"),
    ],
)
def test_malformed_data_is_one_clear_error(data: bytes, complaint: str) -> None:
    """Whatever is wrong, the error says what, and nothing else happens."""
    with pytest.raises(InvalidInputError, match=complaint):
        FrameCodec().decode(data)


def test_an_unknown_type_is_refused_when_encoding() -> None:
    """A frame type of a program must be given to the codec first."""
    with pytest.raises(InvalidInputError, match="pass Own to FrameCodec"):
        FrameCodec().encode(Own((1,)))
