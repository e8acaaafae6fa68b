"""What every transport is: two ends of a pipeline, and news of who is on the line."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Final

from antiphon.kernel.event_source import Event, EventSource
from antiphon.transports.input import InputTransport
from antiphon.transports.line import CallerLine, LineState
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams


class BaseTransport(EventSource):
    """Connects one caller. `client` in the events is whatever the transport knows of them.

    A transport tells its `line` who is there (`line.open(client)`), that the connection broke
    (`line.lost(reason)`) or that the caller hung up (`line.hang_up(reason)`), and gives it to its
    `OutputTransport`. The rest follows: a lost line holds what is being said, and after
    `reconnect_secs` counts as a hang-up; a hang-up cuts the agent off, fires
    `on_client_disconnected` and ends the session (`end_on_disconnect`).
    """

    on_client_connected: Final = Event[[Any]]()
    on_client_disconnected: Final = Event[[Any]]()
    on_line_lost: Final = Event[[Any]]()
    on_line_restored: Final = Event[[Any]]()

    def __init__(self, params: TransportParams | None = None) -> None:
        self.params: TransportParams = params or TransportParams()
        self.line: CallerLine = CallerLine(self.params.reconnect_secs, self)

    @abstractmethod
    def input(self) -> InputTransport:
        """The processor at the beginning of the pipeline; the same at each call."""

    @abstractmethod
    def output(self) -> OutputTransport:
        """The processor that plays to the caller; the same at each call."""

    @property
    def disconnect_reason(self) -> str:
        """Why the line is lost or the call over; empty while somebody is there."""
        return self.line.reason

    def line_changed(self, state: LineState, before: LineState) -> None:
        """Fires the event of the change."""
        client = self.line.client
        if state is LineState.OVER:
            self.on_client_disconnected.emit(client)
        elif state is LineState.LOST:
            self.on_line_lost.emit(client)
        elif before is LineState.LOST:
            self.on_line_restored.emit(client)
        else:
            self.on_client_connected.emit(client)
