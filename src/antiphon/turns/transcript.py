"""The text of one user turn: what was heard, what of it was committed, what is still to come."""

from __future__ import annotations

import math

from antiphon.turns.facts import TranscriptReceived
from antiphon.turns.machine_actions import TurnSegment


class TurnText:
    """Collects transcripts until an inference takes them. Text heard between turns opens the
    next.
    """

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._segments: list[str] = []
        self.inferences: int = 0
        self.interim: str = ""
        """What may still become a final transcript."""
        self.user_id: str = ""
        self.first_at: float = math.inf
        """When the first piece that no inference has taken was heard, in loop seconds."""

    @property
    def pending(self) -> str:
        """What no inference has taken yet."""
        return " ".join(self._pieces)

    def add(self, heard: TranscriptReceived, now: float) -> None:
        """Takes a transcript in."""
        text = heard.text.strip()
        self.user_id = heard.user_id or self.user_id
        if text:
            self.first_at = min(self.first_at, now)
        if heard.final:
            self.interim = ""
            if text:
                self._pieces.append(text)
        else:
            self.interim = text

    def take_interim(self) -> bool:
        """Makes do with the interim transcript, where no final one came; whether there was one."""
        if not self.interim:
            return False
        self._pieces.append(self.interim)
        self.interim = ""
        return True

    def take_segment(self, started: float) -> TurnSegment:
        """What an inference is about."""
        text = self.pending
        if text:
            self._segments.append(text)
        self.inferences += 1
        segment = TurnSegment(text, self.user_id, min(started, self.first_at))
        self._pieces, self.first_at = [], math.inf
        return segment

    def forget(self) -> None:
        """Throws away what no inference has taken."""
        self._pieces, self.interim, self.first_at = [], "", math.inf

    def close(self) -> tuple[str, str, int]:
        """Ends the turn: all its text, what came after the last inference, number of inferences."""
        tail, inferences = self.pending, self.inferences
        content = " ".join([*self._segments, *([tail] if tail else [])])
        self._segments, self.inferences = [], 0
        self.forget()
        return content, tail, inferences
