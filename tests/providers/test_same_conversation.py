"""One conversation with each of the four vendors, over real connections.

The caller asks for two things at once, the model calls two tools in parallel; then for something
slow, which runs beside the talk; then shows a picture and a sound. Each vendor's server says the
same in its own format.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.context.pair import LLMContextAggregatorPair
from antiphon.context.validate import problems
from antiphon.frames.lifecycle import ErrorFrame
from antiphon.frames.llm import LLMFullResponseEndFrame, LLMMessagesAppendFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.kernel.task import PipelineTask
from antiphon.providers.anthropic.service import AnthropicLLMService
from antiphon.providers.google.service import GoogleLLMService
from antiphon.providers.openai.service import OpenAILLMService, OpenAIResponsesLLMService
from antiphon.services.llm import LLMService
from antiphon.tools.params import FunctionCallParams
from antiphon.tools.schema import tool_options
from tests.providers.checkers import anthropic, gemini, openai_chat, openai_responses
from tests.providers.conversations import PICTURE, SOUND
from tests.providers.llm_contract import run
from tests.providers.servers import (
    anthropic_server,
    gemini_server,
    openai_server,
    responses_server,
)
from tests.providers.servers.scripted import Reply, serving

Body = dict[str, Any]


class Vendor(msgspec.Struct, frozen=True):
    """How to reach a vendor's server, what it says, and what its rules are.

    `thinking_call` is an answer that thinks, then calls `search` (arguments as JSON).
    """

    service: Callable[[str], LLMService]
    speaking: Callable[[str], Reply]
    calling: Callable[[list[tuple[str, str]]], Reply]
    thinking_call: Callable[[str], Reply]
    complaints: Callable[[Body], list[str]]


def _numbered(calls: list[tuple[str, str]]) -> list[tuple[str, str, str]]:
    return [(f"call_{name}", name, arguments) for name, arguments in calls]


VENDORS = {
    "openai": Vendor(
        service=lambda url: OpenAILLMService(model="m", api_key="k", base_url=f"{url}/v1"),
        speaking=openai_server.speaking,
        calling=lambda calls: openai_server.calling(*_numbered(calls)),
        thinking_call=lambda arguments: openai_server.streaming(
            openai_server.chunk({"reasoning_content": "Hmm."}),
            *openai_server.calling(("call_s", "search", arguments)).pieces,
        ),
        complaints=openai_chat.complaints,
    ),
    "openai-responses": Vendor(
        service=lambda url: OpenAIResponsesLLMService(
            model="m", api_key="k", base_url=f"{url}/v1", keep_reasoning=True
        ),
        speaking=responses_server.speaking,
        calling=lambda calls: responses_server.calling(*_numbered(calls)),
        thinking_call=lambda arguments: responses_server.streaming(
            *responses_server.thinking("Hmm."),
            *responses_server.use("call_s", "search", arguments, 1),
            responses_server.ending(),
        ),
        complaints=openai_responses.complaints,
    ),
    "anthropic": Vendor(
        service=lambda url: AnthropicLLMService(model="m", api_key="k", base_url=url),
        speaking=anthropic_server.speaking,
        calling=lambda calls: anthropic_server.calling(*_numbered(calls)),
        thinking_call=lambda arguments: anthropic_server.streaming(
            *anthropic_server.thinking("Hmm."),
            *anthropic_server.use("call_s", "search", arguments, 1),
            anthropic_server.stopping("tool_use"),
            anthropic_server.STOP,
        ),
        complaints=anthropic.complaints,
    ),
    "gemini": Vendor(
        service=lambda url: GoogleLLMService(model="gemini-3-flash", api_key="k", base_url=url),
        speaking=gemini_server.speaking,
        calling=lambda calls: gemini_server.calling(*calls),
        thinking_call=lambda arguments: gemini_server.streaming(
            gemini_server.thinking("Hmm."),
            gemini_server.use("search", arguments, signature="c2lnbmVk"),
            gemini_server.ending(),
        ),
        complaints=lambda body: gemini.complaints(body, signed=True),
    ),
}
SIGNED = {"openai-responses": "gAAA", "anthropic": "sig", "gemini": "c2lnbmVk"}
"""What those vendors want back with the call that a thought led to."""


class Probe(FrameProcessor):
    """Counts answers, and lets wait for them."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = 0
        self._changed = asyncio.Event()

    @handles(LLMFullResponseEndFrame)
    async def ended(self, frame: LLMFullResponseEndFrame, direction: FrameDirection) -> None:
        self.answers += 1
        self._changed.set()
        await self.push_frame(frame, direction)

    async def wait(self, answers: int) -> None:
        async with asyncio.timeout(20):
            while self.answers < answers:
                self._changed.clear()
                await self._changed.wait()


