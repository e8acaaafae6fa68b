"""Real-time voice agents: frames, processors and pipelines.

Every name of the public vocabulary imports from here and is looked up in its module when it is
first used, so that `import antiphon` costs next to nothing and loads no vendor's library.

To publish a name add it to `_NAMES` and run `make format`, which writes the same table for type
checkers into `__init__.pyi`.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_NAMES = {
    "antiphon.errors": """
        AlreadyInPipelineError AntiphonError AuthenticationError AuthorizationError
        ConfigurationError ConnectivityError ErrorCategory HandlerTimeoutError InvalidInputError
        InvalidRequestError KernelError MailboxFullError MissingExtraError MissingModelError
        NotInPipelineError QuotaError RateLimitError ServerError ServiceError StartTimeoutError
        UnknownEventError UnknownNameError
    """,
    "antiphon.clock": "Clock",
    "antiphon.frames.audio": """
        InputAudioRawFrame InputImageRawFrame OutputAudioRawFrame OutputImageRawFrame
        TTSAudioRawFrame UserAudioRawFrame UserImageRawFrame UserImageRequestFrame
    """,
    "antiphon.frames.base": "ControlFrame DataFrame Frame SystemFrame UninterruptibleFrame",
    "antiphon.frames.lifecycle": """
        CancelFrame EndFrame ErrorFrame HeartbeatFrame InterruptionFrame MetricsFrame StartFrame
        StopFrame
    """,
    "antiphon.frames.llm": """
        LLMAssistantPushAggregationFrame LLMConfigureOutputFrame LLMContextFrame
        LLMFullResponseEndFrame LLMFullResponseStartFrame LLMMarkerFrame LLMMessagesAppendFrame
        LLMMessagesTransformFrame LLMMessagesUpdateFrame LLMRunFrame LLMSetToolChoiceFrame
        LLMSetToolsFrame LLMSummarizeContextFrame LLMThoughtEndFrame LLMThoughtStartFrame
        LLMThoughtTextFrame LLMUpdateSettingsFrame STTUpdateSettingsFrame TTSUpdateSettingsFrame
    """,
    "antiphon.frames.speech": """
        STTMuteFrame TTSSpeakFrame TTSStartedFrame TTSStoppedFrame VADParamsUpdateFrame
    """,
    "antiphon.frames.switch": "ManuallySwitchServiceFrame",
    "antiphon.frames.text": """
        AggregatedTextFrame InterimTranscriptionFrame LLMTextFrame TTSTextFrame TextFrame
        TranscriptionFrame TranslationFrame
    """,
    "antiphon.frames.tools": """
        FunctionCallCancelFrame FunctionCallFromLLM FunctionCallInProgressFrame
        FunctionCallResultFrame FunctionCallResultProperties FunctionCallsStartedFrame
    """,
    "antiphon.frames.transport": """
        FilterControlFrame FilterEnableFrame FilterUpdateSettingsFrame InputDTMFFrame
        InputTransportMessageFrame KeypadEntry MixerControlFrame MixerEnableFrame
        MixerUpdateSettingsFrame OutputDTMFFrame OutputDTMFUrgentFrame OutputTransportMessageFrame
        OutputTransportMessageUrgentFrame
    """,
    "antiphon.frames.turns": """
        BotSpeakingFrame BotStartedSpeakingFrame BotStoppedSpeakingFrame UserIdleTimeoutUpdateFrame
        UserMuteStartedFrame UserMuteStoppedFrame UserSpeakingFrame UserStartedSpeakingFrame
        UserStoppedSpeakingFrame UserTurnInferenceCompletedFrame VADUserStartedSpeakingFrame
        VADUserStoppedSpeakingFrame
    """,
    "antiphon.kernel.branches": "ParallelPipeline",
    "antiphon.kernel.epoch": "FrameDirection",
    "antiphon.kernel.mailbox": "Feed Mailbox",
    "antiphon.kernel.observers": "BaseObserver FrameProcessed FramePushed",
    "antiphon.kernel.params": "PipelineParams",
    "antiphon.kernel.pipeline": "Pipeline",
    "antiphon.kernel.processor": "FrameProcessor handles",
    "antiphon.kernel.runner": "PipelineRunner",
    "antiphon.kernel.switch": "ServiceSwitcher",
    "antiphon.kernel.switch_strategies": """
        ServiceSwitcherStrategyFailover ServiceSwitcherStrategyManual
    """,
    "antiphon.kernel.task": "PipelineTask",
    "antiphon.turns.backchannel": "BackchannelUserTurnStartStrategy",
    "antiphon.turns.completion": "UserTurnCompletionConfig",
    "antiphon.turns.completion_strategies": "LLMTurnCompletionUserTurnStopStrategy deferred",
    "antiphon.turns.echo": "EchoGuardUserTurnStartStrategy",
    "antiphon.turns.endpointing": "DynamicEndpointingUserTurnStopStrategy",
    "antiphon.turns.mute": """
        AlwaysUserMuteStrategy FirstSpeechUserMuteStrategy FunctionCallUserMuteStrategy
        MuteUntilFirstBotCompleteUserMuteStrategy
    """,
    "antiphon.turns.processor": "UserTurnProcessor",
    "antiphon.turns.start_strategies": """
        ExternalUserTurnStartStrategy MinWordsUserTurnStartStrategy
        TranscriptionUserTurnStartStrategy VADUserTurnStartStrategy WakePhraseUserTurnStartStrategy
    """,
    "antiphon.turns.stop_strategies": """
        ExternalUserTurnStopStrategy SpeechTimeoutUserTurnStopStrategy
        TranscriptionUserTurnStopStrategy TurnAnalyzerUserTurnStopStrategy
    """,
    "antiphon.turns.strategies": """
        ExternalUserTurnStrategies FilterIncompleteUserTurnStrategies UserTurnStrategies
    """,
    "antiphon.context.assistant_aggregator": """
        AssistantTurnStoppedMessage LLMAssistantAggregatorParams
    """,
    "antiphon.context.llm_context": "LLMContext",
    "antiphon.context.pair": "LLMContextAggregatorPair",
    "antiphon.context.summary": "LLMAutoContextSummarizationConfig LLMContextSummaryConfig",
    "antiphon.context.user_aggregator": "LLMUserAggregatorParams UserTurnStoppedMessage",
    "antiphon.tools.execution": "FunctionCallParams",
    "antiphon.tools.schema": "FunctionSchema ToolsSchema tool_options",
    "antiphon.services.llm": "LLMService",
    "antiphon.services.realtime": "RealtimeService realtime_strategies",
    "antiphon.services.stt": "STTService",
    "antiphon.services.tts": "TTSService",
    "antiphon.providers.local.service": "LocalSTTService LocalTTSService",
    "antiphon.providers.local.vad": "SileroVADAnalyzer",
    "antiphon.providers.select": "llm_from_env",
    "antiphon.audio.mixer": "SoundMixer",
    "antiphon.audio.vad": "VADParams",
    "antiphon.text.speakable": "Speakable",
    "antiphon.transports.base": "BaseTransport",
    "antiphon.transports.local": "LocalAudioTransport",
    "antiphon.transports.params": "TransportParams",
    "antiphon.transports.serializer": "FrameSerializer",
    "antiphon.simulation.testing": "SleepFrame run_test",
}

_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> object:
    module = _MODULE_OF.get(name)
    if module is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message, name=name, obj=None)
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
