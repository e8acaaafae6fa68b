"""Tables of facts and times for turn machines: what is told when, and what comes of it when."""

from __future__ import annotations

from collections.abc import Sequence

from antiphon.turns.facts import Fact, SpeechStarted, SpeechStopped, TranscriptReceived
from antiphon.turns.machine import TurnMachine
from antiphon.turns.machine_actions import (
    Action,
    CloseTurn,
    HoldPlayout,
    InterruptAgent,
    OpenTurn,
    ReleasePlayout,
    RunTurnModel,
    StopTimedOut,
    TriggerInference,
)
from antiphon.turns.opinions import Notify, SendFrame
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import UserTurnStartStrategy, UserTurnStopStrategy

VAD_SECS = 0.2
Line = tuple[float, Fact]
Outcome = tuple[float, str]


def talk(begin: float, end: float) -> list[Line]:
    """Speech truly from `begin` to `end`, as a VAD reports it."""
    return [
        (begin + VAD_SECS, SpeechStarted(at=begin)),
        (end + VAD_SECS, SpeechStopped(at=end, stop_secs=VAD_SECS)),
    ]


def heard(at: float, text: str, *, finalized: bool = False) -> Line:
    """A final transcript."""
    return (at, TranscriptReceived(text=text, finalized=finalized))


def interim(at: float, text: str) -> Line:
    """An interim transcript."""
    return (at, TranscriptReceived(text=text, final=False))


def machine(
    start: UserTurnStartStrategy | Sequence[UserTurnStartStrategy] | None = None,
    stop: UserTurnStopStrategy | Sequence[UserTurnStopStrategy] | None = None,
    *,
    stop_timeout: float = 5.0,
) -> TurnMachine:
    """A machine with these strategies, by default the usual ones."""
    starts = [start] if isinstance(start, UserTurnStartStrategy) else start
    stops = [stop] if isinstance(stop, UserTurnStopStrategy) else stop
    return TurnMachine(UserTurnStrategies(start=starts, stop=stops), stop_timeout=stop_timeout)


def play(turns: TurnMachine, *lines: Line | list[Line], until: float = 100.0) -> list[Outcome]:
    """Tells the lines in the order of their times, keeps every deadline, and notes what comes of
    it.
    """
    flat: list[Line] = []
    for line in lines:
        flat += line if isinstance(line, list) else [line]
    out: list[Outcome] = []
    for at, fact in sorted(flat, key=lambda line: line[0]):
        _wait(turns, at, out)
        out += [(round(at, 3), describe(action)) for action in turns.receive(fact, at)]
    _wait(turns, until, out)
    return out


def _wait(turns: TurnMachine, until: float, out: list[Outcome]) -> None:
    while turns.deadline is not None and turns.deadline <= until:
        at = turns.deadline
        out += [(round(at, 3), describe(action)) for action in turns.tick(at)]


def describe(action: Action) -> str:
    """An action in short."""
    match action:
        case OpenTurn(in_doubt=True):
            return "start in doubt"
        case OpenTurn(announce=announce, interrupt=interrupt):
            loud = "" if announce else " quietly"
            return f"start{loud}{'' if interrupt else ' without interruption'}"
        case InterruptAgent():
            return "interrupt"
        case TriggerInference(segment=segment):
            return f"infer {segment.text!r}"
        case CloseTurn(content=content, nothing_understood=nothing, tail=tail):
            rest = f" tail {tail!r}" if tail else ""
            return f"stop {content!r}{' not understood' if nothing else ''}{rest}"
        case StopTimedOut():
            return "timeout"
        case HoldPlayout():
            return "hold"
        case ReleasePlayout():
            return "release"
        case RunTurnModel():
            return "judge"
        case SendFrame(frame=frame):
            return f"send {type(frame).__name__}"
        case Notify(args=args):
            return f"notify{args!r}"
