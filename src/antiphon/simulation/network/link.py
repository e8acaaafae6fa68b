"""The conditions of a line between two programs, to be changed at any moment of a run."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

_RETRANSMISSION_SECS = 0.2
"""What a lost segment costs a TCP connection: the minimal retransmission timeout of Linux."""


class Link:
    """What happens to what is sent. Both directions of a line share one.

    `latency_secs` and `jitter_secs`: a message takes the latency and up to the jitter more.
    `bytes_per_sec`: the bandwidth; None for any. `loss`, `duplicate`, `reorder`: probabilities per
    message. A loss on a connection shows as a delay of 0.2 s, as TCP repeats what was lost; there
    is nothing to see of the other two.
    """

    def __init__(
        self,
        *,
        latency_secs: float = 0.001,
        jitter_secs: float = 0.0,
        bytes_per_sec: float | None = None,
        loss: float = 0.0,
        duplicate: float = 0.0,
        reorder: float = 0.0,
    ) -> None:
        self.latency_secs: float = latency_secs
        self.jitter_secs: float = jitter_secs
        self.bytes_per_sec = bytes_per_sec
        self.loss: float = loss
        self.duplicate: float = duplicate
        self.reorder: float = reorder
        self.broken = False
        """Half-open: what is sent vanishes, and nobody is told."""
        self._stalled = False
        self._waiting: list[Callable[[], None]] = []

    def copy(self) -> Link:
        """A link of the same conditions."""
        return Link(
            latency_secs=self.latency_secs,
            jitter_secs=self.jitter_secs,
            bytes_per_sec=self.bytes_per_sec,
            loss=self.loss,
            duplicate=self.duplicate,
            reorder=self.reorder,
        )

    @property
    def stalled(self) -> bool:
        """Nothing arrives until `resume`."""
        return self._stalled

    def stall(self) -> None:
        """From now on nothing arrives; what is sent waits."""
        self._stalled = True

    def resume(self) -> None:
        """What waited arrives now."""
        self._stalled = False
        waiting, self._waiting = self._waiting, []
        for arrive in waiting:
            arrive()

    def on_resume(self, arrive: Callable[[], None]) -> None:
        """Calls `arrive` when the link flows again."""
        self._waiting.append(arrive)

    async def open_up(self, rng: random.Random) -> None:
        """What it takes to set up a connection: a round trip, and a line that flows."""
        if self.broken:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(self.travel_secs(0, rng) + self.travel_secs(0, rng))
        if self._stalled:
            flowing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.on_resume(lambda: None if flowing.done() else flowing.set_result(None))
            await flowing

    def travel_secs(self, size: int, rng: random.Random, *, reliable: bool = True) -> float:
        """How long so many bytes take this time."""
        secs = self.latency_secs
        if self.jitter_secs:
            secs += self.jitter_secs * rng.random()
        if self.bytes_per_sec:
            secs += size / self.bytes_per_sec
        while reliable and self.loss and rng.random() < self.loss:
            secs += _RETRANSMISSION_SECS
        return secs
