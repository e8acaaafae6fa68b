"""Errors of OpenAI's SDK as ours; once, for all of its interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from antiphon.errors import ConnectivityError, ServerError, ServiceError
from antiphon.providers.http import error_for_status, transport_errors


@contextmanager
def mapped_errors(sdk: Any, *, name: str, base_url: str) -> Iterator[None]:
    """What the SDK and its HTTP client raise in the block becomes a `ServiceError`."""
    try:
        yield
    except sdk.APIStatusError as error:
        message = f"{name}: {error.message} {error.code or ''}".strip()
        raise error_for_status(error.status_code, message) from error
    except sdk.APIConnectionError as error:
        message = f"{name} cannot be reached at {base_url}: {error.message}"
        raise ConnectivityError(message) from error
    except sdk.APIError as error:
        raise mid_stream(name, error.message, error.code) from error
    except ValueError as error:
        raise ServerError(f"{name} sent what is not JSON: {error}") from error
    except transport_errors() as error:
        raise ConnectivityError(f"{name}: the connection broke: {error}") from error


def mid_stream(name: str, message: str | None, code: Any) -> ServiceError:
    """An error in the stream of a response that began well; its code is a status or a word."""
    known = {"rate_limit_exceeded": 429, "insufficient_quota": 429, "invalid_prompt": 400}
    status = int(code) if str(code).isdigit() else known.get(str(code), 500)
    return error_for_status(status, f"{name}: {message} {code or ''}".strip())
