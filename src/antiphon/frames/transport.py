"""What passes between the program and its transport: messages, keys, orders to filter and mixer."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

from antiphon.frames.base import ControlFrame, DataFrame, SystemFrame, UninterruptibleFrame


class KeypadEntry(enum.Enum):
    """A key of a telephone."""

    ZERO = "0"
    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"
    FIVE = "5"
    SIX = "6"
    SEVEN = "7"
    EIGHT = "8"
    NINE = "9"
    STAR = "*"
    POUND = "#"


class InputTransportMessageFrame(SystemFrame):
    """A message from the client."""

    message: Any


class OutputTransportMessageFrame(DataFrame):
    """A message to the client, in order behind the audio queued before it."""

    message: Any


class OutputTransportMessageUrgentFrame(SystemFrame):
    """A message to the client, sent at once."""

    message: Any


class InputDTMFFrame(SystemFrame):
    """The user pressed a key."""

    button: KeypadEntry


class OutputDTMFFrame(DataFrame):
    """Keys to press, in order behind the audio queued before them."""

    buttons: tuple[KeypadEntry, ...]


class OutputDTMFUrgentFrame(SystemFrame):
    """Keys to press at once."""

    buttons: tuple[KeypadEntry, ...]


class MixerControlFrame(UninterruptibleFrame, ControlFrame):
    """To the mixer of the frame's destination, in its place behind the sound before it.

    Uninterruptible: "softer while I explain this" must not be forgotten because somebody cut in.
    """


class MixerUpdateSettingsFrame(MixerControlFrame):
    """Other settings: of a `SoundMixer` `sound`, `volume` and `loop`."""

    settings: Mapping[str, Any]


class MixerEnableFrame(MixerControlFrame):
    """Switches the background on or off."""

    enable: bool


class FilterControlFrame(UninterruptibleFrame, ControlFrame):
    """To the filter of the caller's audio."""


class FilterUpdateSettingsFrame(FilterControlFrame):
    """Other settings, by the names that the filter's class gives them."""

    settings: Mapping[str, Any]


class FilterEnableFrame(FilterControlFrame):
    """Switches the filter on or off: off, the caller is heard as he is."""

    enable: bool


class PlayoutBufferFrame(SystemFrame):
    """Upstream, to the voice: `full` asks it to stop sending audio until a frame says otherwise.

    `buffered_secs` is the audio that waits to be played. Nothing but audio needs to stop.
    """

    full: bool
    buffered_secs: float = 0.0
