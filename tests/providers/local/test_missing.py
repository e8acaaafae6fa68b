"""What each embedded model says where its extra is not installed, or its files are not here."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon.errors import AntiphonError, MissingExtraError, MissingModelError
from antiphon.providers.local.inference import Shared
from antiphon.providers.local.llm_provider import LocalLLMProvider
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.stt import LocalSTTProvider
from antiphon.providers.local.tts import LocalTTSProvider
from antiphon.providers.local.turn import LocalSmartTurnModel
from antiphon.providers.local.vad import SileroVADAnalyzer

Use = Callable[[ModelStore, Path], object]

USES: dict[str, Use] = {
    "Voice activity detection": lambda store, weights: SileroVADAnalyzer(store=store),
    "End-of-turn detection": lambda store, weights: _connected(LocalSmartTurnModel(store=store)),
    "Transcription": lambda store, weights: _connected(LocalSTTProvider(store=store)),
    "Speech": lambda store, weights: _connected(LocalTTSProvider(store=store)),
    "The local language model": lambda store, weights: _connected(LocalLLMProvider(path=weights)),
}


def _connected(
    part: LocalSmartTurnModel | LocalSTTProvider | LocalTTSProvider | LocalLLMProvider,
) -> None:
    asyncio.run(part.connect())


def _error_of(use: Use, store: ModelStore, weights: Path) -> AntiphonError:
    with pytest.raises(AntiphonError) as caught:
        use(store, weights)
    return caught.value


@pytest.mark.models
@pytest.mark.parametrize("feature", USES)
def test_without_the_extra_each_model_names_itself_and_the_command(
    feature: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The files are here and the runtime is not: one error, when the model is connected."""
    for module in ("onnxruntime", "xllamacpp"):
        monkeypatch.setitem(sys.modules, module, None)
    error = _error_of(USES[feature], ModelStore(tmp_path), tmp_path / "weights.gguf")
    assert isinstance(error, MissingExtraError)
    assert str(error).startswith(feature)
    assert "pip install 'antiphon[local]'" in str(error)


@pytest.mark.parametrize("feature", USES)
def test_without_its_files_each_model_names_what_is_missing(
    feature: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The runtime is here and the files are not: the error names the model, or the file."""
    monkeypatch.setattr("antiphon.providers.local.model_store._package_file", lambda inside: None)
    error = _error_of(USES[feature], ModelStore(tmp_path), tmp_path / "weights.gguf")
    assert isinstance(error, MissingModelError)
    assert "antiphon models fetch" in str(error) or "weights.gguf" in str(error)


def test_a_load_that_fails_is_tried_again(tmp_path: Path) -> None:
    """Once what was missing is there the next session has the model: a failure is not kept."""
    loads: list[ModelStore] = []

    def load(store: ModelStore) -> str:
        loads.append(store)
        if len(loads) == 1:
            raise MissingModelError("not yet")
        return "model"

    shared, store = Shared(load), ModelStore(tmp_path)
    with pytest.raises(MissingModelError):
        shared.get(store)
    assert shared.get(store) == "model"


def test_the_runtime_of_the_language_model_is_loaded_beside_the_loop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Importing it takes long enough to be heard in other conversations."""
    where: list[threading.Thread] = []

    def runtime() -> object:
        where.append(threading.current_thread())
        raise MissingExtraError("The local language model", "local", "xllamacpp")

    monkeypatch.setattr("antiphon.providers.local.llm_engine._xllamacpp", runtime)
    _error_of(USES["The local language model"], ModelStore(tmp_path), tmp_path / "weights.gguf")
    assert where
    assert threading.main_thread() not in where
