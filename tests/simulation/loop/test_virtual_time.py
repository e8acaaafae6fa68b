"""The virtual-time loop: its clock, its determinism, and what it refuses."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from antiphon.simulation.contracts.suite import StepLoop
from antiphon.simulation.loop.schedule import policy_of
from antiphon.simulation.loop.virtual_time import (
    BUSY,
    DeadlockError,
    DeterminismError,
    LivelockError,
    Policy,
    RunResult,
    UncleanRunError,
    VirtualDeadlineError,
    VirtualTimeLoop,
    run,
    simulate,
)

Main = Callable[[], Coroutine[Any, Any, Any]]


def now() -> float:
    return asyncio.get_running_loop().time()


def test_waiting_takes_no_time_and_moves_the_clock_exactly() -> None:
    """An hour of sleep is a few steps, and without a seed the clock shows exactly an hour."""

    async def main() -> float:
        await asyncio.sleep(3600)
        return now()

    outcome = simulate(main(), timeout_secs=4000)
    assert outcome.result() == 3600.0
    assert outcome.steps < 10


def test_asyncio_runner_takes_the_loop() -> None:
    """The loop works as the loop factory of `asyncio.Runner`."""

    async def main() -> float:
        await asyncio.sleep(5)
        return now()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        assert runner.run(main()) == 5.0


def test_timers_of_one_instant_fire_in_the_order_in_which_they_were_set() -> None:
    """Equal due times keep their order, which asyncio's own heap does not promise."""

    async def main() -> list[int]:
        seen: list[int] = []
        loop = asyncio.get_running_loop()
        for i in range(50):
            loop.call_at(1.0, seen.append, i)
        await asyncio.sleep(2)
        return seen

    assert run(main()) == list(range(50))


def test_cancelled_timers_never_fire_and_do_not_pile_up() -> None:
    """Ten thousand cancelled timers are swept out while the loop runs."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        fired: list[int] = []
        for i in range(10_000):
            loop.call_later(1.0, fired.append, i).cancel()
        assert len(loop._timers.heap) < 300
        await asyncio.sleep(2.0)
        return len(fired)

    assert run(main()) == 0


async def crowd() -> list[int]:
    """Tasks that all become ready at one instant, several times."""
    order: list[int] = []

    async def one(i: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0.5)
            order.append(i)

    async with asyncio.TaskGroup() as group:
        for i in range(6):
            group.create_task(one(i))
    return order


def test_without_a_seed_the_order_is_asyncios() -> None:
    """FIFO runs ready tasks in the order in which they became ready."""
    assert run(crowd()) == [0, 1, 2, 3, 4, 5] * 3


@pytest.mark.parametrize("policy", [Policy.UNIFORM, Policy.PCT])
def test_a_seed_permutes_ready_tasks_and_the_same_seed_does_so_alike(policy: Policy) -> None:
    """One seed gives one run; twenty seeds give more than ten different ones."""

    def outcome(seed: int) -> RunResult[list[int]]:
        return simulate(crowd(), seed=seed, policy=policy, cpu=None)

    for seed in range(5):
        assert outcome(seed) == outcome(seed)
    assert len({tuple(outcome(seed).result()) for seed in range(20)}) > 10
    assert len({outcome(seed).fingerprint for seed in range(20)}) > 10


def test_plain_callbacks_keep_their_order_and_task_steps_do_not_overtake_them() -> None:
    """A protocol's callbacks are never permuted, whatever the seed."""

    async def main() -> list[int]:
        seen: list[int] = []
        loop = asyncio.get_running_loop()

        async def other() -> None:
            seen.append(-1)

        tasks = [asyncio.create_task(other()) for _ in range(3)]
        for i in range(20):
            loop.call_soon(seen.append, i)
        await asyncio.gather(*tasks)
        return seen

    for seed in range(20):
        assert [i for i in run(main(), seed=seed) if i >= 0] == list(range(20))


