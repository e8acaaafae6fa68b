"""Voice activity on this machine: Silero, from the model store."""

from __future__ import annotations

from antiphon.audio.silero import SileroVAD
from antiphon.audio.vad import VADParams
from antiphon.providers.local.inference import Shared, onnx_session
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.registry import SILERO_VAD

_FEATURE = "Voice activity detection (Silero)"
_SESSION = Shared(lambda store: onnx_session(store.path(SILERO_VAD.name), _FEATURE))


class SileroVADAnalyzer(SileroVAD):
    """Silero with its parameters: what a voice activity processor needs.

    Constructing the first one in a process loads the model (about 0.1 s); all share it. Raises
    MissingExtraError or MissingModelError, which say what to run.
    """

    def __init__(self, params: VADParams | None = None, *, store: ModelStore | None = None) -> None:
        super().__init__(_SESSION.get(store or ModelStore()))
        self.params: VADParams = params or VADParams()
