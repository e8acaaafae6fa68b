"""Replays a recorded session: the same inputs, at the same times, into the agent as it is now.

    result = replay(Recording.load("call.antiphon"), build)
    result.check()                      # AssertionError with the first difference

`build` makes the agent anew: it returns the pipeline or its task, and may take the transport.
Processors that are *outside* (by default the input transport; providers can be named) are replaced
by stand-ins of the same name: they take whatever their originals took, pass on what these passed
on, and hand over what these brought in, when these did. So the pipeline may hold the real
transport, which is never started. What the program queued is queued again.

Everything runs in virtual time, under the recording's seed if it has one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

import antiphon
from antiphon.errors import AntiphonError, ConfigurationError, InvalidInputError
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import EndFrame, InterruptionFrame
from antiphon.frames.turns import BotStartedSpeakingFrame
from antiphon.kernel.branches import ParallelPipeline
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import BaseObserver, FramePushed
from antiphon.kernel.params import PipelineParams
from antiphon.kernel.pipeline import Pipeline, accompanied
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.simulation.agents import build_pipeline
from antiphon.simulation.fakes.transport import FakeTransport
from antiphon.simulation.loop.loop import WALL_ANCHOR, VirtualTimeLoop
from antiphon.simulation.loop.virtual_time import run_on
from antiphon.simulation.record.divergence import Comparison, Divergence, first_divergence
from antiphon.simulation.record.frame_reader import FrameReader
from antiphon.simulation.record.passing import passed_at_once, passing, without_waits
from antiphon.simulation.record.record_file import AudioRecord, FrameRecord, HandOver
from antiphon.simulation.record.recording import (
    TASK,
    FrameEncoder,
    Recording,
    hand_over,
    header_now,
)
from antiphon.simulation.record.redaction import AnyRule
from antiphon.transports.output import OutputTransport

__all__ = ["Comparison", "Divergence", "Replay", "replay"]

Factory = Callable[..., Any]
"""Makes the agent; see `agents.build_pipeline`."""

_UNTAKEN = frozenset({"StartFrame", "EndFrame", "StopFrame", "CancelFrame"})
_MEDIA = frozenset({"audio", "image"})


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `notes` says what makes a comparison doubtful."""

    recording: Recording
    replayed: Recording
    divergence: Divergence | None
    notes: tuple[str, ...] = ()

    def check(self) -> None:
        """Raises `AssertionError` with the report if the replay diverged."""
        if self.divergence is not None:
            raise AssertionError(self.report)

    @property
    def report(self) -> str:
        """For people."""
        said = str(self.divergence or f"no divergence in {len(self.recording)} hand-overs")
        return "\n".join([said, *(f"note: {note}" for note in self.notes)])


def replay(
    recording: Recording,
    factory: Factory,
    seed: int | None = None,
    *,
    outside: Iterable[str] = (),
    comparison: Comparison | None = None,
    types: Iterable[type[Frame]] = (),
    redact: Iterable[AnyRule] = (),
    params: PipelineParams | None = None,
    allow_threads: bool = False,
) -> Replay:
    """Runs the inputs of `recording` through the agent that `factory` makes, and compares.

    `seed`: of the virtual loop, by default the recording's. `outside`: names of processors to stand
    in for beside the input transports, such as services whose providers are not to be asked.
    `types`: frame types of the program that are among the inputs, if they cannot be told by their
    names. `redact`: rules for the replay, where the recording was redacted by the same. `params`
    by default as recorded. `allow_threads`: for agents that use models on this machine.

    Raises `ConfigurationError` if the pipeline does not fit the recording, `InvalidInputError` for
    an input that cannot be made again, and what the run itself raises.
    """
    how = comparison or Comparison()
    player = _Player(recording, {*recording.entrances(), *outside}, types)
    loop = VirtualTimeLoop(
        recording.header.seed if seed is None else seed,
        wall_anchor=_started(recording),
        allow_threads=allow_threads,
        deadline_secs=recording.last / 1e9 + 3600.0,
    )
    outcome = run_on(loop, player.play(factory, params, how.tolerance_secs or 0.0))
    if outcome.error is not None:
        raise outcome.error
    new = outcome.value
    assert new is not None
    new = new.redact(rules) if (rules := list(redact)) else new
    notes = (
        *player.notes,
        *(f"left running at the end: {task}" for task in outcome.leaked),
        *outcome.unhandled,
    )
    divergence = _compare(recording, new, player.outside, how)
    return Replay(recording=recording, replayed=new, divergence=divergence, notes=notes)


