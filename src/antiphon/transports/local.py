"""The microphone and the loudspeaker of this machine, through PortAudio (package `sounddevice`).

PortAudio calls from threads of its own. The microphone's callback hands its bytes to the event
loop; the loudspeaker's takes what `Speaker.write` put into a small buffer, and silence when that is
empty. An interruption empties the buffer, so only what is in the sound card itself is still heard.

Without headphones the microphone hears the agent: use the system's echo cancellation or headphones.
"""

from __future__ import annotations

import asyncio
import threading
from types import ModuleType
from typing import Any

import msgspec

from antiphon.audio.pcm import SAMPLE_BYTES
from antiphon.errors import ConfigurationError, ConnectivityError, MissingExtraError
from antiphon.frames.lifecycle import StartFrame
from antiphon.kernel.epoch import FrameDirection
from antiphon.transports.base import BaseTransport
from antiphon.transports.input import InputTransport
from antiphon.transports.output import OutputTransport
from antiphon.transports.params import TransportParams

BLOCK_SECS = 0.02
LEAD_SECS = 0.06
"""Written ahead, so that a busy event loop is not heard."""
MOST_BUFFERED_SECS = 0.3
"""A loudspeaker whose clock is slow makes the output wait beyond this."""


def _sounddevice() -> ModuleType:
    try:
        import sounddevice
    except ImportError as error:
        raise MissingExtraError("the microphone", "talk", "sounddevice") from error
    except OSError as error:
        raise ConfigurationError(
            f"the microphone and loudspeaker need the system library PortAudio ({error}): "
            "apt install libportaudio2, or brew install portaudio"
        ) from error
    except Exception as error:  # its own, raised while it is imported: nobody can name it
        raise ConfigurationError(
            f"the sound system of this machine cannot be used ({error}): is its sound server "
            f"running, and is this user's sound configuration valid?"
        ) from error
    module: ModuleType = sounddevice
    return module


def _opened(kind: str, device: int | str | None, settings: dict[str, Any]) -> Any:
    """A running stream of `kind`, "RawInputStream" or "RawOutputStream"."""
    sounddevice = _sounddevice()
    streams = {
        "RawInputStream": sounddevice.RawInputStream,
        "RawOutputStream": sounddevice.RawOutputStream,
    }
    what = "microphone" if kind == "RawInputStream" else "loudspeaker"
    try:
        stream = streams[kind](device=device, dtype="int16", **settings)
        stream.start()
    except (sounddevice.PortAudioError, ValueError) as error:
        raise _unusable(what, device, error, sounddevice) from error
    return stream


def _unusable(
    what: str, device: int | str | None, error: Exception, sounddevice: ModuleType
) -> ConfigurationError:
    known = str(sounddevice.query_devices()).strip() or "none"
    which = "(default)" if device is None else repr(device)
    return ConfigurationError(
        f"the {what} {which} cannot be used: {error}. Devices of this machine:\n{known}"
    )


def check_devices(
    input_device: int | str | None = None, output_device: int | str | None = None
) -> None:
    """Raises what is missing for a conversation, before one is begun.

    Raises:
        MissingExtraError: sounddevice is not installed.
        ConfigurationError: PortAudio, the microphone or the loudspeaker is not there.

    """
    sounddevice = _sounddevice()
    for what, device, check in (
        ("microphone", input_device, sounddevice.check_input_settings),
        ("loudspeaker", output_device, sounddevice.check_output_settings),
    ):
        try:
            check(device=device, channels=1, dtype="int16")
        except (sounddevice.PortAudioError, ValueError) as error:
            raise _unusable(what, device, error, sounddevice) from error


