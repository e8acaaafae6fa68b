"""A sound card for tests: a PulseAudio server of the test's own, with a mouth and an ear.

What is played into the sink `mouth` is what the default microphone hears; what a program plays on
the default loudspeaker can be recorded from the monitor of `ear`. PortAudio finds both through
ALSA, as it would find real devices.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

NEEDED = ("pulseaudio", "pactl", "paplay", "parec")
_ALSA = """
pcm.!default { type pulse }
ctl.!default { type pulse }
"""


class SoundCard:
    """The server that is running: what a program needs in its environment to find it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)

    def play(self, wav: pathlib.Path) -> None:
        """Plays a file into the microphone; returns when it is over."""
        command = ["paplay", "--device=mouth", str(wav)]
        subprocess.run(command, env=self.environment, check=True, timeout=60)

    @contextmanager
    def listening(self, wav: pathlib.Path) -> Iterator[None]:
        """Writes what comes out of the loudspeaker to a file."""
        command = ["parec", "--device=ear.monitor", "--file-format=wav", "--rate=16000"]
        with subprocess.Popen([*command, "--channels=1", str(wav)], env=self.environment) as ear:
            try:
                yield
            finally:
                ear.terminate()


@contextmanager
def sound_card(folder: pathlib.Path) -> Iterator[SoundCard]:
    """Skips the test where PulseAudio or PortAudio is not installed."""
    lacking = [name for name in NEEDED if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"not on this machine: {', '.join(lacking)}")
    if not _portaudio():
        pytest.skip("PortAudio is not on this machine")
    (folder / ".asoundrc").write_text(_ALSA)
    socket = folder / "sound.socket"
    environment = {
        **os.environ,
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_SERVER": f"unix:{socket}",
    }
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    modules = [
        f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
        "module-null-sink sink_name=ear",
        "module-null-sink sink_name=mouth",
    ]
    command += [f"--load={module}" for module in modules]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            _ask(server, environment, "set-default-sink", "ear")
            _ask(server, environment, "set-default-source", "mouth.monitor")
            yield SoundCard(environment)
        finally:
            server.terminate()


def _portaudio() -> bool:
    try:
        import sounddevice  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


def _ask(server: subprocess.Popen[bytes], environment: Mapping[str, str], *words: str) -> None:
    said = b""
    for _ in range(100):
        done = subprocess.run(["pactl", *words], env=environment, capture_output=True, check=False)
        if done.returncode == 0:
            return
        said = done.stderr
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
    pytest.fail(f"pactl {' '.join(words)}: {said.decode()}")
