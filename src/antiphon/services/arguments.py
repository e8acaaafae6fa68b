"""What a service is constructed with, checked: one clear error for what people often write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from antiphon.errors import ConfigurationError
from antiphon.settings import ServiceSettings


def check_arguments(
    service: type,
    provider: object,
    settings: object,
    *,
    kind: type[ServiceSettings],
    instead: str,
) -> None:
    """Checks that the provider is no name, class or data, and the settings are of their `kind`.

    Raises:
        ConfigurationError: they are not; the text names the value and what to write `instead`.

    """
    name = service.__name__
    if isinstance(provider, str | bytes | int | type | Mapping | Sequence | None):
        raise ConfigurationError(f"{name} takes a provider, not {provider!r:.80}: {instead}")
    if settings is not None and not isinstance(settings, kind):
        raise ConfigurationError(
            f"{name}: settings={settings!r:.80} is a {type(settings).__name__}: write "
            f"settings={name}.Settings(...)"
        )
