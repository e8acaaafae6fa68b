"""Moonshine tiny-en: an English utterance to text, greedily, with the decoder's key-value cache.

Synchronous and stateless between calls: one serves all sessions, from any thread.

A model of 27 million parameters always says something, so it is bounded: it may say 6.5 tokens a
second, as its publisher advises, and a phrase that repeats itself ends the text. Whether there was
speech at all is for the caller to judge, by `loudness` and `Decoded.confidence`: of silence, the
model says "You".
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from antiphon.providers.local.inference import onnx_session, outputs
from antiphon.providers.local.model_store import ModelStore
from antiphon.providers.local.registry import MOONSHINE_TINY_EN

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

SAMPLE_RATE = 16_000
_TOKENS_PER_SEC = 6.5
_BEGIN, _END = 1, 2
_FEATURE = "Transcription (Moonshine)"
# The encoder's convolutions need a tenth of a second; shorter words are padded to this.
_SHORTEST_SECS = 0.5
# A phrase of up to this many tokens, said this many times on end, is the model in a loop.
_LONGEST_LOOP, _LOOP_TIMES = 12, 4

Audio = NDArray[np.float32]


class StopFlag(Protocol):
    """Set by another thread when nobody waits for the text any more; see threading.Event."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


class Decoded(msgspec.Struct, frozen=True):
    """`text` and how sure the model was of it: the mean log-probability of its tokens."""

    text: str
    confidence: float


class Moonshine:
    """The model: 44 MB of weights, about 40 ms a second of speech on one thread."""

    def __init__(self, encoder: Path, decoder: Path, tokenizer: Path) -> None:
        self._encoder = onnx_session(encoder, _FEATURE)
        self._decoder = onnx_session(decoder, _FEATURE)
        self._tokens = read_tokens(tokenizer.read_bytes())
        self._wanted = {entry.name for entry in self._decoder.get_inputs()}
        self._names = [entry.name for entry in self._decoder.get_outputs()]
        self._empty_past = _empty_past(self._decoder)

    @classmethod
    def load(cls, store: ModelStore) -> Moonshine:
        """From the store; MissingModelError or MissingExtraError say what to run."""
        encoder, decoder, tokenizer = (
            store.path(MOONSHINE_TINY_EN.name, file.name) for file in MOONSHINE_TINY_EN.files
        )
        return cls(encoder, decoder, tokenizer)

    def transcribe(self, audio: Audio, stop: StopFlag | None = None) -> Decoded | None:
        """The text of mono audio at 16 kHz in -1..1; None if `stop` was set meanwhile."""
        shortest = int(_SHORTEST_SECS * SAMPLE_RATE)
        if len(audio) < shortest:
            audio = np.pad(audio, (0, shortest - len(audio)))
        mask = np.ones((1, len(audio)), np.int64)
        (hidden,) = outputs(self._encoder, {"input_values": audio[None], "attention_mask": mask})
        past = dict(self._empty_past)
        feed = {"encoder_hidden_states": hidden, "encoder_attention_mask": mask}
        tokens: list[int] = []
        surprise = 0.0
        last = _BEGIN
        for step in range(int(len(audio) / SAMPLE_RATE * _TOKENS_PER_SEC) + 4):
            if stop is not None and stop.is_set():
                return None
            logits = self._step(feed, past, last, first=step == 0)
            last = int(logits.argmax())
            surprise += float(np.log(np.exp(logits - logits[last]).sum()))
            if last == _END:
                break
            tokens.append(last)
            if drop_loop(tokens):
                break
        return Decoded(self._text(tokens), -surprise / (len(tokens) + 1))

    def _step(
        self, constant: dict[str, Any], past: dict[str, Any], token: int, *, first: bool
    ) -> NDArray[np.float32]:
        """The logits after `token`, shape (vocabulary,). Replaces `past` by what comes of it."""
        feed = {
            **constant,
            **past,
            "input_ids": np.array([[token]], np.int64),
            "use_cache_branch": np.array([not first]),
        }
        wanted = {name: value for name, value in feed.items() if name in self._wanted}
        found = dict(zip(self._names, outputs(self._decoder, wanted), strict=True))
        for name in past:
            # What the decoder attends to in the audio is computed once, in the first step.
            if first or ".decoder." in name:
                past[name] = found[name.replace("past_key_values", "present")]
        logits: NDArray[np.float32] = found["logits"][0, -1]
        return logits

    def _text(self, tokens: list[int]) -> str:
        pieces = [self._tokens[token] for token in tokens if token < len(self._tokens)]
        return b"".join(pieces).decode(errors="replace").replace("▁", " ").strip()


def drop_loop(tokens: list[int]) -> bool:
    """Leaves a phrase that ends `tokens` four times on end there once. Whether there is one."""
    for size in range(1, min(_LONGEST_LOOP, len(tokens) // _LOOP_TIMES) + 1):
        tail = tokens[-size * _LOOP_TIMES :]
        if tail == tail[:size] * _LOOP_TIMES:
            del tokens[-size * (_LOOP_TIMES - 1) :]
            return True
    return False


def loudness(audio: Audio) -> float:
    """The RMS of the loudest 0.1 s, in 0..1."""
    frame = SAMPLE_RATE // 10
    whole = np.pad(audio, (0, -len(audio) % frame)).reshape(-1, frame)
    return float(np.sqrt(np.square(whole).mean(axis=1).max(initial=0.0)))


def read_tokens(data: bytes) -> list[bytes]:
    """The vocabulary: entries preceded by their length, in one byte or (from 128 on) in two.

    Two bytes: the low seven bits with the top bit set, then the rest.
    """
    tokens: list[bytes] = []
    at = 0
    while at < len(data):
        length = data[at]
        at += 1
        if length >= 128:
            length += 128 * data[at] - 128
            at += 1
        tokens.append(data[at : at + length])
        at += length
    return tokens


def _empty_past(decoder: InferenceSession) -> dict[str, NDArray[np.float32]]:
    return {
        entry.name: np.zeros((1, entry.shape[1], 0, entry.shape[3]), np.float32)
        for entry in decoder.get_inputs()
        if entry.name.startswith("past_key_values")
    }
