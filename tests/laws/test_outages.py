"""Outages end: whatever a provider does, every word is somewhere once, and the session goes on.

Planted bugs show that the laws see what they should.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from antiphon.errors import AntiphonError
from antiphon.services import tts_utterance
from antiphon.services.connection_policy import Availability, ConnectionPolicy, Failures
from antiphon.services.llm_answer import Answer
from antiphon.services.stt_audio_gate import AudioGate
from antiphon.services.tts_synthesis import Synthesis
from tests.laws.outage_sessions import LAWS
from tests.scale import SCALE

SEEDS = 100 * SCALE
BUDGET = 60
GROUPS = 4

Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.parametrize("kind", LAWS)
def test_outages_lose_nothing_unsaid(kind: str, group: int) -> None:
    """Outages of 0.1 to 20 s at any moment, over seeds."""
    broken = {seed: found for seed in range(group, SEEDS, GROUPS) if (found := LAWS[kind](seed))}
    assert broken == {}


def forgets_what_was_not_answered(patch: Patch) -> None:
    """A new stream begins with nothing."""
    patch.setattr(AudioGate, "unacknowledged", property(lambda _: ()))


def forgets_what_was_answered_never(patch: Patch) -> None:
    """What was transcribed is sent again."""
    patch.setattr(AudioGate, "acknowledge", lambda _, *, finalized: None)


def keeps_too_little(patch: Patch) -> None:
    """Three seconds of speech."""
    patch.setattr("antiphon.services.stt_audio_gate.KEEP_SECS", 1.5)


def gives_up(patch: Patch) -> None:
    """Five failures are too many."""
    honest = Availability.failed

    def failed(
        self: Availability, error: AntiphonError, now: float, **more: Any
    ) -> Failures | None:
        news = honest(self, error, now, **more)
        if self._failures >= 5:
            self.usable = False
        return news

    patch.setattr(Availability, "failed", failed)


def tells_every_time(patch: Patch) -> None:
    """Each failure is an error."""

    def failed(
        self: Availability, error: AntiphonError, now: float, **more: Any
    ) -> Failures | None:
        self.retry_at = now + 0.3
        return Failures(error, 1, 0.0)

    patch.setattr(Availability, "failed", failed)


def does_not_wait(patch: Patch) -> None:
    """The next attempt follows at once."""
    patch.setattr(ConnectionPolicy, "wait", lambda _, failures, now: 0.01)


def tries_once(patch: Patch) -> None:
    """A failed request is given up."""
    patch.setattr(ConnectionPolicy, "delay", lambda _, error, **more: None)


def hides_what_was_lost(patch: Patch) -> None:
    """A voice that breaks off says nothing of the rest."""
    patch.setattr(tts_utterance.Utterance, "lost", property(lambda _: ""))


def hides_that_it_gave_up(patch: Patch) -> None:
    """What is not spoken is no error."""

    async def nothing(
        _: Synthesis, utterance: tts_utterance.Utterance, error: object, **more: object
    ) -> None:
        return

    patch.setattr(Synthesis, "_give_up", nothing)


def is_silent(patch: Patch) -> None:
    """A failed answer is only logged."""

    async def nothing(_: Answer, text: str) -> None:
        return

    patch.setattr(Answer, "apologise", nothing)


PLANTS: dict[Callable[[Patch], None], str] = {
    forgets_what_was_not_answered: "transcriber",
    forgets_what_was_answered_never: "transcriber",
    keeps_too_little: "transcriber",
    gives_up: "transcriber",
    tells_every_time: "transcriber",
    does_not_wait: "voice",
    tries_once: "voice",
    hides_what_was_lost: "voice",
    hides_that_it_gave_up: "voice",
    is_silent: "model",
}


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    """Within sixty conversations."""
    plant(monkeypatch)
    law = LAWS[PLANTS[plant]]
    for seed in range(BUDGET):
        if found := law(seed):
            print(f"{plant.__name__}: seed {seed}: {found[0]}")
            return
    pytest.fail(f"{plant.__name__} was not found within {BUDGET} conversations")
