"""Recordings of people, cut into utterances: what `benchmarks/turns.py` plays to the strategies.

They come from the packages that `scripts/recordings.sh` fetches, and from the assets of the
transcriber's own package, where it is installed. What is missing is left out.
"""

from __future__ import annotations

import gzip
import importlib.util
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from antiphon.audio.pcm import to_samples
from antiphon.audio.wav import WavFile, read_wav

RATE = 16_000
PACKAGES = (
    "pocketsphinx-testdata",
    "asterisk-core-sounds-en-wav",
    "asterisk-core-sounds-en",
    "pyannote.audio==4.0.7",
)
SHORTEST_SECS, LONGEST_SECS = 1.2, 12.0
LEAST_WORDS = 6
GAP_SECS = 0.5
"""A long recording is cut at pauses of this length."""
_LOUD = 600
_FRAME = RATE // 50


class Utterance(NamedTuple):
    """One thing that somebody says, without silence at its ends; 16 kHz, mono, 16 bit."""

    group: str
    name: str
    samples: np.ndarray


def utterances() -> list[Utterance]:
    """All there are, group by group."""
    script = Path(__file__).parent.parent / "scripts" / "recordings.sh"
    done = subprocess.run([script, *PACKAGES], check=True, capture_output=True, text=True)
    found: list[Utterance] = []
    for folder in map(Path, done.stdout.split("\n")[:-1]):
        found += {
            "pocketsphinx-testdata": sentences_read,
            "asterisk-core-sounds-en-wav": telephone_prompts,
            "pyannote.audio==4.0.7": telephone_talk,
        }.get(folder.name, lambda _: iter(()))(folder)
    found += readings_on_stage()
    return [one for one in found if SHORTEST_SECS <= len(one.samples) / RATE <= LONGEST_SECS]


def sentences_read(folder: Path) -> Iterator[Utterance]:
    """A novel, and commands to a robot and at cards."""
    for file in sorted([*folder.rglob("librivox/*.wav"), *folder.rglob("cards/*.wav")]):
        yield Utterance("read", file.stem, _trimmed(_samples(read_wav(file))))
    for file in sorted(folder.rglob("goforward.raw")):
        yield Utterance("read", file.stem, _trimmed(np.frombuffer(file.read_bytes(), np.int16)))


def telephone_prompts(folder: Path) -> Iterator[Utterance]:
    """Prompts of a telephone system (8 kHz) that are one whole sentence."""
    texts = folder.parent / "asterisk-core-sounds-en"
    for listing in texts.rglob("core-sounds-en.txt.gz"):
        lines = gzip.decompress(listing.read_bytes()).decode(errors="replace").splitlines()
        for name, text in (line.split(": ", 1) for line in lines if ": " in line):
            whole = text.rstrip().endswith((".", "?", "!")) and "..." not in text
            if not whole or len(text.split()) < LEAST_WORDS or re.search(r"[.?!] +[A-Z]", text):
                continue
            for file in folder.rglob(f"sounds/*/{name}.wav"):
                yield Utterance("prompt", name, _trimmed(_samples(read_wav(file))))


def telephone_talk(folder: Path) -> Iterator[Utterance]:
    """Two people on the telephone, utterance by utterance as their transcript has it."""
    for listing in folder.rglob("sample.stm"):
        whole = _samples(read_wav(listing.with_suffix(".wav")))
        for line in listing.read_text(encoding="utf-8").splitlines():
            _, _, who, begin, end, _ = line.split(" ", 5)
            part = whole[int(float(begin) * RATE) : int(float(end) * RATE)]
            yield Utterance("talk", f"{who} at {begin} s", _trimmed(part))


def readings_on_stage() -> Iterator[Utterance]:
    """Readings of plays and novels, cut at their long pauses."""
    found = importlib.util.find_spec("moonshine_voice")
    if found is None or found.origin is None:
        return
    for file in sorted((Path(found.origin).parent / "assets").glob("*.wav")):
        for index, part in enumerate(_parts(_samples(read_wav(file)))):
            yield Utterance("stage", f"{file.stem} {index}", part)


def _samples(recording: WavFile) -> np.ndarray:
    return to_samples(recording.mono_at(RATE))


def _trimmed(samples: np.ndarray) -> np.ndarray:
    loud = np.abs(samples.astype(np.int32)) > _LOUD
    if not loud.any():
        return samples[:0]
    first, last = int(np.argmax(loud)), len(loud) - int(np.argmax(loud[::-1]))
    return samples[first:last]


def _parts(samples: np.ndarray) -> Iterator[np.ndarray]:
    """What is between the long pauses."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.int32)
    loud = np.flatnonzero(np.abs(frames).max(axis=1) > _LOUD)
    if not len(loud):
        return
    ends = np.flatnonzero(np.diff(loud) * _FRAME >= GAP_SECS * RATE)
    firsts = [int(loud[0]), *(int(loud[end + 1]) for end in ends)]
    lasts = [*(int(loud[end]) for end in ends), int(loud[-1])]
    for first, last in zip(firsts, lasts, strict=True):
        yield samples[first * _FRAME : (last + 1) * _FRAME]
