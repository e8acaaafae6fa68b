"""What adapters over vendors' HTTP SDKs share: status codes to our errors, and importing SDKs."""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import Any

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


CONNECT_SECS = 5.0
"""How long a vendor may take to accept a connection; the service bounds everything else."""


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
    if (loaded := sys.modules.get(module)) is not None:
        return loaded
    try:
        return await asyncio.to_thread(importlib.import_module, module)
    except ImportError as error:
        raise MissingExtraError(feature, extra, module) from error
