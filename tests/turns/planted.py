"""Bugs planted into the turn machine: a line of its source is replaced in a copy."""

from __future__ import annotations

import inspect
import types
from typing import NamedTuple

from antiphon.turns import floor, machine, transcript
from antiphon.turns.machine import TurnMachine


class Bug(NamedTuple):
    """`old` becomes `new` in the source of `module`."""

    module: types.ModuleType
    old: str
    new: str


def machine_with(bug: Bug) -> type[TurnMachine]:
    """A turn machine that has the bug; the real one is not touched.

    Raises:
        AssertionError: `old` does not occur exactly once: the bug must follow the code.

    """
    floor_names = {"TurnText": vars(_copy(transcript, bug))["TurnText"]}
    floor_copy = _copy(floor, bug, **floor_names)
    copy = _copy(machine, bug, Floor=vars(floor_copy)["Floor"])
    found: type[TurnMachine] = vars(copy)["TurnMachine"]
    return found


def _copy(module: types.ModuleType, bug: Bug, **names: object) -> types.ModuleType:
    """The module anew, with the bug if it is meant, and `names` in place of what it imports."""
    source = inspect.getsource(module)
    if bug.module is module:
        assert source.count(bug.old) == 1, f"{source.count(bug.old)} times: {bug.old!r}"
        source = source.replace(bug.old, bug.new)
    copy = types.ModuleType(module.__name__)
    exec(compile(source, inspect.getfile(module), "exec"), vars(copy))  # noqa: S102 - our own source
    vars(copy).update(names)
    return copy


BUGS: dict[str, Bug] = {
    "the watchdog does not count while there is sound": Bug(
        machine,
        "self._watchdog = floor.sounding_since + self._max_speech",
        "self._watchdog = None",
    ),
    "the watchdog barks and does not stop the turn": Bug(
        machine,
        """        if floor.is_open:
            self._stop(None, reason, now, announce=True)

    def _forget""",
        """
    def _forget""",
    ),
    "interim transcripts put the watchdog off for ever": Bug(
        machine,
        "self._watchdog = min(now + self._stop_timeout, self._firm_at + longest)",
        "self._watchdog = now + 1e6",
    ),
    "silence does not arm the watchdog": Bug(
        machine,
        """            if floor.end_sound(at, ENDS[kind]):
                self._rearm(now)
""",
        """            if floor.end_sound(at, ENDS[kind]):
                self._watchdog = None
""",
    ),
    "a second inference leaves the first answer alive": Bug(
        machine,
        "if floor.text.inferences and floor.under_way:",
        "if floor.text.inferences and floor.under_way and floor.bot_speaks:",
    ),
    "a caller who goes on leaves the answer alive": Bug(
        machine, "if asked and floor.may_interrupt:", "if asked and floor.bot_speaks:"
    ),
    "an answer that must not be interrupted is doubled": Bug(
        machine,
        """        elif floor.must_wait:
            why""",
        """        elif not floor.is_open:
            why""",
    ),
    "the same words are asked about twice": Bug(
        machine,
        """        elif not floor.text.pending and floor.text.inferences and not floor.cut_off:
            return  # asking again about the same words would be a second reply
""",
        "",
    ),
    "the turn ends although the caller speaks": Bug(
        machine,
        """        if floor.sounds:
            why = f"end ({reason}): the caller speaks"
""",
        """        if floor.sounds and not floor.end_sound(now):
            why = f"end ({reason}): the caller speaks"
""",
    ),
    "the model is asked although the caller speaks": Bug(
        machine,
        """        if floor.sounds:
            why = f"inference""",
        """        if floor.sounds and not floor.end_sound(now):
            why = f"inference""",
    ),
    "one source of sound that ends is taken for silence": Bug(
        floor,
        "self._sources -= {source} if source is not None else self._sources",
        "self._sources.clear()",
    ),
    "the beginning of sound is overheard within a turn": Bug(
        floor,
        "        first = not self._sources\n",
        "        if self.state is TurnState.ASKED:\n            return False\n"
        "        first = not self._sources\n",
    ),
    "speech held for a backchannel is never released": Bug(
        machine,
        "if self._hold_until is not None and self._hold_until <= now:",
        "if self._hold_until is not None and self._hold_until <= now - 60:",
    ),
    "playout is released that was not held": Bug(
        machine,
        "        if self._hold_until is not None:\n            self._hold_until = None\n",
        "        if self._floor.bot_speaks:\n            self._hold_until = None\n",
    ),
    "the whole text lacks the segments": Bug(
        transcript,
        'content = " ".join([*self._segments, *([tail] if tail else [])])',
        "content = tail",
    ),
    "the whole text lacks the tail": Bug(
        transcript,
        'content = " ".join([*self._segments, *([tail] if tail else [])])',
        'content = " ".join(self._segments)',
    ),
    "words that came between two turns are lost": Bug(
        machine,
        "        floor.open(strategy, now)\n",
        "        floor.open(strategy, now)\n        floor.text.forget()\n",
    ),
    "the segments of a turn come back in the next": Bug(
        transcript,
        "        self._segments, self.inferences = [], 0\n",
        "        self.inferences = 0\n",
    ),
    "a piece of a transcript replaces the one before": Bug(
        transcript,
        "            if text:\n                self._pieces.append(text)\n",
        "            if text:\n                self._pieces = [text]\n",
    ),
    "an interim transcript is taken for good": Bug(
        transcript,
        "        else:\n            self.interim = text\n",
        "        else:\n            self.interim = text\n            self._pieces.append(text)\n",
    ),
    "what a strategy forgets is forgotten within a turn": Bug(
        machine,
        "        if not self._floor.is_open:\n            self._floor.text.forget()\n",
        "        if self._floor:\n            self._floor.text.forget()\n",
    ),
    "a turn starts within a turn": Bug(
        machine,
        "        if floor.is_open or self._opened:\n            return\n",
        "        if floor.is_open:\n            floor.go(TurnStep.STOP)\n",
    ),
    "a muted caller is heard": Bug(
        machine,
        "if self._floor.muted and not isinstance(event, _HEARD_WHILE_MUTED):",
        "if self._floor.muted and isinstance(event, SpeechStarted):",
    ),
    "what was said while muted is heard afterwards": Bug(
        floor,
        "late = isinstance(event, TranscriptReceived) and",
        "late = isinstance(event, Muted) and",
    ),
    "a swap of the strategies forgets the open turn": Bug(
        machine,
        "        for fact in list(self._floor.situation()):\n            self._tell(fact, now)\n"
        "        self._rearm(now)\n",
        "        self._floor.state = TurnState.IDLE\n        self._watchdog = None\n",
    ),
}
