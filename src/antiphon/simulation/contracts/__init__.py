"""Contract suites: what parts of one's own must keep, run in virtual time over seeds.

    def test_my_voice() -> None:
        check_tts_provider(MyVoice)

Each suite uses the part as a conversation does, undisturbed and disturbed: cancelled, interrupted,
ended, closed and changed at every step of the loop. The first promise that is broken is raised as a
`ContractError`, which names the rule, the seed and the call that repeats the run.
"""

from __future__ import annotations

from antiphon.public_names import PublicNames

_NAMES = {
    "antiphon.simulation.contracts.models": "check_turn_model check_vad_model",
    "antiphon.simulation.contracts.processor": "check_processor",
    "antiphon.simulation.contracts.providers": """
        check_llm_provider check_stt_provider check_tts_provider
    """,
    "antiphon.simulation.contracts.realtime": "check_realtime_provider",
    "antiphon.simulation.contracts.serializer": "check_serializer",
    "antiphon.simulation.contracts.strategy": "check_start_strategy check_stop_strategy",
    "antiphon.simulation.contracts.suite": "ContractError ContractRule",
    "antiphon.simulation.contracts.trace": "Law PartTrace",
    "antiphon.simulation.contracts.transport": "check_output_sink check_transport",
}

_public = PublicNames(__name__, _NAMES, globals())
__all__ = _public.names
__getattr__, __dir__ = _public.get, _public.all
