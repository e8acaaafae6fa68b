"""Real-time voice agents: frames, processors and pipelines.

Every public name imports from here and is looked up in its module when it is first used, so that
`import antiphon` costs next to nothing and loads no vendor's library. Simulated time, callers and
networks, fakes and contract suites import from `antiphon.simulation`.

To publish a name add it to `_NAMES` and run `make format`, which writes the same table for type
checkers into `__init__.pyi`.
"""

from __future__ import annotations

from antiphon.public_names import PublicNames

__version__ = "0.1.0"

_NAMES = {
    "antiphon.errors": """
        AlreadyInPipelineError AntiphonError AuthenticationError AuthorizationError
        ConfigurationError ConnectivityError ErrorCategory HandlerTimeoutError InvalidInputError
        InvalidRequestError KernelError MailboxFullError MissingExtraError MissingModelError
        NotInPipelineError QuotaError RateLimitError ServerError ServiceError StartTimeoutError
        ToolError UnknownEventError UnknownNameError
    """,
    "antiphon.clock": "Clock",
    "antiphon.settings": "LLMSettings RealtimeSettings STTSettings ServiceSettings TTSSettings",
    "antiphon.frames.audio": """
        InputAudioRawFrame InputImageRawFrame OutputAudioRawFrame OutputImageRawFrame
        TTSAudioRawFrame UserAudioRawFrame UserImageRawFrame UserImageRequestFrame
    """,
    "antiphon.frames.base": "ControlFrame DataFrame Frame SystemFrame UninterruptibleFrame",
    "antiphon.frames.codec": "FrameCodec",
    "antiphon.frames.lifecycle": """
        CancelFrame EndFrame EndRequestFrame ErrorFrame HeartbeatFrame InterruptionFrame
        LLMUsageMetricsData MetricsFrame ProcessingMetricsData STTUsageMetricsData StartFrame
        StopFrame TTFBMetricsData TTSUsageMetricsData TurnMetricsData
    """,
    "antiphon.frames.llm": """
        LLMAssistantPushAggregationFrame LLMConfigureOutputFrame LLMContextFrame
        LLMFullResponseEndFrame LLMFullResponseStartFrame LLMMarkerFrame LLMMessagesAppendFrame
        LLMMessagesTransformFrame LLMMessagesUpdateFrame LLMRunFrame LLMSetToolChoiceFrame
        LLMSetToolsFrame LLMSummarizeContextFrame LLMThoughtEndFrame LLMThoughtStartFrame
        LLMThoughtTextFrame LLMUpdateSettingsFrame STTUpdateSettingsFrame
        ServiceUpdateSettingsFrame TTSUpdateSettingsFrame
    """,
    "antiphon.frames.speech": """
        EndCallFrame STTMetadataFrame STTMuteFrame SpeechLostFrame TTSSpeakFrame TTSStartedFrame
        TTSStoppedFrame VADParamsUpdateFrame
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
        BotSpeakingFrame BotStartedSpeakingFrame BotStoppedSpeakingFrame EndUserTurnFrame
        ProposedUserStartedSpeakingFrame ProposedUserStoppedSpeakingFrame
        UserIdleTimeoutUpdateFrame UserMuteStartedFrame UserMuteStoppedFrame UserSpeakingFrame
        UserStartedSpeakingFrame UserStoppedSpeakingFrame UserTurnInferenceCompletedFrame
        VADUserStartedSpeakingFrame VADUserStoppedSpeakingFrame
    """,
    "antiphon.kernel.branches": "ParallelPipeline",
    "antiphon.kernel.epoch": "FrameDirection",
    "antiphon.kernel.event_source": "Event EventSource",
    "antiphon.kernel.mailbox": "Feed Mailbox",
    "antiphon.kernel.observers": "BaseObserver FrameProcessed FramePushed",
    "antiphon.kernel.params": "ErrorPolicy PipelineParams",
    "antiphon.kernel.pipeline": "Pipeline",
    "antiphon.kernel.processor": "Emitter FrameProcessor handles",
    "antiphon.kernel.runner": "PipelineRunner",
    "antiphon.kernel.switch": "ServiceSwitcher",
    "antiphon.kernel.switch_strategies": """
        ServiceSwitcherStrategy ServiceSwitcherStrategyFailover ServiceSwitcherStrategyManual
    """,
    "antiphon.kernel.task": "PipelineTask",
    "antiphon.turns.backchannel": "BackchannelUserTurnStartStrategy",
    "antiphon.turns.completion": "UserTurnCompletionConfig",
    "antiphon.turns.completion_strategies": "LLMTurnCompletionUserTurnStopStrategy deferred",
    "antiphon.turns.controller": "UserTurnStartedParams UserTurnStoppedParams",
    "antiphon.turns.echo": "EchoGuardUserTurnStartStrategy",
    "antiphon.turns.endpointing": "DynamicEndpointingUserTurnStopStrategy",
    "antiphon.turns.facts": """
        AnnouncedStart AnnouncedStop BotSaid BotStarted BotStopped CompletionDenied
        CompletionJudged Fact FrameSeen InferenceTriggered Interrupted Muted ProposedStart
        ProposedStop SpeechStarted SpeechStopped TextForgotten TranscriberLatency
        TranscriptReceived TurnModelVerdict TurnStarted TurnStopped Unmuted
    """,
    "antiphon.turns.machine_actions": "Decision",
    "antiphon.turns.mute": """
        AlwaysUserMuteStrategy FirstSpeechUserMuteStrategy FunctionCallUserMuteStrategy
        MuteUntilFirstBotCompleteUserMuteStrategy UserMuteStrategy
    """,
    "antiphon.turns.opinions": """
        AskTurnModel EndTurn Forget HoldSpeech Notify Opinion ReleaseSpeech RunInference SendFrame
        StartTurn Swallow
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
    "antiphon.turns.strategy": """
        BaseUserTurnStartStrategy BaseUserTurnStopStrategy TurnModel TurnStrategy
        UserTurnStartStrategy UserTurnStopStrategy
    """,
    "antiphon.turns.vad_driver": "VADAnalyzer VADProcessor",
    "antiphon.context.assistant_aggregator": """
        AssistantThoughtMessage AssistantTurnStoppedMessage LLMAssistantAggregator
        LLMAssistantAggregatorParams
    """,
    "antiphon.context.llm_context": "ContextSnapshot LLMContext",
    "antiphon.context.messages": "LLMSpecificMessage",
    "antiphon.context.pair": "LLMContextAggregatorPair",
    "antiphon.context.summarizer": "ContextSummarizer",
    "antiphon.context.summary": """
        LLMAutoContextSummarizationConfig LLMContextSummaryConfig SummaryAppliedEvent
    """,
    "antiphon.context.user_aggregator": """
        LLMUserAggregator LLMUserAggregatorParams
        UserTurnMessageAddedMessage UserTurnStoppedMessage
    """,
    "antiphon.tools.params": "EndCall FunctionCallParams ResultCallback",
    "antiphon.tools.mcp": "MCPToolset StdioServer",
    "antiphon.tools.schema": "FunctionSchema ToolOptions ToolsSchema tool_options",
    "antiphon.services.contracts": """
        AudioChunk CallerSpeechStarted CallerSpeechStopped CancelResponse ConversationItem Finalize
        InputTranscript LLMEvent LLMProvider LLMRequest OutputTranscript RealtimeCapabilities
        RealtimeEvent RealtimeInput RealtimeProblem RealtimeProvider RealtimeSession Respond
        ResponseAudio ResponseDone ResponseStarted ResponseStatus STTCapabilities STTProvider
        SpeechAudio TTSCapabilities TTSEvent TTSProvider TextDelta ThoughtDelta ThoughtSignature
        TokenUsage ToolCall ToolOutput ToolSpec Transcript Truncate Truncated WordTime
    """,
    "antiphon.services.llm": "LLMService",
    "antiphon.services.llm_options": "LLMOptions",
    "antiphon.services.realtime": "RealtimeService realtime_strategies",
    "antiphon.services.stt": "STTService",
    "antiphon.services.tts": "TTSService",
    "antiphon.providers.anthropic.provider": "AnthropicLLMProvider",
    "antiphon.providers.anthropic.service": "AnthropicLLMService",
    "antiphon.providers.google.provider": "GoogleLLMProvider",
    "antiphon.providers.google.service": "GoogleLLMService",
    "antiphon.providers.local.llm_provider": "LocalLLMProvider",
    "antiphon.providers.local.rules": "RuleBasedLLMProvider",
    "antiphon.providers.local.service": "LocalSTTService LocalTTSService",
    "antiphon.providers.local.stt": "LocalSTTProvider",
    "antiphon.providers.local.tts": "LocalTTSProvider",
    "antiphon.providers.local.turn": "LocalSmartTurnModel",
    "antiphon.providers.local.vad": "SileroVADAnalyzer",
    "antiphon.providers.openai.provider": "OpenAILLMProvider",
    "antiphon.providers.openai.responses_provider": "OpenAIResponsesLLMProvider",
    "antiphon.providers.openai.service": "OpenAILLMService OpenAIResponsesLLMService",
    "antiphon.providers.select": "llm_from_env",
    "antiphon.audio.energy_vad": "EnergyVADModel",
    "antiphon.audio.filters": "AdjustableFilter AudioFilter GainFilter",
    "antiphon.audio.mixer": "AdjustableMixer AudioMixer SoundMixer",
    "antiphon.audio.resample": "Resampler",
    "antiphon.audio.vad": "VADModel VADParams VoiceDetector VoiceStarted VoiceStopped",
    "antiphon.audio.wav": "WavFile WavWriter read_wav write_wav",
    "antiphon.audio.webrtc_filter": "WebRTCNoiseFilter",
    "antiphon.text.markup": "MatchAction Pattern Splitter TextUnit TokenSplitter UnitAggregator",
    "antiphon.text.sentences": "SentenceSplitter",
    "antiphon.text.speakable": "Speakable",
    "antiphon.transports.base": "BaseTransport",
    "antiphon.transports.file": "FileTransport",
    "antiphon.transports.input": "InputTransport",
    "antiphon.transports.local": "LocalAudioTransport",
    "antiphon.transports.output": "OutputTransport",
    "antiphon.transports.params": "TransportParams",
    "antiphon.transports.recorder": "AudioBufferProcessor",
    "antiphon.transports.serializer": "FrameCodecSerializer FrameSerializer",
    "antiphon.transports.sinks": """
        AudioSink CallbackSink ClearableSink KeySink MessageSink OpenableSink
    """,
    "antiphon.observe.conversation_log": "ConversationLog Party SpeechSpan",
    "antiphon.observe.observer": "ConversationObserver RecordingObserver",
    "antiphon.observe.recording": "TwoSides",
    "antiphon.observe.timeline": "Timeline",
    "antiphon.simulation.testing": "SleepFrame run_test",
}

_public = PublicNames(__name__, _NAMES, globals())
__all__ = _public.names
__getattr__, __dir__ = _public.get, _public.all
