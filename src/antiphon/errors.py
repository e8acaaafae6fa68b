"""Every error Antiphon raises or reports, in one tree.

AntiphonError                     category, retryable
|-- ConfigurationError            the user's set-up is wrong; says what to change
|   |-- MissingExtraError         an optional dependency is not installed
|   |-- MissingModelError         model files are not on this machine
|   |-- UnknownEventError         event_handler() with a name the class does not declare
|   `-- UnknownNameError          any other name that nobody declared (tool, scenario step, ...)
|-- ToolError                     raised by a tool: what its model is to be told of a failure
|-- InvalidInputError             data that came in is malformed (odd-length audio, say)
|-- KernelError                   a promise of the kernel was broken by code running on it
|   |-- MailboxFullError          a processor does not keep up with what it is sent
|   |-- NotInPipelineError        a processor was used outside a pipeline
|   |-- AlreadyInPipelineError    a processor was wired twice
|   |-- HandlerTimeoutError       a handler did not stop or return within its deadline
|   `-- StartTimeoutError         a conversation did not start within its deadline
`-- ServiceError                  a provider failed; raised by adapters, once, at the boundary
    |-- AuthenticationError  AuthorizationError  InvalidRequestError      never retried
    |-- QuotaError                                                        never retried
    `-- RateLimitError  ConnectivityError  ServerError                    worth retrying
"""

from __future__ import annotations

import enum
import re
from typing import ClassVar

_SECRET = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|nvapi|hf|csk|pplx|xoxb|ghp)[-_](?=[\w-]*\d)[\w-]{12,}"
    r"|\bAIza[\w-]{20,}"
    r"|(?P<head>\b(?:Bearer|Token|Basic)\s+)(?=[\w.~+/=-]*\d)[\w.~+/=-]{12,}"
    r"|(?P<name>(?:api|access|auth|secret|subscription)[-_ ]?(?:key|token)\b[\"']?\s*[:=]\s*[\"']?)"
    r"(?=[\w.~+/-]*\d)[\w.~+/-]{12,}",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """The text with what looks like a key or token masked: vendors echo them in their errors."""
    return _SECRET.sub(lambda match: f"{match['head'] or match['name'] or ''}***", text)


class ErrorCategory(enum.Enum):
    """Whose fault an error is, so that a program can decide what to do about it."""

    UNKNOWN = "unknown"
    AUTHENTICATION = "authentication"
    AUTHORIZATION = "authorization"
    INVALID_REQUEST = "invalid_request"
    RATE_LIMIT = "rate_limit"
    QUOTA = "quota"
    CONNECTIVITY = "connectivity"
    SERVER = "server"
    APPLICATION = "application"


class AntiphonError(Exception):
    """Root of every error of this package.

    Both facts belong to the class: `category` says whose fault it is, `retryable` whether the same
    call may succeed later without anybody changing anything. Keys and tokens in the message are
    masked here, once: it goes to frames, logs and recordings.
    """

    category: ClassVar[ErrorCategory] = ErrorCategory.UNKNOWN
    retryable: ClassVar[bool] = False

    def __init__(self, *args: object) -> None:
        super().__init__(*(without_secrets(arg) if isinstance(arg, str) else arg for arg in args))


class ConfigurationError(AntiphonError):
    """The program is set up wrongly. The message says what to change."""

    category = ErrorCategory.INVALID_REQUEST


class MissingExtraError(ConfigurationError):
    """A feature needs an optional dependency that is not installed."""

    def __init__(self, feature: str, extra: str, module: str) -> None:
        super().__init__(
            f"{feature} needs the module {module!r}, which is not installed: "
            f"pip install 'antiphon[{extra}]'"
        )
        self.feature: str = feature
        self.extra: str = extra
        self.module: str = module


class MissingModelError(ConfigurationError):
    """A model's files are not on this machine."""


class UnknownEventError(ConfigurationError):
    """A handler was registered for an event that the class does not declare."""


class UnknownNameError(ConfigurationError):
    """A name was used that nobody declared."""


class InvalidInputError(AntiphonError):
    """Data from outside is malformed. The message names the culprit."""

    category = ErrorCategory.INVALID_REQUEST


class ToolError(AntiphonError):
    """Raised by a tool: the call failed, and the message is for the model to read.

    Of any other exception the model only hears that the function failed.
    """

    category = ErrorCategory.APPLICATION


class KernelError(AntiphonError):
    """Code running on the kernel broke one of its promises."""

    category = ErrorCategory.APPLICATION


class MailboxFullError(KernelError):
    """A processor's mailbox is full: it does not keep up with what it is sent."""


class NotInPipelineError(KernelError):
    """A processor pushed or was sent a frame outside a pipeline."""


class AlreadyInPipelineError(KernelError):
    """A processor has one place in one pipeline; a context, one conversation at a time."""


class HandlerTimeoutError(KernelError):
    """A handler did not stop, or did not return, within its deadline."""


class StartTimeoutError(KernelError):
    """A conversation did not start within its deadline."""


class ServiceError(AntiphonError):
    """A provider failed. Adapters translate vendor errors into a subclass of this, once."""


class AuthenticationError(ServiceError):
    """The provider does not know the key."""

    category = ErrorCategory.AUTHENTICATION


class AuthorizationError(ServiceError):
    """The provider knows the key and refuses this use of it."""

    category = ErrorCategory.AUTHORIZATION


class InvalidRequestError(ServiceError):
    """The provider refuses the request as it stands."""

    category = ErrorCategory.INVALID_REQUEST


class QuotaError(ServiceError):
    """The account has nothing left to spend."""

    category = ErrorCategory.QUOTA


class RateLimitError(ServiceError):
    """Too many requests at the moment."""

    category = ErrorCategory.RATE_LIMIT
    retryable = True


class ConnectivityError(ServiceError):
    """The provider cannot be reached, or the connection broke or stalled."""

    category = ErrorCategory.CONNECTIVITY
    retryable = True


class ServerError(ServiceError):
    """The provider has a fault of its own."""

    category = ErrorCategory.SERVER
    retryable = True
