"""Random conversations with tools, and what has to hold in each of them.

    nice python -m tests.context.fuzz 5000          # more seeds than the tests take

The model asks for random calls of tools that answer, stream, fail, hang, answer twice or never; the
caller speaks, coughs and cuts in; the program edits the context, changes tools, speaks and ends the
session, all at random times.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
from collections import Counter
from typing import Any

from antiphon.context.llm_context import LLMContext
from antiphon.context.summary import LLMContextSummaryConfig
from antiphon.context.validate import problems
from antiphon.frames.base import Frame
from antiphon.frames.lifecycle import InterruptionFrame
from antiphon.frames.llm import (
    LLMMessagesAppendFrame,
    LLMMessagesTransformFrame,
    LLMRunFrame,
    LLMSetToolsFrame,
    LLMSummarizeContextFrame,
)
from antiphon.frames.speech import TTSSpeakFrame
from antiphon.frames.tools import (
    FunctionCallCancelFrame,
    FunctionCallInProgressFrame,
    FunctionCallResultFrame,
    FunctionCallResultProperties,
)
from antiphon.kernel.observers import BaseObserver, FramePushed
from antiphon.services.contracts import LLMRequest, TextDelta, ToolCall
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.calls import CallState, CallTable
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.run_gate import RunGate
from antiphon.tools.schema import FunctionSchema, ToolsSchema
from tests.context.rig import DOWN, UP, Rig
from tests.providers.checkers.all_four import complaints

OTHER_ACTS = ["cough", "run", "append", "cut", "tools", "speak", "stop", "summarize"]
UNTOLD = ("CANCELLED", '"cancelled"', '"started"')
"""What a call's messages may say without the model being asked."""
NAMES = ("quick", "slow", "fails", "hangs", "twice", "stream", "async_slow", "hardy", "silent")
INTERIM = FunctionCallResultProperties(is_final=False)


class CheckedContext(LLMContext):
    """Validates itself after every edit, and misses no call that runs."""

    table: CallTable | None = None
    cut = False

    def _changed(self) -> None:
        super()._changed()
        assert problems(self.messages) == []
        if self.table is None or self.cut:
            return
        there = {m.get("tool_call_id") for m in self.messages if isinstance(m, dict)}
        for one in self.table.open_calls:
            assert one.state is CallState.ANNOUNCED or one.tool_call_id in there


class CountingGate(RunGate):
    """Counts how often an inference came to be owed."""

    debts = 0

    def owe(self) -> None:
        super().owe()
        self.debts += 1

    def interrupted(self) -> None:
        before = self.owed
        super().interrupted()
        self.debts += self.owed and not before


class Watch(BaseObserver):
    """Keeps each frame of a call once, as it leaves the service."""

    def __init__(self) -> None:
        self.started: set[str] = set()
        self.ends: Counter[str] = Counter()
        self.runs = 0
        self._seen: set[int] = set()

    async def on_push_frame(self, data: FramePushed) -> None:
        frame: Frame = data.frame
        if frame.id in self._seen:
            return
        self._seen.add(frame.id)
        if isinstance(frame, FunctionCallInProgressFrame):
            self.started.add(frame.tool_call_id)
        elif isinstance(frame, FunctionCallCancelFrame):
            self.ends[frame.tool_call_id] += 1
        elif isinstance(frame, FunctionCallResultFrame):
            final = frame.properties is None or frame.properties.is_final
            self.ends[frame.tool_call_id] += final


