"""What computing costs, in virtual time.

On an ideal machine virtual instants almost never coincide, so there is little to permute, and
nothing is ever late. A real one takes some microseconds for every step and now and then stalls (a
garbage collection, a model that runs in the loop, a noisy neighbour), so that several timers fall
due together and deadlines are met too late. The races of a voice agent live there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CPUModel:
    """A task step costs 0 to 2 x `step_secs` seconds, evenly; with `stall_probability` it costs up
    to `stall_secs` more. Defaults: an ordinary server core under load.
    """

    step_secs: float = 30e-6
    stall_probability: float = 0.001
    stall_secs: float = 0.03

    def costs(self, rng: random.Random) -> Callable[[], float]:
        """What gives the virtual seconds of one step after the other."""
        draw = rng.random
        most, probability, longest = 2.0 * self.step_secs, self.stall_probability, self.stall_secs

        def cost() -> float:
            secs = most * draw()
            if probability and draw() < probability:
                secs += longest * draw()
            return secs

        return cost


BUSY = CPUModel(step_secs=200e-6, stall_probability=0.01, stall_secs=0.06)
"""A machine with too much to do."""

ORDINARY = CPUModel()
