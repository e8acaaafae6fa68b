"""A log of every hand-over, byte for byte comparable between two runs of one seed."""

from __future__ import annotations

from pathlib import Path

from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.observers import BaseObserver, FramePushed
from antiphon.simulation.frame_text import describe_frame


class ObserverLog(BaseObserver):
    """One line per hand-over: seconds, source, direction, destination, frame.

    Frames are numbered in the order in which they are first seen (`#3`), so that one frame can be
    followed from processor to processor.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._numbers: dict[int, int] = {}

    async def on_push_frame(self, data: FramePushed) -> None:
        number = self._numbers.setdefault(data.frame.id, len(self._numbers) + 1)
        arrow = "->" if data.direction is FrameDirection.DOWNSTREAM else "<-"
        self.lines.append(
            f"{data.timestamp / 1e9:.9f} {data.source} {arrow} {data.destination} "
            f"#{number} {describe_frame(data.frame)}"
        )

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
