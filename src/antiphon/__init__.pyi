# Generated from __init__.py by scripts/stub.py.

from antiphon.public_names import PublicNames
from antiphon.audio.energy_vad import EnergyVADModel as EnergyVADModel
from antiphon.audio.filters import AdjustableFilter as AdjustableFilter
from antiphon.audio.filters import AudioFilter as AudioFilter
from antiphon.audio.filters import GainFilter as GainFilter
from antiphon.audio.mixer import AdjustableMixer as AdjustableMixer
from antiphon.audio.mixer import AudioMixer as AudioMixer
from antiphon.audio.mixer import SoundMixer as SoundMixer
from antiphon.audio.resample import Resampler as Resampler
from antiphon.audio.vad import VADModel as VADModel
from antiphon.audio.vad import VADParams as VADParams
from antiphon.audio.vad import VoiceDetector as VoiceDetector
from antiphon.audio.vad import VoiceStarted as VoiceStarted
from antiphon.audio.vad import VoiceStopped as VoiceStopped
from antiphon.audio.wav import WavFile as WavFile
from antiphon.audio.wav import WavWriter as WavWriter
from antiphon.audio.wav import read_wav as read_wav
from antiphon.audio.wav import write_wav as write_wav
from antiphon.audio.webrtc_filter import WebRTCNoiseFilter as WebRTCNoiseFilter
from antiphon.clock import Clock as Clock
from antiphon.context.assistant_aggregator import AssistantThoughtMessage as AssistantThoughtMessage
from antiphon.context.assistant_aggregator import AssistantTurnStoppedMessage as AssistantTurnStoppedMessage
from antiphon.context.assistant_aggregator import LLMAssistantAggregator as LLMAssistantAggregator
from antiphon.context.assistant_aggregator import LLMAssistantAggregatorParams as LLMAssistantAggregatorParams
from antiphon.context.llm_context import ContextSnapshot as ContextSnapshot
from antiphon.context.llm_context import LLMContext as LLMContext
from antiphon.context.messages import LLMSpecificMessage as LLMSpecificMessage
from antiphon.context.pair import LLMContextAggregatorPair as LLMContextAggregatorPair
from antiphon.context.summarizer import ContextSummarizer as ContextSummarizer
from antiphon.context.summary import LLMAutoContextSummarizationConfig as LLMAutoContextSummarizationConfig
from antiphon.context.summary import LLMContextSummaryConfig as LLMContextSummaryConfig
from antiphon.context.summary import SummaryAppliedEvent as SummaryAppliedEvent
from antiphon.context.user_aggregator import LLMUserAggregator as LLMUserAggregator
from antiphon.context.user_aggregator import LLMUserAggregatorParams as LLMUserAggregatorParams
from antiphon.context.user_aggregator import UserTurnMessageAddedMessage as UserTurnMessageAddedMessage
from antiphon.context.user_aggregator import UserTurnStoppedMessage as UserTurnStoppedMessage
from antiphon.errors import AlreadyInPipelineError as AlreadyInPipelineError
from antiphon.errors import AntiphonError as AntiphonError
from antiphon.errors import AuthenticationError as AuthenticationError
from antiphon.errors import AuthorizationError as AuthorizationError
from antiphon.errors import ConfigurationError as ConfigurationError
from antiphon.errors import ConnectivityError as ConnectivityError
from antiphon.errors import ErrorCategory as ErrorCategory
from antiphon.errors import HandlerTimeoutError as HandlerTimeoutError
from antiphon.errors import InvalidInputError as InvalidInputError
from antiphon.errors import InvalidRequestError as InvalidRequestError
from antiphon.errors import KernelError as KernelError
from antiphon.errors import MailboxFullError as MailboxFullError
from antiphon.errors import MissingExtraError as MissingExtraError
from antiphon.errors import MissingModelError as MissingModelError
from antiphon.errors import NotInPipelineError as NotInPipelineError
from antiphon.errors import QuotaError as QuotaError
from antiphon.errors import RateLimitError as RateLimitError
from antiphon.errors import ServerError as ServerError
from antiphon.errors import ServiceError as ServiceError
from antiphon.errors import StartTimeoutError as StartTimeoutError
from antiphon.errors import ToolError as ToolError
from antiphon.errors import UnknownEventError as UnknownEventError
from antiphon.errors import UnknownNameError as UnknownNameError
from antiphon.frames.audio import InputAudioRawFrame as InputAudioRawFrame
from antiphon.frames.audio import InputImageRawFrame as InputImageRawFrame
from antiphon.frames.audio import OutputAudioRawFrame as OutputAudioRawFrame
from antiphon.frames.audio import OutputImageRawFrame as OutputImageRawFrame
from antiphon.frames.audio import TTSAudioRawFrame as TTSAudioRawFrame
from antiphon.frames.audio import UserAudioRawFrame as UserAudioRawFrame
from antiphon.frames.audio import UserImageRawFrame as UserImageRawFrame
from antiphon.frames.audio import UserImageRequestFrame as UserImageRequestFrame
from antiphon.frames.base import ControlFrame as ControlFrame
from antiphon.frames.base import DataFrame as DataFrame
from antiphon.frames.base import Frame as Frame
from antiphon.frames.base import SystemFrame as SystemFrame
from antiphon.frames.base import UninterruptibleFrame as UninterruptibleFrame
from antiphon.frames.codec import FrameCodec as FrameCodec
from antiphon.frames.lifecycle import CancelFrame as CancelFrame
from antiphon.frames.lifecycle import EndFrame as EndFrame
from antiphon.frames.lifecycle import EndRequestFrame as EndRequestFrame
from antiphon.frames.lifecycle import ErrorFrame as ErrorFrame
from antiphon.frames.lifecycle import HeartbeatFrame as HeartbeatFrame
from antiphon.frames.lifecycle import InterruptionFrame as InterruptionFrame
from antiphon.frames.lifecycle import LLMUsageMetricsData as LLMUsageMetricsData
from antiphon.frames.lifecycle import MetricsFrame as MetricsFrame
from antiphon.frames.lifecycle import ProcessingMetricsData as ProcessingMetricsData
from antiphon.frames.lifecycle import STTUsageMetricsData as STTUsageMetricsData
from antiphon.frames.lifecycle import StartFrame as StartFrame
from antiphon.frames.lifecycle import StopFrame as StopFrame
from antiphon.frames.lifecycle import TTFBMetricsData as TTFBMetricsData
from antiphon.frames.lifecycle import TTSUsageMetricsData as TTSUsageMetricsData
from antiphon.frames.lifecycle import TurnMetricsData as TurnMetricsData
from antiphon.frames.llm import LLMAssistantPushAggregationFrame as LLMAssistantPushAggregationFrame
from antiphon.frames.llm import LLMConfigureOutputFrame as LLMConfigureOutputFrame
from antiphon.frames.llm import LLMContextFrame as LLMContextFrame
from antiphon.frames.llm import LLMFullResponseEndFrame as LLMFullResponseEndFrame
from antiphon.frames.llm import LLMFullResponseStartFrame as LLMFullResponseStartFrame
from antiphon.frames.llm import LLMMarkerFrame as LLMMarkerFrame
from antiphon.frames.llm import LLMMessagesAppendFrame as LLMMessagesAppendFrame
from antiphon.frames.llm import LLMMessagesTransformFrame as LLMMessagesTransformFrame
from antiphon.frames.llm import LLMMessagesUpdateFrame as LLMMessagesUpdateFrame
from antiphon.frames.llm import LLMRunFrame as LLMRunFrame
from antiphon.frames.llm import LLMSetToolChoiceFrame as LLMSetToolChoiceFrame
from antiphon.frames.llm import LLMSetToolsFrame as LLMSetToolsFrame
from antiphon.frames.llm import LLMSummarizeContextFrame as LLMSummarizeContextFrame
from antiphon.frames.llm import LLMThoughtEndFrame as LLMThoughtEndFrame
from antiphon.frames.llm import LLMThoughtStartFrame as LLMThoughtStartFrame
from antiphon.frames.llm import LLMThoughtTextFrame as LLMThoughtTextFrame
from antiphon.frames.llm import LLMUpdateSettingsFrame as LLMUpdateSettingsFrame
from antiphon.frames.llm import STTUpdateSettingsFrame as STTUpdateSettingsFrame
from antiphon.frames.llm import ServiceUpdateSettingsFrame as ServiceUpdateSettingsFrame
from antiphon.frames.llm import TTSUpdateSettingsFrame as TTSUpdateSettingsFrame
from antiphon.frames.speech import EndCallFrame as EndCallFrame
from antiphon.frames.speech import STTMetadataFrame as STTMetadataFrame
from antiphon.frames.speech import STTMuteFrame as STTMuteFrame
from antiphon.frames.speech import SpeechLostFrame as SpeechLostFrame
from antiphon.frames.speech import TTSSpeakFrame as TTSSpeakFrame
from antiphon.frames.speech import TTSStartedFrame as TTSStartedFrame
from antiphon.frames.speech import TTSStoppedFrame as TTSStoppedFrame
from antiphon.frames.speech import VADParamsUpdateFrame as VADParamsUpdateFrame
from antiphon.frames.switch import ManuallySwitchServiceFrame as ManuallySwitchServiceFrame
from antiphon.frames.text import AggregatedTextFrame as AggregatedTextFrame
from antiphon.frames.text import InterimTranscriptionFrame as InterimTranscriptionFrame
from antiphon.frames.text import LLMTextFrame as LLMTextFrame
from antiphon.frames.text import TTSTextFrame as TTSTextFrame
from antiphon.frames.text import TextFrame as TextFrame
from antiphon.frames.text import TranscriptionFrame as TranscriptionFrame
from antiphon.frames.text import TranslationFrame as TranslationFrame
from antiphon.frames.tools import FunctionCallCancelFrame as FunctionCallCancelFrame
from antiphon.frames.tools import FunctionCallFromLLM as FunctionCallFromLLM
from antiphon.frames.tools import FunctionCallInProgressFrame as FunctionCallInProgressFrame
from antiphon.frames.tools import FunctionCallResultFrame as FunctionCallResultFrame
from antiphon.frames.tools import FunctionCallResultProperties as FunctionCallResultProperties
from antiphon.frames.tools import FunctionCallsStartedFrame as FunctionCallsStartedFrame
from antiphon.frames.transport import FilterControlFrame as FilterControlFrame
from antiphon.frames.transport import FilterEnableFrame as FilterEnableFrame
from antiphon.frames.transport import FilterUpdateSettingsFrame as FilterUpdateSettingsFrame
from antiphon.frames.transport import InputDTMFFrame as InputDTMFFrame
from antiphon.frames.transport import InputTransportMessageFrame as InputTransportMessageFrame
from antiphon.frames.transport import KeypadEntry as KeypadEntry
from antiphon.frames.transport import MixerControlFrame as MixerControlFrame
from antiphon.frames.transport import MixerEnableFrame as MixerEnableFrame
from antiphon.frames.transport import MixerUpdateSettingsFrame as MixerUpdateSettingsFrame
from antiphon.frames.transport import OutputDTMFFrame as OutputDTMFFrame
from antiphon.frames.transport import OutputDTMFUrgentFrame as OutputDTMFUrgentFrame
from antiphon.frames.transport import OutputTransportMessageFrame as OutputTransportMessageFrame
from antiphon.frames.transport import OutputTransportMessageUrgentFrame as OutputTransportMessageUrgentFrame
from antiphon.frames.turns import BotSpeakingFrame as BotSpeakingFrame
from antiphon.frames.turns import BotStartedSpeakingFrame as BotStartedSpeakingFrame
from antiphon.frames.turns import BotStoppedSpeakingFrame as BotStoppedSpeakingFrame
from antiphon.frames.turns import EndUserTurnFrame as EndUserTurnFrame
from antiphon.frames.turns import ProposedUserStartedSpeakingFrame as ProposedUserStartedSpeakingFrame
from antiphon.frames.turns import ProposedUserStoppedSpeakingFrame as ProposedUserStoppedSpeakingFrame
from antiphon.frames.turns import UserIdleTimeoutUpdateFrame as UserIdleTimeoutUpdateFrame
from antiphon.frames.turns import UserMuteStartedFrame as UserMuteStartedFrame
from antiphon.frames.turns import UserMuteStoppedFrame as UserMuteStoppedFrame
from antiphon.frames.turns import UserSpeakingFrame as UserSpeakingFrame
from antiphon.frames.turns import UserStartedSpeakingFrame as UserStartedSpeakingFrame
from antiphon.frames.turns import UserStoppedSpeakingFrame as UserStoppedSpeakingFrame
from antiphon.frames.turns import UserTurnInferenceCompletedFrame as UserTurnInferenceCompletedFrame
from antiphon.frames.turns import VADUserStartedSpeakingFrame as VADUserStartedSpeakingFrame
from antiphon.frames.turns import VADUserStoppedSpeakingFrame as VADUserStoppedSpeakingFrame
from antiphon.kernel.branches import ParallelPipeline as ParallelPipeline
from antiphon.kernel.epoch import FrameDirection as FrameDirection
from antiphon.kernel.event_source import Event as Event
from antiphon.kernel.event_source import EventSource as EventSource
from antiphon.kernel.mailbox import Feed as Feed
from antiphon.kernel.mailbox import Mailbox as Mailbox
from antiphon.kernel.observers import BaseObserver as BaseObserver
from antiphon.kernel.observers import FrameProcessed as FrameProcessed
from antiphon.kernel.observers import FramePushed as FramePushed
from antiphon.kernel.params import ErrorPolicy as ErrorPolicy
from antiphon.kernel.params import PipelineParams as PipelineParams
from antiphon.kernel.pipeline import Pipeline as Pipeline
from antiphon.kernel.processor import Emitter as Emitter
from antiphon.kernel.processor import FrameProcessor as FrameProcessor
from antiphon.kernel.processor import handles as handles
from antiphon.kernel.runner import PipelineRunner as PipelineRunner
from antiphon.kernel.switch import ServiceSwitcher as ServiceSwitcher
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategy as ServiceSwitcherStrategy
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategyFailover as ServiceSwitcherStrategyFailover
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategyManual as ServiceSwitcherStrategyManual
from antiphon.kernel.task import PipelineTask as PipelineTask
from antiphon.observe.conversation_log import ConversationLog as ConversationLog
from antiphon.observe.conversation_log import Party as Party
from antiphon.observe.conversation_log import SpeechSpan as SpeechSpan
from antiphon.observe.observer import ConversationObserver as ConversationObserver
from antiphon.observe.observer import RecordingObserver as RecordingObserver
from antiphon.observe.recording import TwoSides as TwoSides
from antiphon.observe.timeline import Timeline as Timeline
from antiphon.providers.anthropic.provider import AnthropicLLMProvider as AnthropicLLMProvider
from antiphon.providers.anthropic.service import AnthropicLLMService as AnthropicLLMService
from antiphon.providers.google.provider import GoogleLLMProvider as GoogleLLMProvider
from antiphon.providers.google.service import GoogleLLMService as GoogleLLMService
from antiphon.providers.local.llm_provider import LocalLLMProvider as LocalLLMProvider
from antiphon.providers.local.rules import RuleBasedLLMProvider as RuleBasedLLMProvider
from antiphon.providers.local.service import LocalSTTService as LocalSTTService
from antiphon.providers.local.service import LocalTTSService as LocalTTSService
from antiphon.providers.local.stt import LocalSTTProvider as LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider as LocalTTSProvider
from antiphon.providers.local.turn import LocalSmartTurnModel as LocalSmartTurnModel
from antiphon.providers.local.vad import SileroVADAnalyzer as SileroVADAnalyzer
from antiphon.providers.openai.provider import OpenAILLMProvider as OpenAILLMProvider
from antiphon.providers.openai.responses_provider import OpenAIResponsesLLMProvider as OpenAIResponsesLLMProvider
from antiphon.providers.openai.service import OpenAILLMService as OpenAILLMService
from antiphon.providers.openai.service import OpenAIResponsesLLMService as OpenAIResponsesLLMService
from antiphon.providers.select import llm_from_env as llm_from_env
from antiphon.services.contracts import AudioChunk as AudioChunk
from antiphon.services.contracts import CallerSpeechStarted as CallerSpeechStarted
from antiphon.services.contracts import CallerSpeechStopped as CallerSpeechStopped
from antiphon.services.contracts import CancelResponse as CancelResponse
from antiphon.services.contracts import ConversationItem as ConversationItem
from antiphon.services.contracts import Finalize as Finalize
from antiphon.services.contracts import InputTranscript as InputTranscript
from antiphon.services.contracts import LLMEvent as LLMEvent
from antiphon.services.contracts import LLMProvider as LLMProvider
from antiphon.services.contracts import LLMRequest as LLMRequest
from antiphon.services.contracts import OutputTranscript as OutputTranscript
from antiphon.services.contracts import RealtimeCapabilities as RealtimeCapabilities
from antiphon.services.contracts import RealtimeEvent as RealtimeEvent
from antiphon.services.contracts import RealtimeInput as RealtimeInput
from antiphon.services.contracts import RealtimeProblem as RealtimeProblem
from antiphon.services.contracts import RealtimeProvider as RealtimeProvider
from antiphon.services.contracts import RealtimeSession as RealtimeSession
from antiphon.services.contracts import Respond as Respond
from antiphon.services.contracts import ResponseAudio as ResponseAudio
from antiphon.services.contracts import ResponseDone as ResponseDone
from antiphon.services.contracts import ResponseStarted as ResponseStarted
from antiphon.services.contracts import ResponseStatus as ResponseStatus
from antiphon.services.contracts import STTCapabilities as STTCapabilities
from antiphon.services.contracts import STTProvider as STTProvider
from antiphon.services.contracts import SpeechAudio as SpeechAudio
from antiphon.services.contracts import TTSCapabilities as TTSCapabilities
from antiphon.services.contracts import TTSEvent as TTSEvent
from antiphon.services.contracts import TTSProvider as TTSProvider
from antiphon.services.contracts import TextDelta as TextDelta
from antiphon.services.contracts import ThoughtDelta as ThoughtDelta
from antiphon.services.contracts import ThoughtSignature as ThoughtSignature
from antiphon.services.contracts import TokenUsage as TokenUsage
from antiphon.services.contracts import ToolCall as ToolCall
from antiphon.services.contracts import ToolOutput as ToolOutput
from antiphon.services.contracts import ToolSpec as ToolSpec
from antiphon.services.contracts import Transcript as Transcript
from antiphon.services.contracts import Truncate as Truncate
from antiphon.services.contracts import Truncated as Truncated
from antiphon.services.contracts import WordTime as WordTime
from antiphon.services.llm import LLMService as LLMService
from antiphon.services.llm_options import LLMOptions as LLMOptions
from antiphon.services.realtime import RealtimeService as RealtimeService
from antiphon.services.realtime import realtime_strategies as realtime_strategies
from antiphon.services.stt import STTService as STTService
from antiphon.services.tts import TTSService as TTSService
from antiphon.settings import LLMSettings as LLMSettings
from antiphon.settings import RealtimeSettings as RealtimeSettings
from antiphon.settings import STTSettings as STTSettings
from antiphon.settings import ServiceSettings as ServiceSettings
from antiphon.settings import TTSSettings as TTSSettings
from antiphon.simulation.testing import SleepFrame as SleepFrame
from antiphon.simulation.testing import run_test as run_test
from antiphon.text.markup import MatchAction as MatchAction
from antiphon.text.markup import Pattern as Pattern
from antiphon.text.markup import Splitter as Splitter
from antiphon.text.markup import TextUnit as TextUnit
from antiphon.text.markup import TokenSplitter as TokenSplitter
from antiphon.text.markup import UnitAggregator as UnitAggregator
from antiphon.text.sentences import SentenceSplitter as SentenceSplitter
from antiphon.text.speakable import Speakable as Speakable
from antiphon.tools.mcp import MCPToolset as MCPToolset
from antiphon.tools.mcp import StdioServer as StdioServer
from antiphon.tools.params import EndCall as EndCall
from antiphon.tools.params import FunctionCallParams as FunctionCallParams
from antiphon.tools.params import ResultCallback as ResultCallback
from antiphon.tools.schema import FunctionSchema as FunctionSchema
from antiphon.tools.schema import ToolOptions as ToolOptions
from antiphon.tools.schema import ToolsSchema as ToolsSchema
from antiphon.tools.schema import tool_options as tool_options
from antiphon.transports.base import BaseTransport as BaseTransport
from antiphon.transports.file import FileTransport as FileTransport
from antiphon.transports.input import InputTransport as InputTransport
from antiphon.transports.local import LocalAudioTransport as LocalAudioTransport
from antiphon.transports.output import OutputTransport as OutputTransport
from antiphon.transports.params import TransportParams as TransportParams
from antiphon.transports.recorder import AudioBufferProcessor as AudioBufferProcessor
from antiphon.transports.serializer import FrameCodecSerializer as FrameCodecSerializer
from antiphon.transports.serializer import FrameSerializer as FrameSerializer
from antiphon.transports.sinks import AudioSink as AudioSink
from antiphon.transports.sinks import CallbackSink as CallbackSink
from antiphon.transports.sinks import ClearableSink as ClearableSink
from antiphon.transports.sinks import KeySink as KeySink
from antiphon.transports.sinks import MessageSink as MessageSink
from antiphon.transports.sinks import OpenableSink as OpenableSink
from antiphon.turns.backchannel import BackchannelUserTurnStartStrategy as BackchannelUserTurnStartStrategy
from antiphon.turns.completion import UserTurnCompletionConfig as UserTurnCompletionConfig
from antiphon.turns.completion_strategies import LLMTurnCompletionUserTurnStopStrategy as LLMTurnCompletionUserTurnStopStrategy
from antiphon.turns.completion_strategies import deferred as deferred
from antiphon.turns.controller import UserTurnStartedParams as UserTurnStartedParams
from antiphon.turns.controller import UserTurnStoppedParams as UserTurnStoppedParams
from antiphon.turns.echo import EchoGuardUserTurnStartStrategy as EchoGuardUserTurnStartStrategy
from antiphon.turns.endpointing import DynamicEndpointingUserTurnStopStrategy as DynamicEndpointingUserTurnStopStrategy
from antiphon.turns.facts import AnnouncedStart as AnnouncedStart
from antiphon.turns.facts import AnnouncedStop as AnnouncedStop
from antiphon.turns.facts import BotSaid as BotSaid
from antiphon.turns.facts import BotStarted as BotStarted
from antiphon.turns.facts import BotStopped as BotStopped
from antiphon.turns.facts import CompletionDenied as CompletionDenied
from antiphon.turns.facts import CompletionJudged as CompletionJudged
from antiphon.turns.facts import Fact as Fact
from antiphon.turns.facts import FrameSeen as FrameSeen
from antiphon.turns.facts import InferenceTriggered as InferenceTriggered
from antiphon.turns.facts import Interrupted as Interrupted
from antiphon.turns.facts import Muted as Muted
from antiphon.turns.facts import ProposedStart as ProposedStart
from antiphon.turns.facts import ProposedStop as ProposedStop
from antiphon.turns.facts import SpeechStarted as SpeechStarted
from antiphon.turns.facts import SpeechStopped as SpeechStopped
from antiphon.turns.facts import TextForgotten as TextForgotten
from antiphon.turns.facts import TranscriberLatency as TranscriberLatency
from antiphon.turns.facts import TranscriptReceived as TranscriptReceived
from antiphon.turns.facts import TurnModelVerdict as TurnModelVerdict
from antiphon.turns.facts import TurnStarted as TurnStarted
from antiphon.turns.facts import TurnStopped as TurnStopped
from antiphon.turns.facts import Unmuted as Unmuted
from antiphon.turns.machine_actions import Decision as Decision
from antiphon.turns.mute import AlwaysUserMuteStrategy as AlwaysUserMuteStrategy
from antiphon.turns.mute import FirstSpeechUserMuteStrategy as FirstSpeechUserMuteStrategy
from antiphon.turns.mute import FunctionCallUserMuteStrategy as FunctionCallUserMuteStrategy
from antiphon.turns.mute import MuteUntilFirstBotCompleteUserMuteStrategy as MuteUntilFirstBotCompleteUserMuteStrategy
from antiphon.turns.mute import UserMuteStrategy as UserMuteStrategy
from antiphon.turns.opinions import AskTurnModel as AskTurnModel
from antiphon.turns.opinions import EndTurn as EndTurn
from antiphon.turns.opinions import Forget as Forget
from antiphon.turns.opinions import HoldSpeech as HoldSpeech
from antiphon.turns.opinions import Notify as Notify
from antiphon.turns.opinions import Opinion as Opinion
from antiphon.turns.opinions import ReleaseSpeech as ReleaseSpeech
from antiphon.turns.opinions import RunInference as RunInference
from antiphon.turns.opinions import SendFrame as SendFrame
from antiphon.turns.opinions import StartTurn as StartTurn
from antiphon.turns.opinions import Swallow as Swallow
from antiphon.turns.processor import UserTurnProcessor as UserTurnProcessor
from antiphon.turns.start_strategies import ExternalUserTurnStartStrategy as ExternalUserTurnStartStrategy
from antiphon.turns.start_strategies import MinWordsUserTurnStartStrategy as MinWordsUserTurnStartStrategy
from antiphon.turns.start_strategies import TranscriptionUserTurnStartStrategy as TranscriptionUserTurnStartStrategy
from antiphon.turns.start_strategies import VADUserTurnStartStrategy as VADUserTurnStartStrategy
from antiphon.turns.start_strategies import WakePhraseUserTurnStartStrategy as WakePhraseUserTurnStartStrategy
from antiphon.turns.stop_strategies import ExternalUserTurnStopStrategy as ExternalUserTurnStopStrategy
from antiphon.turns.stop_strategies import SpeechTimeoutUserTurnStopStrategy as SpeechTimeoutUserTurnStopStrategy
from antiphon.turns.stop_strategies import TranscriptionUserTurnStopStrategy as TranscriptionUserTurnStopStrategy
from antiphon.turns.stop_strategies import TurnAnalyzerUserTurnStopStrategy as TurnAnalyzerUserTurnStopStrategy
from antiphon.turns.strategies import ExternalUserTurnStrategies as ExternalUserTurnStrategies
from antiphon.turns.strategies import FilterIncompleteUserTurnStrategies as FilterIncompleteUserTurnStrategies
from antiphon.turns.strategies import UserTurnStrategies as UserTurnStrategies
from antiphon.turns.strategy import BaseUserTurnStartStrategy as BaseUserTurnStartStrategy
from antiphon.turns.strategy import BaseUserTurnStopStrategy as BaseUserTurnStopStrategy
from antiphon.turns.strategy import TurnModel as TurnModel
from antiphon.turns.strategy import TurnStrategy as TurnStrategy
from antiphon.turns.strategy import UserTurnStartStrategy as UserTurnStartStrategy
from antiphon.turns.strategy import UserTurnStopStrategy as UserTurnStopStrategy
from antiphon.turns.vad_driver import VADAnalyzer as VADAnalyzer
from antiphon.turns.vad_driver import VADProcessor as VADProcessor

