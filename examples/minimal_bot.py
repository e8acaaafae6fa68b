"""A voice agent on this machine: put headphones on, run this file, and speak. Ctrl-C ends it.

pip install 'antiphon[local,talk]'
"""

from __future__ import annotations

import asyncio

from antiphon import (
    BaseTransport,
    LLMContext,
    LLMContextAggregatorPair,
    LLMService,
    LLMUserAggregatorParams,
    Pipeline,
    PipelineRunner,
    PipelineTask,
    SileroVADAnalyzer,
    STTService,
    TTSService,
)
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.providers.select import llm_from_env
from antiphon.settings import LLMSettings
from antiphon.transports.local import LocalAudioTransport


def bot(transport: BaseTransport) -> PipelineTask:
    """From the caller's mouth to the caller's ear."""
    context = LLMContext()
    stt, tts = STTService(LocalSTTProvider()), TTSService(LocalTTSProvider())
    persona = LLMSettings(system_instruction="Your name is Ada. Answer in one short sentence.")
    llm = LLMService(llm_from_env().provider, settings=persona, warm_up=context)
    user, assistant = LLMContextAggregatorPair(
        context, user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    pipeline = Pipeline([transport.input(), stt, user, llm, tts, transport.output(), assistant])
    return PipelineTask(pipeline, start_timeout_secs=120)


if __name__ == "__main__":
    asyncio.run(PipelineRunner().run(bot(LocalAudioTransport())))
