"""The planted bugs, and how each part is checked: `PLANTS`. `measure` makes the table.

A budget is the number of seeds within which the bug must be found. For the first seed a suite
strikes at every step (at `MOMENTS` of them at most), so most bugs need no second one; `runs` counts
all conversations up to the one that shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from antiphon.frames.base import Frame
from antiphon.frames.llm import LLMRunFrame
from antiphon.frames.text import TextFrame, TranscriptionFrame
from antiphon.frames.turns import UserStoppedSpeakingFrame
from antiphon.kernel.processor import FrameProcessor
from antiphon.simulation.contracts import (
    ContractError,
    ContractRule,
    PartTrace,
    check_llm_provider,
    check_processor,
    check_serializer,
    check_stop_strategy,
    check_stt_provider,
    check_tts_provider,
)
from antiphon.turns.facts import SpeechStopped, TranscriptReceived
from tests.simulation.planted.faulted import Line, Question, Teller, nothing_twice
from tests.simulation.planted.processors import (
    Ask,
    Batcher,
    Drainer,
    Runner,
    Sender,
    Tools,
    Voice,
    Vow,
)
from tests.simulation.planted.providers import Ear, LockedVoice, Patience, ThinVendor

Seeds = int | Iterable[int]
MOMENTS = 60


@dataclass(frozen=True)
class Plant:
    """A bug: `check(bug, seeds)` runs the suite over the part with or without it."""

    name: str
    rules: tuple[ContractRule, ...]
    check: Callable[[bool, Seeds], int]
    budget: int = 5


@dataclass(frozen=True)
class Row:
    """One line of the table. `seeds` is None if the bug was not found."""

    plant: Plant
    seeds: int | None
    runs: int
    rule: ContractRule | None
    share: float
    """Of ten seeds by themselves, how many show the bug."""


def _processor(
    make: Callable[[bool], FrameProcessor],
    frames: Sequence[Frame],
    *,
    law: Callable[[PartTrace], str | None] | None = None,
) -> Callable[[bool, Seeds], int]:
    def check(bug: bool, seeds: Seeds) -> int:
        return check_processor(
            lambda: make(bug),
            frames=frames,
            seeds=seeds,
            laws=() if law is None else (law,),
            settle_secs=1.0,
            moments=MOMENTS,
        )

    return check


def one_run_a_turn(trace: PartTrace) -> str | None:
    """The model runs once for each turn, at most."""
    turns = sum(isinstance(frame, UserStoppedSpeakingFrame) for frame in trace.sent)
    runs = len(trace.made(LLMRunFrame))
    return f"{runs} runs for {turns} turns" if runs > turns else None


def _failing_vendor(bug: bool, seeds: Seeds) -> int:
    return check_llm_provider(
        lambda: ThinVendor(bug=bug),
        seeds=seeds,
        failing=lambda number: ThinVendor(bug=bug, fails_at=number),
    )


def _breaking_model(bug: bool, seeds: Seeds) -> int:
    return check_processor(
        lambda: Teller(bug=bug),
        frames=[Question(1), Question(2)],
        seeds=seeds,
        failing=lambda number: Teller(bug=bug, fails_after=number),
        laws=[nothing_twice],
        settle_secs=1.0,
        moments=MOMENTS,
    )


_TEXTS = [TextFrame("one two"), TextFrame("three four"), TextFrame("five")]
_TURN = [TranscriptionFrame("hello"), UserStoppedSpeakingFrame()]
_CLOSING = [(0.2, SpeechStopped(0.0, 0.2)), (0.3, TranscriptReceived("hello"))]

PLANTS: tuple[Plant, ...] = (
    Plant(
        "stale audio after barge-in",
        (ContractRule.STALE,),
        _processor(lambda bug: Voice(bug=bug), _TEXTS),
    ),
    Plant(
        "write after close",
        (ContractRule.EXCEPTIONS,),
        _processor(lambda bug: Sender(bug=bug), _TEXTS * 2),
    ),
    Plant(
        "lost uninterruptible frame",
        (ContractRule.KEEPS,),
        _processor(lambda bug: Batcher(bug=bug), [*_TEXTS, Vow(), Vow()]),
    ),
    Plant(
        "double LLM run",
        (ContractRule.LAW,),
        _processor(lambda bug: Runner(bug=bug), _TURN * 2, law=one_run_a_turn),
    ),
    Plant(
        "orphan tool result",
        (ContractRule.LAW,),
        _processor(lambda bug: Tools(orphans=bug), [Ask("a"), Ask("b")]),
    ),
    Plant(
        "result after cancel",
        (ContractRule.LAW,),
        _processor(lambda bug: Tools(speaks_after_cancel=bug), [Ask("a"), Ask("b")]),
    ),
    Plant(
        "turn that never stops",
        (ContractRule.ANSWERS,),
        lambda bug, seeds: check_stop_strategy(
            lambda: Patience(bug=bug), seeds=seeds, stops_with=_CLOSING
        ),
        budget=20,
    ),
    Plant(
        "hang at end",
        (ContractRule.ENDS,),
        _processor(lambda bug: Drainer(bug=bug), _TEXTS),
    ),
    Plant(
        "lock kept after a cancel",
        (ContractRule.ENDS,),
        lambda bug, seeds: check_tts_provider(lambda: LockedVoice(bug=bug), seeds=seeds),
    ),
    Plant("vendor's error crosses the seam", (ContractRule.SEAM,), _failing_vendor),
    Plant(
        "reader outlives its call",
        (ContractRule.TASKS, ContractRule.RELEASES),
        lambda bug, seeds: check_stt_provider(lambda: Ear(bug=bug), seeds=seeds),
    ),
    Plant("answer begun twice after a break", (ContractRule.LAW,), _breaking_model),
    Plant(
        "half a message ends the line",
        (ContractRule.ANSWERS,),
        lambda bug, seeds: check_serializer(
            lambda: Line(bug=bug), messages=['{"media": "0000"}'], seeds=seeds
        ),
    ),
)


def found(plant: Plant, seeds: Seeds) -> ContractError | None:
    """The first thing that the suite finds in the part with the bug."""
    try:
        plant.check(True, seeds)
    except ContractError as error:
        return error
    return None


def measure(plant: Plant, *, alone: int = 10) -> Row:
    """How many seeds it takes, and how many of `alone` seeds show the bug by themselves."""
    first = found(plant, plant.budget)
    hits = sum(found(plant, [seed]) is not None for seed in range(alone)) if alone else 0
    share = hits / alone if alone else 0.0
    if first is None:
        return Row(plant, None, 0, None, share)
    return Row(plant, first.seed + 1, first.runs, first.rule, share)


def table(lines: Iterable[Row]) -> str:
    """The lines for people."""
    rows = [f"{'bug':<34}{'seeds':>6}{'budget':>8}{'runs':>6}{'of 10':>7}  broken rule"]
    for line in lines:
        rule = line.rule.value if line.rule else "not found"
        seeds = "-" if line.seeds is None else str(line.seeds)
        rows.append(
            f"{line.plant.name:<34}{seeds:>6}{line.plant.budget:>8}{line.runs:>6}"
            f"{round(10 * line.share):>7}  {rule}"
        )
    return "\n".join(rows)
