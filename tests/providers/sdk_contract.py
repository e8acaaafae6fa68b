"""What every provider over a vendor's SDK promises beyond `LLMProviderContract`.

A subclass says what the vendor is (`VendorServer`); only what differs stands in its own module.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, ClassVar

import msgspec
import pytest

from antiphon.errors import (
    AuthenticationError,
    AuthorizationError,
    ConfigurationError,
    ConnectivityError,
    InvalidRequestError,
    MissingExtraError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServiceError,
)
from antiphon.providers.sdk_stream import SDKStreamProvider
from antiphon.services.contracts import (
    LLMEvent,
    LLMProvider,
    LLMRequest,
    TextDelta,
    ToolCall,
    ToolSpec,
)
from tests.providers.llm_contract import (
    WEATHER,
    Behaviour,
    LLMProviderContract,
    calls_of,
    collect,
    run,
    text_of,
    user,
)
from tests.providers.servers.scripted import Disconnect, Reply, ScriptedServer, Stall, serving

HI = LLMRequest(messages=(user("Hi"),))
KEY = "sk-proj-abcDEF123456789012345678"
OTHER_KEYS = ("AIzaSyA1234567890abcdefghijk", "gsk_abcdefghijklmnop1234")
BY_STATUS: dict[int, type[ServiceError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: AuthorizationError,
    404: InvalidRequestError,
    429: RateLimitError,
    500: ServerError,
    503: ServerError,
}


class VendorServer(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor: how its provider is made at an address, and how its server answers.

    `begun`: an answer that has said "I am" and nothing more. `errors`: replies of its own, and what
    they are to us.
    """

    name: str
    variables: tuple[str, ...]
    make: Callable[..., SDKStreamProvider]
    speaking: Callable[[str], Reply]
    calling: Callable[[str, str], Reply]
    refusing: Callable[[int, str], Reply]
    begun: tuple[bytes | Stall | Disconnect, ...]
    complaints: Callable[[Any], list[str]]
    errors: tuple[tuple[Reply, type[ServiceError]], ...] = ()

    def broken_off(self, how: Stall | Disconnect | None) -> Reply:
        return Reply(pieces=(*self.begun, *([how] if how is not None else [])))


@asynccontextmanager
async def provider_on(
    vendor: VendorServer, *replies: Reply, **more: Any
) -> AsyncIterator[tuple[SDKStreamProvider, ScriptedServer]]:
    async with serving(*replies) as scripted:
        provider = vendor.make(base_url=scripted.url, **{"api_key": KEY, **more})
        try:
            yield provider, scripted
        finally:
            await provider.close()


def events_of(vendor: VendorServer, reply: Reply, request: LLMRequest = HI) -> list[LLMEvent]:
    async def main() -> list[LLMEvent]:
        async with provider_on(vendor, reply) as (provider, _):
            return await collect(provider, request)

    return run(main())


