# Generated from __init__.py by scripts/stub.py.

from antiphon.public_names import PublicNames
from antiphon.simulation.agents import build_pipeline as build_pipeline
from antiphon.simulation.calls.caller import Caller as Caller
from antiphon.simulation.calls.caller import CallerInput as CallerInput
from antiphon.simulation.calls.caller import ExpectationError as ExpectationError
from antiphon.simulation.calls.caller import HeldCall as HeldCall
from antiphon.simulation.calls.caller import Manner as Manner
from antiphon.simulation.calls.caller import SpokenLine as SpokenLine
from antiphon.simulation.calls.caller import hold_call as hold_call
from antiphon.simulation.calls.ears import CaptionEar as CaptionEar
from antiphon.simulation.calls.ears import CodedEar as CodedEar
from antiphon.simulation.calls.ears import Ear as Ear
from antiphon.simulation.calls.ears import TranscribingEar as TranscribingEar
from antiphon.simulation.calls.mouths import FactMouth as FactMouth
from antiphon.simulation.calls.mouths import Mouth as Mouth
from antiphon.simulation.calls.mouths import SoundMouth as SoundMouth
from antiphon.simulation.calls.scenario import CallerSettings as CallerSettings
from antiphon.simulation.calls.scenario import Scenario as Scenario
from antiphon.simulation.calls.steps import ScenarioStep as ScenarioStep
from antiphon.simulation.calls.steps import StepVerb as StepVerb
from antiphon.simulation.calls.trace import CallTrace as CallTrace
from antiphon.simulation.calls.trials import Failure as Failure
from antiphon.simulation.calls.trials import Problem as Problem
from antiphon.simulation.calls.trials import Report as Report
from antiphon.simulation.calls.trials import ShortfallKind as ShortfallKind
from antiphon.simulation.calls.trials import hold as hold
from antiphon.simulation.calls.trials import hold_scenario as hold_scenario
from antiphon.simulation.calls.trials import seeds_of as seeds_of
from antiphon.simulation.calls.trials import try_seed as try_seed
from antiphon.simulation.calls.trials import try_seeds as try_seeds
from antiphon.simulation.calls.voices import CodedVoice as CodedVoice
from antiphon.simulation.calls.voices import SynthesisedVoice as SynthesisedVoice
from antiphon.simulation.contracts.models import check_turn_model as check_turn_model
from antiphon.simulation.contracts.models import check_vad_model as check_vad_model
from antiphon.simulation.contracts.processor import check_processor as check_processor
from antiphon.simulation.contracts.providers import check_llm_provider as check_llm_provider
from antiphon.simulation.contracts.providers import check_stt_provider as check_stt_provider
from antiphon.simulation.contracts.providers import check_tts_provider as check_tts_provider
from antiphon.simulation.contracts.realtime import check_realtime_provider as check_realtime_provider
from antiphon.simulation.contracts.serializer import check_serializer as check_serializer
from antiphon.simulation.contracts.strategy import check_start_strategy as check_start_strategy
from antiphon.simulation.contracts.strategy import check_stop_strategy as check_stop_strategy
from antiphon.simulation.contracts.suite import ContractError as ContractError
from antiphon.simulation.contracts.suite import ContractRule as ContractRule
from antiphon.simulation.contracts.trace import PartTrace as PartTrace
from antiphon.simulation.contracts.transport import check_output_sink as check_output_sink
from antiphon.simulation.contracts.transport import check_transport as check_transport
from antiphon.simulation.errors import DeadlockError as DeadlockError
from antiphon.simulation.errors import DeterminismError as DeterminismError
from antiphon.simulation.errors import EndlessStepError as EndlessStepError
from antiphon.simulation.errors import LivelockError as LivelockError
from antiphon.simulation.errors import SimulationError as SimulationError
from antiphon.simulation.errors import UncleanRunError as UncleanRunError
from antiphon.simulation.errors import VirtualDeadlineError as VirtualDeadlineError
from antiphon.simulation.fakes.delays import lognormal as lognormal
from antiphon.simulation.fakes.delays import uniform as uniform
from antiphon.simulation.fakes.language_model import FakeLLMProvider as FakeLLMProvider
from antiphon.simulation.fakes.language_model import Reply as Reply
from antiphon.simulation.fakes.language_model import call as call
from antiphon.simulation.fakes.provider import Fail as Fail
from antiphon.simulation.fakes.provider import FakeProvider as FakeProvider
from antiphon.simulation.fakes.provider import Hang as Hang
from antiphon.simulation.fakes.provider import Stall as Stall
from antiphon.simulation.fakes.provider import from_now_on as from_now_on
from antiphon.simulation.fakes.realtime import FakeRealtimeProvider as FakeRealtimeProvider
from antiphon.simulation.fakes.stt import FakeSTTProvider as FakeSTTProvider
from antiphon.simulation.fakes.tools import FakeTool as FakeTool
from antiphon.simulation.fakes.transport import CallerAudio as CallerAudio
from antiphon.simulation.fakes.transport import CallerSpeech as CallerSpeech
from antiphon.simulation.fakes.transport import Connect as Connect
from antiphon.simulation.fakes.transport import Disconnect as Disconnect
from antiphon.simulation.fakes.transport import FakeTransport as FakeTransport
from antiphon.simulation.fakes.transport import Keys as Keys
from antiphon.simulation.fakes.transport import LoseLine as LoseLine
from antiphon.simulation.fakes.transport import Message as Message
from antiphon.simulation.fakes.tts import FakeTTSProvider as FakeTTSProvider
from antiphon.simulation.fakes.vad import FakeTurnModel as FakeTurnModel
from antiphon.simulation.fakes.vad import FakeVADModel as FakeVADModel
from antiphon.simulation.fakes.voice import HeardWord as HeardWord
from antiphon.simulation.fakes.voice import Listener as Listener
from antiphon.simulation.fakes.voice import speak as speak
from antiphon.simulation.fakes.voice import speak_word as speak_word
from antiphon.simulation.faults.events import FaultEvent as FaultEvent
from antiphon.simulation.faults.events import FaultInjectedFrame as FaultInjectedFrame
from antiphon.simulation.faults.events import FaultLog as FaultLog
from antiphon.simulation.faults.fault import Fault as Fault
from antiphon.simulation.faults.fault import FaultVerb as FaultVerb
from antiphon.simulation.faults.frames import FrameFaults as FrameFaults
from antiphon.simulation.faults.plan import FaultPlan as FaultPlan
from antiphon.simulation.faults.plan import Injection as Injection
from antiphon.simulation.faults.streams import faulty as faulty
from antiphon.simulation.faults.tools import faulty_tool as faulty_tool
from antiphon.simulation.faults.when import When as When
from antiphon.simulation.loop.cpu import BUSY as BUSY
from antiphon.simulation.loop.cpu import CPUModel as CPUModel
from antiphon.simulation.loop.cpu import ORDINARY as ORDINARY
from antiphon.simulation.loop.schedule import Policy as Policy
from antiphon.simulation.loop.virtual_time import RunOptions as RunOptions
from antiphon.simulation.loop.virtual_time import RunResult as RunResult
from antiphon.simulation.loop.virtual_time import run as run
from antiphon.simulation.loop.virtual_time import simulate as simulate
from antiphon.simulation.network.link import Link as Link
from antiphon.simulation.network.network import Network as Network
from antiphon.simulation.pytest_plugin import scenario_test as scenario_test
from antiphon.simulation.record.divergence import Comparison as Comparison
from antiphon.simulation.record.divergence import Divergence as Divergence
from antiphon.simulation.record.observer_log import ObserverLog as ObserverLog
from antiphon.simulation.record.observer_log import first_difference as first_difference
from antiphon.simulation.record.record_file import AudioRecord as AudioRecord
from antiphon.simulation.record.record_file import FrameRecord as FrameRecord
from antiphon.simulation.record.record_file import HandOver as HandOver
from antiphon.simulation.record.record_file import Header as Header
from antiphon.simulation.record.recording import Recording as Recording
from antiphon.simulation.record.recording import SessionRecorder as SessionRecorder
from antiphon.simulation.record.redaction import EMAILS as EMAILS
from antiphon.simulation.record.redaction import PHONE_NUMBERS as PHONE_NUMBERS
from antiphon.simulation.record.redaction import RedactionRule as RedactionRule
from antiphon.simulation.record.redaction import Redactor as Redactor
from antiphon.simulation.record.redaction import names as names
from antiphon.simulation.record.regression import to_regression_test as to_regression_test
from antiphon.simulation.record.replay import Replay as Replay
from antiphon.simulation.record.replay import replay as replay
from antiphon.simulation.testing import Recorder as Recorder
from antiphon.simulation.testing import SleepFrame as SleepFrame
from antiphon.simulation.testing import run_test as run_test

