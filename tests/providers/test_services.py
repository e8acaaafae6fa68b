"""The services of OpenAI, Anthropic and Google, from the context to frames, over connections."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from antiphon.context.llm_context import LLMContext
from antiphon.errors import ConfigurationError, UnknownNameError
from antiphon.frames.base import Frame
from antiphon.frames.llm import (
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
)
from antiphon.frames.text import LLMTextFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.kernel.pipeline import Pipeline
from antiphon.kernel.processor import FrameProcessor, handles
from antiphon.providers.anthropic.service import AnthropicLLMService
from antiphon.providers.google.service import GoogleLLMService
from antiphon.providers.local.llm_provider import LocalLLMProvider
from antiphon.providers.openai.service import OpenAILLMService, OpenAIResponsesLLMService
from antiphon.services.llm import LLMService
from antiphon.services.llm_options import LLMOptions
from antiphon.services.stt import STTService
from antiphon.services.tts import TTSService
from antiphon.settings import LLMSettings
from antiphon.simulation.testing import run_test
from tests.providers.llm_contract import run, user
from tests.providers.servers import (
    anthropic_server,
    gemini_server,
    openai_server,
    responses_server,
)
from tests.providers.servers.scripted import Reply, ScriptedServer, Stall, serving


def service_at(kind: str, scripted: ScriptedServer) -> LLMService:
    settings = LLMSettings(system_instruction="Be brief.")
    if kind == "openai":
        return OpenAILLMService(
            model="m", api_key="key", base_url=f"{scripted.url}/v1", settings=settings
        )
    if kind == "openai-responses":
        return OpenAIResponsesLLMService(
            model="m", api_key="key", base_url=f"{scripted.url}/v1", settings=settings
        )
    if kind == "google":
        return GoogleLLMService(model="m", api_key="key", base_url=scripted.url, settings=settings)
    return AnthropicLLMService(model="m", api_key="key", base_url=scripted.url, settings=settings)


class CutsIn(FrameProcessor):
    """Interrupts at the first word, and waits until the vendor has seen its connection go."""

    def __init__(self, scripted: ScriptedServer) -> None:
        super().__init__()
        self.saw_it_go = False
        self._scripted = scripted

    @handles(LLMTextFrame)
    async def interrupt(self, frame: LLMTextFrame, direction: FrameDirection) -> None:
        await self.broadcast_interruption()
        await asyncio.wait_for(self._scripted.left.wait(), 60)
        self.saw_it_go = True


def context() -> LLMContextFrame:
    return LLMContextFrame(LLMContext([user("Hi")]).snapshot())


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("openai", openai_server.speaking("Hello there.")),
        ("openai-responses", responses_server.speaking("Hello there.")),
        ("anthropic", anthropic_server.speaking("Hello there.")),
        ("google", gemini_server.speaking("Hello there.")),
    ],
)
def test_an_answer_becomes_frames(kind: str, reply: Reply) -> None:
    """A context goes out as a request, and the answer comes back as text between its boundaries."""

    async def main() -> list[Frame]:
        async with serving(reply) as scripted:
            service = service_at(kind, scripted)
            down, up = await run_test(service, frames_to_send=[context()])
            assert up == []
            assert "Be brief." in str(scripted.seen[0].body)
            return down

    down = run(main())
    assert isinstance(down[0], LLMFullResponseStartFrame)
    assert isinstance(down[-1], LLMFullResponseEndFrame)
    assert "".join(f.text for f in down if isinstance(f, LLMTextFrame)) == "Hello there."


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("openai", openai_server.streaming(*openai_server.words("I am"), Stall())),
        (
            "anthropic",
            anthropic_server.streaming(*anthropic_server.words("I am")[:3], Stall()),
        ),
        (
            "openai-responses",
            responses_server.streaming(*responses_server.words("I am")[:3], Stall()),
        ),
        ("google", gemini_server.streaming(*gemini_server.words("I am"), Stall())),
    ],
)
def test_an_interruption_closes_the_request(kind: str, reply: Reply) -> None:
    """When the caller cuts in, the vendor sees its connection go while the talk goes on."""

    async def main() -> None:
        async with serving(reply) as scripted:
            caller = CutsIn(scripted)
            await run_test(
                Pipeline([service_at(kind, scripted), caller]), frames_to_send=[context()]
            )
            assert caller.saw_it_go

    run(main())


VENDOR_SERVICES = (
    AnthropicLLMService,
    GoogleLLMService,
    OpenAILLMService,
    OpenAIResponsesLLMService,
)


@pytest.mark.parametrize("kind", VENDOR_SERVICES)
def test_the_model_is_named_or_the_vendor_s_default(kind: Any) -> None:
    """The argument, then the settings, then the default say which model."""
    settings = LLMSettings(model="m")
    assert kind(api_key="key", model="n", settings=settings).provider.model == "n"
    assert kind(api_key="key", settings=settings).provider.model == "m"
    assert kind(api_key="key").provider.model


def test_models_of_other_servers_must_be_named() -> None:
    """Where there is no default the error says so."""
    for kind in (OpenAILLMService, OpenAIResponsesLLMService):
        with pytest.raises(ConfigurationError, match="needs a model"):
            kind(base_url="http://localhost:8080/v1")
    with pytest.raises(ConfigurationError, match="needs a model"):
        OpenAILLMService(vendor_name="groq", api_key="key")


def test_an_address_told_twice_is_refused() -> None:
    """A vendor and an address are two addresses: the error names both and what to leave out."""
    with pytest.raises(ConfigurationError, match=r"told twice.*localhost.*groq"):
        OpenAILLMService(
            model="m", vendor_name="groq", api_key="k", base_url="http://localhost:8080/v1"
        )


@pytest.mark.parametrize("kind", VENDOR_SERVICES)
def test_settings_are_no_dict(kind: Any) -> None:
    """A dict in place of settings is told what to write."""
    with pytest.raises(ConfigurationError, match=rf"{kind.__name__}\.Settings\("):
        kind(api_key="key", settings={"temperature": 0.5})


@pytest.mark.parametrize("kind", VENDOR_SERVICES)
def test_options_of_the_service_are_one_value(kind: Any) -> None:
    """Every keyword of `LLMService` but the provider, the settings and the name is an option."""
    keywords = inspect.signature(LLMService.__init__).parameters.keys()
    theirs = keywords - {"self", "provider", "settings", "name"}
    assert set(LLMOptions.__struct_fields__) == theirs
    service = kind(api_key="key", options=LLMOptions(group_parallel_tools=False))
    assert service._group is False


def test_a_server_of_one_s_own_gets_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A base URL without a key is not given the key of OpenAI."""
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    service = OpenAILLMService(model="m", base_url="http://localhost:8080/v1")
    assert "secret" not in str(vars(service.provider))


@pytest.mark.parametrize("kind", [LLMService, STTService, TTSService])
@pytest.mark.parametrize("wrong", ["gpt-4o", None, OpenAILLMService])
def test_a_service_takes_a_provider(kind: Any, wrong: Any) -> None:
    """The name of a model, nothing, or a class in place of a provider is told what to write."""
    with pytest.raises(ConfigurationError, match=rf"{kind.__name__} takes a provider, not .*: use"):
        kind(wrong)


def test_an_unknown_local_model_is_told_at_once() -> None:
    """The error lists the models there are."""
    with pytest.raises(UnknownNameError, match=r"qwen-9000.*qwen2\.5"):
        LocalLLMProvider(model="qwen-9000")
