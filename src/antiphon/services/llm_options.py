"""What is chosen for `LLMService` itself, whoever the vendor is."""

from __future__ import annotations

from typing import Any

import msgspec

from antiphon.context.llm_context import LLMContext
from antiphon.services.connection_policy import ConnectionPolicy
from antiphon.tools.results import MAX_RESULT_CHARS


class LLMOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `LLMService`, as one value for vendors' services: `options=LLMOptions(...)`.

    Each is the keyword of `LLMService` that has its name.
    """

    run_in_parallel: bool = True
    group_parallel_tools: bool = True
    function_call_timeout_secs: float | None = 10.0
    max_result_chars: int = MAX_RESULT_CHARS
    retry_policy: ConnectionPolicy | None = None
    apology: str | None = None
    warm_up: LLMContext | None = None


def options_of(options: LLMOptions | None) -> dict[str, Any]:
    """The options as `LLMService` takes them."""
    return msgspec.structs.asdict(options or LLMOptions())