class SDKProviderContract(LLMProviderContract):
    """Inherit, name the class `Test...`, and say what the vendor is."""

    vendor: ClassVar[VendorServer]

    @asynccontextmanager
    async def provider(self, behaviour: Behaviour) -> AsyncIterator[LLMProvider]:
        replies = {
            Behaviour.SPEAK: self.vendor.speaking("The capital of Germany is Berlin."),
            Behaviour.CALL: self.vendor.calling("get_weather", '{"city": "Berlin"}'),
            Behaviour.TELL_RESULT: self.vendor.speaking("It is sunny and 21 degrees."),
        }
        async with provider_on(self.vendor, replies[behaviour]) as (provider, scripted):
            yield provider
            for seen in scripted.seen:
                assert self.vendor.complaints(seen.body) == []

    def test_errors_are_mapped(self) -> None:
        """A status, an error in the stream, garbage and a broken stream are each our error, which
        names the vendor.
        """
        vendor = self.vendor
        cases = [
            *((vendor.refusing(status, "no"), error) for status, error in BY_STATUS.items()),
            (vendor.refusing(403, "Your credit balance is too low"), QuotaError),
            (Reply(502, "<html>"), ServerError),
            (vendor.broken_off(Disconnect()), ConnectivityError),
            (vendor.broken_off(None), ConnectivityError),
            (Reply(pieces=(b"event: x\ndata: {nonsense\n\n",)), ServerError),
            *vendor.errors,
        ]
        for reply, error in cases:
            with pytest.raises(ServiceError) as raised:
                events_of(vendor, reply)
            assert type(raised.value) is error, (reply, raised.value)
            assert vendor.name in str(raised.value)

    def test_keys_are_hidden_in_errors(self) -> None:
        """A key that the vendor echoes is neither in our error nor in its traceback."""
        for echoed in (KEY, *OTHER_KEYS):
            text = f"Incorrect API key provided: {echoed}. See https://x/?key={echoed}&b=1"
            with pytest.raises(AuthenticationError) as raised:
                events_of(self.vendor, self.vendor.refusing(401, text))
            printed = "".join(traceback.format_exception(raised.value))
            assert echoed not in str(raised.value)
            assert echoed not in printed
            assert "Incorrect API key provided" in str(raised.value)

    def test_a_failed_request_is_sent_once(self) -> None:
        """The SDK's own retries are off: the service decides about those."""

        async def main() -> None:
            refusal = self.vendor.refusing(503, "overloaded")
            async with provider_on(self.vendor, refusal, refusal) as (provider, scripted):
                with pytest.raises(ServerError):
                    await collect(provider, HI)
                assert len(scripted.seen) == 1

        run(main())

    def test_nobody_listening_is_a_connectivity_error(self) -> None:
        """A refused connection is one, at once."""

        async def main() -> None:
            async with serving() as scripted:
                url = scripted.url
            provider = self.vendor.make(base_url=url, api_key=KEY)
            with pytest.raises(ConnectivityError, match="cannot be reached"):
                await collect(provider, HI)
            await provider.close()

        run(main())

    def test_closing_the_iterator_closes_the_request(self) -> None:
        """The server sees the connection go as soon as the iterator is closed; serving goes on."""

        async def main() -> None:
            stalled = self.vendor.broken_off(Stall())
            async with provider_on(self.vendor, stalled, self.vendor.speaking("Yes.")) as made:
                provider, scripted = made
                async with aclosing(provider.complete(HI)) as events:
                    assert await anext(events) == TextDelta("I")
                    assert not scripted.left.is_set()
                await asyncio.wait_for(scripted.left.wait(), 60)
                assert text_of(await collect(provider, HI)) == "Yes."

        run(main())

    def test_cancelling_the_reader_closes_the_request(self) -> None:
        """A task cancelled while it waits for the next word leaves no connection behind."""

        async def main() -> None:
            stalled = self.vendor.broken_off(Stall())
            async with provider_on(self.vendor, stalled) as (provider, scripted):
                heard = asyncio.Event()

                async def read() -> None:
                    async with aclosing(provider.complete(HI)) as events:
                        async for _ in events:
                            heard.set()

                task = asyncio.ensure_future(read())
                await heard.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                await asyncio.wait_for(scripted.left.wait(), 60)

        run(main())

    def test_a_missing_key_names_its_variable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a key, or with an empty one, the error says which variable to set."""
        for variable in self.vendor.variables:
            monkeypatch.delenv(variable, raising=False)
        for key in (None, "", "  "):
            with pytest.raises(ConfigurationError, match=self.vendor.variables[0]):
                self.vendor.make(api_key=key)
        for variable in self.vendor.variables:
            monkeypatch.setenv(variable, "key")
            assert self.vendor.make().model
            monkeypatch.delenv(variable)

    def test_an_address_that_is_none_is_refused(self) -> None:
        """No scheme, two of them, or the path of an endpoint: one error that shows the address."""
        for wrong in ("localhost:8080/v1", "http://http://x/v1", "http://x/v1/chat/completions"):
            with pytest.raises(ConfigurationError, match="base_url="):
                self.vendor.make(base_url=wrong, api_key=KEY)

    def test_a_missing_sdk_names_its_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the SDK is not installed the error says what to install, on `connect`."""
        provider = self.vendor.make(api_key=KEY)
        top = provider.SDK.partition(".")[0]
        for module in [name for name in sys.modules if name.partition(".")[0] == top]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setitem(sys.modules, provider.SDK, None)
        monkeypatch.setitem(sys.modules, top, None)
        with pytest.raises(MissingExtraError, match=rf"antiphon\[{provider.EXTRA}\]"):
            run(provider.connect())

    def test_names_that_the_vendor_does_not_take_come_back_as_they_were(self) -> None:
        """A tool with dots, umlauts or a long name is called under its own name."""
        for name in ("math.add", "größe", "f" * 300, "9 lives", "a/b"):
            tool = ToolSpec(name=name, description="d", parameters=WEATHER.parameters)

            async def main(tool: ToolSpec = tool) -> ToolCall:
                request = LLMRequest(messages=(user("Hi"),), tools=(tool, WEATHER))
                async with provider_on(self.vendor, self.vendor.speaking("Hm.")) as made:
                    provider, scripted = made
                    await collect(provider, request)
                    assert self.vendor.complaints(scripted.seen[0].body) == []
                    sent = self._name_sent(provider, tool)
                async with provider_on(self.vendor, self.vendor.calling(sent, "{}")) as made:
                    (call,) = calls_of(await collect(made[0], request))
                    return call

            assert run(main()).name == name

    def _name_sent(self, provider: SDKStreamProvider, tool: ToolSpec) -> str:
        from antiphon.providers.vendor_tools import tools_for

        (sent,) = tools_for((tool,), provider.RULES)
        return sent.name
