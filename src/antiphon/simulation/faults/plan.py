"""A whole plan of faults, and its injection into a conversation that has been built.

plan = FaultPlan.of({"llm": {"error_once": "server"}, "tools.weather": {"hang": True}})
injection = plan.inject(task)           # before the task runs
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.context.user_aggregator import LLMUserAggregator
from antiphon.errors import (
    ConfigurationError,
    InvalidInputError,
    MissingExtraError,
    UnknownNameError,
)
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import insert
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.task import PipelineTask
from antiphon.services.llm import LLMService
from antiphon.services.realtime import RealtimeService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.faults.events import FaultEvent, FaultInjectedFrame, FaultLog
from antiphon.simulation.faults.fault import Armed, Fault
from antiphon.simulation.faults.frames import FrameFaults
from antiphon.simulation.faults.models import FaultyModel, models_of
from antiphon.simulation.faults.spec import Aim, Target, TargetKind, aims_of
from antiphon.simulation.faults.streams import FaultyProvider, place_of
from antiphon.simulation.faults.tools import FaultyTools
from antiphon.simulation.faults.world import Lines, Schedule, machine_act
from antiphon.simulation.mapping_file import read_yaml
from antiphon.simulation.network.network import Network
from antiphon.tools.registry import FunctionRegistry
from antiphon.transports.input import InputTransport
from antiphon.transports.output import OutputTransport

_SERVICES: Mapping[str, type[FrameProcessor]] = {
    "stt": STTService,
    "llm": LLMService,
    "tts": TTSService,
    "realtime": RealtimeService,
}
_ENDS: Mapping[str, type[FrameProcessor]] = {"input": InputTransport, "output": OutputTransport}
_WITH_TOOLS = (LLMService, RealtimeService)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What is to go wrong. See the package's docstring for how it is written."""

    aims: tuple[Aim, ...]

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> FaultPlan:
        """From data. Raises `UnknownNameError` and `InvalidInputError`."""
        aims = aims_of(plan)
        for aim in aims:
            if aim.target.kind is TargetKind.PROVIDER:
                place_of(aim.fault, aim.target.what)
        return cls(aims)

    @classmethod
    def parse(cls, text: str) -> FaultPlan:
        """From YAML where PyYAML is installed, else from JSON."""
        try:
            plan = read_yaml(text, "faults")
        except InvalidInputError as error:
            raise InvalidInputError(f"these faults cannot be read: {error}") from error
        except MissingExtraError:
            try:
                plan = json.loads(text)
            except ValueError as error:
                raise InvalidInputError(f"these faults cannot be read: {error}") from error
        return cls.of(plan)

    @property
    def needs_network(self) -> bool:
        """Whether it is about a simulated network."""
        return any(aim.target.kind is TargetKind.NETWORK for aim in self.aims)

    def describe(self) -> str:
        """One line for people."""
        return "; ".join(f"{aim.target}: {aim.fault.text}" for aim in self.aims)

    def inject(self, task: PipelineTask, *, network: Network | None = None) -> Injection:
        """Lets it happen to a conversation that has not begun, on the loop that runs.

        Raises `UnknownNameError` for a target that is not in the pipeline, `ConfigurationError`
        for one that cannot suffer it; nothing has been injected then.
        """
        injection = Injection(task, network)
        for kind in TargetKind:
            by_target: dict[Target, list[Fault]] = {}
            for aim in self.aims:
                if aim.target.kind is kind:
                    by_target.setdefault(aim.target, []).append(aim.fault)
            try:
                injection.add(kind, by_target)
            except ConfigurationError:
                injection.remove()
                raise
        return injection


