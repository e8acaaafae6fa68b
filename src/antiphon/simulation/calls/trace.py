"""One simulated call as people look at it: sound, words, turns, decisions, tools, faults, failures.

    trace = Trace("dinner")         # record=True: trace.recording can be replayed
    hold(agent, scenario, seed=17, trace=trace)
    Path("out.html").write_text(trace.page())
    print(trace.text())

A trace watches by a tap, so that the run is the one that the seed means. Times are those of the
conversation, in seconds.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from antiphon.clock import Clock
from antiphon.context.llm_context import LLMContext
from antiphon.context.user_aggregator import LLMUserAggregator
from antiphon.errors import InvalidInputError
from antiphon.frames.text import TextFrame
from antiphon.kernel.observers import FramePushed
from antiphon.kernel.task import PipelineTask
from antiphon.observe.conversation_log import (
    AgentTurn,
    ConversationLog,
    Mark,
    MarkKind,
    Party,
    Trigger,
    TurnDecision,
)
from antiphon.observe.happenings import AgentFinished, Happening, TurnDecided
from antiphon.observe.latency import ReplyInstants, split
from antiphon.observe.observer import ConversationObserver, RecordingObserver
from antiphon.observe.recording import Track, TwoSides
from antiphon.observe.report import render
from antiphon.observe.timeline import RowKind, TimelineRow, clock, lines_of
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.calls.caller import Caller, Manner
from antiphon.simulation.fakes.voice import tone
from antiphon.simulation.faults.events import FaultInjectedFrame
from antiphon.simulation.record.record_file import AudioRecord, HandOver, Header
from antiphon.simulation.record.recording import FrameEncoder, Recording, hand_over, header_now
from antiphon.simulation.tap import tap
from antiphon.turns.controller import UserTurnController
from antiphon.turns.machine_actions import Decision, DecisionKind
from antiphon.turns.processor import UserTurnProcessor

_FEW = 4
_SHORTEST_SECS = 0.1
"""Of a page's sound: also a call that failed at once has a page."""
_BREATH_SECS = 0.8
"""Text that comes later than this after other text is another utterance."""