class Speaker:
    """A sink that plays on a sound card."""

    def __init__(self, device: int | str | None) -> None:
        self._device = device
        self._stream: Any = None
        self._lock = threading.Lock()
        self._waiting = bytearray()
        self._most = self._bytes_per_sec = 0
        self._unit = SAMPLE_BYTES
        self._taken = 0

    async def open(self, sample_rate: int, num_channels: int) -> None:
        """Starts the sound card. Raises `ConfigurationError` when that is impossible."""
        self._unit = SAMPLE_BYTES * num_channels
        self._bytes_per_sec = sample_rate * self._unit
        self._most = round(MOST_BUFFERED_SECS * self._bytes_per_sec)
        settings = {
            "samplerate": sample_rate,
            "channels": num_channels,
            "blocksize": round(BLOCK_SECS * sample_rate),
            "latency": "low",
            "callback": self._fill,
        }
        self._stream = _opened("RawOutputStream", self._device, settings)

    async def write(self, pcm: bytes) -> None:
        """Queues a chunk; waits when the sound card is behind, gives up when it stands still."""
        behind = len(self._waiting) - self._most
        if behind > self._most:
            raise ConnectivityError("the loudspeaker does not take any sound")
        if behind > 0:
            await asyncio.sleep(behind / self._bytes_per_sec)
        with self._lock:
            self._waiting += pcm

    async def clear(self) -> None:
        """Plays nothing of what is queued."""
        with self._lock:
            self._taken += len(self._waiting)
            self._waiting.clear()

    async def close(self) -> None:
        """Plays what is queued and stops the sound card."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        for _ in range(round(2 * MOST_BUFFERED_SECS / BLOCK_SECS)):
            if not self._waiting:
                break
            await asyncio.sleep(BLOCK_SECS)
        stream.stop()
        stream.close()

    @property
    def played(self) -> int:
        """Samples that the sound card took, or that were cleared."""
        return self._taken // self._unit

    def _fill(self, out: Any, frames: int, time: Any, status: Any) -> None:
        # Called by PortAudio's thread: no logging, no allocation beyond the chunk.
        size = len(out)
        with self._lock:
            part = bytes(self._waiting[:size])
            del self._waiting[:size]
            self._taken += len(part)
        out[: len(part)] = part
        out[len(part) :] = bytes(size - len(part))


class Microphone(InputTransport):
    """Hears a microphone."""

    def __init__(self, params: TransportParams, device: int | str | None) -> None:
        super().__init__(params)
        self._device = device
        self._stream: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rate = 0

    async def start(self, frame: StartFrame, direction: FrameDirection) -> None:
        await super().start(frame, direction)
        if not self.transport_params.audio_in_enabled:
            return
        self._loop = asyncio.get_running_loop()
        self._rate = self.transport_params.audio_in_sample_rate or frame.audio_in_sample_rate
        settings = {
            "samplerate": self._rate,
            "channels": 1,
            "blocksize": round(BLOCK_SECS * self._rate),
            "latency": "low",
            "callback": self._heard,
        }
        self._stream = _opened("RawInputStream", self._device, settings)

    async def cleanup(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.stop()
            stream.close()
        await super().cleanup()

    def _heard(self, data: Any, frames: int, time: Any, status: Any) -> None:
        # Called by PortAudio's thread.
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._take, bytes(data))

    def _take(self, pcm: bytes) -> None:
        if self._stream is not None:
            self.push_audio(pcm, self._rate)


class LocalAudioTransport(BaseTransport):
    """Speaks with whoever sits at this machine. Devices by number or name; None: the default.

    `antiphon.transports.local` needs `pip install 'antiphon[talk]'` and PortAudio; what is missing
    is said when the conversation starts.
    """

    def __init__(
        self,
        params: TransportParams | None = None,
        *,
        input_device: int | str | None = None,
        output_device: int | str | None = None,
    ) -> None:
        super().__init__(params)
        params = self.params
        if not params.audio_out_lead_secs:
            params = msgspec.structs.replace(params, audio_out_lead_secs=LEAD_SECS)
        self._input = Microphone(params, input_device)
        self._output = OutputTransport(Speaker(output_device), params, line=self.line)

    def input(self) -> InputTransport:
        """The microphone."""
        return self._input

    def output(self) -> OutputTransport:
        """The loudspeaker."""
        return self._output
