# Generated from __init__.py by scripts/stub.py.

from antiphon.public_names import PublicNames
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
from antiphon.simulation.contracts.trace import Law as Law
from antiphon.simulation.contracts.trace import PartTrace as PartTrace
from antiphon.simulation.contracts.transport import check_output_sink as check_output_sink
from antiphon.simulation.contracts.transport import check_transport as check_transport

_public: PublicNames
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
