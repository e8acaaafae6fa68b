"""A tool that takes a look: it asks the transport for a picture, and the model gets to see it.

python -m examples.tools.vision picture.jpg        with a model that takes pictures
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from antiphon import (
    FrameDirection,
    FrameProcessor,
    FunctionCallParams,
    LLMContext,
    LLMService,
    UserImageRawFrame,
    UserImageRequestFrame,
    handles,
)
from examples.tools.typed import TypedCall, chosen_llm


async def look(params: FunctionCallParams, question: str) -> None:
    """Looks at what the caller shows to the camera, to answer a question about it."""
    request = UserImageRequestFrame(
        user_id="caller",
        text=question,
        function_name=params.function_name,
        tool_call_id=params.tool_call_id,
    )
    await params.llm.push_frame(request, FrameDirection.UPSTREAM)


class Camera(FrameProcessor):
    """Stands in for a transport with video: answers every request with the same picture."""

    def __init__(self, picture: bytes) -> None:
        super().__init__()
        self._picture = picture

    @handles(UserImageRequestFrame)
    async def show(self, frame: UserImageRequestFrame, direction: FrameDirection) -> None:
        print(f" camera: a picture of {len(self._picture)} bytes")
        await self.push_frame(UserImageRawFrame(self._picture, (0, 0), "image/jpeg", request=frame))


async def talk(llm: LLMService, picture: bytes) -> LLMContext:
    """Asks what only the camera can see. The picture ends the call; no result is needed."""
    context = LLMContext(tools=[look])
    call = TypedCall(llm, context, first=[Camera(picture)])
    await call.hold("What am I holding?", 8.0)
    return context


if __name__ == "__main__":
    asyncio.run(talk(chosen_llm(), Path(sys.argv[1]).read_bytes()))