__version__: str
_public: PublicNames
__all__ = [
    "AdjustableFilter",
    "AdjustableMixer",
    "AggregatedTextFrame",
    "AlreadyInPipelineError",
    "AlwaysUserMuteStrategy",
    "AnnouncedStart",
    "AnnouncedStop",
    "AnthropicLLMProvider",
    "AnthropicLLMService",
    "AntiphonError",
    "AskTurnModel",
    "AssistantThoughtMessage",
    "AssistantTurnStoppedMessage",
    "AudioBufferProcessor",
    "AudioChunk",
    "AudioFilter",
    "AudioMixer",
    "AudioSink",
    "AuthenticationError",
    "AuthorizationError",
    "BackchannelUserTurnStartStrategy",
    "BaseObserver",
    "BaseTransport",
    "BaseUserTurnStartStrategy",
    "BaseUserTurnStopStrategy",
    "BotSaid",
    "BotSpeakingFrame",
    "BotStarted",
    "BotStartedSpeakingFrame",
    "BotStopped",
    "BotStoppedSpeakingFrame",
    "CallbackSink",
    "CallerSpeechStarted",
    "CallerSpeechStopped",
    "CancelFrame",
    "CancelResponse",
    "ClearableSink",
    "Clock",
    "CompletionDenied",
    "CompletionJudged",
    "ConfigurationError",
    "ConnectivityError",
    "ContextSnapshot",
    "ContextSummarizer",
    "ControlFrame",
    "ConversationItem",
    "ConversationLog",
    "ConversationObserver",
    "DataFrame",
    "Decision",
    "DynamicEndpointingUserTurnStopStrategy",
    "EchoGuardUserTurnStartStrategy",
    "Emitter",
    "EndCall",
    "EndCallFrame",
    "EndFrame",
    "EndRequestFrame",
    "EndTurn",
    "EndUserTurnFrame",
    "EnergyVADModel",
    "ErrorCategory",
    "ErrorFrame",
    "ErrorPolicy",
    "Event",
    "EventSource",
    "ExternalUserTurnStartStrategy",
    "ExternalUserTurnStopStrategy",
    "ExternalUserTurnStrategies",
    "Fact",
    "Feed",
    "FileTransport",
    "FilterControlFrame",
    "FilterEnableFrame",
    "FilterIncompleteUserTurnStrategies",
    "FilterUpdateSettingsFrame",
    "Finalize",
    "FirstSpeechUserMuteStrategy",
    "Forget",
    "Frame",
    "FrameCodec",
    "FrameCodecSerializer",
    "FrameDirection",
    "FrameProcessed",
    "FrameProcessor",
    "FramePushed",
    "FrameSeen",
    "FrameSerializer",
    "FunctionCallCancelFrame",
    "FunctionCallFromLLM",
    "FunctionCallInProgressFrame",
    "FunctionCallParams",
    "FunctionCallResultFrame",
    "FunctionCallResultProperties",
    "FunctionCallUserMuteStrategy",
    "FunctionCallsStartedFrame",
    "FunctionSchema",
    "GainFilter",
    "GoogleLLMProvider",
    "GoogleLLMService",
    "HandlerTimeoutError",
    "HeartbeatFrame",
    "HoldSpeech",
    "InferenceTriggered",
    "InputAudioRawFrame",
    "InputDTMFFrame",
    "InputImageRawFrame",
    "InputTranscript",
    "InputTransport",
    "InputTransportMessageFrame",
    "InterimTranscriptionFrame",
    "Interrupted",
    "InterruptionFrame",
    "InvalidInputError",
    "InvalidRequestError",
    "KernelError",
    "KeySink",
    "KeypadEntry",
    "LLMAssistantAggregator",
    "LLMAssistantAggregatorParams",
    "LLMAssistantPushAggregationFrame",
    "LLMAutoContextSummarizationConfig",
    "LLMConfigureOutputFrame",
    "LLMContext",
    "LLMContextAggregatorPair",
    "LLMContextFrame",
    "LLMContextSummaryConfig",
    "LLMEvent",
    "LLMFullResponseEndFrame",
    "LLMFullResponseStartFrame",
    "LLMMarkerFrame",
    "LLMMessagesAppendFrame",
    "LLMMessagesTransformFrame",
    "LLMMessagesUpdateFrame",
    "LLMOptions",
    "LLMProvider",
    "LLMRequest",
    "LLMRunFrame",
    "LLMService",
    "LLMSetToolChoiceFrame",
    "LLMSetToolsFrame",
    "LLMSettings",
    "LLMSpecificMessage",
    "LLMSummarizeContextFrame",
    "LLMTextFrame",
    "LLMThoughtEndFrame",
    "LLMThoughtStartFrame",
    "LLMThoughtTextFrame",
    "LLMTurnCompletionUserTurnStopStrategy",
    "LLMUpdateSettingsFrame",
    "LLMUsageMetricsData",
    "LLMUserAggregator",
    "LLMUserAggregatorParams",
    "LocalAudioTransport",
    "LocalLLMProvider",
    "LocalSTTProvider",
    "LocalSTTService",
    "LocalSmartTurnModel",
    "LocalTTSProvider",
    "LocalTTSService",
    "MCPToolset",
    "Mailbox",
    "MailboxFullError",
    "ManuallySwitchServiceFrame",
    "MatchAction",
    "MessageSink",
    "MetricsFrame",
    "MinWordsUserTurnStartStrategy",
    "MissingExtraError",
    "MissingModelError",
    "MixerControlFrame",
    "MixerEnableFrame",
    "MixerUpdateSettingsFrame",
    "MuteUntilFirstBotCompleteUserMuteStrategy",
    "Muted",
    "NotInPipelineError",
    "Notify",
    "OpenAILLMProvider",
    "OpenAILLMService",
    "OpenAIResponsesLLMProvider",
    "OpenAIResponsesLLMService",
    "OpenableSink",
    "Opinion",
    "OutputAudioRawFrame",
    "OutputDTMFFrame",
    "OutputDTMFUrgentFrame",
    "OutputImageRawFrame",
    "OutputTranscript",
    "OutputTransport",
    "OutputTransportMessageFrame",
    "OutputTransportMessageUrgentFrame",
    "ParallelPipeline",
    "Party",
    "Pattern",
    "Pipeline",
    "PipelineParams",
    "PipelineRunner",
    "PipelineTask",
    "ProcessingMetricsData",
    "ProposedStart",
    "ProposedStop",
    "ProposedUserStartedSpeakingFrame",
    "ProposedUserStoppedSpeakingFrame",
    "QuotaError",
    "RateLimitError",
    "RealtimeCapabilities",
    "RealtimeEvent",
    "RealtimeInput",
    "RealtimeProblem",
    "RealtimeProvider",
    "RealtimeService",
    "RealtimeSession",
    "RealtimeSettings",
    "RecordingObserver",
    "ReleaseSpeech",
    "Resampler",
    "Respond",
    "ResponseAudio",
    "ResponseDone",
    "ResponseStarted",
    "ResponseStatus",
    "ResultCallback",
    "RuleBasedLLMProvider",
    "RunInference",
    "STTCapabilities",
    "STTMetadataFrame",
    "STTMuteFrame",
    "STTProvider",
    "STTService",
    "STTSettings",
    "STTUpdateSettingsFrame",
    "STTUsageMetricsData",
    "SendFrame",
    "SentenceSplitter",
    "ServerError",
    "ServiceError",
    "ServiceSettings",
    "ServiceSwitcher",
    "ServiceSwitcherStrategy",
    "ServiceSwitcherStrategyFailover",
    "ServiceSwitcherStrategyManual",
    "ServiceUpdateSettingsFrame",
    "SileroVADAnalyzer",
    "SleepFrame",
    "SoundMixer",
    "Speakable",
    "SpeechAudio",
    "SpeechLostFrame",
    "SpeechSpan",
    "SpeechStarted",
    "SpeechStopped",
    "SpeechTimeoutUserTurnStopStrategy",
    "Splitter",
    "StartFrame",
    "StartTimeoutError",
    "StartTurn",
    "StdioServer",
    "StopFrame",
    "SummaryAppliedEvent",
    "Swallow",
    "SystemFrame",
    "TTFBMetricsData",
    "TTSAudioRawFrame",
    "TTSCapabilities",
    "TTSEvent",
    "TTSProvider",
    "TTSService",
    "TTSSettings",
    "TTSSpeakFrame",
    "TTSStartedFrame",
    "TTSStoppedFrame",
    "TTSTextFrame",
    "TTSUpdateSettingsFrame",
    "TTSUsageMetricsData",
    "TextDelta",
    "TextForgotten",
    "TextFrame",
    "TextUnit",
    "ThoughtDelta",
    "ThoughtSignature",
    "Timeline",
    "TokenSplitter",
    "TokenUsage",
    "ToolCall",
    "ToolError",
    "ToolOptions",
    "ToolOutput",
    "ToolSpec",
    "ToolsSchema",
    "TranscriberLatency",
    "Transcript",
    "TranscriptReceived",
    "TranscriptionFrame",
    "TranscriptionUserTurnStartStrategy",
    "TranscriptionUserTurnStopStrategy",
    "TranslationFrame",
    "TransportParams",
    "Truncate",
    "Truncated",
    "TurnAnalyzerUserTurnStopStrategy",
    "TurnMetricsData",
    "TurnModel",
    "TurnModelVerdict",
    "TurnStarted",
    "TurnStopped",
    "TurnStrategy",
    "TwoSides",
    "UninterruptibleFrame",
    "UnitAggregator",
    "UnknownEventError",
    "UnknownNameError",
    "Unmuted",
    "UserAudioRawFrame",
    "UserIdleTimeoutUpdateFrame",
    "UserImageRawFrame",
    "UserImageRequestFrame",
    "UserMuteStartedFrame",
    "UserMuteStoppedFrame",
    "UserMuteStrategy",
    "UserSpeakingFrame",
    "UserStartedSpeakingFrame",
    "UserStoppedSpeakingFrame",
    "UserTurnCompletionConfig",
    "UserTurnInferenceCompletedFrame",
    "UserTurnMessageAddedMessage",
    "UserTurnProcessor",
    "UserTurnStartStrategy",
    "UserTurnStartedParams",
    "UserTurnStopStrategy",
    "UserTurnStoppedMessage",
    "UserTurnStoppedParams",
    "UserTurnStrategies",
    "VADAnalyzer",
    "VADModel",
    "VADParams",
    "VADParamsUpdateFrame",
    "VADProcessor",
    "VADUserStartedSpeakingFrame",
    "VADUserStoppedSpeakingFrame",
    "VADUserTurnStartStrategy",
    "VoiceDetector",
    "VoiceStarted",
    "VoiceStopped",
    "WakePhraseUserTurnStartStrategy",
    "WavFile",
    "WavWriter",
    "WebRTCNoiseFilter",
    "WordTime",
    "deferred",
    "handles",
    "llm_from_env",
    "read_wav",
    "realtime_strategies",
    "run_test",
    "tool_options",
    "write_wav",
]
