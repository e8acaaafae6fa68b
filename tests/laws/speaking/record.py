"""What happened in one conversation, noted by everybody who takes part in it.

Every spoken word has a number, and all samples of its sound have that value. So the sound that was
written says by itself which samples of which word were played, and nothing of the framework is
asked.
"""

from __future__ import annotations

import asyncio
import enum
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

RATE = 2_000
CHUNK_SECS = 0.02


class Moment(enum.Enum):
    """What an interruption may be waiting for."""

    WRITE = "a chunk is written"
    DUE = "the next chunk is due"
    FRAME = "a frame comes out behind the output"
    VOICE = "the voice yields something"
    TURN = "a turn of the assistant begins or ends"
    PUSH = "the model pushes something"


@dataclass
class Token:
    """A word of an answer (or, with `number` 0, text that is shown and not spoken)."""

    text: str
    number: int
    place: int
    epoch: int
    kept: bool = True
    aside: int = 0
    """The number of the request, outside the answer's own text, that it belongs to; 0: none."""
    samples: int = 0
    """How long the voice made it."""
    yielded: int = 0
    """How much of it the voice has given."""
    told_at: float = float("inf")
    """When the voice said where it ends."""


@dataclass
class Turn:
    """What is to be one turn of the assistant. `opens`: the context is to know of it."""

    opens: bool
    greeting: bool
    tokens: list[Token] = field(default_factory=list)
    ended_at_place: int | None = None


@dataclass
class Stopped:
    """A turn that the assistant's half of the context told of."""

    began_epoch: int
    content: str
    interrupted: bool
    unheard: str


@dataclass
class Chunk:
    """A piece of sound that was written."""

    at: float
    epoch: int
    pcm: bytes


class Record:
    """The facts of one run."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"speaking {seed}")
        self.cuts: list[float] = []
        self.turns: list[list[Turn]] = [[]]
        self.tokens: dict[int, Token] = {}
        self.chunks: list[Chunk] = []
        self.came: list[tuple[float, int, object]] = []
        """What came out behind the output: when, in which epoch, and what."""
        self.open_turns: list[int] = []
        self.stopped: list[Stopped] = []
        self.wrong: list[str] = []
        self.musts: list[int] = []
        self.notes: dict[int, int] = {}
        """In which epoch the note of a place was sent."""
        self.places = 0
        self.failed = False
        self.overtaken = 0
        """How often the voice made sound of one utterance before that of an earlier one."""
        self.ending_at: float | None = None
        self.cancelled_at: float | None = None
        self.over = False
        """Nobody cuts in any more."""
        self.armed: tuple[Moment, int] | None = None
        self.interrupt: Callable[[], object] = lambda: None

    @property
    def epoch(self) -> int:
        """How many interruptions there have been."""
        return len(self.cuts)

    def now(self) -> float:
        """Virtual seconds."""
        return asyncio.get_running_loop().time()

    def place(self) -> int:
        """The next place in the order in which things were sent."""
        self.places += 1
        return self.places

    def word(
        self, text: str, turn: Turn, *, spoken: bool = True, kept: bool = True, aside: int = 0
    ) -> Token:
        """A new word (`text` with {} for its number) of a turn."""
        number = len(self.tokens) + 1
        token = Token(text.format(number), number * spoken, self.place(), self.epoch, kept, aside)
        self.tokens[number] = token
        turn.tokens.append(token)
        return token

    def cut(self, *, times: int = 1) -> None:
        """Interrupts, now."""
        for _ in range(0 if self.over else times):
            self.cuts.append(self.now())
            self.turns.append([])
            self.interrupt()

    def seen(self, moment: Moment, *, after: float | None = None) -> None:
        """Interrupts if this is what an interruption waits for, now or so many seconds later."""
        if self.armed is None or self.armed[0] is not moment:
            return
        count = self.armed[1] - 1
        self.armed = (moment, count) if count > 0 else None
        if self.armed is not None:
            return
        cut = partial(self.cut, times=2 if self.rng.random() < 0.1 else 1)
        if after is None:
            cut()
        else:
            asyncio.get_running_loop().call_later(after, cut)
