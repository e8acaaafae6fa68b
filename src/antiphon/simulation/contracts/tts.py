"""`check_tts_provider`: what every voice must keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from antiphon.services.contracts import SpeechAudio, TTSProvider, WordTime
from antiphon.settings import ServiceSettings
from antiphon.simulation.contracts.errors import Rule, require
from antiphon.simulation.contracts.streaming import Call, Kind, Pieces, StreamSuite

_LONG = " ".join(["This sentence is one of very many that follow each other."] * 60)
_ROUNDING_SECS = 0.05


def check_tts_provider(
    factory: Callable[[], TTSProvider],
    *,
    seeds: int | Iterable[int] = 10,
    failing: Callable[[int], TTSProvider] | None = None,
    held: Callable[[Any], int] | None = None,
    settings: Sequence[ServiceSettings] = (),
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    Arguments as for `check_stt_provider`.
    """
    inputs = {
        "sentences": _feed([(0.0, "Good morning."), (0.4, "How are you?")]),
        "nothing": _feed([]),
        "empty pieces": _feed([(0.0, ""), (0.1, " "), (0.0, "...")]),
        "one word": _feed([(0.0, "Yes")]),
        "slow writer": _feed([(2.0, "One."), (3.0, "Two."), (0.0, "Three.")]),
        "strange": _feed([(0.0, "\u00e9\u4f60\u597d \U0001f600 <b>&amp;\n\t\0")]),
        "huge": _feed([(0.0, _LONG)]),
    }
    kind = Kind(inputs, _judge)
    return StreamSuite(
        "check_tts_provider", factory, kind, seeds, only, failing, held, settings
    ).run()


def _feed(items: list[tuple[float, str]]) -> Callable[[TTSProvider], Call]:
    def call(provider: TTSProvider) -> Call:
        pieces = Pieces(items)
        return provider.synthesize(pieces), pieces

    return call


def _judge(provider: TTSProvider, events: list[Any], name: str) -> None:
    size, last = 0, 0.0
    for event in events:
        require(Rule.VALUES, isinstance(event, SpeechAudio | WordTime), f"{event!r} is no TTSEvent")
        if isinstance(event, SpeechAudio):
            odd = len(event.pcm) % 2
            require(Rule.VALUES, not odd, f"{len(event.pcm)} bytes of audio end within a sample")
            size += len(event.pcm)
        else:
            told = provider.capabilities.word_times
            require(Rule.VALUES, told, f"{event!r}: the capabilities say there are no word times")
            rises = last <= event.start_secs <= event.end_secs
            require(Rule.VALUES, rises, f"{event!r} goes back in time")
            last = event.start_secs
    secs = size / 2 / provider.capabilities.sample_rate
    within = last <= secs + _ROUNDING_SECS
    require(Rule.VALUES, within, f"a word starts at {last:.2f} s of {secs:.2f} s of audio")
    if name in {"sentences", "one word", "slow writer", "huge"}:
        require(Rule.ANSWERS, size > 0, f"{name}: there is text and no audio")
