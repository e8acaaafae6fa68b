"""Conversations without a clock, a network or a person: for tests of agents and of their parts.

    from antiphon.simulation import Caller, FakeLLMProvider, hold_call, run, run_test

| room | has |
|---|---|
| `loop` | virtual time: `run`, `simulate`, schedules, what computing costs |
| `network` | a network in memory on which ordinary clients run |
| `fakes` | providers, tools, transports and voices that do as a test says |
| `faults` | what goes wrong, on purpose: `FaultPlan`, `faulty` |
| `record` | sessions as files: `Recording`, `replay`, redaction |
| `calls` | a scripted `Caller`, scenarios, trials over many seeds |
| `contracts` | suites for parts of one's own: `check_processor`, `check_tts_provider` ... |

Names import from here when they are first used; the rooms can be imported too.
"""

from __future__ import annotations

from antiphon.public_names import PublicNames

_NAMES = {
    "antiphon.simulation.agents": "build_pipeline",
    "antiphon.simulation.calls.caller": """
        Caller CallerInput ExpectationError HeldCall Manner SpokenLine hold_call
    """,
    "antiphon.simulation.calls.ears": "CaptionEar CodedEar Ear TranscribingEar",
    "antiphon.simulation.calls.mouths": "FactMouth Mouth SoundMouth",
    "antiphon.simulation.calls.scenario": "CallerSettings Scenario",
    "antiphon.simulation.calls.steps": "ScenarioStep StepVerb",
    "antiphon.simulation.calls.trace": "CallTrace",
    "antiphon.simulation.calls.trials": """
        Failure Problem Report ShortfallKind hold hold_scenario seeds_of try_seed try_seeds
    """,
    "antiphon.simulation.calls.voices": "CodedVoice SynthesisedVoice",
    "antiphon.simulation.contracts.models": "check_turn_model check_vad_model",
    "antiphon.simulation.contracts.processor": "check_processor",
    "antiphon.simulation.contracts.providers": """
        check_llm_provider check_stt_provider check_tts_provider
    """,
    "antiphon.simulation.contracts.realtime": "check_realtime_provider",
    "antiphon.simulation.contracts.serializer": "check_serializer",
    "antiphon.simulation.contracts.strategy": "check_start_strategy check_stop_strategy",
    "antiphon.simulation.contracts.suite": "ContractError ContractRule",
    "antiphon.simulation.contracts.trace": "PartTrace",
    "antiphon.simulation.contracts.transport": "check_output_sink check_transport",
    "antiphon.simulation.errors": """
        DeadlockError DeterminismError EndlessStepError LivelockError SimulationError
        UncleanRunError VirtualDeadlineError
    """,
    "antiphon.simulation.fakes.delays": "lognormal uniform",
    "antiphon.simulation.fakes.language_model": "FakeLLMProvider Reply call",
    "antiphon.simulation.fakes.provider": "Fail FakeProvider Hang Stall from_now_on",
    "antiphon.simulation.fakes.realtime": "FakeRealtimeProvider",
    "antiphon.simulation.fakes.stt": "FakeSTTProvider",
    "antiphon.simulation.fakes.tools": "FakeTool",
    "antiphon.simulation.fakes.transport": """
        CallerAudio CallerSpeech Connect Disconnect FakeTransport Keys LoseLine Message
    """,
    "antiphon.simulation.fakes.tts": "FakeTTSProvider",
    "antiphon.simulation.fakes.vad": "FakeTurnModel FakeVADModel",
    "antiphon.simulation.fakes.voice": "HeardWord Listener speak speak_word",
    "antiphon.simulation.faults.events": "FaultEvent FaultInjectedFrame FaultLog",
    "antiphon.simulation.faults.fault": "Fault FaultVerb",
    "antiphon.simulation.faults.frames": "FrameFaults",
    "antiphon.simulation.faults.plan": "FaultPlan Injection",
    "antiphon.simulation.faults.streams": "faulty",
    "antiphon.simulation.faults.tools": "faulty_tool",
    "antiphon.simulation.faults.when": "When",
    "antiphon.simulation.loop.cpu": "BUSY CPUModel ORDINARY",
    "antiphon.simulation.loop.schedule": "Policy",
    "antiphon.simulation.loop.virtual_time": "RunOptions RunResult run simulate",
    "antiphon.simulation.network.link": "Link",
    "antiphon.simulation.network.network": "Network",
    "antiphon.simulation.pytest_plugin": "scenario_test",
    "antiphon.simulation.record.divergence": "Comparison Divergence",
    "antiphon.simulation.record.observer_log": "ObserverLog first_difference",
    "antiphon.simulation.record.record_file": "AudioRecord FrameRecord HandOver Header",
    "antiphon.simulation.record.recording": "Recording SessionRecorder",
    "antiphon.simulation.record.redaction": "EMAILS PHONE_NUMBERS RedactionRule Redactor names",
    "antiphon.simulation.record.regression": "to_regression_test",
    "antiphon.simulation.record.replay": "Replay replay",
    "antiphon.simulation.testing": "Recorder SleepFrame run_test",
}

_public = PublicNames(__name__, _NAMES, globals())
__all__ = _public.names
__getattr__, __dir__ = _public.get, _public.all
