"""`check_vad_model`, `check_turn_model`: what every model over audio must keep."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable

from antiphon.audio.vad import VADModel
from antiphon.errors import AntiphonError, ServiceError
from antiphon.simulation.contracts.suite import (
    ContractRule,
    Run,
    Suite,
    cancel_somewhere,
    name_of,
    require,
)
from antiphon.simulation.fakes.voice import silence, speak, tone
from antiphon.turns.strategy import TurnModel

FAILURES = 50
"""Calls out that are made to fail, one after the other, at most."""


def check_vad_model(
    factory: Callable[[], VADModel],
    *,
    seeds: int | Iterable[int] = 10,
    tolerance: float = 1e-4,
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    `tolerance`: how far two probabilities of the same audio may be apart.
    """
    suite = Suite("check_vad_model", name_of(factory), seeds, only)

    def listen(model: VADModel, windows: list[bytes]) -> list[float]:
        heard = [model.probability(window) for window in windows]
        for probability in heard:
            within = 0.0 <= probability <= 1.0
            require(ContractRule.VALUES, within, f"{probability!r} is no probability")
        return heard

    def same(one: list[float], other: list[float]) -> bool:
        return all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))

    async def everything(run: Run) -> None:
        model = factory()
        for pcm in _sounds(run.rng, model.sample_rate):
            listen(model, _windows(pcm, model.window_samples))

    async def forgets(run: Run) -> None:
        model, other = factory(), factory()
        sounds = _sounds(run.rng, model.sample_rate)
        windows = _windows(sounds[0], model.window_samples)
        first = listen(model, windows)
        for pcm in sounds[1:]:
            listen(model, _windows(pcm, model.window_samples))
        model.reset()
        model.reset()
        require(ContractRule.PURE, same(first, listen(model, windows)), "reset() does not forget")
        require(ContractRule.PURE, same(first, listen(other, windows)), "two of them share a state")

    async def bad_windows(run: Run) -> None:
        model = factory()
        for size in (0, 1, 2 * model.window_samples - 1, 2 * model.window_samples + 2):
            try:
                listen(model, [bytes(size)])
            except (ValueError, AntiphonError):
                continue
        model.reset()
        listen(model, _windows(silence(0.5, sample_rate=model.sample_rate), model.window_samples))

    suite.case("every sound", everything)
    suite.case("reset", forgets)
    suite.case("bad windows", bad_windows)
    return suite.run()


def check_turn_model(
    factory: Callable[[], TurnModel],
    *,
    seeds: int | Iterable[int] = 10,
    failing: Callable[[int], TurnModel] | None = None,
    tolerance: float = 1e-4,
    only: str | None = None,
) -> int:
    """Raises `ContractError` for the first promise that is broken; returns how many runs it took.

    `failing`: makes a model whose n-th call out fails. `tolerance`: as for `check_vad_model`.
    """
    cases = TurnModelCases(factory, failing, tolerance)
    suite = Suite("check_turn_model", name_of(factory), seeds, only, stray=ContractRule.SEAM)
    suite.case("every sound", cases.everything)
    suite.sweep("cancelled", cases.cancelled)
    if failing is not None:
        suite.case("failing", cases.fails)
    return suite.run()


class TurnModelCases:
    """What is asked of a turn model."""

    def __init__(
        self,
        factory: Callable[[], TurnModel],
        failing: Callable[[int], TurnModel] | None,
        tolerance: float,
    ) -> None:
        self._factory, self._failing, self._tolerance = factory, failing, tolerance

    async def everything(self, run: Run) -> None:
        """The same opinion on the same audio, in any order and side by side."""
        model = self._factory()
        await model.connect()
        await model.connect()
        sounds = _sounds(run.rng, model.sample_rate)
        first = [await _ask(model, pcm) for pcm in sounds]
        backwards = [await _ask(model, pcm) for pcm in reversed(sounds)]
        at_once = await asyncio.gather(*(_ask(model, pcm) for pcm in sounds))
        for other in (backwards[::-1], at_once):
            apart = max(abs(a - b) for a, b in zip(first, other, strict=True))
            what = f"two opinions on the same audio are {apart:.4f} apart"
            require(ContractRule.PURE, apart <= self._tolerance, what)
        await _ask(model, b"")
        await _ask(model, silence(60.0, sample_rate=model.sample_rate))

    async def cancelled(self, run: Run) -> None:
        """A question that is cancelled stops, and the next is answered."""
        model = self._factory()
        sounds = _sounds(run.rng, model.sample_rate)

        async def use() -> None:
            await model.connect()
            for pcm in sounds:
                await _ask(model, pcm)
                require(ContractRule.STOPS, not run.struck, "it goes on after the cancel")

        client = run.loop.create_task(use(), name="client")
        await cancel_somewhere(run, client)
        await model.connect()
        await _ask(model, sounds[0])

    async def fails(self, run: Run) -> None:
        """Each call out fails in turn."""
        assert self._failing is not None
        for number in range(FAILURES):
            model, failed = self._failing(number), False
            try:
                await model.connect()
                await _ask(model, tone(1.0, sample_rate=model.sample_rate))
            except ServiceError:
                failed = True
            if number and not failed:
                return


async def _ask(model: TurnModel, pcm: bytes) -> float:
    probability = await model.complete_probability(pcm)
    within = 0.0 <= probability <= 1.0
    require(ContractRule.VALUES, within, f"{probability!r} is no probability")
    return probability


def _sounds(rng: random.Random, rate: int) -> list[bytes]:
    """Speech, a tone, silence, noise, and the loudest there is."""
    loudest = (b"\xff\x7f" + b"\x00\x80") * (rate // 4)
    return [
        speak("good morning", sample_rate=rate),
        tone(0.5, sample_rate=rate),
        silence(0.5, sample_rate=rate),
        rng.randbytes(2 * rate // 2),
        loudest,
    ]


def _windows(pcm: bytes, samples: int) -> list[bytes]:
    size = 2 * samples
    return [pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size)]
