"""A provider that can read the beginning of a prompt in advance is given the right one."""

from __future__ import annotations

from antiphon.context.llm_context import LLMContext
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.task import PipelineTask
from antiphon.services.contracts import LLMRequest, Warmable
from antiphon.services.llm import LLMService
from antiphon.settings import LLMSettings
from antiphon.simulation.fakes.language_model import FakeLLMProvider
from antiphon.simulation.loop.virtual_time import run
from antiphon.tools.schema import FunctionSchema, ToolsSchema


class Reader(FakeLLMProvider):
    """Remembers what it was given to read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[LLMRequest] = []

    async def warm(self, request: LLMRequest) -> None:
        assert self.connected
        self.read.append(request)


def test_the_persona_and_the_tools_are_read_at_the_start() -> None:
    """With the context that a conversation begins with, its first request has nothing new."""
    tool = FunctionSchema(name="weather", description="It", properties={}, required=[])
    context = LLMContext(tools=ToolsSchema(standard_tools=[tool]))

    async def main() -> list[LLMRequest]:
        provider = Reader()
        assert isinstance(provider, Warmable)
        settings = LLMSettings(system_instruction="You are Ada.")
        task = PipelineTask(Pipeline([LLMService(provider, settings=settings, warm_up=context)]))
        await task.stop_when_done()
        await task.run()
        return provider.read

    (request,) = run(main())
    assert request.system_instruction is not None
    assert "You are Ada." in request.system_instruction
    assert [spec.name for spec in request.tools] == ["weather"]


def test_a_provider_that_cannot_is_not_asked() -> None:
    """Most providers have no `warm`, and start all the same."""

    async def main() -> bool:
        provider = FakeLLMProvider()
        assert not isinstance(provider, Warmable)
        task = PipelineTask(Pipeline([LLMService(provider)]))
        await task.stop_when_done()
        await task.run()
        return provider.connected

    assert run(main())
