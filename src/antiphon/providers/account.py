"""What a vendor's service is told: a key, an address and a model. One clear error for each."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from antiphon.errors import ConfigurationError
from antiphon.settings import LLMSettings

_ENDPOINTS: Final = ("/chat/completions", "/completions", "/responses", "/messages")
_SECRETS: Final = re.compile(
    r"(?<![\w-])(?:sk|pk|rk|gsk|xai|csk|nvapi|fw|r8|hf|pplx|tgp)[-_][\w-]*[A-Za-z0-9]{6,}[\w*.-]*"
    r"|AIza[\w-]{10,}|(?<=Bearer )\S+"
    r"|(?<=key=)[^&\s\"']+|(?<=token=)[^&\s\"']+",
)
HIDDEN: Final = "[key]"


def key_of(
    vendor: str, api_key: str | None, *variables: str, environment: Mapping[str, str] | None = None
) -> str:
    """The key that was given, or that of the first variable that is set.

    Raises:
        ConfigurationError: there is none; the text names the variable.

    """
    environment = os.environ if environment is None else environment
    given = [api_key] if api_key is not None else [environment.get(name) for name in variables]
    key = next((key.strip() for key in given if key and key.strip()), "")
    if not key:
        raise ConfigurationError(
            f"{vendor} needs a key: give api_key=..., or set the environment variable "
            f"{variables[0]}"
        )
    return key


def address(base_url: str | None) -> str | None:
    """The base URL if it is one.

    Raises:
        ConfigurationError: it is no HTTP address, or that of one endpoint.

    """
    if base_url is None:
        return None
    bare = base_url.strip().rstrip("/")
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", bare) or bare.count("://") > 1:
        raise ConfigurationError(
            f"base_url={base_url!r} is no address: write it as in http://localhost:8080/v1"
        )
    for endpoint in _ENDPOINTS:
        if bare.endswith(endpoint):
            raise ConfigurationError(
                f"base_url={base_url!r} names an endpoint: leave out {endpoint!r}, the client adds "
                "it"
            )
    return base_url.strip()


def model_of(
    service: str, model: str | None, settings: LLMSettings | None, default: str | None
) -> str:
    """The model that a service is to use: named, in its settings, or the vendor's default.

    Raises:
        ConfigurationError: none is named and there is no default, or the settings are no settings.

    """
    if settings is not None and not isinstance(settings, LLMSettings):
        raise ConfigurationError(
            f"settings={settings!r:.80} is a {type(settings).__name__}: write "
            f"settings={service}.Settings(...)"
        )
    wanted = model or (settings.model if settings else None) or default
    if not wanted:
        raise ConfigurationError(f"{service} needs a model: model='...'")
    return wanted


def without_secrets(text: str, *keys: str | None) -> str:
    """The text with these keys, and all that looks like one, hidden."""
    for key in keys:
        if key and len(key) >= 8:
            text = text.replace(key, HIDDEN)
    return _SECRETS.sub(HIDDEN, text)


def shows_secrets(error: BaseException, *keys: Any) -> bool:
    """True where the error, or one that led to it, has a key in its text."""
    seen: BaseException | None = error
    while seen is not None:
        for text in (str(seen), repr(seen)):
            if without_secrets(text, *keys) != text:
                return True
        seen = seen.__cause__ or seen.__context__
    return False
