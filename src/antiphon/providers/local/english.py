"""The embedded models know English only, and say so."""

from __future__ import annotations

from antiphon.errors import ConfigurationError


def only_english(model: str, language: str | None) -> None:
    """Raises `ConfigurationError` for a language (BCP 47) that is not English."""
    if language is not None and language.lower().replace("_", "-").split("-")[0] != "en":
        raise ConfigurationError(
            f"{model} knows English only, not {language!r}: use a provider that knows it"
        )
