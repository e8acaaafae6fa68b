"""TLS over a simulated connection, by asyncio's own implementation of it (which knows no sockets).

The handshake takes its round trips in virtual time. What OpenSSL draws at random comes from no
seed, so the bytes on the line differ from run to run; when they come does not.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio import sslproto
from typing import Any, cast


class TLS:
    """One side of it. `context` as `create_connection(ssl=...)` takes it: True for the default."""

    def __init__(
        self,
        context: ssl.SSLContext | bool,
        *,
        server_hostname: str | None,
        handshake_timeout_secs: float | None,
        shutdown_timeout_secs: float | None,
    ) -> None:
        self.server: bool = server_hostname is None
        self._hostname = server_hostname
        self._context = ssl.create_default_context() if isinstance(context, bool) else context
        self._handshake_secs = handshake_timeout_secs
        self._shutdown_secs = shutdown_timeout_secs

    def wrapped(
        self,
        loop: Any,
        protocol: asyncio.BaseProtocol,
        ready: asyncio.Future[None] | None,
    ) -> tuple[asyncio.BaseProtocol, asyncio.Transport]:
        """The protocol that talks to the line, and the transport for the one that is wrapped.

        `ready` is done when the handshake is.
        """
        inner = sslproto.SSLProtocol(
            loop,
            protocol,
            self._context,
            cast("asyncio.Future[None]", ready),  # asyncio itself passes None for a server
            server_side=self.server,
            server_hostname=self._hostname or None,
            ssl_handshake_timeout=cast("Any", self._handshake_secs),  # the stubs say int
            ssl_shutdown_timeout=self._shutdown_secs,
        )
        transport = cast("asyncio.Transport", inner._app_transport)
        return inner, transport


def tls_of(
    context: ssl.SSLContext | bool | None, options: dict[str, Any], hostname: str | None
) -> TLS | None:
    """What asyncio's `ssl=`, `ssl_handshake_timeout=` and `ssl_shutdown_timeout=` ask for.

    `hostname` is the server's name for a client, None for a server.
    """
    if not context:
        return None
    return TLS(
        context,
        server_hostname=hostname,
        handshake_timeout_secs=options.get("ssl_handshake_timeout"),
        shutdown_timeout_secs=options.get("ssl_shutdown_timeout"),
    )
