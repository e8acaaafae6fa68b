"""A tool that takes a look: it asks the transport for a picture, and the model gets to see it.

python examples/tools/vision.py picture.jpg        with a model that takes pictures
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
    LLMContextAggregatorPair,
    LLMMessagesAppendFrame,
    LLMService,
    Pipeline,
    PipelineTask,
    UserImageRawFrame,
    UserImageRequestFrame,
    handles,
)


async def look(params: FunctionCallParams, question: str) -> None:  # noqa: D417 - the rest
    """Looks at what the caller shows to the camera.

    Args:
        question: what to find out

    """
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
        await self.push_frame(UserImageRawFrame(self._picture, (0, 0), "image/jpeg", request=frame))


async def talk(llm: LLMService, picture: bytes, line: str) -> LLMContext:
    """Says the line, waits for the answer, and returns the context."""
    context = LLMContext(tools=[look])
    user, assistant = LLMContextAggregatorPair(context)
    task = PipelineTask(Pipeline([Camera(picture), user, llm, assistant]))
    running = asyncio.get_running_loop().create_task(task.run())
    said = {"role": "user", "content": line}
    await task.queue_frame(LLMMessagesAppendFrame([said], run_llm=True))
    await asyncio.sleep(8)
    await task.stop_when_done()
    await running
    return context


if __name__ == "__main__":
    from antiphon.providers.select import llm_from_env

    shown = Path(sys.argv[1]).read_bytes()
    conversation = talk(LLMService(llm_from_env().provider), shown, "What am I holding?")
    print(asyncio.run(conversation).get_messages()[-1])
