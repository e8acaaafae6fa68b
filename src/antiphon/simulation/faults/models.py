"""Faults of models over audio: voice activity and end of turn.

A model of voice activity computes in the loop: it fails, or has the whole machine wait for it. A
turn model is asked and answers: it may also be late, or never answer. The model stays the object it
is; one of its methods is replaced until `restore`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from antiphon.context.user_aggregator import LLMUserAggregator
from antiphon.errors import ConfigurationError
from antiphon.kernel.processor import FrameProcessor
from antiphon.simulation.fakes.delays import stand_still
from antiphon.simulation.faults.events import FaultLog
from antiphon.simulation.faults.fault import Armed, Fault
from antiphon.turns.defaults import analyzers
from antiphon.turns.processor import UserTurnProcessor
from antiphon.turns.vad_driver import VADProcessor


class Shadow:
    """Replaces methods until `remove`. Raises `ConfigurationError` for an object with slots."""

    def __init__(self, owner: Any, methods: Mapping[str, Callable[..., Any]]) -> None:
        try:
            own = vars(owner)
        except TypeError as error:
            raise ConfigurationError(
                f"{type(owner).__name__} has __slots__ and takes no faults: "
                f"derive a class from it without them"
            ) from error
        self._own, self._names = own, tuple(methods)
        self._before = {name: own[name] for name in methods if name in own}
        own |= methods

    def remove(self) -> None:
        """The object is as it was."""
        for name in self._names:
            del self._own[name]
        self._own |= self._before


MODELS = {"vad": "probability", "turn": "complete_probability"}
"""The method of each kind of model."""


class FaultyModel:
    """The faults of one model, in force until `restore`."""

    def __init__(
        self, model: Any, kind: str, faults: Sequence[Fault], *, target: str, log: FaultLog
    ) -> None:
        method = MODELS[kind]
        self._armed = Armed(target, faults, log)
        self._ask: Callable[[bytes], Any] = getattr(model, method)
        self._shadow = Shadow(model, {method: self.window if kind == "vad" else self.question})
        self.restore: Callable[[], None] = self._shadow.remove

    def window(self, audio: bytes) -> float:
        """In place of `VADModel.probability`."""
        hits = self._armed.strike()
        stand_still(hits.stall)
        if hits.error is not None:
            raise hits.error
        return float(self._ask(audio))

    async def question(self, audio: bytes) -> float:
        """In place of `TurnModel.complete_probability`."""
        hits = self._armed.strike()
        stand_still(hits.stall)
        await hits.suffer()
        answer: Awaitable[float] = self._ask(audio)
        return await answer


def models_of(processors: Iterable[FrameProcessor], kind: str) -> list[Any]:
    """The models of that kind that these processors use; each once."""
    found: list[Any] = []
    for processor in processors:
        if kind == "turn" and isinstance(processor, LLMUserAggregator | UserTurnProcessor):
            strategies = analyzers(processor.turns.strategies)
            found += [s.turn_analyzer for s in strategies if s.turn_analyzer is not None]
        elif kind == "vad" and isinstance(processor, VADProcessor):
            found.append(processor.analyzer)
        elif kind == "vad" and isinstance(processor, LLMUserAggregator):
            found += [processor.vad_analyzer] if processor.vad_analyzer is not None else []
    return list({id(model): model for model in found}.values())
