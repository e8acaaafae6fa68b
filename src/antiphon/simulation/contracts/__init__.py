"""Contract suites: what parts of one's own must keep, run in virtual time over seeds.

    def test_my_voice() -> None:
        check_tts_provider(MyVoice)

Each suite uses the part as a conversation does, undisturbed and disturbed: cancelled, interrupted,
ended, closed and changed at every step of the loop. The first promise that is broken is raised as a
`ContractError`, which names the rule, the seed and the call that repeats the run.
"""

from __future__ import annotations

from antiphon.simulation.contracts.models import check_turn_model, check_vad_model
from antiphon.simulation.contracts.processor import check_processor
from antiphon.simulation.contracts.providers import (
    check_llm_provider,
    check_stt_provider,
    check_tts_provider,
)
from antiphon.simulation.contracts.realtime import check_realtime_provider
from antiphon.simulation.contracts.serializer import check_serializer
from antiphon.simulation.contracts.strategy import check_start_strategy, check_stop_strategy
from antiphon.simulation.contracts.suite import ContractError, ContractRule
from antiphon.simulation.contracts.trace import Law, PartTrace
from antiphon.simulation.contracts.transport import check_output_sink, check_transport

__all__ = [
    "ContractError",
    "ContractRule",
    "Law",
    "PartTrace",
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
]
