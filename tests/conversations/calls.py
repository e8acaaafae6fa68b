"""An agent on fakes that is called by a `Caller`, for the edges of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from antiphon.audio.vad import VADParams
from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.user_aggregator import LLMUserAggregatorParams, UserTurnStoppedMessage
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.calls.caller import Caller, HeldCall, hold_call
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeVADModel
from antiphon.simulation.loop.virtual_time import run
from antiphon.turns.machine_actions import Decision
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.strategies import UserTurnStrategies

COUNTING = "one two three four five six seven eight"


class Analyzer(FakeVADModel):
    """Takes whatever is loud for speech."""

    def __init__(self) -> None:
        super().__init__()
        self.params = VADParams(min_volume=0.0)


class Agent:
    """The agent, and what came of the call."""

    def __init__(
        self,
        *,
        stt: FakeSTTProvider | None = None,
        tts: FakeTTSProvider | None = None,
        llm: FakeLLMProvider | None = None,
        replies: str = "Fine, see you then.",
        strategies: UserTurnStrategies | None = None,
        before_stt: Sequence[FrameProcessor] = (),
        user: dict[str, Any] | None = None,
    ) -> None:
        self.caller = Caller()
        self.context = LLMContext()
        self.llm_provider = llm or FakeLLMProvider(default=replies)
        self.llm = LLMService(self.llm_provider)
        strategies = strategies or UserTurnStrategies(stop=[SpeechTimeoutUserTurnStopStrategy()])
        params: dict[str, Any] = {
            "vad_analyzer": Analyzer(),
            "user_turn_strategies": strategies,
            **(user or {}),
        }
        pair = LLMContextAggregatorPair(self.context, user_params=LLMUserAggregatorParams(**params))
        self.user = pair.user()
        self.task = PipelineTask(
            Pipeline(
                [
                    self.caller.input(),
                    *before_stt,
                    STTService(stt or FakeSTTProvider()),
                    self.user,
                    self.llm,
                    TTSService(tts or FakeTTSProvider()),
                    self.caller.output(),
                    pair.assistant(),
                ]
            )
        )
        self.turns: list[str] = []
        self.idle: list[float] = []
        self.errors: list[str] = []
        self.decisions: list[Decision] = []
        self._listen()

    def _listen(self) -> None:
        @self.user.event_handler("on_user_turn_stopped")
        def stopped(user: object, by: object, message: UserTurnStoppedMessage) -> None:
            self.turns.append(plain(message.content))

        @self.user.event_handler("on_user_turn_idle")
        def idle(user: object) -> None:
            self.idle.append(asyncio.get_running_loop().time())

        @self.user.event_handler("on_user_turn_decision")
        def decided(user: object, decision: Decision) -> None:
            self.decisions.append(decision)

        @self.task.event_handler("on_pipeline_error")
        def failed(task: PipelineTask, frame: ErrorFrame) -> None:
            self.errors.append(frame.error)

    @property
    def said(self) -> str:
        """What the context says that the agent said."""
        messages = [m for m in self.context.messages if isinstance(m, dict)]
        return " ".join(str(m["content"]) for m in messages if m["role"] == "assistant")

    def hold(self, script: Callable[[Caller], Awaitable[None]], seed: int = 1) -> HeldCall:
        """Holds the call in virtual time."""

        async def main() -> HeldCall:
            return await hold_call(self.task, self.caller, script)

        return run(main(), seed=seed)


def plain(text: str) -> str:
    """Words without case and the stop at the end."""
    return text.lower().strip(" .?!")