def test_an_endless_chain_of_callbacks_does_not_starve_tasks() -> None:
    """A callback that calls itself again and again leaves room for task steps."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        passes = 0

        def again() -> None:
            nonlocal passes
            passes += 1
            loop.call_soon(again)

        again()
        for _ in range(5):
            await asyncio.sleep(0)
        return passes

    for seed in (None, 1):
        assert 0 < run(main(), seed=seed) < 5000


def test_sets_of_tasks_and_futures_iterate_alike_in_every_run() -> None:
    """The order of a set of futures depends on the run, not on memory addresses."""

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        ballast = [object() for _ in range(len(kept) * 7)]
        futures = {loop.create_future(): i for i in range(40)}
        tasks = {asyncio.create_task(asyncio.sleep(0)): i for i in range(40)}
        order = [futures[f] for f in set(futures)] + [tasks[t] for t in set(tasks)]
        done, _ = await asyncio.wait(tasks)
        kept.append(ballast)
        return order + [tasks[t] for t in done]

    kept: list[list[object]] = []
    assert len({tuple(run(main(), seed=4)) for _ in range(5)}) == 1


def test_the_cpu_model_costs_virtual_time_by_the_seed() -> None:
    """With a seed a task step costs a little time, differently by seed and alike for one seed."""

    async def main() -> float:
        for _ in range(1000):
            await asyncio.sleep(0)
        return now()

    assert run(main(), seed=1, cpu=None) == 0.0
    assert run(main(), seed=1, cpu=BUSY) == run(main(), seed=1, cpu=BUSY) > 0.05
    assert run(main(), seed=1) != run(main(), seed=2)


def test_timer_jitter_makes_timers_late_and_never_early() -> None:
    """A timer fires within the jitter after its time."""

    async def main() -> float:
        await asyncio.sleep(1.0)
        return now()

    late = [run(main(), seed=seed, cpu=None, timer_jitter_secs=0.1) for seed in range(20)]
    assert all(1.0 <= at <= 1.1 for at in late)
    assert len(set(late)) > 10


def test_random_streams_do_not_disturb_each_other() -> None:
    """Drawing from one stream changes nothing in another."""
    one, other, third = VirtualTimeLoop(3), VirtualTimeLoop(3), VirtualTimeLoop(4)
    for _ in range(10):
        other.stream("network").random()
    assert one.stream("speech").random() == other.stream("speech").random()
    assert one.stream("speech").random() != third.stream("speech").random()
    for loop in (one, other, third):
        loop.close()


def test_a_deadlock_names_the_tasks_and_where_they_wait() -> None:
    """Nothing ready and no timer is an error that shows every waiting task with its line."""

    async def hopeless() -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        await asyncio.create_task(hopeless(), name="the-hopeless-one")

    with pytest.raises(DeadlockError, match=r"the-hopeless-one: .*hopeless.*test_virtual_time\.py"):
        run(main())


def test_a_livelock_is_found() -> None:
    """Tasks that spin for ever without waiting end in an error that names them."""

    async def main() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(0)

    for seed in (None, 1):
        with pytest.raises(LivelockError, match=r"main: .*sleep0 at test_virtual_time\.py"):
            run(main(), seed=seed, livelock_steps=5000)


def test_a_livelock_of_timers_that_are_due_at_once_is_found() -> None:
    """Sleeping for less than the clock can tell is spinning too."""

    async def main() -> None:
        await asyncio.sleep(1000)
        while True:  # noqa: ASYNC110
            await asyncio.sleep(1e-17)

    with pytest.raises(LivelockError):
        run(main(), livelock_steps=5000)


def test_the_virtual_deadline_ends_a_run_that_does_not() -> None:
    """A ticking task cannot keep a run going past its virtual deadline."""

    async def main() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(1)

    with pytest.raises(VirtualDeadlineError, match="not over by 30 s"):
        run(main(), timeout_secs=30)


def test_tasks_left_running_are_an_error_that_names_them() -> None:
    """A leaked task is cancelled and reported with the place where it waited."""
    ended: list[str] = []

    async def forgotten() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append("cancelled")

    async def main() -> str:
        keep.append(asyncio.create_task(forgotten(), name="forgotten"))
        await asyncio.sleep(0)
        return "done"

    keep: list[asyncio.Task[None]] = []
    with pytest.raises(UncleanRunError, match=r"forgotten: .*sleep at test_virtual_time\.py"):
        run(main())
    assert ended == ["cancelled"]
    assert run(main(), strict=False) == "done"


def test_a_task_that_refuses_to_be_cancelled_does_not_hang_the_run() -> None:
    """A task that swallows cancellation and waits for ever is reported, and the run returns."""

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        keep.append(asyncio.create_task(stubborn()))
        await asyncio.sleep(1)

    keep: list[asyncio.Task[None]] = []
    with pytest.raises(UncleanRunError, match="do not stop when cancelled"):
        run(main())


def test_an_exception_nobody_retrieved_fails_the_run() -> None:
    """A task that fails unseen is reported with its exception."""

    async def fails() -> None:
        raise ValueError("unseen")

    async def main() -> None:
        task = asyncio.create_task(fails())
        await asyncio.wait([task])

    with pytest.raises(UncleanRunError, match="unseen"):
        run(main())


def test_the_error_of_the_main_coroutine_is_raised() -> None:
    """What the coroutine raises comes out as it is."""

    async def main() -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run(main(), seed=1)


@pytest.mark.parametrize(
    ("call", "start"),
    [
        ("create_connection", lambda: asyncio.open_connection("localhost", 80)),
        ("create_server", lambda: asyncio.start_server(lambda r, w: None, port=80)),
        ("run_in_executor", lambda: asyncio.to_thread(time.sleep, 0)),
        ("subprocess_exec", lambda: asyncio.create_subprocess_exec("true")),
    ],
)
def test_the_real_world_is_refused_by_name(call: str, start: Main) -> None:
    """Sockets, threads and processes raise one error that names the call and a way out."""

    async def main() -> None:
        await start()

    with pytest.raises(DeterminismError, match=call) as caught:
        run(main())
    assert "executor_secs" in str(caught.value) or "asyncio.run()" in str(caught.value)


def test_executor_work_runs_inline_at_a_modelled_cost() -> None:
    """With `executor_secs`, work is done in the loop's thread and costs virtual time."""

    async def main() -> tuple[int, float]:
        total = await asyncio.to_thread(sum, [1, 2, 3])
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 // 0)
        return total, now()

    total, secs = run(main(), seed=5, executor_secs=0.01)
    assert total == 6
    assert 0.0 < secs < 0.2
    assert run(main(), seed=5, executor_secs=0.01) == (total, secs)


