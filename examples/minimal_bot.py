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
    LLMSettings,
    LLMUserAggregatorParams,
    LocalAudioTransport,
    LocalSTTService,
    LocalTTSService,
    Pipeline,
    PipelineRunner,
    PipelineTask,
    SileroVADAnalyzer,
    llm_from_env,
)


def bot(transport: BaseTransport) -> PipelineTask:
    """From the caller's mouth to the caller's ear."""
    context, stt, tts = LLMContext(), LocalSTTService(), LocalTTSService()
    persona = LLMSettings(system_instruction="Your name is Ada. Answer in one short sentence.")
    llm = LLMService(llm_from_env().provider, settings=persona, warm_up=context)
    hearing = LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    user, assistant = LLMContextAggregatorPair(context, user_params=hearing)
    pipeline = Pipeline([transport.input(), stt, user, llm, tts, transport.output(), assistant])
    return PipelineTask(pipeline, start_timeout_secs=120)


if __name__ == "__main__":
    asyncio.run(PipelineRunner().run(bot(LocalAudioTransport())))