class Injection:
    """The faults of one plan in one conversation. `events` are those that struck."""

    def __init__(self, task: PipelineTask, network: Network | None) -> None:
        self._task, self._network = task, network
        self._log = FaultLog(self._tell)
        self._undo: list[Callable[[], None]] = []

    @property
    def events(self) -> list[FaultEvent]:
        """The faults that struck, in order."""
        return self._log.events

    def remove(self) -> None:
        """Providers, tools and timers are as they were. Idempotent."""
        undo, self._undo = self._undo, []
        for one in reversed(undo):
            one()

    def add(self, kind: TargetKind, faults: Mapping[Target, list[Fault]]) -> None:
        """All faults of one kind of target."""
        if kind is TargetKind.TOOLS:
            self._tools(faults)
            return
        adders: dict[TargetKind, Callable[[Target, list[Fault]], None]] = {
            TargetKind.PROVIDER: self._provider,
            TargetKind.VAD: self._models,
            TargetKind.TURN: self._models,
            TargetKind.FRAMES: self._frames,
            TargetKind.NETWORK: self._network_lines,
            TargetKind.LOOP: self._machine,
        }
        for target, some in faults.items():
            adders[kind](target, some)

    def _provider(self, target: Target, faults: list[Fault]) -> None:
        wanted = _SERVICES[target.what]
        services = [p for p in self._task.processors if isinstance(p, wanted)]
        if target.name is not None:
            services = [p for p in services if target.name in _names(p)]
        if not services:
            raise self._unknown(target, _SERVICES[target.what])
        for service in services:
            assert isinstance(service, STTService | LLMService | TTSService | RealtimeService)
            faulty = FaultyProvider(
                service.provider, target.what, faults, target=str(target), log=self._log
            )
            self._undo.append(faulty.restore)

    def _models(self, target: Target, faults: list[Fault]) -> None:
        models = models_of(self._task.processors, target.what)
        if not models:
            raise UnknownNameError(
                f"{target}: no processor of this pipeline was given a model of that kind"
            )
        for model in models:
            faulty = FaultyModel(model, target.what, faults, target=str(target), log=self._log)
            self._undo.append(faulty.restore)

    def _frames(self, target: Target, faults: list[Fault]) -> None:
        place = self._place(target)
        into = target.what in {"into", "output"}
        for upstream in (False, True):
            some = [fault for fault in faults if fault.upstream is upstream]
            if not some:
                continue
            direction = FrameDirection.UPSTREAM if upstream else FrameDirection.DOWNSTREAM
            faulty = FrameFaults(
                *some,
                direction=direction,
                before=place if into else None,
                stands_for=place.name,
                target=str(target),
                log=self._log,
                name=f"faults {target}{' upstream' if upstream else ''}",
            )
            insert(faulty, beside=place, after=into is upstream)

    def _place(self, target: Target) -> FrameProcessor:
        processors = self._task.processors
        if target.name is None:
            wanted = _ENDS[target.what]
            found = [p for p in processors if isinstance(p, wanted)]
        else:
            found = [p for p in processors if target.name in _names(p)]
        if not found:
            raise self._unknown(target, FrameProcessor)
        return found[0]

    def _tools(self, faults: Mapping[Target, list[Fault]]) -> None:
        if not faults:
            return
        services = [p for p in self._task.processors if isinstance(p, _WITH_TOOLS)]
        known = {name for p in services for name in p.functions.names}
        for pair in self._task.processors:
            if isinstance(pair, LLMUserAggregator):
                known |= set(pair.context.tools.names)
        for target in faults:
            if target.name is not None and target.name not in known:
                raise UnknownNameError(
                    f"{target}: there is no tool {target.name!r} in this pipeline; "
                    f"there are {', '.join(sorted(known)) or 'none'}"
                )
            if not services:
                raise UnknownNameError(f"{target}: nothing in this pipeline calls tools")
        registries: list[FunctionRegistry] = [service.functions for service in services]
        for registry in registries:
            armed: dict[str | None, list[Armed]] = {
                target.name: [Armed(str(target), some, self._log)]
                for target, some in faults.items()
            }
            self._undo.append(FaultyTools(registry, armed).restore)

    def _network_lines(self, target: Target, faults: list[Fault]) -> None:
        if self._network is None:
            raise ConfigurationError(
                f"{target}: this run has no simulated network: pass inject(task, network=...)"
            )
        port = None if target.name is None else int(target.name)
        lines = Lines(self._network, port)
        for fault in faults:
            self._schedule(target, fault, lines.act(fault))

    def _machine(self, target: Target, faults: list[Fault]) -> None:
        for fault in faults:
            self._schedule(target, fault, machine_act())

    def _schedule(self, target: Target, fault: Fault, act: Callable[[float], None]) -> None:
        over = self._task.has_finished
        self._undo.append(Schedule(str(target), fault, self._log, act, over).stop)

    def _unknown(self, target: Target, kind: type[FrameProcessor]) -> UnknownNameError:
        there = ", ".join(p.name for p in self._task.processors if isinstance(p, kind))
        return UnknownNameError(
            f"{target}: this pipeline has no such processor; there are {there or 'none'}"
        )

    def _tell(self, event: FaultEvent) -> None:
        """Shows it to the task's observers, in their order of things."""
        observers = self._task.processors[0].station.session.observers
        if observers is not None:
            told = FaultInjectedFrame(event.target, event.what)
            observers.pushed("faults", event.target, told, FrameDirection.DOWNSTREAM)


def _names(processor: FrameProcessor) -> set[str]:
    """What a processor may be called in a plan."""
    return {processor.name, type(processor).__name__}
