"""A small HTTP server on a loopback port that answers from a script, and says what it saw.

It speaks just enough HTTP/1.1 for the vendors' SDKs: requests with a content length, answers with
a length or chunked, connections that are kept. A test scripts one `Reply` per request.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec


class Stall(msgspec.Struct, frozen=True):
    """Send nothing more until the client goes away."""


class Disconnect(msgspec.Struct, frozen=True):
    """Break the connection without ending the answer."""


class Reply(msgspec.Struct, frozen=True):
    """One answer: a status, and either a JSON body or pieces of an event stream."""

    status: int = 200
    body: Any = None
    pieces: tuple[bytes | Stall | Disconnect, ...] = ()


class Seen(msgspec.Struct):
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: Any


class ScriptedServer:
    """Serves its `replies` in order. `left` is set when a client goes away in mid-answer."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self.replies = list(replies)
        self.seen: list[Seen] = []
        self.left = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
        if not head:
            return False
        first, *lines = head.decode().strip().split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        self.seen.append(Seen(first.split()[1], headers, json.loads(raw) if raw else None))
        reply = self.replies.pop(0)
        if not reply.pieces:
            body = json.dumps(reply.body).encode()
            writer.write(_head(reply.status, "application/json", f"content-length: {len(body)}"))
            writer.write(body)
            await writer.drain()
            return True
        writer.write(_head(reply.status, "text/event-stream", "transfer-encoding: chunked"))
        return await self._stream(reply.pieces, reader, writer)

    async def _stream(
        self,
        pieces: Sequence[bytes | Stall | Disconnect],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        for piece in pieces:
            if isinstance(piece, Stall):
                await writer.drain()
                await reader.read(1)  # comes back empty when the client closes
                self.left.set()
                return False
            if isinstance(piece, Disconnect):
                await writer.drain()
                writer.transport.abort()
                return False
            writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _head(status: int, kind: str, framing: str) -> bytes:
    lines = (f"HTTP/1.1 {status} Scripted", f"content-type: {kind}", framing, "", "")
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def serving(*replies: Reply) -> AsyncIterator[ScriptedServer]:
    """A server on a free loopback port for the time of the block."""
    scripted = ScriptedServer(replies)
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    scripted.url = f"http://{host}:{port}"
    try:
        yield scripted
    finally:
        server.close()