def _compare(
    recording: Recording, new: Recording, outside: set[str], how: Comparison
) -> Divergence | None:
    past = passing(recording.hand_overs, recording.processors)
    past |= passing(new.hand_overs, new.processors)
    ours, theirs = (
        without_waits(each.hand_overs, each.processors, past) for each in (recording, new)
    )
    if recording.header.audio is not AudioRecord.INCLUDE:  # what came in was replaced by silence
        ours, theirs = _without_sound(ours, outside), _without_sound(theirs, outside)
    until = None
    if not recording.graceful or recording.end is None:
        until = recording.last - round((how.tolerance_secs or 0.0) * 1e9)
        until = min([until, *_still_waiting(recording)])
    return first_divergence(ours, theirs, how, until=until, outside=outside)


def _still_waiting(recording: Recording) -> list[int]:
    """When the frames were pushed that waited for their turn when the recording ended."""
    given = recording.hand_overs
    cut = max((each.time for each in given if each.frame.type == "InterruptionFrame"), default=0)
    joined = without_waits(given, recording.processors)
    waiting = {id(each) for each in without_waits(given, recording.processors, lost=True)} - {
        id(each) for each in joined
    }
    return [each.time for each in given if id(each) in waiting and each.time >= cut]


def _without_sound(hand_overs: list[HandOver], outside: set[str]) -> list[HandOver]:
    """The sound of frames from outside is left out, wherever they go."""
    entered = {given.frame for given in hand_overs if given.source in outside}
    bare = {
        frame: FrameRecord({k: v for k, v in frame.fields.items() if k not in _MEDIA})
        for frame in entered
    }
    return [
        msgspec.structs.replace(given, frame=bare[given.frame]) if given.frame in bare else given
        for given in hand_overs
    ]


def _started(recording: Recording) -> datetime:
    try:
        return datetime.fromisoformat(recording.header.started)
    except ValueError:
        return WALL_ANCHOR


class _Collector(BaseObserver):
    """Keeps every hand-over."""

    def __init__(self, audio: AudioRecord) -> None:
        self.hand_overs: list[HandOver] = []
        self._encoder = FrameEncoder(audio)

    async def on_push_frame(self, data: FramePushed) -> None:
        self.hand_overs.append(hand_over(data, self._encoder))


def _with_hang_ups(recording: Recording, inputs: list[HandOver]) -> list[HandOver]:
    """The inputs with the interruptions of the output: a caller hangs up from outside."""
    spoke = (g.source for g in recording if g.frame.type == BotStartedSpeakingFrame.__name__)
    named = (name for name in recording.processors if name.startswith(OutputTransport.__name__))
    output = next(spoke, None) or next(named, None)
    seen: set[FrameRecord] = {given.frame for given in inputs}
    hang_ups: list[HandOver] = []
    for given in recording.hand_overs:
        if given.frame.type == InterruptionFrame.__name__ and given.frame not in seen:
            seen.add(given.frame)
            if given.source == output:
                hang_ups.append(given)
    return sorted([*hang_ups, *inputs], key=lambda given: given.time)


