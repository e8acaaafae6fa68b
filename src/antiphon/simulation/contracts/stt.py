"""`check_stt_provider`: what every transcriber must keep."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from antiphon.services.contracts import AudioChunk, Finalize, STTProvider, Transcript
from antiphon.settings import ServiceSettings
from antiphon.simulation.contracts.errors import Rule, require
from antiphon.simulation.contracts.streaming import Call, Kind, Pieces, StreamSuite
from antiphon.simulation.fakes.voice import silence, speak

_CHUNK_SECS = 0.02
Fed = tuple[float, AudioChunk | Finalize]


def check_stt_provider(
    factory: Callable[[], STTProvider],
    *,
    seeds: int | Iterable[int] = 10,
    speech: Callable[[int], bytes] | None = None,
    failing: Callable[[int], STTProvider] | None = None,
    held: Callable[[Any], int] | None = None,
    settings: Sequence[ServiceSettings] = (),
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    Args:
        factory: makes a new provider for each run.
        seeds: how many, or which.
        speech: PCM with words in it, at the given rate (Hz); by default the coded voice that the
            fakes understand.
        failing: makes a provider whose n-th call to the vendor fails, counted from 0.
        held: how many things (connections, streams) a provider holds; 0 when no call goes on.
        settings: given to `configure` at any instant.
        only: the case to repeat, as the error names it.

    """
    voice = speech or (lambda rate: speak("good morning", sample_rate=rate))

    def judge(provider: STTProvider, events: list[Any], name: str) -> None:
        _judge(provider, events)
        finals = [event for event in events if event.final and event.text.strip()]
        if name in {"segments", "huge", "odd pieces", "no last Finalize"}:
            require(Rule.ANSWERS, bool(finals), f"{name}: speech gave no final transcript")

    kind = Kind(_inputs(voice), judge)
    return StreamSuite(
        "check_stt_provider", factory, kind, seeds, only, failing, held, settings
    ).run()


def _inputs(voice: Callable[[int], bytes]) -> dict[str, Callable[[STTProvider], Call]]:
    def feed(items: Callable[[int], list[Fed]]) -> Callable[[STTProvider], Call]:
        def call(provider: STTProvider) -> Call:
            pieces = Pieces(items(provider.capabilities.sample_rate))
            return provider.transcribe(pieces), pieces

        return call

    def segment(rate: int) -> list[Fed]:
        pcm = silence(0.1, sample_rate=rate) + voice(rate) + silence(0.1, sample_rate=rate)
        size = 2 * round(_CHUNK_SECS * rate)
        cut = [pcm[at : at + size] for at in range(0, len(pcm), size)]
        return [(_CHUNK_SECS, AudioChunk(piece)) for piece in cut]

    def odd(rate: int) -> list[Fed]:
        rng, pcm, at = random.Random(rate), voice(rate), 0
        items: list[Fed] = []
        while at < len(pcm):
            size = 2 * rng.choice([0, 1, 7, 4001])
            items.append((rng.choice([0.0, 0.01]), AudioChunk(pcm[at : at + size])))
            at += size
        return [*items, (0.0, Finalize())]

    end: Fed = (0.05, Finalize())
    return {
        "segments": feed(lambda rate: [*segment(rate), end, *segment(rate), end, (0.5, end[1])]),
        "nothing": feed(lambda rate: []),
        "silence": feed(lambda rate: [(0.0, AudioChunk(silence(1.0, sample_rate=rate))), end]),
        "empty pieces": feed(lambda rate: [(0.0, AudioChunk(b"")), end, end]),
        "no last Finalize": feed(segment),
        "odd pieces": feed(odd),
        "huge": feed(
            lambda rate: [(0.0, AudioChunk(voice(rate) + silence(60.0, sample_rate=rate))), end]
        ),
    }


def _judge(provider: STTProvider, events: list[Any]) -> None:
    for event in events:
        require(Rule.VALUES, isinstance(event, Transcript), f"{event!r} is no Transcript")
        known = event.final or not event.finalized
        require(Rule.VALUES, known, f"{event!r} is finalized, but not final")
        wanted = event.final or provider.capabilities.interim
        require(Rule.VALUES, wanted, f"{event!r}: the capabilities say that none is interim")
