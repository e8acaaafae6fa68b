"""A log of every hand-over, byte for byte comparable between two runs of one seed."""

from __future__ import annotations

import re
from pathlib import Path

from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import BaseObserver, FramePushed
from antiphon.simulation.record.frame_text import describe_frame

_REFERENCE = re.compile(r"\b(response_id=|group_id='[^']*-)(\d+)")
"""Where a frame names another by its id, which counts within the process."""

_ARROWS = {FrameDirection.DOWNSTREAM: "->", FrameDirection.UPSTREAM: "<-"}


class ObserverLog(BaseObserver):
    """One line per hand-over: seconds, source, direction, destination, frame.

    Frames are numbered in the order in which they are first seen (`#3`), so that one frame can be
    followed from processor to processor.
    """

    def __init__(self) -> None:
        self._events: list[FramePushed] = []

    async def on_push_frame(self, data: FramePushed) -> None:
        self._events.append(data)

    @property
    def lines(self) -> list[str]:
        """The log line by line."""
        numbers: dict[int, int] = {}

        def number(frame_id: int) -> int:
            return numbers.setdefault(frame_id, len(numbers) + 1)

        def refer(found: re.Match[str]) -> str:
            return f"{found[1]}#{number(int(found[2]))}"

        return [
            f"{data.timestamp / 1e9:.9f} {data.source} {_ARROWS[data.direction]} "
            f"{data.destination} #{number(data.frame.id)} "
            f"{_REFERENCE.sub(refer, describe_frame(data.frame))}"
            for data in self._events
        ]

    @property
    def text(self) -> str:
        """The whole log."""
        return "".join(f"{line}\n" for line in self.lines)

    def write(self, path: Path) -> None:
        """Writes the log to a file, as UTF-8."""
        path.write_text(self.text, encoding="utf-8")


def first_difference(one: str, other: str) -> str | None:
    """The first line in which two logs differ, of both; None if they are equal."""
    ours, theirs = one.splitlines(), other.splitlines()
    for number in range(max(len(ours), len(theirs))):
        left = ours[number] if number < len(ours) else "(ended)"
        right = theirs[number] if number < len(theirs) else "(ended)"
        if left != right:
            return f"line {number + 1}:\n  {left}\n  {right}"
    return None