class Story:
    """One random conversation."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.numbers = 0
        self.asked = 0
        self.calls_left = self.random.randrange(1, 9)
        self.runs_by_program = 0
        self.user_runs = 0
        self.removed = False
        self.summaries = 0
        self.unwanted: set[str] = set()
        self.answers: list[tuple[LLMRequest, list[str], list[str]]] = []

    # ---- the model ----

    def reply(self, request: LLMRequest) -> list[Any]:
        r = self.random
        if "summarize" in (request.system_instruction or ""):
            self.summaries += 1
            return [TextDelta(f"z{self.next()}")]
        parts: list[Any] = []
        if r.random() < 0.7 or self.calls_left <= 0:
            words = r.randrange(1, 9)
            parts += [TextDelta(f"w{self.next()} ") for _ in range(words)]
        words_said = [part.text for part in parts]
        advertised = [tool.name for tool in request.tools]
        count = r.choice([0, 0, 1, 1, 2, 3]) if self.calls_left > 0 else 0
        for _ in range(count):
            self.calls_left -= 1
            name = r.choice([*advertised, "made_up"]) if advertised else "made_up"
            arguments = r.choice(["{}", '{"n": 1}', '{"n": 2}', '{"n": 3}'])
            if r.random() < 0.1:
                arguments = r.choice(["{bad", '{"n": "x"}'])
            parts.append(ToolCall(f"c{self.next()}", name, arguments))
        asked = [part.id for part in parts if isinstance(part, ToolCall)]
        self.answers.append((request, words_said, asked))
        return parts

    def next(self) -> int:
        self.numbers += 1
        return self.numbers

    # ---- the tools ----

    async def tool(self, params: FunctionCallParams) -> None:
        r = self.random
        name = params.function_name
        await asyncio.sleep(r.choice([0.0, 0.0, 0.05, r.random()]))
        if name == "fails":
            raise RuntimeError("broken")
        if name == "hangs":
            await asyncio.sleep(1000)
        if name == "silent":
            return
        if name in {"slow", "async_slow", "hardy"}:
            await asyncio.sleep(3 * r.random())
        if name == "stream":
            for step in range(r.randrange(3)):
                await params.result_callback(step, properties=INTERIM)
                await asyncio.sleep(r.random())
        run_llm = r.choice([None, None, None, True, False])
        if run_llm is False:  # as the last of its answer's calls it speaks for them all
            self.unwanted.add(params.tool_call_id)
            for _, _, asked in self.answers:
                if params.tool_call_id in asked:
                    self.unwanted.update(asked)
        result = r.choice([None, False, 0, {"x": self.next()}, float("nan"), "\ud800"])
        properties = FunctionCallResultProperties(run_llm=run_llm)
        await params.result_callback(result, properties=properties)
        if name == "twice":
            await params.result_callback("again")

    # ---- the session ----

    def rig(self, watch: Watch) -> Rig:
        r = self.random
        properties = {"n": {"type": "integer"}}
        schemas = [FunctionSchema(name, name, properties) for name in NAMES]
        self.all_tools = schemas
        context = CheckedContext([{"role": "system", "content": "s"}], tools=ToolsSchema(schemas))
        rig = Rig(
            self.reply,
            context=context,
            word_secs=r.choice([0.02, 0.1, 0.2]),
            add_tool_change_messages=r.random() < 0.5,
            run_in_parallel=r.random() < 0.7,
            group_parallel_tools=r.random() < 0.8,
            function_call_timeout_secs=2.5,
            observers=[watch],
        )
        for name in NAMES:
            rig.llm.register_function(
                name,
                self.tool,
                is_async=name in {"stream", "async_slow"},
                cancel_on_interruption=name not in {"hardy", "async_slow"},
                allow_duplicates=r.random() < 0.5,
            )
        rig.llm.unregister_function(r.choice(["fails", "nothing"]))
        return rig

    async def play(self, rig: Rig) -> None:
        r = self.random
        rig.user.add_event_handler("on_user_turn_inference_triggered", self._user_ran)
        for _ in range(r.randrange(2, 10)):
            await self.act(rig)
            await asyncio.sleep(r.choice([0.0, 0.05, r.random(), 3 * r.random()]))

    def _user_ran(self, *_: Any) -> None:
        self.user_runs += 1

    async def act(self, rig: Rig) -> None:
        r = self.random
        way = r.choice([DOWN, UP])
        match r.choice(["says"] * 4 + OTHER_ACTS):
            case "says":
                await rig.says(f"u{self.next()}", secs=r.random())
            case "cough":
                await rig.user_starts()
                await asyncio.sleep(r.random())
                await rig.user_stops()
            case "run":
                self.runs_by_program += 1
                await rig.send(LLMRunFrame(), direction=way)
            case "append":
                run_llm = r.random() < 0.5
                self.runs_by_program += run_llm
                message = {"role": "developer", "content": f"d{self.next()}"}
                await rig.send(LLMMessagesAppendFrame([message], run_llm=run_llm), direction=way)
            case "cut":
                self.removed = rig.context.cut = True  # type: ignore[attr-defined]
                keep = r.randrange(1, 6)
                await rig.send(LLMMessagesTransformFrame(lambda ms: ms[-keep:]), direction=way)
            case "tools":
                tools = r.sample(self.all_tools, r.randrange(len(self.all_tools)))
                await rig.send(LLMSetToolsFrame(ToolsSchema(tools)), direction=way)
            case "speak":
                await rig.send(TTSSpeakFrame(f"s{self.next()} and on and on"))
            case "summarize":
                keep = r.randrange(5)
                config = LLMContextSummaryConfig(min_messages_after_summary=keep)
                await rig.send(LLMSummarizeContextFrame(config))
            case "stop":
                await rig.send(InterruptionFrame())


async def converse(story: Story) -> None:
    """Plays a story and checks the laws."""
    r = story.random
    watch = Watch()
    rig = story.rig(watch)
    rig.context.table = rig.shared.calls.table  # type: ignore[attr-defined]
    gate = rig.shared.gate = rig.shared.calls._gate = CountingGate()
    job = asyncio.create_task(rig.task.run())
    await asyncio.sleep(0.01)
    await story.play(rig)
    abrupt = r.random() < 0.3
    if abrupt:
        await rig.task.cancel("the caller hung up")
    else:
        await asyncio.sleep(60)
        check_quiet(rig, story)
        await rig.task.stop_when_done()
    await job
    assert rig.provider.complaints == []
    for request in rig.provider.requests:
        assert complaints(request) == []
    assert rig.started == len(rig.turns)
    assert not rig.shared.calls.table.open_calls
    assert not rig.llm._calls.table.open_calls
    assert max(watch.ends.values(), default=0) <= 1
    if not abrupt:
        assert {i for i in watch.started if watch.ends[i] != 1} == set()
    wanted = story.user_runs + story.runs_by_program + story.summaries + gate.debts
    # An empty answer is asked for once more.
    asked_again = sum(not words and not calls for _, words, calls in story.answers)
    assert rig.inferences <= wanted + asked_again
    for text in rig.of_role("assistant"):
        words = [w for w in str(text).split() if w.startswith("w")]
        assert all(w in rig.voice.said for w in words)


def check_quiet(rig: Rig, story: Story) -> None:
    """After a minute of quiet everything has ended, nothing is owed and the model saw all of it."""
    assert not rig.shared.calls.table.open_calls
    assert not rig.shared.gate.owed
    if story.removed:
        return
    heard = [
        request
        for request, words, _ in story.answers
        if not words or any(word in rig.voice.said for word in words)
    ]
    check_order(rig, story)
    sent = {told_by(message) for request in heard for message in request.messages}
    news = Counter(text for text in rig.of_role("developer") if text.startswith("{"))
    assert max(news.values(), default=1) == 1
    for message in rig.messages:
        assert message.get("content") != "IN_PROGRESS"
        call_id, text = told_by(message)
        told_anyway = call_id in story.unwanted or any(word in text for word in UNTOLD)
        if call_id and not told_anyway:
            assert (call_id, text) in sent, (
                f"{call_id} ended with {text}, and no answer to it was heard"
            )


def check_order(rig: Rig, story: Story) -> None:
    """What an answer said stands before the calls that it asked for."""
    messages = rig.messages
    texts = [str(m.get("content")) if m["role"] == "assistant" else "" for m in messages]
    calls = [c["id"] for m in messages for c in m.get("tool_calls") or [{"id": ""}]]
    for _, words, asked in story.answers:
        said = [i for i, text in enumerate(texts) if words and words[0].strip() in text.split()]
        made = [i for i, call_id in enumerate(calls) if call_id in asked]
        assert not said or not made or max(said) < min(made)


def told_by(message: Any) -> tuple[str, str]:
    """The call that a message tells about, and what it says."""
    text = str(message.get("content"))
    if message["role"] == "tool":
        return message["tool_call_id"], text
    if message["role"] == "developer" and text.startswith("{"):
        return json.loads(text)["tool_call_id"], text
    return "", text


def check(seed: int) -> None:
    """One seed."""
    run(converse(Story(seed)), seed=seed)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for number in range(first, first + int(sys.argv[1])):
        try:
            check(number)
        except BaseException as error:
            print("seed", number, repr(error)[:300])
            raise
