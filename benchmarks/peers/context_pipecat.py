"""Long conversations on Pipecat, run by the environment that the benchmark installs it into."""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

warnings.simplefilter("ignore")

from loguru import logger

logger.remove()

from pipecat.processors.aggregators.llm_context import LLMContext


def conversation(count: int) -> Any:
    """So many messages, appended one by one."""
    context = LLMContext()
    for number in range(count):
        role = "assistant" if number % 2 else "user"
        context.add_message({"role": role, "content": f"Something of a sentence, number {number}."})
    return context


def cpu(work: Callable[[], object]) -> float:
    """Seconds of CPU."""
    before = time.process_time()
    work()
    return time.process_time() - before


def append(count: int) -> dict[str, float]:
    """Microseconds for a message behind so many, 200 of them."""
    context = conversation(count)

    def work() -> None:
        for _ in range(200):
            context.add_message({"role": "user", "content": "One more."})

    return {"us": cpu(work) / 200 * 1e6}


def turn(count: int) -> dict[str, float]:
    """Microseconds for both sides' words; there are no snapshots."""
    context = conversation(count)

    def work() -> None:
        for _ in range(100):
            context.add_message({"role": "user", "content": "Hello?"})
            context.add_message({"role": "assistant", "content": "Hello!"})

    return {"us": cpu(work) / 100 * 1e6}


def build(count: int) -> dict[str, float]:
    """Milliseconds for all of it."""
    return {"ms": cpu(lambda: conversation(count)) * 1e3}


def request(count: int) -> dict[str, float]:
    """Milliseconds for a thousand messages of a request, as the OpenAI adapter takes them."""
    context = conversation(count)
    repeat = max(1, 20_000 // count)

    def work() -> None:
        for _ in range(repeat):
            list(context.get_messages("openai"))

    return {"ms_per_thousand": cpu(work) / (repeat * count / 1000) * 1e3}


if __name__ == "__main__":
    figures = {f.__name__: f for f in (append, turn, build, request)}
    print(json.dumps(figures[sys.argv[1]](*map(int, sys.argv[2:]))))
