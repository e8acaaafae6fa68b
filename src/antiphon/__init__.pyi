# Generated from __init__.py by scripts/stub.py.

from antiphon.audio.mixer import SoundMixer as SoundMixer
from antiphon.audio.vad import VADParams as VADParams
from antiphon.clock import Clock as Clock
from antiphon.context.assistant_aggregator import AssistantTurnStoppedMessage as AssistantTurnStoppedMessage
from antiphon.context.assistant_aggregator import LLMAssistantAggregatorParams as LLMAssistantAggregatorParams
from antiphon.context.llm_context import LLMContext as LLMContext
from antiphon.context.pair import LLMContextAggregatorPair as LLMContextAggregatorPair
from antiphon.context.summary import LLMAutoContextSummarizationConfig as LLMAutoContextSummarizationConfig
from antiphon.context.summary import LLMContextSummaryConfig as LLMContextSummaryConfig
from antiphon.context.user_aggregator import LLMUserAggregatorParams as LLMUserAggregatorParams
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
from antiphon.frames.lifecycle import CancelFrame as CancelFrame
from antiphon.frames.lifecycle import EndFrame as EndFrame
from antiphon.frames.lifecycle import ErrorFrame as ErrorFrame
from antiphon.frames.lifecycle import HeartbeatFrame as HeartbeatFrame
from antiphon.frames.lifecycle import InterruptionFrame as InterruptionFrame
from antiphon.frames.lifecycle import MetricsFrame as MetricsFrame
from antiphon.frames.lifecycle import StartFrame as StartFrame
from antiphon.frames.lifecycle import StopFrame as StopFrame
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
from antiphon.frames.llm import TTSUpdateSettingsFrame as TTSUpdateSettingsFrame
from antiphon.frames.speech import STTMuteFrame as STTMuteFrame
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
from antiphon.kernel.mailbox import Feed as Feed
from antiphon.kernel.mailbox import Mailbox as Mailbox
from antiphon.kernel.observers import BaseObserver as BaseObserver
from antiphon.kernel.observers import FrameProcessed as FrameProcessed
from antiphon.kernel.observers import FramePushed as FramePushed
from antiphon.kernel.params import PipelineParams as PipelineParams
from antiphon.kernel.pipeline import Pipeline as Pipeline
from antiphon.kernel.processor import FrameProcessor as FrameProcessor
from antiphon.kernel.processor import handles as handles
from antiphon.kernel.runner import PipelineRunner as PipelineRunner
from antiphon.kernel.switch import ServiceSwitcher as ServiceSwitcher
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategyFailover as ServiceSwitcherStrategyFailover
from antiphon.kernel.switch_strategies import ServiceSwitcherStrategyManual as ServiceSwitcherStrategyManual
from antiphon.kernel.task import PipelineTask as PipelineTask
from antiphon.providers.local.service import LocalSTTService as LocalSTTService
from antiphon.providers.local.service import LocalTTSService as LocalTTSService
from antiphon.providers.local.vad import SileroVADAnalyzer as SileroVADAnalyzer
from antiphon.providers.select import llm_from_env as llm_from_env
from antiphon.services.llm import LLMService as LLMService
from antiphon.services.realtime import RealtimeService as RealtimeService
from antiphon.services.realtime import realtime_strategies as realtime_strategies
from antiphon.services.stt import STTService as STTService
from antiphon.services.tts import TTSService as TTSService
from antiphon.simulation.testing import SleepFrame as SleepFrame
from antiphon.simulation.testing import run_test as run_test
from antiphon.text.speakable import Speakable as Speakable
from antiphon.tools.execution import FunctionCallParams as FunctionCallParams
from antiphon.tools.schema import FunctionSchema as FunctionSchema
from antiphon.tools.schema import ToolsSchema as ToolsSchema
from antiphon.tools.schema import tool_options as tool_options
from antiphon.transports.base import BaseTransport as BaseTransport
from antiphon.transports.local import LocalAudioTransport as LocalAudioTransport
from antiphon.transports.params import TransportParams as TransportParams
from antiphon.transports.serializer import FrameSerializer as FrameSerializer
from antiphon.turns.backchannel import BackchannelUserTurnStartStrategy as BackchannelUserTurnStartStrategy
from antiphon.turns.completion import UserTurnCompletionConfig as UserTurnCompletionConfig
from antiphon.turns.completion_strategies import LLMTurnCompletionUserTurnStopStrategy as LLMTurnCompletionUserTurnStopStrategy
from antiphon.turns.completion_strategies import deferred as deferred
from antiphon.turns.echo import EchoGuardUserTurnStartStrategy as EchoGuardUserTurnStartStrategy
from antiphon.turns.endpointing import DynamicEndpointingUserTurnStopStrategy as DynamicEndpointingUserTurnStopStrategy
from antiphon.turns.mute import AlwaysUserMuteStrategy as AlwaysUserMuteStrategy
from antiphon.turns.mute import FirstSpeechUserMuteStrategy as FirstSpeechUserMuteStrategy
from antiphon.turns.mute import FunctionCallUserMuteStrategy as FunctionCallUserMuteStrategy
from antiphon.turns.mute import MuteUntilFirstBotCompleteUserMuteStrategy as MuteUntilFirstBotCompleteUserMuteStrategy
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

