"""Frames for a `ServiceSwitcher`."""

from __future__ import annotations

from typing import Any

from antiphon.frames.base import ControlFrame, SystemFrame, UninterruptibleFrame


class ServiceSwitcherFrame(UninterruptibleFrame, ControlFrame):
    """A command for a switcher."""


class ManuallySwitchServiceFrame(ServiceSwitcherFrame):
    """Makes a service the active one of its switcher: the processor itself, or its name."""

    service: Any


class ServiceActivatedFrame(SystemFrame):
    """The switcher has made this service the active one. Goes to it and no further.

    `previous`: the service that was. What that has not done may be taken over from it.
    """

    previous: Any
