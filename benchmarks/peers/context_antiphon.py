"""Long conversations on Antiphon."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair_state import PairState
from antiphon.frames.tools import (
    FunctionCallFromLLM,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
)
from antiphon.providers.openai.translation import as_body
from antiphon.providers.openai.vendors import VENDORS
from antiphon.services.llm_request import request_of
from antiphon.settings import LLMSettings
from antiphon.tools.registry import FunctionRegistry


def conversation(count: int) -> LLMContext:
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
    context.snapshot()

    def work() -> None:
        for _ in range(200):
            context.add_message({"role": "user", "content": "One more."})

    return {"us": cpu(work) / 200 * 1e6}


def turn(count: int) -> dict[str, float]:
    """Microseconds for both sides' words, with the snapshots that are taken of them."""
    context = conversation(count)

    def work() -> None:
        for _ in range(100):
            context.add_message({"role": "user", "content": "Hello?"})
            context.snapshot()
            context.insert([{"role": "assistant", "content": "Hello!"}])
            context.snapshot()

    return {"us": cpu(work) / 100 * 1e6}


def build(count: int) -> dict[str, float]:
    """Milliseconds for all of it."""
    return {"ms": cpu(lambda: conversation(count)) * 1e3}


def request(count: int) -> dict[str, float]:
    """Milliseconds for a thousand messages of a request, with what it is as the vendor's."""
    context, registry = conversation(count), FunctionRegistry()
    repeat = max(1, 20_000 // count)

    def work() -> None:
        for _ in range(repeat):
            request_of(
                context.snapshot(), provider="openai", settings=LLMSettings(), registry=registry
            )

    made = request_of(context.snapshot(), provider="openai", settings=LLMSettings(),
                      registry=registry)  # fmt: skip
    bodies = cpu(
        lambda: [as_body(made, model="m", vendor=VENDORS["openai"]) for _ in range(repeat)]
    )
    thousands = repeat * count / 1000
    return {
        "ms_per_thousand": cpu(work) / thousands * 1e3,
        "body_ms_per_thousand": bodies / thousands * 1e3,
    }


def calls(count: int, parallel: int) -> dict[str, float]:
    """Seconds for so many calls and results, written down as the frames tell them."""
    shared = PairState(LLMContext())
    asked = tuple(
        FunctionCallFromLLM("f", f"call {n}", {"n": n}, "group" if parallel else None)
        for n in range(count)
    )
    begun = [
        FunctionCallInProgressFrame(
            one.function_name,
            one.tool_call_id,
            one.arguments,
            group_id=one.group_id,
            siblings=asked if parallel else (),
        )
        for one in asked
    ]
    ended = [FunctionCallResultFrame("f", one.tool_call_id, {}, {"n": 1}) for one in asked]

    def work() -> None:
        if parallel:
            for frame in [*begun, *ended]:
                shared.log(frame)
        else:
            for pair in zip(begun, ended, strict=True):
                for frame in pair:
                    shared.log(frame)
                shared.context.snapshot()

    return {"secs": cpu(work)}


if __name__ == "__main__":
    figures = {f.__name__: f for f in (append, turn, build, request, calls)}
    print(json.dumps(figures[sys.argv[1]](*map(int, sys.argv[2:]))))
