"""The one skeleton of a language model behind a vendor's SDK: connect, complete, map, close.

An adapter says what differs (`SDKStreamProvider`'s abstract methods): its client, its request, how
the items of its stream are read, and whose fault its errors are. Nothing is retried here, and
nothing is bounded but the connection: the service does both.

Keys that vendors echo in their errors are hidden, and an error that shows one is cut off from the
chain of causes, as a traceback would print it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import Any, ClassVar, Protocol

import msgspec

from antiphon.errors import ConnectivityError, ServerError, ServiceError
from antiphon.providers.account import shows_secrets, without_secrets
from antiphon.providers.http import import_sdk, transport_errors
from antiphon.providers.vendor_tools import ToolRules, own_name
from antiphon.services.contracts import LLMEvent, LLMRequest, ToolCall


class AnswerReader(Protocol):
    """Turns the items of one stream into events. `finished`: the vendor said that it is whole."""

    finished: bool

    def read(self, item: Any) -> Iterable[LLMEvent]:
        """What the next item says.

        Raises:
            ServiceError: it says that the answer failed.

        """
        ...

    def last(self) -> Iterable[LLMEvent]:
        """What is left to say when the stream has ended well."""
        ...


class SDKStream(AsyncIterable[Any], Protocol):
    """An answer under way; `close` ends its HTTP response."""

    async def close(self) -> None: ...


class SDKStreamProvider(ABC):
    """One model of a vendor. `SDK` is the module to import, `EXTRA` the one that installs it."""

    SDK: ClassVar[str]
    EXTRA: ClassVar[str]
    RULES: ClassVar[ToolRules]

    def __init__(self, *, name: str, model: str, key: str, base_url: str | None) -> None:
        self.name: str = name
        self.model: str = model
        self._key: str = key
        self._base_url: str | None = base_url
        self._client: Any = None

    async def connect(self) -> None:
        """Imports the SDK (seconds of CPU, off the loop) and makes its client."""
        if self._client is None:
            self._client = self._new_client(await self._sdk())

    async def complete(self, request: LLMRequest) -> AsyncGenerator[LLMEvent, None]:
        """Streams the answer; closing the iterator closes the HTTP response.

        Raises:
            ServiceError: the vendor's, the connection's or the SDK's error as ours.

        """
        await self.connect()
        sdk = await self._sdk()
        reader, stream = self._reader(), None
        known: tuple[type[Exception], ...]
        known = (ServiceError, ValueError, *transport_errors(), *self._errors(sdk))
        failed: Exception | None = None
        try:
            stream = await self._open(self._client, request)
            async for item in stream:
                for event in reader.read(item):
                    yield self._named(event, request)
            if not reader.finished:
                raise ConnectivityError(f"{self.name} ended its answer in the middle")
            for event in reader.last():
                yield event
        except known as error:
            failed = error
        finally:
            if stream is not None:
                await stream.close()
        if failed is not None:
            cause = None if shows_secrets(failed, self._key) else failed
            raise self._ours(sdk, failed) from cause

    async def close(self) -> None:
        """Closes idle connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await self._close_client(client)

    async def _sdk(self) -> Any:
        return await import_sdk(self.SDK, feature=f"The model {self.model}", extra=self.EXTRA)

    def _named(self, event: LLMEvent, request: LLMRequest) -> LLMEvent:
        """The event with the tool's own name, where the vendor has another for it."""
        if not isinstance(event, ToolCall):
            return event
        name = own_name(event.name, request.tools, self.RULES)
        return msgspec.structs.replace(event, name=name)

    def _ours(self, sdk: Any, error: Exception) -> ServiceError:
        if isinstance(error, ServiceError):
            mapped = error
        elif isinstance(error, self._errors(sdk)):
            mapped = self._mapped(sdk, error)
        elif isinstance(error, ValueError):
            mapped = ServerError(f"{self.name} sent what is not JSON: {error}")
        else:
            mapped = ConnectivityError(f"{self.name} cannot be reached, or broke off: {error}")
        clean = without_secrets(str(mapped), self._key)
        return mapped if clean == str(mapped) else type(mapped)(clean)

    # ---- what differs ----

    @abstractmethod
    def _new_client(self, sdk: Any) -> Any:
        """The SDK's client, its own retries and time-outs off."""

    @abstractmethod
    async def _open(self, client: Any, request: LLMRequest) -> SDKStream:
        """Sends the request."""

    @abstractmethod
    def _reader(self) -> AnswerReader:
        """A reader for one stream."""

    @abstractmethod
    def _errors(self, sdk: Any) -> tuple[type[Exception], ...]:
        """The classes of the SDK's errors."""

    @abstractmethod
    def _mapped(self, sdk: Any, error: Any) -> ServiceError:
        """One of those errors as ours; keys in it are hidden afterwards."""

    async def _close_client(self, client: Any) -> None:
        await client.close()
