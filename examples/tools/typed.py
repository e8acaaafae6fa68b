"""A call that is typed: lines instead of voices. What happens is printed. Shared by these examples.

Everything is as in a spoken call, but that the caller's turns end with their lines, and that what
the agent says has been heard as soon as it is on the screen.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from antiphon import (
    ExternalUserTurnStrategies,
    FrameDirection,
    FrameProcessor,
    FunctionCallCancelFrame,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    LLMAssistantAggregatorParams,
    LLMContext,
    LLMContextAggregatorPair,
    LLMFullResponseEndFrame,
    LLMService,
    LLMTextFrame,
    LLMUserAggregatorParams,
    Pipeline,
    PipelineTask,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    TranscriptionFrame,
    handles,
)

CallFrame = FunctionCallInProgressFrame | FunctionCallResultFrame | FunctionCallCancelFrame


class Screen(FrameProcessor):
    """Stands where the voice and the output would."""

    def __init__(self) -> None:
        super().__init__()
        self._line = ""

    @handles(LLMTextFrame)
    async def show_word(self, frame: LLMTextFrame, direction: FrameDirection) -> None:
        self._line += frame.text
        await self.push_frame(frame, direction)

    @handles(LLMFullResponseEndFrame)
    async def show_line(self, frame: LLMFullResponseEndFrame, direction: FrameDirection) -> None:
        if self._line.strip():
            print(f"  agent: {self._line.strip()}")
        self._line = ""
        await self.push_frame(frame, direction)

    @handles(FunctionCallInProgressFrame, FunctionCallResultFrame, FunctionCallCancelFrame)
    async def show_call(self, frame: CallFrame, direction: FrameDirection) -> None:
        if isinstance(frame, FunctionCallInProgressFrame):
            print(f"   tool: {frame.function_name}({frame.arguments})")
        elif isinstance(frame, FunctionCallResultFrame):
            print(f"   tool: {frame.function_name} -> {frame.result!r}")
        else:
            print(f"   tool: {frame.function_name} was given up: {frame.reason}")
        await self.push_frame(frame, direction)


class TypedCall:
    """One call. `first` stands at the beginning of the pipeline, where a transport would."""

    def __init__(
        self,
        llm: LLMService,
        context: LLMContext,
        *,
        first: Sequence[FrameProcessor] = (),
        assistant_params: LLMAssistantAggregatorParams | None = None,
        add_tool_change_messages: bool = False,
    ) -> None:
        params = LLMUserAggregatorParams(user_turn_strategies=ExternalUserTurnStrategies())
        pair = LLMContextAggregatorPair(
            context,
            user_params=params,
            assistant_params=assistant_params,
            add_tool_change_messages=add_tool_change_messages,
        )
        self.user, self.assistant = pair.user(), pair.assistant()
        pipeline = Pipeline([*first, self.user, llm, Screen(), self.assistant])
        self.task = PipelineTask(pipeline, start_timeout_secs=120)

    async def hold(self, *script: str | float) -> None:
        """Says the lines; a number is a pause in seconds. Then hangs up."""
        started = asyncio.Event()
        self.task.add_event_handler("on_pipeline_started", lambda _, __: started.set())
        async with asyncio.TaskGroup() as group:
            group.create_task(self.task.run())
            await started.wait()
            for step in script:
                if isinstance(step, str):
                    await self._say(step)
                else:
                    await asyncio.sleep(step)
            await self.task.stop_when_done()

    async def _say(self, line: str) -> None:
        print(f" caller: {line}")
        await self.task.queue_frame(ProposedUserStartedSpeakingFrame())
        await self.task.queue_frame(TranscriptionFrame(line, user_id="caller", finalized=True))
        await self.task.queue_frame(ProposedUserStoppedSpeakingFrame())


def chosen_llm() -> LLMService:
    """The model that `ANTIPHON_LLM` names, such as openai/gpt-5.4-mini, or that of this machine."""
    from antiphon.providers.select import llm_from_env

    chosen = llm_from_env()
    print(chosen.reason, file=sys.stderr)
    return LLMService(chosen.provider)
