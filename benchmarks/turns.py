"""How well turns are ended, and how fast the machine is: `python benchmarks/turns.py`.

Recordings of people (`turn_recordings.py`: readings, telephone prompts, telephone talk) are cut in
the middle of a sentence, at their quietest moment, and a pause is put there. Real voice activity
detection (Silero) hears them; a transcript comes 0.3 s after the end of each stretch of speech; the
machine decides. *Premature*: the turn ended in the pause. *Delay*: from the true end of the last
word to the end of the turn, where it was not premature. A caller says everything with the same
length of pause, so that a strategy can learn it; the caller of the last column makes no pause in
half of the sentences, and another one in each of the others.

Takes a few minutes, most of it the voice activity detection and the turn model.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from antiphon.audio.pcm import to_bytes
from antiphon.audio.vad import SpeechStarted as Began
from antiphon.audio.vad import SpeechStopped as Ended
from antiphon.audio.vad import VADParams, VoiceDetector
from antiphon.providers.local.turn import LocalSmartTurnModel
from antiphon.providers.local.vad import SileroVADAnalyzer
from antiphon.turns.endpointing import DynamicEndpointingUserTurnStopStrategy
from antiphon.turns.facts import (
    BotStarted,
    BotStopped,
    Fact,
    SpeechStarted,
    SpeechStopped,
    TranscriberLatency,
    TranscriptReceived,
    TurnModelVerdict,
)
from antiphon.turns.machine import TurnMachine
from antiphon.turns.machine_actions import CloseTurn, RunTurnModel
from antiphon.turns.start_strategies import VADUserTurnStartStrategy
from antiphon.turns.stop_strategies import (
    SpeechTimeoutUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from antiphon.turns.strategies import UserTurnStrategies
from antiphon.turns.strategy import UserTurnStopStrategy
from antiphon.turns.turn_model_runner import COMPLETE_ABOVE, LISTEN_SECS
from benchmarks.turn_recordings import RATE, Utterance, utterances

WINDOW = 320
NO_PAUSE = 0.0
PAUSES = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.5)
TRANSCRIPT_SECS = 0.3
MODEL_SECS = 0.06
TAIL_SECS = 4.0


def with_pause(samples: np.ndarray, secs: float) -> tuple[bytes, float, float]:
    """PCM with a pause in the middle and silence at the end; when the pause begins, when speech
    ends.
    """
    low, high = int(len(samples) * 0.35), int(len(samples) * 0.65)
    energy = [
        (float(np.abs(samples[at : at + WINDOW].astype(np.int32)).mean()), at)
        for at in range(low, high - WINDOW, WINDOW // 4)
    ]
    cut = min(energy)[1] + WINDOW // 2
    rng = np.random.default_rng(1)

    def hush(duration: float) -> np.ndarray:
        return rng.normal(0, 8, int(duration * RATE)).astype(np.int16)

    parts = [hush(0.5), samples[:cut], hush(secs), samples[cut:], hush(TAIL_SECS)]
    pause = 0.5 + cut / RATE
    end = 0.5 + len(samples) / RATE + secs
    return to_bytes(np.concatenate(parts)), pause, end


def speech(pcm: bytes) -> list[tuple[float, Fact]]:
    """What voice activity detection says about a recording, and when."""
    detector = VoiceDetector(SileroVADAnalyzer(), VADParams(min_volume=0.0))
    facts: list[tuple[float, Fact]] = []
    step = 2 * WINDOW
    for start in range(0, len(pcm), step):
        now = (start + step) / 2 / RATE
        for event in detector.feed(pcm[start : start + step], now):
            match event:
                case Began(at=at, since=since):
                    facts.append((at, SpeechStarted(at=since)))
                case Ended(at=at, since=since):
                    facts.append((at, SpeechStopped(at=since, stop_secs=at - since)))
                    heard = TranscriptReceived(text="words", finalized=True)
                    facts.append((since + TRANSCRIPT_SECS, heard))
    return sorted(facts, key=lambda line: line[0])


class Verdicts:
    """The turn model's opinions, each asked for once."""

    def __init__(self, model: LocalSmartTurnModel) -> None:
        self._model = model
        self._known: dict[bytes, float] = {}

    def about(self, pcm: bytes, now: float) -> float:
        """The probability that the turn in the audio until `now` is complete."""
        audio = pcm[: 2 * int(now * RATE)][-2 * int(LISTEN_SECS * RATE) :]
        if audio not in self._known:
            self._known[audio] = asyncio.run(self._model.complete_probability(audio))
        return self._known[audio]


def play(
    machine: TurnMachine,
    pcm: bytes,
    facts: Sequence[tuple[float, Fact]],
    begin: float,
    judge: Verdicts,
) -> list[float]:
    """Lets the machine hear one sentence at time `begin`; when turns ended, from its beginning."""
    queue = [(begin + at, _later(fact, begin)) for at, fact in facts]
    queue.append((begin + len(pcm) / 2 / RATE, BotStarted()))
    queue.append((begin + len(pcm) / 2 / RATE + 1, BotStopped()))
    ends: list[float] = []
    while queue:
        queue.sort(key=lambda line: line[0])
        at = queue[0][0]
        if machine.deadline is not None and machine.deadline <= at:
            at = machine.deadline
            actions = machine.tick(at)
        else:
            actions = machine.receive(queue.pop(0)[1], at)
        for action in actions:
            if isinstance(action, CloseTurn):
                ends.append(at - begin)
            elif isinstance(action, RunTurnModel):
                probability = judge.about(pcm, at - begin)
                verdict = TurnModelVerdict(
                    complete=probability > COMPLETE_ABOVE, probability=probability
                )
                queue.append((at + MODEL_SECS, verdict))
    return ends


