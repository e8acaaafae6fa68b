"""Conversations of one service whose provider is out of reach now and then, and what must hold.

The words said or to be said are `w0`, `w1`, ...; each is in exactly one place at the end.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

from antiphon.context.llm_context import LLMContext
from antiphon.errors import ConnectivityError, RateLimitError, ServerError
from antiphon.frames.audio import InputAudioRawFrame
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import LLMContextFrame
from antiphon.frames.speech import SpeechLostFrame, TTSSpeakFrame
from antiphon.frames.text import LLMTextFrame, TranscriptionFrame, TTSTextFrame
from antiphon.frames.turns import VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from antiphon.kernel.processor import FrameProcessor
from antiphon.services.llm import LLMService
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.simulation.fakes.voice import silence, speak
from antiphon.simulation.loop.virtual_time import run
from antiphon.simulation.testing import SleepFrame, run_test
from tests.services.outages import Outages, OutLLM, OutSTT, OutTTS

RATE = 16_000
PIECE_SECS = 0.1
SORRY = "Sorry."
LONGEST_SECS = 20.0


class Plan:
    """The outages of a seed: up to three, of 0.1 to 20 s each, whatever they raise."""

    def __init__(self, seed: int, *, within_secs: float) -> None:
        self.rng = random.Random(f"outages {seed}")
        at, spans = 0.0, list[tuple[float, float]]()
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            at += self.rng.uniform(0.0, within_secs / 2)
            secs = self.rng.choice((0.1, self.rng.uniform(0.1, 3.0), self.rng.uniform(3.0, 20.0)))
            spans.append((at, at + secs))
            at += secs + 8.0
        errors = [ConnectivityError("down"), RateLimitError("slow"), ServerError("odd"), OSError(9)]
        self.outages = Outages(spans, self.rng.choice(errors))
        self.over = at

    def hits(self, begin: float, end: float) -> bool:
        """An outage lies in this time."""
        return any(a < end and begin < b for a, b in self.outages.spans)

    def told_too_often(self, errors: Sequence[ErrorFrame], more: int = 0) -> Iterator[str]:
        """Failures of one cause are told once, and rarely again."""
        most = 3 * len(self.outages.spans) + more
        if len(errors) > most:
            yield f"{len(errors)} errors for {len(self.outages.spans)} outages"

    def tried_too_often(self, per_secs: float = 1.0) -> Iterator[str]:
        """No storm of attempts."""
        secs = sum(end - begin for begin, end in self.outages.spans)
        most = 30 + per_secs * secs
        if len(self.outages.attempts) > most:
            yield f"{len(self.outages.attempts)} attempts in {secs:.1f} s"


def held(service: FrameProcessor, frames: Sequence[Frame], seed: int) -> list[Frame]:
    """What came out, both ways; raises if something is left behind."""
    out, up = run(run_test(service, frames_to_send=frames), seed=seed)
    return [*out, *up]


def each_once(said: Sequence[str], count: int, *, lost: bool) -> Iterator[str]:
    """Every word in one place and in order; missing ones only where that was told."""
    known = [word for word in said if word.startswith("w")]
    twice = [word for word, times in Counter(known).items() if times > 1]
    if twice:
        yield f"{twice} twice"
    if not twice and known != sorted(known, key=lambda word: int(word[1:].strip("."))):
        yield f"out of order: {known}"
    missing = {f"w{n}" for n in range(count)} - {word.strip(".") for word in known}
    if missing and not lost:
        yield f"{sorted(missing)} nowhere"


# ---- a transcriber -----------------------------------------------------------------------------


def caller(words: int, rng: random.Random, until: float) -> tuple[list[Frame], float, int]:
    """What a caller's line brings: stretches of a few words, with pauses."""
    frames: list[Frame] = []
    now, said = 0.0, 0

    def play(pcm: bytes) -> None:
        nonlocal now
        size = round(PIECE_SECS * RATE) * 2
        for start in range(0, len(pcm), size):
            frames.append(InputAudioRawFrame(pcm[start : start + size], RATE))
            frames.append(SleepFrame(sleep=PIECE_SECS))
            now += PIECE_SECS

    while now < until or said < words:
        play(silence(rng.uniform(0.6, 4.0)))
        count = rng.randint(1, 5)
        pcm = speak(" ".join(f"w{said + n}" for n in range(count)))
        said += count
        cut = round(2 * PIECE_SECS * RATE) * 2
        play(pcm[:cut])
        frames.append(VADUserStartedSpeakingFrame(start_secs=2 * PIECE_SECS))
        play(pcm[cut:])
        play(silence(0.2))
        frames.append(VADUserStoppedSpeakingFrame(stop_secs=0.2))
    spoken_until = now
    play(silence(3.0))
    frames.append(SleepFrame(sleep=20.0))
    return frames, spoken_until, said


