"""One end of a simulated TCP connection, as an asyncio transport.

States: open -> closing (`close`, `abort`, the peer's reset) -> lost (`connection_lost` was called,
once). What was written before `close` still arrives, then the end of the stream. Bytes arrive in
order, however their delays were drawn. Who writes to an end that is gone is reset.
"""

from __future__ import annotations

import asyncio
import errno
from collections import deque
from typing import Any, Protocol, cast

from antiphon.simulation.network.link import Link

Address = tuple[str, int]


class NetworkLoop(Protocol):
    """What the network needs of the loop."""

    def time(self) -> float: ...
    def call_soon(self, callback: Any, *args: Any) -> asyncio.Handle: ...
    def call_at(self, when: float, callback: Any, *args: Any) -> asyncio.TimerHandle: ...
    def stream(self, name: str) -> Any: ...


class TcpDirection:
    """One direction of a connection: what is in flight, and what the other side has not read."""

    def __init__(self, loop: NetworkLoop, link: Link, protocol: asyncio.BaseProtocol) -> None:
        self.link = link
        self.protocol = protocol
        self.peer: TCPTransport | None = None
        self.unread: int = 0
        self.low: int = 16_384
        self.high: int = 65_536
        self._loop = loop
        self._rng = loop.stream("network")
        self._in_flight: deque[bytes | None] = deque()
        self._paused = False
        self._arrives_at = 0.0

    def send(self, data: bytes | None) -> None:
        """Bytes, or None: the end of the stream."""
        size = len(data) if data else 0
        self.unread += size
        if self.unread > self.high and not self._paused:
            self._paused = True
            cast("asyncio.Protocol", self.protocol).pause_writing()
        if self.link.broken:
            return
        when = self._loop.time() + self.link.travel_secs(size, self._rng)
        self._arrives_at = max(when, self._arrives_at)
        self._in_flight.append(data)
        self._loop.call_at(self._arrives_at, self._arrive)

    def taken(self, size: int) -> None:
        """The other side's protocol has read so many bytes."""
        self.unread -= size
        if self._paused and self.unread <= self.low:
            self._paused = False
            cast("asyncio.Protocol", self.protocol).resume_writing()

    def reset_peer(self) -> None:
        """The other side will learn that the connection is reset."""
        if not self.link.broken and self.peer is not None:
            at = self._loop.time() + self.link.latency_secs
            self._loop.call_at(at, self.peer.break_off)

    def _arrive(self) -> None:
        """The oldest message in flight reaches the other side; one that is gone answers a reset."""
        if self.link.broken or self.peer is None:
            return
        if self.link.stalled:
            self.link.on_resume(self._arrive)
            return
        data = self._in_flight.popleft()
        if not self.peer.lost:
            self.peer.receive(data)
        elif data:
            self.peer.outgoing.reset_peer()


class TCPTransport(asyncio.Transport):
    """The transport of one side."""

    _start_tls_compatible = True  # what asyncio's start_tls() looks for

    def __init__(
        self,
        loop: NetworkLoop,
        protocol: asyncio.BaseProtocol,
        link: Link,
        local: Address,
        remote: Address,
    ) -> None:
        super().__init__({"sockname": local, "peername": remote, "socket": None})
        self.lost: bool = False
        self.outgoing: TcpDirection = TcpDirection(loop, link, protocol)
        self._loop = loop
        self._closing = False
        self._eof_sent = False
        self._reading = True
        self._inbox: deque[bytes | None] = deque()

    # ---- what asyncio and protocols call ------------------------------------------------------

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.outgoing.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.outgoing.protocol

    def is_closing(self) -> bool:
        return self._closing

    def is_reading(self) -> bool:
        return self._reading and not self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._loop.call_soon(self._read)

    def get_write_buffer_size(self) -> int:
        return self.outgoing.unread

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self.outgoing.low, self.outgoing.high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = 65_536 if low is None else 4 * low
        self.outgoing.high, self.outgoing.low = high, high // 4 if low is None else low

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if data and not self._closing and not self._eof_sent:
            self.outgoing.send(bytes(data))

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if not self._closing and not self._eof_sent:
            self._eof_sent = True
            self.outgoing.send(None)

    def close(self) -> None:
        if not self._closing:
            self.write_eof()
            self._closing = True
            self._loop.call_soon(self._lose, None)

    def abort(self) -> None:
        """Closes at once; the other side is reset."""
        self._force_close(None)

    def _force_close(self, error: Exception | None) -> None:  # asyncio's TLS calls it
        if not self.lost:
            self._closing = True
            self._loop.call_soon(self._lose, error)
            self.outgoing.reset_peer()

    # ---- the line -----------------------------------------------------------------------------

    def reset(self) -> None:
        """The connection breaks: both sides get a `ConnectionResetError`, this one at once."""
        self.break_off()
        self.outgoing.reset_peer()

    def break_off(self) -> None:
        """Learns that the connection is reset."""
        if not self.lost:
            self._closing = True
            error = ConnectionResetError(errno.ECONNRESET, "connection reset by peer")
            self._loop.call_soon(self._lose, error)

    def receive(self, data: bytes | None) -> None:
        """Something arrives (None: the end of the stream)."""
        self._inbox.append(data)
        self._read()

    def _read(self) -> None:
        while self._inbox and self._reading and not self.lost:
            data = self._inbox.popleft()
            if data is None:
                if not cast("asyncio.Protocol", self.get_protocol()).eof_received():
                    self.close()
                continue
            peer = self.outgoing.peer
            if peer is not None and not peer.lost:
                peer.outgoing.taken(len(data))
            if not self._closing:
                _give(self.get_protocol(), data)

    def _lose(self, error: Exception | None) -> None:
        if not self.lost:
            self.lost = True
            self.get_protocol().connection_lost(error)


def _give(protocol: asyncio.BaseProtocol, data: bytes) -> None:
    if not isinstance(protocol, asyncio.BufferedProtocol):
        cast("asyncio.Protocol", protocol).data_received(data)
        return
    while data:
        buffer = memoryview(protocol.get_buffer(len(data))).cast("B")
        count = min(len(buffer), len(data))
        buffer[:count] = data[:count]
        protocol.buffer_updated(count)
        data = data[count:]
