"""What of the embedded models is on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.registry import (
    MOONSHINE_TINY_EN,
    PIPER_JOE,
    SILERO_VAD,
    SMART_TURN,
)


def _missing() -> list[str]:
    store = ModelStore()
    return [
        model.name
        for model in (SILERO_VAD, SMART_TURN, MOONSHINE_TINY_EN, PIPER_JOE)
        for file in model.files
        if store.find(model.name, file.name) is None
    ]


def needs_models(test: Callable[..., Any]) -> Any:
    """Skips a test where the speech models are not installed."""
    missing = _missing()
    skip = pytest.mark.skipif(bool(missing), reason=f"not on this machine: {missing}")
    return pytest.mark.models(skip(test))
