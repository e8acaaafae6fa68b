"""Hand-overs as they would be if nobody had been busy.

A frame that a processor does not handle flows past it, unless the processor is busy: then it waits
there, to keep its order, and is handed over twice. Whether somebody was busy differs between two
runs; what a processor handles does not. A type that jumps over a processor anywhere is not handled
by it, so where a frame of that type was handed to it, and by it, the two hand-overs are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from antiphon.kernel.epoch import FrameDirection
from antiphon.simulation.record.record_file import FrameRecord, HandOver

Passing = tuple[str, str, FrameDirection]
"""A processor, and a type of frame that flows past it in a direction."""


def passing(hand_overs: Iterable[HandOver], processors: Sequence[str]) -> set[Passing]:
    """What flows past whom, by the evidence of these hand-overs."""
    places = {name: index for index, name in enumerate(processors)}
    count = len(processors)
    found: set[Passing] = set()
    seen: set[tuple[str, str, FrameDirection, str]] = set()
    for given in hand_overs:
        jump = (given.source, given.destination, given.direction, given.frame.type)
        if jump in seen or given.frame.type in {"StartFrame", "InterruptionFrame"}:
            continue
        seen.add(jump)
        down = given.direction is FrameDirection.DOWNSTREAM
        entering = {"task": -1 if down else count}
        ends = {"task (upstream end)": -1, "task (downstream end)": count}
        begin = (places | entering).get(given.source)
        stop = (places | ends).get(given.destination)
        if begin is None or stop is None:
            continue
        between = processors[begin + 1 : stop] if down else processors[stop + 1 : begin]
        found |= {(name, given.frame.type, given.direction) for name in between}
    return found


def without_waits(
    hand_overs: Sequence[HandOver],
    processors: Sequence[str],
    known: Iterable[Passing] = (),
    *,
    lost: bool = False,
) -> list[HandOver]:
    """The hand-overs with those joined between which a frame only waited.

    One that is joined has the time and source of the first of them and the destination of the last.
    Frames that never came out of their wait are left out, unless `lost`. `known` adds evidence.
    """
    past = passing(hand_overs, processors) | set(known)
    waiting: dict[tuple[FrameRecord, str, FrameDirection], int] = {}
    found: list[HandOver] = []
    for given in hand_overs:
        place = waiting.pop((given.frame, given.source, given.direction), None)
        if place is None:
            place = len(found)
            found.append(given)
        else:
            found[place] = msgspec.structs.replace(found[place], destination=given.destination)
        if (given.destination, given.frame.type, given.direction) in past:
            waiting[given.frame, given.destination, given.direction] = place
    if not lost:
        for place in sorted(waiting.values(), reverse=True):
            del found[place]
    return found


Passed = tuple[FrameRecord, str, FrameDirection]
"""A frame, who passed it on, and in which direction."""

PROMPT_NS = 10_000_000


def passed_at_once(hand_overs: Iterable[HandOver]) -> set[Passed]:
    """What was handed on within 10 ms by those it was handed to: it only passed them."""
    arrived: dict[Passed, int] = {}
    found: set[Passed] = set()
    for given in hand_overs:
        if given.frame.type == "InterruptionFrame":
            continue
        passed = (given.frame, given.source, given.direction)
        if passed in arrived and given.time - arrived[passed] <= PROMPT_NS:
            found.add(passed)
        arrived[given.frame, given.destination, given.direction] = given.time
    return found