def test_real_threads_are_waited_for_while_the_clock_stands_still() -> None:
    """With `allow_threads`, a thread's answer arrives before any virtual time passes."""

    async def main() -> float:
        timer = asyncio.create_task(asyncio.sleep(10))
        await asyncio.to_thread(time.sleep, 0.02)
        at = now()
        await timer
        return at

    assert run(main(), allow_threads=True) == 0.0


def test_the_wall_clock_follows_the_virtual_one() -> None:
    """Wall time is the anchor plus the virtual seconds that have passed."""
    anchor = datetime(2030, 5, 6, tzinfo=UTC)

    async def main() -> float:
        await asyncio.sleep(60)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        return loop.wall_time()

    assert run(main(), wall_anchor=anchor) == anchor.timestamp() + 60


def test_signals_are_delivered_by_the_program() -> None:
    """A signal handler of the loop runs when the test delivers the signal."""

    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        seen: list[str] = []
        loop.add_signal_handler(signal.SIGTERM, seen.append, "term")
        loop.deliver_signal(signal.SIGTERM)
        await asyncio.sleep(0)
        assert loop.remove_signal_handler(signal.SIGTERM)
        return seen

    assert run(main()) == ["term"]


def test_ten_minutes_of_a_tick_are_cheap() -> None:
    """Ten minutes of a 20 ms tick are a timer and a step for each."""

    async def main() -> None:
        for _ in range(30_000):
            await asyncio.sleep(0.02)

    outcome = simulate(main(), seed=1)
    outcome.result()
    assert outcome.virtual_secs > 600
    assert outcome.steps < 60_010


def test_a_seed_alone_shuffles_and_costs() -> None:
    """With nothing but a seed the order of steps varies and computing takes time; without one
    neither does.
    """

    async def main() -> tuple[tuple[int, ...], float]:
        woken: list[int] = []

        async def wake(number: int) -> None:
            await asyncio.sleep(1.0)
            woken.append(number)

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(wake(number))
        return tuple(woken), asyncio.get_running_loop().time()

    runs = [run(main(), seed=seed) for seed in range(20)]
    assert len({order for order, _ in runs}) > 5
    assert all(1.0 < secs < 1.5 for _, secs in runs)
    assert run(main()) == ((0, 1, 2, 3), 1.0)


def test_one_seed_in_four_has_pct() -> None:
    """Of the seeds that are tried one after the other, every fourth makes a task slow for long."""
    assert [policy_of(seed) for seed in range(8)] == [None, None, None, Policy.PCT] * 2
    assert policy_of(None) is None
    for seed, policy in ((3, Policy.PCT), (4, Policy.UNIFORM)):
        with closing(StepLoop(seed, strike_at=None, deadline_secs=1.0)) as loop:
            assert loop.policy is policy


def test_the_cause_of_an_error_is_told_first() -> None:
    """A task died, or the loop was blocked, and so the test failed: the traceback begins there."""

    async def main() -> None:
        async def dies() -> None:
            raise KeyError("the cause")

        asyncio.get_running_loop().create_task(dies(), name="worker")
        await asyncio.sleep(0.1)
        time.sleep(0.01)  # noqa: ASYNC251 (a defect that is to be told)
        raise AssertionError("the consequence")

    with pytest.raises(AssertionError, match="the consequence") as raised:
        run(main())
    cause = str(raised.value.__cause__)
    assert "KeyError('the cause')" in cause
    assert "time.sleep(0.01)" in cause