def _later(fact: Fact, secs: float) -> Fact:
    if isinstance(fact, SpeechStarted | SpeechStopped):
        return msgspec.structs.replace(fact, at=fact.at + secs)
    return fact


STRATEGIES: dict[str, Callable[[], UserTurnStopStrategy]] = {
    "speech timeout 0.6 s": SpeechTimeoutUserTurnStopStrategy,
    "speech timeout 1.0 s": lambda: SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=1.0),
    "dynamic endpointing": DynamicEndpointingUserTurnStopStrategy,
    "turn model, believed": lambda: TurnAnalyzerUserTurnStopStrategy(
        adaptive=False, unsure_secs=0.0
    ),
    "turn model, by sureness": lambda: TurnAnalyzerUserTurnStopStrategy(adaptive=False),
    "turn analyzer": TurnAnalyzerUserTurnStopStrategy,
    "turn analyzer, stop 1.5 s": lambda: TurnAnalyzerUserTurnStopStrategy(stop_secs=1.5),
}


class Spoken(NamedTuple):
    """An utterance with a pause: its sound, when it truly ends, and what is told of it."""

    group: str
    pcm: bytes
    end: float
    facts: list[tuple[float, Fact]]


class Score:
    """Premature ends and delays."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.premature = 0
        self.count = 0

    def add(self, ends: Sequence[float], end: float) -> None:
        """One utterance, whose turns ended then."""
        early = any(at < end for at in ends)
        self.count += 1
        self.premature += early
        self.delays += [at - end for at in ends[-1:] if not early]

    def __str__(self) -> str:
        delay = f"{statistics.median(self.delays):.2f}s" if self.delays else "-"
        return f"{self.premature / max(self.count, 1):>4.0%} {delay:>5}"


def caller(
    heard: Sequence[Spoken], make: Callable[[], UserTurnStopStrategy], judge: Verdicts
) -> dict[str, Score]:
    """One caller says all of it; the scores by group of recordings, and of all of them."""
    machine = TurnMachine(UserTurnStrategies(start=[VADUserTurnStartStrategy()], stop=[make()]))
    machine.receive(TranscriberLatency(0.6, answers=True), 0.0)
    scores: dict[str, Score] = {}
    for index, (group, pcm, end, facts) in enumerate(heard):
        ends = play(machine, pcm, facts, 100.0 * (index + 1), judge)
        for name in (group, "all"):
            scores.setdefault(name, Score()).add(ends, end)
    return scores


def hear(one: Utterance, secs: float) -> Spoken:
    """The utterance with a pause of `secs`."""
    pcm, _, end = with_pause(one.samples, secs)
    return Spoken(one.group, pcm, end, speech(pcm))


def endings() -> None:
    """Premature ends and delays, by strategy and length of the pause, and by group."""
    said = utterances()
    random.Random(1).shuffle(said)
    judge = Verdicts(LocalSmartTurnModel())
    lengths = (NO_PAUSE, *PAUSES)
    heard = {secs: [hear(one, secs) for one in said] for secs in lengths}
    rng = random.Random(2)
    mixed = [heard[rng.choice((NO_PAUSE, rng.choice(PAUSES)))][index] for index in range(len(said))]
    print(f"{len(said)} utterances with a pause: premature ends, median delay after the true end")
    heads = ["none", *(f"{secs:.1f}s" for secs in PAUSES), "mixed"]
    print(f"{'pause':<26}" + "".join(f"{head:>12}" for head in heads))
    groups: dict[str, dict[str, Score]] = {}
    for name, make in STRATEGIES.items():
        scores = [caller(heard[secs], make, judge)["all"] for secs in lengths]
        groups[name] = caller(mixed, make, judge)
        cells = [*scores, groups[name]["all"]]
        print(f"{name:<26}" + "".join(f"{cell!s:>12}" for cell in cells), flush=True)
    names = sorted({one.group for one in said})
    print(f"\n{'the mixed ones':<26}" + "".join(f"{group:>12}" for group in names))
    for name, by_group in groups.items():
        print(f"{name:<26}" + "".join(f"{by_group[group]!s:>12}" for group in names))


def speed() -> None:
    """CPU time for an hour of facts, 50 a second."""
    machine, facts, now = TurnMachine(), list[tuple[float, Fact]](), 0.0
    for index in range(180_000):
        now += 0.02
        step = index % 150
        fact: Fact = TurnModelVerdict(complete=False)
        if step == 10:
            fact = SpeechStarted(now - 0.2)
        elif step == 80:
            fact = SpeechStopped(now - 0.2, 0.2)
        elif 10 < step < 80 and step % 5 == 0:
            fact = TranscriptReceived("some words", final=False)
        elif step == 90:
            fact = TranscriptReceived("some words here", finalized=True)
        elif step == 110:
            fact = BotStarted()
        elif step == 140:
            fact = BotStopped()
        facts.append((now, fact))
    begun = time.process_time()
    turns = 0
    for at, fact in facts:
        if machine.deadline is not None and machine.deadline <= at:
            machine.tick(machine.deadline)
        turns += sum(isinstance(action, CloseTurn) for action in machine.receive(fact, at))
    took = time.process_time() - begun
    each = took / len(facts) * 1e6
    print(f"an hour of 50 facts a second: {took:.2f} s of CPU ({each:.1f} us a fact)")


def main() -> None:
    """Both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only-speed", action="store_true", help="without recordings and models")
    arguments = parser.parse_args()
    speed()
    if not arguments.only_speed:
        endings()


if __name__ == "__main__":
    main()
