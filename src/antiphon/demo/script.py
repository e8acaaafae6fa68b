"""What the demo's caller says, and when. Data only.

The persona knows what the caller asks about, so that a very small model can answer. The phrases
have no commas where the voice would pause long enough to end a turn; the turn model hears that each
of them is complete, and that the hesitation is not.
"""

from __future__ import annotations

import enum

import msgspec


class ScriptedSpeech(msgspec.Struct, frozen=True):
    """Words, in the caller's synthesised voice."""

    text: str


class Reading(msgspec.Struct, frozen=True):
    """A person reading aloud (a real recording), or the caller's voice where there is none."""

    text: str


class ScriptedPause(msgspec.Struct, frozen=True):
    """Silence within a turn, in seconds."""

    secs: float


class Cue(enum.Enum):
    """What the caller waits for before a turn. Each is followed by the turn's `after` seconds."""

    START = "the beginning of the call"
    REPLY = "the end of the agent's reply"
    NEWS = "the end of what the agent says about a tool's result"
    IN_REPLY = "the beginning of the agent's reply: the caller will interrupt it"


class Turn(msgspec.Struct, frozen=True):
    """One turn of the caller."""

    pieces: tuple[ScriptedSpeech | Reading | ScriptedPause, ...]
    cue: Cue = Cue.REPLY
    after: float = 0.7

    @property
    def text(self) -> str:
        """All that is said in it."""
        return " ".join(p.text for p in self.pieces if not isinstance(p, ScriptedPause))


AGENT_NAME = "Ada"

PERSONA = (
    f"Your name is {AGENT_NAME} and you answer the phone of a small hotel. "
    "Breakfast is from seven to ten, in the garden room: we serve fresh bread, eggs, fruit, "
    "coffee and tea, and pancakes on Sundays. "
    "The book in every room is A Tale of Two Cities by Charles Dickens."
)

FILLER = "Let me check on that."
WEATHER_SECS = 10.0
"""How long the weather takes: long enough to talk about something else meanwhile."""

SCRIPT = (
    Turn((ScriptedSpeech("Hello there what is your name?"),), Cue.START, 0.6),
    Turn((ScriptedSpeech("How is the weather in London right now?"),)),
    Turn(
        (
            ScriptedSpeech("Which book is this from?"),
            ScriptedPause(0.05),
            Reading("It was the best of times, it was the worst of times."),
        )
    ),
    Turn(
        (
            ScriptedSpeech("And how many, um,"),
            ScriptedPause(1.1),
            ScriptedSpeech("how many days are there in a week?"),
        ),
        Cue.NEWS,
    ),
    Turn((ScriptedSpeech("Could you tell me all about breakfast?"),)),
    Turn((ScriptedSpeech("Okay what is the capital of Japan?"),), Cue.IN_REPLY, 3.0),
    Turn((ScriptedSpeech("Great thank you and goodbye for now."),)),
)
