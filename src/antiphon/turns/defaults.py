"""Which stop strategy decides when the program names none."""

from __future__ import annotations

import importlib
import logging
from typing import Final

from antiphon.errors import AntiphonError, ConfigurationError
from antiphon.kernel.processor import FrameProcessor
from antiphon.turns.completion_strategies import DeferredUserTurnStopStrategy
from antiphon.turns.stop_strategies import (
    SpeechTimeoutUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import TurnModel

logger: Final = logging.getLogger("antiphon")

EMBEDDED_MODEL = ("antiphon.providers.local.turn", "LocalSmartTurnModel")
"""Looked up by name: this room does not depend on the providers, which depend on it."""


async def with_default_stop(
    strategies: UserTurnStrategies, processor: FrameProcessor
) -> UserTurnStrategies:
    """The strategies with their turn models loaded.

    Where the stop strategies were left open, the embedded turn model decides if it is installed,
    and 0.6 s of silence otherwise; which of them is logged. A model that the program asked for and
    that is not there raises `ConfigurationError`.
    """
    if strategies.default_stop and not strategies.resolved:
        strategies.resolved = True
        model, why = await _embedded_model()
        if model is None:
            strategies.stop = strategies.finish([SpeechTimeoutUserTurnStopStrategy()])
            logger.info("%s: turns end after 0.6 s of silence (%s)", processor.name, why)
        else:
            analyzer = TurnAnalyzerUserTurnStopStrategy(turn_analyzer=model)
            strategies.stop = strategies.finish([analyzer])
            logger.info("%s: the embedded turn model judges when turns end", processor.name)
        return strategies
    for strategy in analyzers(strategies):
        if strategy.turn_analyzer is not None:
            await strategy.turn_analyzer.connect()
            continue
        strategy.turn_analyzer, why = await _embedded_model()
        if strategy.turn_analyzer is None:
            raise ConfigurationError(
                f"TurnAnalyzerUserTurnStopStrategy has no turn_analyzer, and {why}"
            )
    return strategies


def analyzers(strategies: UserTurnStrategies) -> list[TurnAnalyzerUserTurnStopStrategy]:
    """The strategies that need a turn model, deferred ones included."""
    inner = [s.inner if isinstance(s, DeferredUserTurnStopStrategy) else s for s in strategies.stop]
    return [s for s in inner if isinstance(s, TurnAnalyzerUserTurnStopStrategy)]


async def _embedded_model() -> tuple[TurnModel | None, str]:
    module, name = EMBEDDED_MODEL
    try:
        model: TurnModel = vars(importlib.import_module(module))[name]()
        await model.connect()
    except (ImportError, AntiphonError, KeyError, OSError, RuntimeError) as error:
        return None, f"the embedded turn model cannot be used: {error}"
    return model, ""
