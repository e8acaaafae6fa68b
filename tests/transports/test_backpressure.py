"""A full output makes the voice wait, and nobody else."""

from __future__ import annotations

import asyncio

from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.frames.base import Frame
from antiphon.frames.llm import LLMMessagesAppendFrame
from antiphon.frames.text import LLMTextFrame
from antiphon.frames.transport import PlayoutBufferFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.services.tts import TTSService
from antiphon.simulation.fakes.language_model import FakeLLMProvider, call
from antiphon.simulation.fakes.tts import FakeTTSProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.params import FunctionCallParams
from antiphon.transports.output import OutputTransport
from antiphon.transports.sinks import CallbackSink
from tests.context.tool_rig import context_with

RATE = 8_000
WORDS = 200
SECS = 0.3 * WORDS


class Between(FrameProcessor):
    """Between the model and the voice: when the text comes by, and when the voice has to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[float] = []
        self.credits: list[tuple[float, bool]] = []

    @handles(LLMTextFrame, PlayoutBufferFrame)
    async def note(self, frame: Frame, direction: FrameDirection) -> None:
        now = self.clock.now()
        if isinstance(frame, PlayoutBufferFrame):
            self.credits.append((now, frame.full))
        else:
            self.text.append(now)
        await self.push_frame(frame, direction)


def test_the_voice_waits_and_text_and_tool_calls_do_not() -> None:
    """A minute of speech comes at once, with a call behind it: the buffer stays bounded, all text
    passes and the call is made within a second, and all of the minute is heard.
    """
    called: list[float] = []
    buffered: list[float] = []
    chunks: list[float] = []
    between = Between()

    async def look_up(params: FunctionCallParams) -> None:
        called.append(asyncio.get_running_loop().time())
        await params.result_callback("nice")

    async def main() -> None:
        loop = asyncio.get_running_loop()
        text = " ".join(f"word{n}." if n % 10 == 9 else f"word{n}" for n in range(WORDS))
        provider = FakeLLMProvider([[text, call("f")], "Done."], between_tokens=0.001)
        llm = LLMService(provider)
        llm.register_function("f", look_up)
        voice = TTSService(FakeTTSProvider(speed=1000.0, sample_rate=RATE))
        output = OutputTransport(CallbackSink(lambda pcm: chunks.append(loop.time())))
        pair = LLMContextAggregatorPair(context_with("f"))
        task = PipelineTask(
            Pipeline([pair.user(), llm, between, voice, output, pair.assistant()]),
            params=PipelineParams(audio_out_sample_rate=RATE),
            idle_timeout_secs=None,
        )
        running = loop.create_task(task.run())
        message = {"role": "user", "content": "Well?"}
        await task.queue_frame(LLMMessagesAppendFrame([message], run_llm=True))
        for _ in range(800):
            await asyncio.sleep(0.1)
            buffered.append(output.buffered_secs)
        await task.stop_when_done()
        await running

    run(main())
    assert max(buffered) <= 6.2
    assert [full for _, full in between.credits[:3]] == [True, False, True]
    assert len(between.text) >= WORDS
    assert between.text[WORDS - 1] < 1.0
    assert called
    assert called[0] < 1.0
    assert len(chunks) * 0.02 >= SECS
