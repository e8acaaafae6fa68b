"""What adapters over vendors' HTTP SDKs share: status codes to our errors, and bounded waits."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, TypeVar

import msgspec

from antiphon.errors import (
    AuthenticationError,
    AuthorizationError,
    ConnectivityError,
    InvalidRequestError,
    MissingExtraError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServiceError,
)

T = TypeVar("T")

_BY_STATUS: dict[int, type[ServiceError]] = {
    401: AuthenticationError,
    402: QuotaError,
    403: AuthorizationError,
    408: ConnectivityError,
    409: ServerError,
    425: RateLimitError,
    429: RateLimitError,
}
_NO_MONEY = ("insufficient_quota", "billing", "credit balance", "quota exceeded", "out of credits")


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for a vendor, in seconds.

    `first_secs`: from the request to the first piece of the answer; a caller on the phone has hung
    up by then. `between_secs`: between two pieces. `connect_secs`: for the connection.
    """

    first_secs: float = 15.0
    between_secs: float = 10.0
    connect_secs: float = 5.0


def error_for_status(status: int, message: str) -> ServiceError:
    """Our error for a vendor's HTTP status: 4xx is the request's fault, 5xx the vendor's."""
    if status in (403, 429) and any(words in message.lower() for words in _NO_MONEY):
        return QuotaError(message)
    if status == 400 and "credit balance" in message.lower():
        return QuotaError(message)
    if status in _BY_STATUS:
        return _BY_STATUS[status](message)
    return InvalidRequestError(message) if 400 <= status < 500 else ServerError(message)


def transport_errors() -> tuple[type[Exception], ...]:
    """The errors of the HTTP clients in use, which SDKs let through in the middle of a stream."""
    clients = (sys.modules.get(name) for name in ("httpx2", "httpx"))
    return tuple(client.HTTPError for client in clients if client is not None)


async def import_sdk(module: str, *, feature: str, extra: str) -> Any:
    """The vendor's SDK, imported off the loop: it takes a second or more of CPU the first time.

    Raises:
        MissingExtraError: it is not installed.

    """
    if module in sys.modules:
        return sys.modules[module]
    try:
        return await asyncio.to_thread(importlib.import_module, module)
    except ImportError as error:
        raise MissingExtraError(feature, extra, module) from error


async def patiently(
    items: AsyncIterator[T],
    *,
    who: str,
    patience: Patience,
    deadline: float,
    counts: Callable[[T], bool],
) -> AsyncGenerator[T, None]:
    """The items, as long as they come in time.

    Until the first one that `counts` (a piece of the answer, not a greeting), all must come before
    `deadline` (loop seconds); from then on each within `between_secs`.

    Raises:
        ConnectivityError: they do not.

    """
    loop = asyncio.get_running_loop()
    begun = False
    while True:
        limit = loop.time() + patience.between_secs if begun else deadline
        try:
            async with asyncio.timeout_at(limit):
                item = await anext(items)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            waited = patience.between_secs if begun else patience.first_secs
            what = "went silent in the middle of its answer" if begun else "did not begin to answer"
            raise ConnectivityError(f"{who} {what} within {waited:g} s") from error
        begun = begun or counts(item)
        yield item