def of_a_transcriber(seed: int) -> list[str]:
    """Every word said is transcribed once, or told as lost, soon after the outage."""
    plan = Plan(seed, within_secs=20.0)
    segmented, interim = plan.rng.random() < 0.5, plan.rng.random() < 0.5
    provider = OutSTT(plan.outages, segmented=segmented, interim=interim)
    frames, _, count = caller(6, plan.rng, plan.over)
    out = held(STTService(provider, audio_passthrough=False), frames, seed)
    words = [w for f in out if isinstance(f, TranscriptionFrame) for w in f.text.split()]
    errors = [f for f in out if isinstance(f, ErrorFrame)]
    lost = any("lost" in error.error for error in errors)
    found = [*each_once(words, count, lost=lost)]
    if lost and max(end - begin for begin, end in plan.outages.spans) < LONGEST_SECS:
        found.append("lost in an outage that was short enough")
    return [*found, *plan.told_too_often(errors), *plan.tried_too_often()]


# ---- a voice -----------------------------------------------------------------------------------


def of_a_voice(seed: int) -> list[str]:
    """What is spoken and what is told as lost are together the text, once each."""
    plan = Plan(seed, within_secs=10.0)
    rng = plan.rng
    provider = OutTTS(plan.outages, speed=rng.choice((1.2, 5.0, 50.0)))
    frames: list[Frame] = []
    asked = list[tuple[float, list[str]]]()
    now, count = 0.0, 0
    while now < plan.over or not asked:
        for _ in range(rng.randint(1, 3)):
            words = [f"w{count + n}" for n in range(rng.randint(1, 6))]
            count += len(words)
            asked.append((now, words))
            frames.append(TTSSpeakFrame(" ".join(words) + "."))
        pause = rng.uniform(0.5, 12.0)
        frames.append(SleepFrame(sleep=pause))
        now += pause
    frames.append(SleepFrame(sleep=60.0))
    out = held(TTSService(provider), frames, seed)
    spoken = [w.strip(".") for f in out if isinstance(f, TTSTextFrame) for w in f.text.split()]
    lost = [w.strip(".") for f in out if isinstance(f, SpeechLostFrame) for w in f.text.split()]
    errors = [f for f in out if isinstance(f, ErrorFrame)]
    found = [*each_once(spoken, 0, lost=True)]
    found += each_once(sorted([*spoken, *lost], key=lambda w: int(w[1:])), count, lost=False)
    if lost and not any("given up" in error.error for error in errors):
        found.append("lost without an error")
    for at, words in asked:
        near = plan.hits(at - 30.0, at + 30.0)
        if not near and set(words) & set(lost):
            found.append(f"{words} lost without an outage")
        begin, end = plan.outages.spans[0]
        alone = len(plan.outages.spans) == 1 and end - begin < 10.0
        if alone and begin < at < end and set(words) & set(lost):
            found.append(f"{words} lost, though asked for in a short outage")
    return [*found, *plan.told_too_often(errors, len(asked)), *plan.tried_too_often(4.0)]


# ---- a model -----------------------------------------------------------------------------------


def of_a_model(seed: int) -> list[str]:
    """Every question is answered, or apologised for and told; never silence."""
    plan = Plan(seed, within_secs=20.0)
    provider = OutLLM(plan.outages, default="This is the answer.")
    failed = list[object]()
    service = LLMService(provider, apology=SORRY)
    service.add_event_handler("on_inference_failed", lambda _, error: failed.append(error))
    frames: list[Frame] = []
    now, asked = 0.0, 0
    while now < plan.over or not asked:
        frames.append(LLMContextFrame(LLMContext([{"role": "user", "content": "hi"}])))
        pause = plan.rng.uniform(7.0, 12.0)
        frames.append(SleepFrame(sleep=pause))
        now, asked = now + pause, asked + 1
    frames.append(SleepFrame(sleep=20.0))
    out = held(service, frames, seed)
    answers = list[str]()
    for frame in out:
        kind = type(frame).__name__
        if kind == "LLMFullResponseStartFrame":
            answers.append("")
        elif isinstance(frame, LLMTextFrame):
            answers[-1] += frame.text
    errors = [f for f in out if isinstance(f, ErrorFrame)]
    whole = answers.count("This is the answer.")
    found = [f"{answers.count('')} answered by silence"] if "" in answers else []
    if len(answers) != asked or asked - whole != len(errors) or len(errors) != len(failed):
        found.append(f"{asked} asked, {whole} answered, {len(errors)} errors, {len(failed)} told")
    if max(end - begin for begin, end in plan.outages.spans) < 3.0 and SORRY in answers:
        found.append("an apology in a short outage")
    return [*found, *plan.tried_too_often(4.0)]


LAWS = {"transcriber": of_a_transcriber, "voice": of_a_voice, "model": of_a_model}
