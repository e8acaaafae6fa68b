"""What a transport carries and how. The names are those voice developers know from Pipecat."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from antiphon.audio.filters import AudioFilter
from antiphon.audio.mixer import AudioMixer
from antiphon.frames.base import Frame


class TransportParams(msgspec.Struct, frozen=True, kw_only=True):
    """Rates in Hz (None: the pipeline's), times in seconds.

    `audio_out_10ms_chunks`: how many times 10 ms are written at once; an interruption is heard
    within one chunk. `audio_out_end_silence_secs`: silence written after the last sound of a
    conversation, so that nothing of it stays in somebody's buffer. `audio_out_paced`: False writes
    as fast as the sink takes it. `audio_out_continuous`: silence is written when there is nothing
    to say; a mixer implies it. `audio_out_lead_secs`: how much is written before it is due; only
    for sinks that can be cleared. `audio_out_fade_secs`: falling sound after an interruption in
    place of a click. `audio_out_at_once`: frame types that do not wait for the sound before them.
    `audio_in_stream_on_start`: False drops the caller's audio until `start_streaming` is called.
    `audio_in_passthrough`: False keeps the caller's audio from the pipeline. `reconnect_secs`: how
    long a lost line is waited for before it counts as a hang-up (0 for a telephone, whose callers
    do not come back). `end_on_disconnect`: a hang-up ends the session.
    """

    audio_out_enabled: bool = True
    audio_out_sample_rate: int | None = None
    audio_out_channels: int = 1
    audio_out_10ms_chunks: int = 2
    audio_out_mixer: AudioMixer | Mapping[str | None, AudioMixer] | None = None
    audio_out_end_silence_secs: float = 0.2
    audio_out_paced: bool = True
    audio_out_continuous: bool = False
    audio_out_lead_secs: float = 0.0
    audio_out_fade_secs: float = 0.0
    audio_out_at_once: tuple[type[Frame], ...] = ()
    audio_in_enabled: bool = True
    audio_in_sample_rate: int | None = None
    audio_in_channels: int = 1
    audio_in_filter: AudioFilter | None = None
    audio_in_stream_on_start: bool = True
    audio_in_passthrough: bool = True
    reconnect_secs: float = 10.0
    end_on_disconnect: bool = True