class CallTrace:
    """What happens in one call. Give it to `trials.hold`; look at it when the call is over."""

    def __init__(
        self, title: str, *, record: bool = False, settings: Mapping[str, Any] | None = None
    ) -> None:
        self._settings = dict(settings or {})
        self._encoder = FrameEncoder() if record else None
        self._header: Header | None = None
        self._hand_overs: list[HandOver] = []
        self._observer = ConversationObserver(self._happened, title=title)
        self._recorder = RecordingObserver()
        self._lines: list[TimelineRow] = []
        self._caller: Caller | None = None
        self._controllers: list[tuple[UserTurnController, Decision | None]] = []
        self._context: LLMContext | None = None
        self._began: float | None = None
        self._written: list[AgentTurn] = []
        self._voiceless = False

    @property
    def log(self) -> ConversationLog:
        """The conversation as data."""
        return self._observer.log

    # ---- while it goes on ---------------------------------------------------------------------

    def attach(self, task: PipelineTask, caller: Caller) -> None:
        """The call is about to begin."""
        self._caller = caller
        self._controllers = [
            (processor.turns, None)
            for processor in task.processors
            if isinstance(processor, LLMUserAggregator | UserTurnProcessor)
        ]
        for processor in task.processors:
            if isinstance(processor, LLMUserAggregator):
                self._context = processor._shared.context
        self._voiceless = not any(isinstance(p, TTSService) for p in task.processors)
        self.log.parts = _parts(task)
        self.log.started_at = Clock().timestamp()
        tap(task, self._see)

    def _see(self, event: FramePushed) -> None:
        if self._began is None:
            self._began = asyncio.get_running_loop().time() - event.timestamp / 1e9
        if self._encoder is not None:
            self._header = self._header or header_now(AudioRecord.INCLUDE, settings=self._settings)
            self._hand_overs.append(hand_over(event, self._encoder))
        frame = event.frame
        if isinstance(frame, FaultInjectedFrame):
            text = f"{frame.target}: {frame.what}"
            self._mark(MarkKind.FAULT, event.timestamp / 1e9, text)
            return
        if self._voiceless and isinstance(frame, TextFrame):
            self._read(frame, event)
        self._look_for_decisions()
        self._observer.receive(event)
        self._recorder.receive(event)

    def _read(self, frame: TextFrame, event: FramePushed) -> None:
        """What an agent without a voice hands to the output is what it says."""
        caller = self._caller
        if caller is None or event.source != caller.output().name:
            return
        at, joint = event.timestamp / 1e9, "" if frame.includes_inter_frame_spaces else " "
        turn = self._written[-1] if self._written else None
        if turn is None or turn.end is None or at - turn.end > _BREATH_SECS:
            turn = AgentTurn(index=len(self._written), trigger=Trigger.OTHER, start=at)
            self._written.append(turn)
        turn.generated = turn.heard = f"{turn.heard}{joint}{frame.text}".lstrip()
        turn.end = at

    def _look_for_decisions(self) -> None:
        for index, (controller, last) in enumerate(self._controllers):
            decisions = controller.decisions
            if not decisions or decisions[-1] is last:
                continue
            news: list[Decision] = []
            for decision in reversed(decisions):
                if decision is last:
                    break
                news.append(decision)
            self._controllers[index] = (controller, decisions[-1])
            for decision in reversed(news):
                self._decided(decision)

    def _decided(self, decision: Decision) -> None:
        if decision.kind is DecisionKind.FORGET:
            return  # the turn's stop says the same
        record = TurnDecision(
            at=self._since(decision.at),
            what=decision.kind.value,
            strategy=decision.strategy,
            reason=decision.reason,
        )
        self.log.decisions.append(record)
        self._happened(TurnDecided(at=record.at, decision=record))

    def _happened(self, happening: Happening) -> None:
        self._lines += lines_of(happening)

    def _mark(self, kind: MarkKind, at: float, text: str, detail: str = "") -> None:
        self.log.marks.append(Mark(at=at, kind=kind, text=text, detail=detail))

    def _since(self, at: float) -> float:
        return at - (self._began or 0.0)

    # ---- afterwards ---------------------------------------------------------------------------

    def finish(self, failures: Iterable[tuple[str, str, float | None]]) -> None:
        """The call is over. `failures`: text, detail and loop time (None: the end) of each."""
        self._look_for_decisions()
        self._observer.finish()
        if self._voiceless:
            self._take_what_was_written()
        caller = self._caller
        for step in caller.steps if caller is not None else ():
            self._mark(MarkKind.STEP, self._since(step.at), step.text)
        for text, detail, at in failures:
            when = self.log.duration if at is None else self._since(at)
            self._mark(MarkKind.FAILURE, when, text, detail)
        self.log.marks.sort(key=lambda mark: mark.at)
        if self._context is not None:
            self.log.context = self._context.get_messages()

    def _take_what_was_written(self) -> None:
        """Nothing was spoken, so nothing was cut off either; the texts are the agent's turns."""
        log = self.log
        log.interruptions, log.agent_turns = [], self._written
        self._lines = [
            line for line in self._lines if line.kind not in {RowKind.AGENT, RowKind.CUT}
        ]
        for turn in self._written:
            start = turn.start or 0.0
            asked = [user for user in log.user_turns if (user.stopped or math.inf) <= start]
            if asked and asked[-1].speech_end is not None:
                turn.trigger, turn.reply_to = Trigger.USER, asked[-1].index
                turn.latency = split(
                    ReplyInstants(
                        speech_end=asked[-1].speech_end,
                        transcribed=asked[-1].transcribed,
                        decided=asked[-1].stopped,
                        first_token=start,
                        audible=start,
                    )
                )
            self._happened(AgentFinished(at=turn.end or start, turn=turn))

    @property
    def recording(self) -> Recording:
        """The call as a recording, to be replayed. `InvalidInputError` unless it was recorded."""
        if self._header is None:
            raise InvalidInputError("this call was not recorded: make a Trace(..., record=True)")
        return Recording(self._header, self._hand_overs)

    def page(self) -> str:
        """The call as one HTML page with everything in it."""
        return render(self.log, self._sides())

    def _sides(self) -> TwoSides:
        """Both sides as sound. A caller who speaks in facts buzzes where words were."""
        sides = self._recorder.sides()
        rate, caller = sides.sample_rate, sides.caller
        if self._caller is not None and self._caller.manner is Manner.FRAMES:
            track = Track(rate)
            for span in self.log.speech:
                if span.side is Party.CALLER and span.end is not None:
                    track.add(tone(span.end - span.start, sample_rate=rate), rate, span.start)
            caller = track.pcm()
        size = 2 * round(max(self.log.duration, _SHORTEST_SECS) * rate)
        size = max(size, len(caller), len(sides.agent))
        return TwoSides(rate, caller.ljust(size, b"\0"), sides.agent.ljust(size, b"\0"))

    def lines(self) -> list[TimelineRow]:
        """The call as lines, in order. A line without a time belongs to the one above."""
        blocks: list[list[TimelineRow]] = []
        for line in self._lines:
            if line.at is None and blocks:
                blocks[-1].append(line)
            else:
                blocks.append([line])
        steps = [_mark_lines(m) for m in self.log.marks if m.kind is MarkKind.STEP]
        others = [_mark_lines(m) for m in _gathered(self.log.marks) if m.kind is not MarkKind.STEP]
        blocks = [*steps, *blocks, *others]  # of one moment: the step, what happens, what is wrong
        blocks.sort(key=lambda block: block[0].at or 0.0)
        return [line for block in blocks for line in block]

    def text(self) -> str:
        """The call as plain text."""
        return "\n".join(as_text(line) for line in self.lines())


