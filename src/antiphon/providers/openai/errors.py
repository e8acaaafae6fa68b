"""Errors of OpenAI's SDK as ours; once, for all of its interfaces."""

from __future__ import annotations

from typing import Any

from antiphon.errors import ConnectivityError, ServiceError
from antiphon.providers.http import error_for_status


def mapped(sdk: Any, error: Any, *, name: str, base_url: str) -> ServiceError:
    """One of the SDK's errors: a refusal, a connection that failed, or the end of a stream."""
    if isinstance(error, sdk.APIStatusError):
        message = f"{name}: {error.message} {error.code or ''}".strip()
        return error_for_status(error.status_code, message)
    if isinstance(error, sdk.APIConnectionError):
        return ConnectivityError(f"{name} cannot be reached at {base_url}: {error.message}")
    return mid_stream(name, error.message, error.code)


def mid_stream(name: str, message: str | None, code: Any) -> ServiceError:
    """An error in the stream of a response that began well; its code is a status or a word."""
    known = {"rate_limit_exceeded": 429, "insufficient_quota": 429, "invalid_prompt": 400}
    status = int(code) if str(code).isdigit() else known.get(str(code), 500)
    return error_for_status(status, f"{name}: {message} {code or ''}".strip())
