"""The states of a turn and what moves between them: every transition is a line of `TRANSITIONS`.

The diagram in docs/turns.md is drawn from it, by `diagram`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class TurnState(enum.Enum):
    """Where the machine is. Whether the agent speaks is a fact beside it."""

    IDLE = "idle"
    """No turn is open, the caller is silent."""
    STIRRING = "stirring"
    """Sound is heard, but no strategy has opened a turn (yet)."""
    SPEAKING = "speaking"
    """A turn is open and the caller makes sound."""
    PAUSED = "paused"
    """A turn is open, the caller is silent, the model has not been asked since."""
    ASKED = "asked"
    """A turn is open, the caller is silent, the model was asked; the turn is not final."""


class TurnStep(enum.Enum):
    """What moves it: SOUND when the first source of sound begins, SILENCE when the last ends."""

    SOUND = "sound"
    SILENCE = "silence"
    START = "start"
    INFER = "infer"
    STOP = "stop"


_S = TurnState
TRANSITIONS: Mapping[TurnState, Mapping[TurnStep, TurnState]] = {
    _S.IDLE: {TurnStep.SOUND: _S.STIRRING, TurnStep.START: _S.PAUSED},
    _S.STIRRING: {TurnStep.SILENCE: _S.IDLE, TurnStep.START: _S.SPEAKING},
    _S.SPEAKING: {TurnStep.SILENCE: _S.PAUSED},
    _S.PAUSED: {TurnStep.SOUND: _S.SPEAKING, TurnStep.INFER: _S.ASKED, TurnStep.STOP: _S.IDLE},
    _S.ASKED: {TurnStep.SOUND: _S.SPEAKING, TurnStep.INFER: _S.ASKED, TurnStep.STOP: _S.IDLE},
}
OPEN = frozenset({_S.SPEAKING, _S.PAUSED, _S.ASKED})
SOUNDING = frozenset({_S.STIRRING, _S.SPEAKING})


def diagram() -> str:
    """The transitions as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {TurnState.IDLE.value}"]
    for state, steps in TRANSITIONS.items():
        for step, target in steps.items():
            lines.append(f"    {state.value} --> {target.value}: {step.value}")
    return "\n".join(lines)
