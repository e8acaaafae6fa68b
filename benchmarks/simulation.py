"""What simulated conversations cost: `python benchmarks/simulation.py`.

* *session*: ten simulated minutes of a whole agent on the phone. A scripted caller talks, asks for
  a tool and interrupts, in sound of 20 ms; energy stands in for a voice activity model, scripts for
  the services; mailboxes, turns, context, tools, speech and playout are the real ones.
* *tick*: ten simulated minutes of one task that sleeps for 20 ms, again and again; beside it the
  same on asyncio's own loop without waiting (its clock is moved by hand), as a yardstick, and on
  another loop, if a file that has one is named: `--sketch simloop.py` (a class `SimLoop`).

CPU seconds of this process; the best of `--repeat` runs.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import importlib.util
import pstats
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from antiphon.simulation.calls.caller import Caller, hold_call
from antiphon.simulation.loop.virtual_time import run, simulate
from tests.simulation.one_call import agent

MINUTES = 10


async def talk(minutes: float) -> tuple[float, int]:
    """One call; its length in simulated seconds, and how many replies there were."""
    caller, replies = Caller(), 0

    async def script(caller: Caller) -> None:
        nonlocal replies
        until = asyncio.get_running_loop().time() + 60.0 * minutes
        while asyncio.get_running_loop().time() < until:
            await caller.says("what is the weather in rome today")
            await caller.expects_reply(within=8.0, containing="mild", settle=3.0)
            await caller.says("tell me a story please")
            await caller.interrupts("thank you that is enough", after=2.0)
            await caller.expects_reply(within=8.0)
            replies += 3

    held = await hold_call(agent(caller), caller, script)
    if held.errors:
        raise SystemExit(f"the call went wrong: {held.errors}")
    return held.secs, replies


async def tick(minutes: float) -> None:
    """One task that sleeps."""
    for _ in range(round(minutes * 60 / 0.02)):
        await asyncio.sleep(0.02)


def cpu_secs(work: Callable[[], object], repeat: int) -> float:
    """The least CPU time of several goes."""
    best = float("inf")
    for _ in range(repeat):
        before = time.process_time()
        work()
        best = min(best, time.process_time() - before)
    return best


class JumpingLoop(asyncio.SelectorEventLoop):
    """asyncio's own loop, whose clock jumps to the next timer."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self.now = max(self.now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def on_asyncio(coro: Coroutine[Any, Any, None]) -> None:
    """Runs it on `JumpingLoop`."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(coro)


def on_sketch(path: Path, coro: Coroutine[Any, Any, None]) -> None:
    """Runs it on the loop in that file."""
    spec = importlib.util.spec_from_file_location("sketch", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    loop = module.SimLoop(seed=1, policy="random", step_cost=30e-6, stall_p=0.001)
    try:
        loop.run_until_complete(coro)
    finally:
        loop.close()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--sketch", type=Path, default=None)
    parser.add_argument("--profile", action="store_true", help="where the session's time goes")
    args = parser.parse_args()
    minutes = args.minutes
    run(talk(0.1), seed=1)  # imports and caches
    if args.profile:
        profile = cProfile.Profile()
        profile.runcall(run, talk(minutes), seed=1)
        pstats.Stats(profile).sort_stats("tottime").print_stats(60)
        return
    outcome = simulate(talk(minutes), seed=1)
    secs, replies = outcome.result()
    print(f"one session: {secs:.0f} simulated s, {replies} replies, {outcome.steps} loop steps")
    session = cpu_secs(lambda: run(talk(minutes), seed=1), args.repeat)
    exact = cpu_secs(lambda: run(talk(minutes)), args.repeat)
    print(f"  session, seeded         {session:6.2f} s of CPU (target: under 2 in ten minutes)")
    print(f"  session, without a seed {exact:6.2f} s of CPU")
    print(f"  of one real-time core   {100 * session / secs:6.2f} %")
    ticked = cpu_secs(lambda: run(tick(minutes), seed=1), args.repeat)
    plain = cpu_secs(lambda: on_asyncio(tick(minutes)), args.repeat)
    print(f"  tick, seeded            {ticked:6.2f} s of CPU (target: under 0.5 in ten minutes)")
    print(f"  tick, asyncio's loop    {plain:6.2f} s")
    if args.sketch is not None:
        sketched = cpu_secs(lambda: on_sketch(args.sketch, tick(minutes)), args.repeat)
        print(f"  tick, the sketch        {sketched:6.2f} s")


if __name__ == "__main__":
    main()
