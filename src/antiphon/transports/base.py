"""What every transport is: two ends of a pipeline, and news of who is on the line."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Final

from antiphon.kernel.event_source import Event, EventSource
from antiphon.transports.input import InputTransport
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams


class BaseTransport(EventSource):
    """Connects one caller. `client` in the events is whatever the transport knows of them."""

    on_client_connected: Final = Event[[Any]]()
    on_client_disconnected: Final = Event[[Any]]()

    def __init__(self, params: TransportParams | None = None) -> None:
        self.params: TransportParams = params or TransportParams()

    @abstractmethod
    def input(self) -> InputTransport:
        """The processor at the beginning of the pipeline; the same at each call."""

    @abstractmethod
    def output(self) -> OutputTransport:
        """The processor that plays to the caller; the same at each call."""