__version__: str
_MODULE_OF: dict[str, str]
__all__ = [
    "AggregatedTextFrame",
    "AlreadyInPipelineError",
    "AlwaysUserMuteStrategy",
    "AntiphonError",
    "AssistantTurnStoppedMessage",
    "AuthenticationError",
    "AuthorizationError",
    "BackchannelUserTurnStartStrategy",
    "BaseObserver",
    "BaseTransport",
    "BotSpeakingFrame",
    "BotStartedSpeakingFrame",
    "BotStoppedSpeakingFrame",
    "CancelFrame",
    "Clock",
    "ConfigurationError",
    "ConnectivityError",
    "ControlFrame",
    "DataFrame",
    "DynamicEndpointingUserTurnStopStrategy",
    "EchoGuardUserTurnStartStrategy",
    "EndFrame",
    "ErrorCategory",
    "ErrorFrame",
    "ExternalUserTurnStartStrategy",
    "ExternalUserTurnStopStrategy",
    "ExternalUserTurnStrategies",
    "Feed",
    "FilterControlFrame",
    "FilterEnableFrame",
    "FilterIncompleteUserTurnStrategies",
    "FilterUpdateSettingsFrame",
    "FirstSpeechUserMuteStrategy",
    "Frame",
    "FrameDirection",
    "FrameProcessed",
    "FrameProcessor",
    "FramePushed",
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
    "HandlerTimeoutError",
    "HeartbeatFrame",
    "InputAudioRawFrame",
    "InputDTMFFrame",
    "InputImageRawFrame",
    "InputTransportMessageFrame",
    "InterimTranscriptionFrame",
    "InterruptionFrame",
    "InvalidInputError",
    "InvalidRequestError",
    "KernelError",
    "KeypadEntry",
    "LLMAssistantAggregatorParams",
    "LLMAssistantPushAggregationFrame",
    "LLMAutoContextSummarizationConfig",
    "LLMConfigureOutputFrame",
    "LLMContext",
    "LLMContextAggregatorPair",
    "LLMContextFrame",
    "LLMContextSummaryConfig",
    "LLMFullResponseEndFrame",
    "LLMFullResponseStartFrame",
    "LLMMarkerFrame",
    "LLMMessagesAppendFrame",
    "LLMMessagesTransformFrame",
    "LLMMessagesUpdateFrame",
    "LLMRunFrame",
    "LLMService",
    "LLMSetToolChoiceFrame",
    "LLMSetToolsFrame",
    "LLMSummarizeContextFrame",
    "LLMTextFrame",
    "LLMThoughtEndFrame",
    "LLMThoughtStartFrame",
    "LLMThoughtTextFrame",
    "LLMTurnCompletionUserTurnStopStrategy",
    "LLMUpdateSettingsFrame",
    "LLMUserAggregatorParams",
    "LocalAudioTransport",
    "LocalSTTService",
    "LocalTTSService",
    "Mailbox",
    "MailboxFullError",
    "ManuallySwitchServiceFrame",
    "MetricsFrame",
    "MinWordsUserTurnStartStrategy",
    "MissingExtraError",
    "MissingModelError",
    "MixerControlFrame",
    "MixerEnableFrame",
    "MixerUpdateSettingsFrame",
    "MuteUntilFirstBotCompleteUserMuteStrategy",
    "NotInPipelineError",
    "OutputAudioRawFrame",
    "OutputDTMFFrame",
    "OutputDTMFUrgentFrame",
    "OutputImageRawFrame",
    "OutputTransportMessageFrame",
    "OutputTransportMessageUrgentFrame",
    "ParallelPipeline",
    "Pipeline",
    "PipelineParams",
    "PipelineRunner",
    "PipelineTask",
    "QuotaError",
    "RateLimitError",
    "RealtimeService",
    "STTMuteFrame",
    "STTService",
    "STTUpdateSettingsFrame",
    "ServerError",
    "ServiceError",
    "ServiceSwitcher",
    "ServiceSwitcherStrategyFailover",
    "ServiceSwitcherStrategyManual",
    "SileroVADAnalyzer",
    "SleepFrame",
    "SoundMixer",
    "Speakable",
    "SpeechTimeoutUserTurnStopStrategy",
    "StartFrame",
    "StartTimeoutError",
    "StopFrame",
    "SystemFrame",
    "TTSAudioRawFrame",
    "TTSService",
    "TTSSpeakFrame",
    "TTSStartedFrame",
    "TTSStoppedFrame",
    "TTSTextFrame",
    "TTSUpdateSettingsFrame",
    "TextFrame",
    "ToolsSchema",
    "TranscriptionFrame",
    "TranscriptionUserTurnStartStrategy",
    "TranscriptionUserTurnStopStrategy",
    "TranslationFrame",
    "TransportParams",
    "TurnAnalyzerUserTurnStopStrategy",
    "UninterruptibleFrame",
    "UnknownEventError",
    "UnknownNameError",
    "UserAudioRawFrame",
    "UserIdleTimeoutUpdateFrame",
    "UserImageRawFrame",
    "UserImageRequestFrame",
    "UserMuteStartedFrame",
    "UserMuteStoppedFrame",
    "UserSpeakingFrame",
    "UserStartedSpeakingFrame",
    "UserStoppedSpeakingFrame",
    "UserTurnCompletionConfig",
    "UserTurnInferenceCompletedFrame",
    "UserTurnProcessor",
    "UserTurnStoppedMessage",
    "UserTurnStrategies",
    "VADParams",
    "VADParamsUpdateFrame",
    "VADUserStartedSpeakingFrame",
    "VADUserStoppedSpeakingFrame",
    "VADUserTurnStartStrategy",
    "WakePhraseUserTurnStartStrategy",
    "deferred",
    "handles",
    "llm_from_env",
    "realtime_strategies",
    "run_test",
    "tool_options",
]
