"""Who speaks: raw voice activity, turns, the agent's speech, mute and idle."""

from __future__ import annotations

from antiphon.errors import InvalidInputError
from antiphon.frames.base import SystemFrame

_OLDEST_SECS, _EARLY_SECS = 90.0, 1.0
"""A backlog of 30 s may wait at several processors; no clock is ahead of itself."""


class VADUserStartedSpeakingFrame(SystemFrame):
    """Voice activity began `start_secs` before `timestamp`.

    That is the place of the sample at which it was sure, in seconds on the loop's clock; None: now.
    """

    start_secs: float = 0.0
    timestamp: float | None = None


class VADUserStoppedSpeakingFrame(SystemFrame):
    """Voice activity ended `stop_secs` before `timestamp`.

    That is the place of the sample at which it was sure, in seconds on the loop's clock; None: now.
    """

    stop_secs: float = 0.0
    timestamp: float | None = None


def time_of(frame: VADUserStartedSpeakingFrame | VADUserStoppedSpeakingFrame, now: float) -> float:
    """The `timestamp` of a frame that is handled at `now`.

    Raises `InvalidInputError` for one that cannot be on the loop's clock.
    """
    at = frame.timestamp
    if at is None:
        return now
    if not now - _OLDEST_SECS <= at <= now + _EARLY_SECS:
        raise InvalidInputError(
            f"{type(frame).__name__}.timestamp is {at:.3f} and the loop's clock says {now:.3f}: "
            f"take it from asyncio.get_running_loop().time(), or leave it out for now"
        )
    return min(at, now)


class UserStartedSpeakingFrame(SystemFrame):
    """The user's turn began."""


class UserStoppedSpeakingFrame(SystemFrame):
    """The user's turn ended."""


class UserSpeakingFrame(SystemFrame):
    """The user is speaking; repeated at most every 0.2 s."""


class ProposedUserStartedSpeakingFrame(SystemFrame):
    """A service thinks that a turn began; the turn machine decides."""


class ProposedUserStoppedSpeakingFrame(SystemFrame):
    """A service thinks that the turn ended; the turn machine decides."""


class UserTurnInferenceCompletedFrame(SystemFrame):
    """Somebody judged the user's turn complete."""


class EndUserTurnFrame(SystemFrame):
    """Ends the user's open turn without running the model; what was said is kept."""


class UserMuteStartedFrame(SystemFrame):
    """What the user says is ignored from now on."""


class UserMuteStoppedFrame(SystemFrame):
    """The user is listened to again."""


class UserIdleTimeoutUpdateFrame(SystemFrame):
    """Change the idle timeout, in seconds; 0 or less switches it off."""

    timeout: float


class BotStartedSpeakingFrame(SystemFrame):
    """The agent's speech began to be played."""


class BotStoppedSpeakingFrame(SystemFrame):
    """The agent's speech has been played out, or was cut off."""


class BotSpeakingFrame(SystemFrame):
    """The agent's speech is being played; repeated at most every 0.2 s."""


class BotSpeechPauseFrame(SystemFrame):
    """Hold the agent's speech where it is: the caller makes a sound that may be nothing."""


class BotSpeechResumeFrame(SystemFrame):
    """It was nothing: go on where the speech was held."""


class BotSayingFrame(SystemFrame):
    """Upstream: the agent is about to say this. Lets a caller's words be told from an echo."""

    text: str
