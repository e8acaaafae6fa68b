"""The tree of errors: as it is drawn, and what programs decide by."""

from __future__ import annotations

import re

import pytest

from antiphon import errors
from antiphon.errors import (
    AntiphonError,
    AuthenticationError,
    AuthorizationError,
    ConfigurationError,
    ConnectivityError,
    ErrorCategory,
    InvalidRequestError,
    KernelError,
    MissingExtraError,
    QuotaError,
    RateLimitError,
    ServerError,
    ServiceError,
)

CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, AntiphonError)
}


def test_the_tree_is_the_one_that_is_drawn() -> None:
    """Every class stands in the docstring under its base, and nothing else does."""
    drawn: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        names = list(re.finditer(r"\w+Error\b", line))
        if not names or line.startswith("Every"):
            continue
        depth = names[0].start()
        while above and above[-1][0] >= depth:
            above.pop()
        for name in names:
            drawn[name.group()] = above[-1][1] if above else None
        above.append((depth, names[0].group()))
    actual: dict[str, str | None] = {
        name: kind.__mro__[1].__name__ for name, kind in CLASSES.items()
    }
    actual["AntiphonError"] = None
    assert drawn == actual


@pytest.mark.parametrize(
    ("kind", "category", "retryable"),
    [
        (AuthenticationError, ErrorCategory.AUTHENTICATION, False),
        (AuthorizationError, ErrorCategory.AUTHORIZATION, False),
        (InvalidRequestError, ErrorCategory.INVALID_REQUEST, False),
        (QuotaError, ErrorCategory.QUOTA, False),
        (RateLimitError, ErrorCategory.RATE_LIMIT, True),
        (ConnectivityError, ErrorCategory.CONNECTIVITY, True),
        (ServerError, ErrorCategory.SERVER, True),
        (KernelError, ErrorCategory.APPLICATION, False),
    ],
)
def test_an_error_says_whose_fault_it_is_and_whether_to_retry(
    kind: type[AntiphonError], category: ErrorCategory, *, retryable: bool
) -> None:
    """Both are facts of the class, so that nobody has to read messages."""
    assert (kind.category, kind.retryable) == (category, retryable)


def test_only_failures_of_providers_are_worth_trying_again() -> None:
    """What the user must mend, and what code did wrong, is the same the next time."""
    worth_it = {kind for kind in CLASSES.values() if kind.retryable}
    assert worth_it == {RateLimitError, ConnectivityError, ServerError}
    assert all(issubclass(kind, ServiceError) for kind in worth_it)


def test_a_missing_extra_says_what_to_run() -> None:
    """The message has the feature, the module and the command; so has the object."""
    error = MissingExtraError("Hearing", "local", "onnxruntime")
    assert isinstance(error, ConfigurationError)
    assert str(error) == (
        "Hearing needs the module 'onnxruntime', which is not installed: "
        "pip install 'antiphon[local]'"
    )
    assert (error.feature, error.extra, error.module) == (
        "Hearing",
        "local",
        "onnxruntime",
    )


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        (
            "Incorrect API key provided: sk-proj-abcDEF123456789",
            "Incorrect API key provided: ***",
        ),
        ("gsk_0123456789abcdef is no key", "*** is no key"),
        ("key=AIzaSyA0123456789abcdefghijk", "key=***"),
        ("sent Authorization: Bearer abc.def-123456", "sent Authorization: Bearer ***"),
        ('{"api_key": "0123456789abcdef"}', '{"api_key": "***"}'),
        (
            "wss://host/?access_token=0123456789abcdef&x=1",
            "wss://host/?access_token=***&x=1",
        ),
        (
            "the api key is missing: set OPENAI_API_KEY",
            "the api key is missing: set OPENAI_API_KEY",
        ),
        (
            "the desk-based token bucket, Basic understanding",
            "the desk-based token bucket, Basic understanding",
        ),
    ],
)
def test_keys_that_vendors_echo_are_masked(said: str, masked: str) -> None:
    """In every error of ours, so in frames, logs and recordings of it; other text stays."""
    assert str(ServiceError(said)) == masked
    assert str(AntiphonError(said, 1)) == str((masked, 1))
