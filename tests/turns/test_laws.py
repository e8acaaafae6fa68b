"""The laws of turn-taking, on random conversations with every combination of strategies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from antiphon.turns.backchannel import BackchannelUserTurnStartStrategy
from antiphon.turns.completion_strategies import deferred
from antiphon.turns.echo import EchoGuardUserTurnStartStrategy
from antiphon.turns.endpointing import DynamicEndpointingUserTurnStopStrategy
from antiphon.turns.facts import Fact, SpeechStarted
from antiphon.turns.opinions import NOTHING, HoldSpeech, Opinion
from antiphon.turns.start_strategies import (
    ExternalUserTurnStartStrategy,
    MinWordsUserTurnStartStrategy,
    TranscriptionUserTurnStartStrategy,
    VADUserTurnStartStrategy,
    WakePhraseUserTurnStartStrategy,
)
from antiphon.turns.stop_strategies import (
    ExternalUserTurnStopStrategy,
    SpeechTimeoutUserTurnStopStrategy,
    TurnAnalyzerUserTurnStopStrategy,
)
from antiphon.turns.strategies import (
    ExternalUserTurnStrategies,
    FilterIncompleteUserTurnStrategies,
    UserTurnStrategies,
)
from antiphon.turns.strategy import UserTurnStartStrategy
from tests.turns.fuzz import play

SEEDS = 1_000
"""For each of the combinations: more than 10,000 conversations in all."""


class Holder(UserTurnStartStrategy):
    """Holds the agent at any sound, and forgets it."""

    def receive(self, event: Fact, now: float) -> Sequence[Opinion]:
        return (HoldSpeech("just so"),) if isinstance(event, SpeechStarted) else NOTHING


MAKERS: Mapping[str, Callable[[], UserTurnStrategies]] = {
    "default": UserTurnStrategies,
    "turn analyzer": lambda: UserTurnStrategies(stop=[TurnAnalyzerUserTurnStopStrategy()]),
    "wake phrase": lambda: UserTurnStrategies(
        start=[
            WakePhraseUserTurnStartStrategy(["computer"], timeout=3.0),
            VADUserTurnStartStrategy(),
        ]
    ),
    "minimum words": lambda: UserTurnStrategies(
        start=[MinWordsUserTurnStartStrategy(2)],
        stop=[DynamicEndpointingUserTurnStopStrategy()],
    ),
    "echo guard": lambda: UserTurnStrategies(
        start=[EchoGuardUserTurnStartStrategy(), VADUserTurnStartStrategy()]
    ),
    "backchannel": lambda: UserTurnStrategies(start=[BackchannelUserTurnStartStrategy()]),
    "one that holds the agent and never lets go": lambda: UserTurnStrategies(
        start=[Holder(), TranscriptionUserTurnStartStrategy(use_interim=False)]
    ),
    "external": ExternalUserTurnStrategies,
    "no interruptions": lambda: UserTurnStrategies(
        start=[
            ExternalUserTurnStartStrategy(enable_interruptions=False),
            TranscriptionUserTurnStartStrategy(enable_interruptions=False),
        ],
        stop=[deferred(SpeechTimeoutUserTurnStopStrategy(wait_for_transcript=False))],
    ),
    "the model judges": FilterIncompleteUserTurnStrategies,
    "the model judges several detectors": lambda: FilterIncompleteUserTurnStrategies(
        start=[BackchannelUserTurnStartStrategy(), VADUserTurnStartStrategy()],
        stop=[
            SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.3),
            TurnAnalyzerUserTurnStopStrategy(),
            ExternalUserTurnStopStrategy(),
        ],
    ),
    "several of everything": lambda: UserTurnStrategies(
        start=[
            MinWordsUserTurnStartStrategy(2),
            ExternalUserTurnStartStrategy(),
            VADUserTurnStartStrategy(enable_interruptions=False),
        ],
        stop=[
            TurnAnalyzerUserTurnStopStrategy(wait_for_transcript=False),
            SpeechTimeoutUserTurnStopStrategy(),
        ],
    ),
}


@pytest.mark.parametrize("name", MAKERS)
def test_laws(name: str) -> None:
    """Whatever happens: one stop per start, no stop and no inference while the caller speaks, a
    deadline in every open turn, every word heard in the turn's segments and end and nowhere else,
    one answer alive per turn, nothing held for ever.
    """
    turns = sum(play(seed, MAKERS[name], events=25).turns for seed in range(SEEDS))
    assert turns > SEEDS / 4, "hardly anything happened"