async def get_weather(params: FunctionCallParams, city: str) -> None:
    """Looks up the weather."""
    await params.result_callback({"city": city, "celsius": 21})


async def get_time(params: FunctionCallParams) -> None:
    """Tells the time."""
    await params.result_callback("12:00")


class Conversation:
    """What is said, whoever the vendor is."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.found = asyncio.Event()
        self.bodies: list[Body] = []
        self.errors: list[ErrorFrame] = []
        self.context = LLMContext(tools=[get_weather, get_time, self.search_tool()])

    def search_tool(self) -> Any:
        @tool_options(is_async=True, cancel_on_interruption=False)
        async def search(params: FunctionCallParams, query: str) -> None:
            """Searches, slowly."""
            await self.found.wait()
            await params.result_callback({"found": query})

        return search

    @property
    def replies(self) -> list[Reply]:
        vendor = self.vendor
        return [
            vendor.calling([("get_weather", '{"city": "Köln"}'), ("get_time", "{}")]),
            vendor.speaking("It is noon, and 21 degrees."),
            vendor.thinking_call('{"query": "cats"}'),
            vendor.speaking("I am searching."),
            vendor.speaking("I found cats."),
            vendor.speaking("A nice picture."),
        ]

    async def hold(self) -> None:
        async with serving(*self.replies) as scripted:
            llm, probe = self.vendor.service(scripted.url), Probe()
            user, assistant = LLMContextAggregatorPair(self.context)
            pipeline = Pipeline([user, llm, probe, assistant])
            task = PipelineTask(pipeline, idle_timeout_secs=None, start_timeout_secs=60)
            task.add_event_handler("on_pipeline_error", lambda _, frame: self.errors.append(frame))

            async def say(content: Any, answers: int) -> None:
                message = {"role": "user", "content": content}
                await task.queue_frame(LLMMessagesAppendFrame([message], run_llm=True))
                await probe.wait(answers)

            async with asyncio.TaskGroup() as group:
                group.create_task(task.run())
                await say("Weather and time?", 2)
                await say("Search for cats.", 3)
                await say("And now?", 4)
                self.found.set()
                await probe.wait(5)
                await say([{"type": "text", "text": "Look."}, PICTURE, SOUND], 6)
                await task.stop_when_done()
            self.bodies = [seen.body for seen in scripted.seen]


def held(name: str) -> Conversation:
    async def main() -> Conversation:
        conversation = Conversation(VENDORS[name])
        await conversation.hold()
        return conversation

    return run(main())


def essence(context: LLMContext) -> list[str]:
    """The messages that every provider understands, without the ids of calls."""
    ids: dict[str, str] = {}
    lines = []
    for message in context.get_messages():
        if not isinstance(message, dict):
            continue
        for call in message.get("tool_calls") or ():
            ids[call["id"]] = f"id{len(ids)}"
        lines.append(json.dumps(message, ensure_ascii=False, sort_keys=True))
    for identity, plain in ids.items():
        lines = [line.replace(identity, plain) for line in lines]
    return lines


@pytest.mark.parametrize("name", VENDORS)
def test_the_same_conversation_with_every_vendor(name: str) -> None:
    """Every request keeps the vendor's rules, the context stays valid, thoughts that are signed go
    back with the call they led to, and nothing fails.
    """
    conversation = held(name)
    assert conversation.errors == []
    assert len(conversation.bodies) == 6
    for body in conversation.bodies:
        assert conversation.vendor.complaints(body) == [], json.dumps(body, indent=1)
    assert problems(conversation.context.messages) == []
    if signature := SIGNED.get(name):
        assert signature in json.dumps(conversation.bodies[-1])


def test_the_context_does_not_depend_on_the_vendor() -> None:
    """But for signed thoughts and ids of calls all four leave the same messages."""
    first, *others = [essence(held(name).context) for name in VENDORS]
    assert len(first) == 15
    for other in others:
        assert other == first
