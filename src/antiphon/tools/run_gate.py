"""When the model hears of results: the timing rules, pure.

A result is written at once, but the inference it owes waits while the user speaks, while the agent
speaks, and while an answer is under way. Every inference, whoever asked for it, pays the debt, for
it sees all that is
written: so a user turn that comes in between covers the results, and there are never two.

An inference that an interruption cuts off before the caller heard anything of its answer has not
paid: the debt is back, and is paid by the user turn that interrupted, or, should that turn come to
nothing, when it ends.
"""

from __future__ import annotations

from typing import Protocol


class EpochLike(Protocol):
    """The time between two interruptions: `live` until the next one."""

    @property
    def live(self) -> bool: ...


class RunGate:
    """Decides when an owed inference is due. Ask `due` after every change."""

    def __init__(self) -> None:
        self._user_speaking = False
        self._bot_speaking = False
        self._responding: EpochLike | None = None
        self._owed = False
        self._unheard: int | None = None
        self._sent: EpochLike | None = None

    @property
    def due(self) -> bool:
        """An inference is owed and nothing stands against it."""
        busy = self._user_speaking or self._bot_speaking or self._responding is not None
        return self._owed and not busy

    @property
    def owed(self) -> bool:
        """An inference is owed, now or later."""
        return self._owed

    def owe(self) -> None:
        """Results have been written that the model has not seen."""
        self._owed = True

    def inference_sent(self, version: int, epoch: EpochLike) -> None:
        """Somebody ran the model on this version of the context, in this epoch."""
        if self._owed:
            self._unheard, self._sent = version, epoch
        self._owed = False

    def user_speaking(self, speaking: bool) -> None:
        self._user_speaking = speaking

    def bot_speaking(self, speaking: bool) -> None:
        self._bot_speaking = speaking

    def response_started(self, epoch: EpochLike) -> None:
        """An answer has begun to come out of the output."""
        self._responding = epoch

    def response_heard(self, version: int | None) -> None:
        """The caller heard something of the answer to that version (None: to an unknown one)."""
        if self._unheard is not None and (version is None or version >= self._unheard):
            self._unheard = None

    def response_ended(self, version: int | None) -> None:
        """The answer to that version has come out of the output to its end."""
        self._responding = None
        self.response_heard(version)

    def interrupted(self) -> None:
        """What belongs to an epoch that is over is void.

        An interruption may be heard of when something later has begun: that goes on.
        """
        if self._sent is not None and not self._sent.live:
            self._owed = self._owed or self._unheard is not None
            self._unheard = self._sent = None
        if self._responding is not None and not self._responding.live:
            self._responding = None