def as_text(line: TimelineRow) -> str:
    """A line without colours."""
    at = "" if line.at is None else clock(line.at)
    rest = f" [not heard: {line.dim}]" if line.dim else ""
    return f"{at:>7}  {line.who:<7} {line.text}{rest}".rstrip()


def _gathered(marks: Iterable[Mark]) -> list[Mark]:
    """The marks; of a fault that is there more than a few times, the first tells of the others."""
    faults = Counter(mark.text for mark in marks if mark.kind is MarkKind.FAULT)
    found: list[Mark] = []
    told: set[str] = set()
    for mark in marks:
        count = faults[mark.text] if mark.kind is MarkKind.FAULT else 0
        if count <= _FEW:
            found.append(mark)
        elif mark.text not in told:
            told.add(mark.text)
            text = f"{mark.text} ({count} times until the end)"
            found.append(msgspec.structs.replace(mark, text=text))
    return found


def _mark_lines(mark: Mark) -> list[TimelineRow]:
    if mark.kind is MarkKind.STEP:
        return [TimelineRow(RowKind.FIGURES, mark.at, "Script", mark.text)]
    if mark.kind is MarkKind.FAULT:
        return [TimelineRow(RowKind.ERROR, mark.at, "Fault", mark.text)]
    return [TimelineRow(RowKind.ERROR, mark.at, "FAILED", mark.text)]


def _parts(task: PipelineTask) -> dict[str, str]:
    """Who does what, for people."""
    parts: dict[str, str] = {}
    for processor in task.processors:
        if isinstance(processor, STTService):
            parts["Speech to text"] = processor.provider.name
        elif isinstance(processor, LLMService):
            provider = processor.provider
            parts["Language model"] = f"{provider.name}: {provider.model}"
        elif isinstance(processor, TTSService):
            parts["Text to speech"] = processor.provider.name
    return parts
