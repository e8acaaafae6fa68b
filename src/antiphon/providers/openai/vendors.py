"""Vendors that speak OpenAI's chat completions, as data.

A row is a name, an address, the variable that holds the key, and what the vendor does differently.
`<NAME>_BASE_URL` in the environment overrides the address.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from antiphon.errors import UnknownNameError
from antiphon.providers.account import key_of


class Vendor(msgspec.Struct, frozen=True):
    """One vendor.

    `developer_role`: it knows the role `developer`; others get such messages as the user's.
    `limit_name`: how it calls the most tokens of an answer. `stream_usage`: it takes
    `stream_options`. `key_variable` is None for servers on one's own machine, which need no key.
    """

    name: str
    base_url: str
    key_variable: str | None
    developer_role: bool = False
    limit_name: str = "max_tokens"
    stream_usage: bool = True

    def address(self, environment: Mapping[str, str]) -> str:
        """The base URL, from the environment if it says so."""
        return environment.get(f"{self.name.upper()}_BASE_URL") or self.base_url

    def key(self, environment: Mapping[str, str], api_key: str | None = None) -> str:
        """The key: the one that is given, or that of the vendor's variable.

        Raises:
            ConfigurationError: the vendor needs one and there is none.

        """
        if self.key_variable is None:
            return api_key or "none"
        return key_of(self.name, api_key, self.key_variable, environment=environment)


_ROWS = (
    Vendor("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", True, "max_completion_tokens"),
    Vendor("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
    Vendor("deepseek", "https://api.deepseek.com", "DEEPSEEK_API_KEY"),
    Vendor("fireworks", "https://api.fireworks.ai/inference/v1", "FIREWORKS_API_KEY"),
    Vendor(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai/",
        "GEMINI_API_KEY",
    ),
    Vendor("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"),
    Vendor("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", stream_usage=False),
    Vendor("nebius", "https://api.studio.nebius.com/v1", "NEBIUS_API_KEY"),
    Vendor("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY"),
    Vendor("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"),
    Vendor("perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY", stream_usage=False),
    Vendor("qwen", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "DASHSCOPE_API_KEY"),
    Vendor("sambanova", "https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
    Vendor("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY"),
    Vendor("xai", "https://api.x.ai/v1", "XAI_API_KEY"),
    Vendor("llamacpp", "http://localhost:8080/v1", None),
    Vendor("lmstudio", "http://localhost:1234/v1", None),
    Vendor("ollama", "http://localhost:11434/v1", None),
    Vendor("vllm", "http://localhost:8000/v1", None),
)

VENDORS: Mapping[str, Vendor] = {vendor.name: vendor for vendor in _ROWS}


def vendor(name: str) -> Vendor:
    """The row of that name.

    Raises:
        UnknownNameError: there is none; lists those there are.

    """
    if name not in VENDORS:
        raise UnknownNameError(f"unknown vendor {name!r}; known are {', '.join(sorted(VENDORS))}")
    return VENDORS[name]


def server_at(base_url: str) -> Vendor:
    """A row for a server at an address that no vendor has: no key, no peculiarities."""
    return Vendor(base_url, base_url, None)
