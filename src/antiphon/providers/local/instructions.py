"""The system instruction, for parts that render tool messages themselves.

The service explains its messages about asynchronous calls to the model. The local parts turn those
messages into sentences, so the explanation would only cost time and confuse.
"""

from __future__ import annotations

from antiphon.services.contracts import LLMRequest
from antiphon.services.llm_request import ASYNC_TOOLS_INSTRUCTION, CANCEL_TOOLS_INSTRUCTION


def own_instruction(request: LLMRequest) -> str:
    """The system instruction without what the service added about tool messages."""
    text = request.system_instruction or ""
    for added in (ASYNC_TOOLS_INSTRUCTION, CANCEL_TOOLS_INSTRUCTION):
        text = text.replace(added, "")
    return text.strip()