class _Player:
    """Feeds the inputs of one recording."""

    def __init__(
        self, recording: Recording, outside: set[str], types: Iterable[type[Frame]]
    ) -> None:
        self.notes: list[str] = []
        self._error: AntiphonError | None = None
        self.outside = outside
        self._recording = recording
        self._inputs = _with_hang_ups(recording, recording.inputs(outside))
        self._players: dict[str, FrameProcessor] = {}
        self._reader = FrameReader(types)
        self._processors: dict[str, StandIn] = {}
        self._note_doubts()

    async def play(
        self, factory: Factory, params: PipelineParams | None, grace: float
    ) -> Recording:
        """Holds the session, and returns it as a recording."""
        audio = self._recording.header.audio
        caller = FakeTransport(ends=False)
        pipeline = await build_pipeline(factory, caller)
        self._place(caller, pipeline)
        pipeline = self._cast(pipeline)
        observer = _Collector(audio)
        task = PipelineTask(
            pipeline,
            params=params or self._params(),
            observers=[observer],
            idle_timeout_secs=None,
        )
        header = header_now(audio)
        loop = asyncio.get_running_loop()
        early = self._before_start()
        for given in self._inputs[:early]:
            self._feed(task, given)
        began = loop.time()
        feeder = loop.create_task(self._feed_all(task, early, began, grace), name="replay")
        try:
            await task.run()
        finally:
            feeder.cancel()
            await asyncio.wait({feeder})
        if self._error is not None:
            raise self._error
        end = round((loop.time() - began) * 1e9)
        return Recording(header, observer.hand_overs, end=end)

    # ---- the inputs ---------------------------------------------------------------------------

    def _before_start(self) -> int:
        """How many inputs were queued before the session started."""
        for index, given in enumerate(self._recording.hand_overs):
            if given.frame.type == "StartFrame":
                earlier = {each.frame for each in self._recording.hand_overs[:index]}
                return sum(each.frame in earlier for each in self._inputs)
        return 0

    async def _feed_all(self, task: PipelineTask, first: int, began: float, grace: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            for given in self._inputs[first:]:
                await asyncio.sleep(began + given.time / 1e9 - loop.time())
                self._feed(task, given)
            if not self._recording.graceful:
                last = began + self._recording.last / 1e9 + grace
                await asyncio.sleep(last - loop.time())
                await task.cancel("the recording ends here")
        except AntiphonError as error:
            self._error = error
            await task.cancel("the replay cannot go on")

    def _feed(self, task: PipelineTask, given: HandOver) -> None:
        if given.source == TASK:
            task.queue_frame(self._reader.frame(given), given.direction)
            return
        if given.source not in self._processors:
            self._hang_up(self._players[given.source])
            return
        processor = self._processors[given.source]
        frame = processor.kept.pop(given.frame, None) or self._reader.frame(given)
        processor.push_frame(frame, given.direction)

    def _hang_up(self, output: FrameProcessor) -> None:
        if isinstance(output, OutputTransport):
            ends = (g.frame.fields for g in self._recording if g.frame.type == EndFrame.__name__)
            output.line.hang_up(str(next(ends, {}).get("reason", "the caller hung up")))
        else:
            output.push_frame(InterruptionFrame(), FrameDirection.DOWNSTREAM)

    # ---- the agent ----------------------------------------------------------------------------

    def _params(self) -> PipelineParams:
        """The parameters that the `StartFrame` told."""
        for given in self._recording.hand_overs:
            if given.frame.type == "StartFrame":
                fields = {k: v for k, v in given.frame.fields.items() if k not in {"type", "id"}}
                return msgspec.convert(fields, PipelineParams)
        raise InvalidInputError("the recording has no StartFrame: the session never started")

    def _place(self, caller: FakeTransport, pipeline: Pipeline) -> None:
        """Ends of a transport that was given to the factory go by the names of those recorded."""
        if caller.input() not in pipeline.processors:
            return
        recording = self._recording
        entrance = next(
            (name for name in recording.processors if name in self.outside), recording.processors[0]
        )
        self.outside.add(entrance)
        self._inputs = _with_hang_ups(recording, recording.inputs(self.outside))
        caller.input()._name = entrance
        spoke = (g.source for g in recording if g.frame.type == BotStartedSpeakingFrame.__name__)
        caller.output()._name = next(spoke, caller.output().name)

    def _cast(self, pipeline: Pipeline) -> Pipeline:
        """The pipeline with stand-ins for those that are outside."""
        pipeline = accompanied(pipeline)
        names = _names(pipeline)
        takes = _fates(self._recording, self.outside)
        absent = [n for n in self._recording.processors if n in self.outside - set(names.values())]
        for name in sorted(self.outside - {TASK}):
            if name not in self._recording.processors:
                raise ConfigurationError(
                    f"there is no {name} in the recording: it has "
                    f"{', '.join(self._recording.processors)}"
                )
            fates = takes.get(name, {})
            kinds = {kind: self._reader.type(kind) for kind, _ in fates}
            self._processors[name] = stand_in(name, tuple(kinds.values()), fates)
        for processor, name in names.items():
            if name not in self.outside:
                processor._name = name  # as counted among all, those replaced included
                self._players[name] = processor
        front = self._front(absent, set(names.values()))
        return Pipeline([*front, *self._replaced(pipeline, names).parts])

    def _front(self, absent: Sequence[str], present: set[str]) -> list[FrameProcessor]:
        """Stand-ins for those the pipeline does not have, if they were in front of all others."""
        for name in absent:
            order = self._recording.processors
            earlier = set(order[: order.index(name)]) & present
            if earlier:
                raise ConfigurationError(
                    f"{name} is not in the pipeline: put something of that name where it was, "
                    f"behind {', '.join(sorted(earlier))}; it will be replaced"
                )
        return [self._processors[name] for name in absent]

    def _replaced(self, pipeline: Pipeline, names: dict[FrameProcessor, str]) -> Pipeline:
        parts: list[FrameProcessor | Pipeline | ParallelPipeline] = []
        for part in pipeline.parts:
            if isinstance(part, ParallelPipeline):
                branches = [self._replaced(Pipeline(b), names).parts for b in part.branches]
                parts.append(part.with_branches(branches))
            else:
                parts.append(self._processors.get(names[part], part))
        return Pipeline(parts)

    def _note_doubts(self) -> None:
        header = self._recording.header
        if header.antiphon != antiphon.__version__:
            self.notes.append(
                f"recorded by antiphon {header.antiphon}, replayed by {antiphon.__version__}"
            )
        if self._recording.damage is not None:
            self.notes.append(f"the recording is not whole: {self._recording.damage}")
        sound = {g.source for g in self._inputs if _MEDIA & set(g.frame.fields)}
        if header.audio is not AudioRecord.INCLUDE and sound:
            self.notes.append(
                f"the sound of {', '.join(sorted(sound))} was not recorded: silence is in its "
                f"place; name those who listen to it as outside"
            )


def _names(pipeline: Pipeline) -> dict[FrameProcessor, str]:
    """The names that the processors will have, counted as a session counts them."""
    counts: Counter[str] = Counter()
    found: dict[FrameProcessor, str] = {}
    for processor in pipeline.processors:
        kind = type(processor).__name__
        name = processor.name
        if name == kind:
            name = f"{kind}#{counts[kind]}"
            counts[kind] += 1
        found[processor] = name
    return found


Fates = dict[tuple[str, FrameDirection], list[FrameRecord | None]]
"""Of each frame taken, by type and direction: its record if it was kept, None if it passed."""


def _fates(recording: Recording, outside: set[str]) -> dict[str, Fates]:
    """What the processors outside were handed, and whether they passed it on."""
    passed = passed_at_once(recording.hand_overs)
    found: dict[str, Fates] = {}
    for given in without_waits(recording.hand_overs, recording.processors, lost=True):
        name, frame, direction = given.destination, given.frame, given.direction
        if name in outside and frame.type not in _UNTAKEN:
            fates = found.setdefault(name, {}).setdefault((frame.type, direction), [])
            fates.append(None if (frame, name, direction) in passed else frame)
    return found


class StandIn(FrameProcessor):
    """Stands where a processor stood that was outside.

    Takes the types in `fates`, and passes each frame on at once, or keeps it, as its original did
    with the one in its place; beyond the recording, as it did with the last. What was handed over
    later is in `kept`, by its record, until then.
    """

    def __init__(self, name: str, fates: Fates) -> None:
        super().__init__(name=name)
        self.kept: dict[FrameRecord, Frame] = {}
        self._fates = {key: iter(records) for key, records in fates.items()}
        self._last = {key: records[-1] for key, records in fates.items()}

    def passes(self, frame: Frame, direction: FrameDirection) -> bool:
        """Whether this one is to be passed on; else it is kept."""
        key = (type(frame).__name__, direction)
        record = next(self._fates.get(key, iter(())), self._last.get(key))
        if record is not None:
            self.kept[record] = frame
        return record is None


def stand_in(name: str, kinds: Sequence[type[Frame]], fates: Fates) -> StandIn:
    """A stand-in that handles frames of these types."""
    if not kinds:
        return StandIn(name, fates)

    class Taking(StandIn):
        @handles(*kinds)
        async def take(self, frame: Frame, direction: FrameDirection) -> None:
            if self.passes(frame, direction) and not isinstance(frame, InterruptionFrame):
                await self.push_frame(frame, direction)

    return Taking(name, fates)