_public: PublicNames
__all__ = [
    "AudioRecord",
    "BUSY",
    "CPUModel",
    "CallTrace",
    "Caller",
    "CallerAudio",
    "CallerInput",
    "CallerSettings",
    "CallerSpeech",
    "CaptionEar",
    "CodedEar",
    "CodedVoice",
    "Comparison",
    "Connect",
    "ContractError",
    "ContractRule",
    "DeadlockError",
    "DeterminismError",
    "Disconnect",
    "Divergence",
    "EMAILS",
    "Ear",
    "EndlessStepError",
    "ExpectationError",
    "FactMouth",
    "Fail",
    "Failure",
    "FakeLLMProvider",
    "FakeProvider",
    "FakeRealtimeProvider",
    "FakeSTTProvider",
    "FakeTTSProvider",
    "FakeTool",
    "FakeTransport",
    "FakeTurnModel",
    "FakeVADModel",
    "Fault",
    "FaultEvent",
    "FaultInjectedFrame",
    "FaultLog",
    "FaultPlan",
    "FaultVerb",
    "FrameFaults",
    "FrameRecord",
    "HandOver",
    "Hang",
    "Header",
    "HeardWord",
    "HeldCall",
    "Injection",
    "Keys",
    "Link",
    "Listener",
    "LivelockError",
    "LoseLine",
    "Manner",
    "Message",
    "Mouth",
    "Network",
    "ORDINARY",
    "ObserverLog",
    "PHONE_NUMBERS",
    "PartTrace",
    "Policy",
    "Problem",
    "Recorder",
    "Recording",
    "RedactionRule",
    "Redactor",
    "Replay",
    "Reply",
    "Report",
    "RunOptions",
    "RunResult",
    "Scenario",
    "ScenarioStep",
    "SessionRecorder",
    "ShortfallKind",
    "SimulationError",
    "SleepFrame",
    "SoundMouth",
    "SpokenLine",
    "Stall",
    "StepVerb",
    "SynthesisedVoice",
    "TranscribingEar",
    "UncleanRunError",
    "VirtualDeadlineError",
    "When",
    "build_pipeline",
    "call",
    "check_llm_provider",
    "check_output_sink",
    "check_processor",
    "check_realtime_provider",
    "check_serializer",
    "check_start_strategy",
    "check_stop_strategy",
    "check_stt_provider",
    "check_transport",
    "check_tts_provider",
    "check_turn_model",
    "check_vad_model",
    "faulty",
    "faulty_tool",
    "first_difference",
    "from_now_on",
    "hold",
    "hold_call",
    "hold_scenario",
    "lognormal",
    "names",
    "replay",
    "run",
    "run_test",
    "scenario_test",
    "seeds_of",
    "simulate",
    "speak",
    "speak_word",
    "to_regression_test",
    "try_seed",
    "try_seeds",
    "uniform",
]
