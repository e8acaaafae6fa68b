"""Wiring: which processor follows which. Pipelines nest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from antiphon.errors import ConfigurationError
from antiphon.kernel.branches import Fork, ParallelPipeline
from antiphon.kernel.chain import Chain, ChainEnd, Node
from antiphon.kernel.processor import FrameProcessor
from antiphon.kernel.session import Session
from antiphon.kernel.station import Station, take_place


class Pipeline:
    """Processors in the order in which frames go downstream; a pipeline may stand among them."""

    def __init__(
        self, processors: Sequence[FrameProcessor | Pipeline | ParallelPipeline], *more: object
    ) -> None:
        if more:
            raise ConfigurationError(
                f"Pipeline takes one list of processors, not {1 + len(more)} arguments: write "
                f"Pipeline([first, second, ...])"
            )
        if not isinstance(processors, Sequence):
            raise ConfigurationError(f"Pipeline takes a list of processors, not {processors!r}")
        for part in processors:
            if not isinstance(part, FrameProcessor | Pipeline | ParallelPipeline):
                raise ConfigurationError(
                    f"a pipeline is made of processors, not {_misplaced(part)}"
                )
        self._parts = tuple(processors)

    @property
    def parts(self) -> list[FrameProcessor | ParallelPipeline]:
        """What it is made of, nested pipelines laid out flat."""
        flat: list[FrameProcessor | ParallelPipeline] = []
        for part in self._parts:
            flat.extend(part.parts if isinstance(part, Pipeline) else [part])
        return flat

    @property
    def processors(self) -> list[FrameProcessor]:
        """Every processor, those in branches too."""
        found: list[FrameProcessor] = []
        for part in self.parts:
            if isinstance(part, ParallelPipeline):
                for branch in part.branches:
                    found.extend(Pipeline(branch).processors)
            else:
                found.append(part)
        return found


def _misplaced(part: object) -> str:
    """What stands where a processor should, and what to write instead."""
    kind, has = type(part).__name__, set(dir(part))
    if isinstance(part, type):
        return f"the class {part.__name__}: call it, as in {part.__name__}()"
    if {"user", "assistant"} <= has:
        return f"a {kind}: put its halves, pair.user and pair.assistant, where each belongs"
    if isinstance(part, list | tuple):
        return f"the {kind} {part!r}: write *parts for its items, or Pipeline(parts)"
    if {"input", "output"} <= has:
        return f"a {kind}: put transport.input() first, and transport.output() behind the voice"
    services = {"transcribe": "STTService", "complete": "LLMService", "synthesize": "TTSService"}
    for method, service in services.items():
        if method in has:
            return f"the provider {kind}: give it to a service, as in {service}(provider)"
    return f"{part!r}"


Part = FrameProcessor | ParallelPipeline


class Place(NamedTuple):
    """Where a processor stands when its chain is built."""

    before: Sequence[Part]
    """The parts before it in its own chain."""
    outer: Sequence[FrameProcessor]
    """The processors before the branch that it stands in."""

    @property
    def upstream(self) -> list[FrameProcessor]:
        """Every processor before it."""
        return [*self.outer, *(one for part in self.before for one in processors_of(part))]


@runtime_checkable
class Accompanied(Protocol):
    """A processor that may ask for another one before it."""

    def companion(self, place: Place) -> tuple[FrameProcessor, int] | None:
        """A processor, and the index in `place.before` at which it is to stand; None: none."""
        ...


@runtime_checkable
class Checked(Protocol):
    """A processor that brings a check of the pipeline that it stands in."""

    @staticmethod
    def check_pipeline(parts: Sequence[PlacedPart]) -> None:
        """Raises `ConfigurationError` if the pipeline cannot work."""


def check(pipeline: Pipeline) -> None:
    """Runs the checks that the processors bring, each once."""
    parts = list(placed_parts(pipeline))
    checks = [type(p.part).check_pipeline for p in parts if isinstance(p.part, Checked)]
    for one in dict.fromkeys(checks):
        one(parts)


def placed_parts(pipeline: Pipeline, way: tuple[Step, ...] = ()) -> Iterator[PlacedPart]:
    """Every processor with the way to it, in downstream order."""
    for index, part in enumerate(pipeline.parts):
        here = (*way, Step(index))
        if isinstance(part, ParallelPipeline):
            for number, branch in enumerate(part.branches):
                yield from placed_parts(Pipeline(branch), (*here, Step(number, is_branch=True)))
        else:
            yield PlacedPart(part, here)


class Step(NamedTuple):
    """One step of the way to a processor: its index in a line, or the number of a branch."""

    number: int
    is_branch: bool = False


class PlacedPart(NamedTuple):
    """A processor, and the way to it through lines and branches."""

    part: FrameProcessor
    way: tuple[Step, ...]

    def is_before(self, other: PlacedPart) -> bool:
        """False also where they stand in branches side by side."""
        for mine, its in zip(self.way, other.way, strict=False):
            if mine != its:
                return not mine.is_branch and mine.number < its.number
        return False


def processors_of(part: Part) -> list[FrameProcessor]:
    """A processor, or those of all branches."""
    return Pipeline([part]).processors


def accompanied(pipeline: Pipeline, outer: Sequence[FrameProcessor] = ()) -> Pipeline:
    """The pipeline with the companions that its processors ask for."""
    line: list[Part] = []
    for part in pipeline.parts:
        place = Place(line, outer)
        if isinstance(part, ParallelPipeline):
            branches = [accompanied(Pipeline(one), place.upstream).parts for one in part.branches]
            same = sum(map(len, branches)) == sum(len(Pipeline(b).parts) for b in part.branches)
            line.append(part if same else part.with_branches(branches))
            continue
        if isinstance(part, Accompanied) and (asked := part.companion(place)) is not None:
            companion, index = asked
            line.insert(index, companion)
        line.append(part)
    return Pipeline(line)


def wire(
    pipeline: Pipeline,
    session: Session,
    upper: ChainEnd,
    lower: ChainEnd,
    make_station: Callable[[FrameProcessor, Session, Chain], Station] = Station,
) -> Chain:
    """Builds the chain of a pipeline, gives every processor its station, and returns the chain."""
    chain = Chain(upper, lower, session.observers)
    nodes: list[Node] = []
    for index, part in enumerate(pipeline.parts):
        if isinstance(part, ParallelPipeline):
            nodes.append(_wire_fork(part, session, chain, index))
            continue
        station = make_station(part, session, chain)
        station.index = index
        take_place(station)
        session.stations.append(station)
        chain.busy[False] += 1
        chain.busy[True] += 1
        nodes.append(station)
    chain.nodes = nodes
    line = [upper, *nodes, lower]
    for before, node, after in zip(line, nodes, line[2:], strict=False):
        if isinstance(node, Station):
            node.before, node.after = before, after
    return chain


def _wire_fork(part: ParallelPipeline, session: Session, chain: Chain, index: int) -> Fork:
    fork = part.make_fork(session, chain, index)
    fork.branches = [
        wire(
            Pipeline(branch),
            session,
            ChainEnd(f"{fork.name}/{number} in", fork.exit_of(number)),
            ChainEnd(f"{fork.name}/{number} out", fork.exit_of(number)),
            fork.make_station,
        )
        for number, branch in enumerate(part.branches)
    ]
    chain.branches += fork.branches
    fork.wired()
    return fork


def insert(processor: FrameProcessor, *, beside: FrameProcessor, after: bool = False) -> None:
    """Puts a processor before (or after) one that is wired, while the conversation has not begun.

    Raises `ConfigurationError` beside a service of a `ServiceSwitcher`, `AlreadyInPipelineError`
    for a processor that is wired already.
    """
    place = beside.station
    if type(place) is not Station:
        raise ConfigurationError(
            f"{beside.name} is one of a ServiceSwitcher: nothing can be put beside it"
        )
    session, chain = place.session, place.chain
    station = Station(processor, session, chain)
    take_place(station)
    session.stations.insert(session.stations.index(place) + after, station)
    chain.busy[False] += 1
    chain.busy[True] += 1
    chain.nodes = nodes = list(chain.nodes)
    nodes.insert(place.index + after, station)
    chain.forget()
    line = [chain.upper, *nodes, chain.lower]
    for index, node in enumerate(nodes):
        if isinstance(node, Station | Fork):
            node.index = index
        if isinstance(node, Station):
            node.before, node.after = line[index], line[index + 2]
            for known in (node.downstream, node.upstream, node.near_down, node.near_up):
                known.clear()
