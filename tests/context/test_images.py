"""Pictures in the context, on request of a tool or by themselves."""

from __future__ import annotations

import asyncio
import base64
import io
from typing import Any

import av
import pytest

from antiphon.context.images import encode_png
from antiphon.errors import InvalidInputError
from antiphon.frames.audio import UserImageRawFrame, UserImageRequestFrame
from antiphon.simulation.fakes.language_model import call
from antiphon.tools.params import FunctionCallParams
from tests.context.rig import UP, Rig, calls_in, converse
from tests.context.tool_rig import context_with

JPEG = b"\xff\xd8jpeg"


def request(params: FunctionCallParams) -> UserImageRequestFrame:
    return UserImageRequestFrame(
        "u", text="What is this?", function_name="look", tool_call_id=params.tool_call_id
    )


def test_a_picture_requested_by_a_tool_ends_its_call_and_is_looked_at() -> None:
    """The tool only asks; the picture follows the call's result, and the model runs once."""
    requests: list[UserImageRequestFrame] = []

    async def look(params: FunctionCallParams) -> None:
        requests.append(request(params))
        await params.llm.push_frame(requests[0], UP)

    def make() -> Rig:
        rig = Rig([call("look"), "A cat."], context=context_with("look"))
        rig.llm.register_function("look", look)
        return rig

    async def play(rig: Rig) -> None:
        await rig.says("What am I holding?")
        await asyncio.sleep(1)
        picture = UserImageRawFrame(JPEG, (2, 1), "image/jpeg", user_id="u", request=requests[0])
        await rig.send(picture)
        await asyncio.sleep(5)

    rig = converse(make, play)
    assert rig.inferences == 2
    sent: list[Any] = list(rig.provider.requests[1].messages)
    assert calls_in(sent) == [("look", "COMPLETED")]
    text, image = sent[-1]["content"]
    assert text["text"] == "What is this?"
    data = base64.b64encode(JPEG).decode()
    assert image["image_url"]["url"] == f"data:image/jpeg;base64,{data}"


@pytest.mark.parametrize(("append", "runs"), [(True, 1), (False, 0), (None, 0)])
def test_a_picture_by_itself_is_kept_if_it_is_meant_to_be(append: bool | None, runs: int) -> None:
    """With `append_to_context` it is added and looked at; without, it only passes."""

    async def play(rig: Rig) -> None:
        picture = UserImageRawFrame(b"\0" * 6, (2, 1), "RGB", append_to_context=append)
        await rig.send(picture)
        await asyncio.sleep(2)

    rig = converse(lambda: Rig(["I see."]), play)
    assert rig.inferences == runs


def test_a_malformed_picture_is_one_error() -> None:
    """The conversation goes on without it."""

    async def play(rig: Rig) -> None:
        await rig.send(UserImageRawFrame(b"\0" * 5, (2, 1), "RGB", append_to_context=True))
        await asyncio.sleep(2)

    rig = converse(lambda: Rig(["I see."]), play)
    assert rig.messages == []
    assert "6 bytes, not 5" in rig.errors[0].error


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 4)])
def test_raw_pictures_become_png(mode: str, channels: int) -> None:
    """Another program reads the same pixels from it."""
    pixels = bytes(range(3 * 2 * channels))
    with av.open(io.BytesIO(encode_png(pixels, (3, 2), mode)), "r") as container:
        (frame,) = container.decode(video=0)
    formats = {"L": "gray", "RGB": "rgb24", "RGBA": "rgba"}
    assert frame.to_ndarray(format=formats[mode]).tobytes() == pixels


def test_unknown_formats_are_refused() -> None:
    """The error names the format and those that are known."""
    with pytest.raises(InvalidInputError, match="'YUV'"):
        encode_png(b"", (1, 1), "YUV")
