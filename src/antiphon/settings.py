"""Settings of services as plain data: what can be chosen when a service is built and changed while
it runs.

A settings object is frozen. `None` means "the provider's default". A change is a mapping of names
to new values (`LLMUpdateSettingsFrame(settings={"temperature": 0.2})`); `updated` returns a new
object or raises one error that names the culprit, and the old object stays as it was. What a vendor
offers beyond the common fields goes into `extra`, by the vendor's own names.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Self

import msgspec
from msgspec.structs import asdict

from antiphon.errors import ConfigurationError, UnknownNameError


class ServiceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every kind of service has. Vendors subclass the kind's settings and add fields."""

    model: str | None = None
    extra: dict[str, Any] = msgspec.field(default_factory=dict)

    def updated(self, changes: Mapping[str, Any]) -> Self:
        """A copy with `changes` applied; `extra` is merged, everything else replaced.

        Raises:
            UnknownNameError: a name that these settings do not have.
            ConfigurationError: a value of the wrong type.

        """
        known = self.__struct_fields__
        for name in changes:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}."
                raise UnknownNameError(
                    f"{type(self).__name__} has no setting {name!r}: {hint} "
                    "A vendor's own parameter belongs into 'extra'."
                )
        merged = {name: changes.get(name, value) for name, value in asdict(self).items()}
        if isinstance(changes.get("extra"), Mapping):
            merged["extra"] = {**self.extra, **changes["extra"]}
        try:
            return msgspec.convert(merged, type(self))
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                f"{type(self).__name__} cannot be changed so: {error}"
            ) from error

    def merged(self, given: ServiceSettings | None) -> Self:
        """A copy in which every field that `given` sets (is not None, not empty) wins."""
        if given is None:
            return self
        return self.updated(
            {name: value for name, value in asdict(given).items() if value not in (None, {})}
        )

    def changed_fields(self, old: ServiceSettings) -> frozenset[str]:
        """Names of the fields whose values differ from `old`'s."""
        before = asdict(old)
        return frozenset(name for name, value in asdict(self).items() if before.get(name) != value)


class LLMSettings(ServiceSettings, frozen=True, kw_only=True):
    """Sampling and behaviour of a language model. `max_tokens` bounds one answer."""

    system_instruction: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    top_k: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    filter_incomplete_user_turns: bool = False
    user_turn_completion_config: Any = None


class RealtimeSettings(LLMSettings, frozen=True, kw_only=True):
    """A model that hears and speaks by itself."""

    voice: str | None = None


class TTSSettings(ServiceSettings, frozen=True, kw_only=True):
    """A voice. `speed` 1.0 is the voice's own pace."""

    voice: str | None = None
    language: str | None = None
    speed: float | None = None


class STTSettings(ServiceSettings, frozen=True, kw_only=True):
    """A transcriber. `language` as BCP 47, None to detect it where the provider can."""

    language: str | None = None
