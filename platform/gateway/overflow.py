"""How much was sent and how much fits, read out of a server's refusal. No Django here."""

import re
from typing import Any

# Each has the named groups that it knows; the first that matches counts.
_SENTENCES = (
    # llama.cpp: request (18019 tokens) exceeds the available context size (2048 tokens)
    r"\((?P<asked>\d+) tokens\) exceeds .*?\((?P<limit>\d+) tokens\)",
    # OpenAI, vLLM, DeepSeek: maximum context length is 8192 tokens. However, … 9001 tokens
    r"maximum context length (?:is|of) (?P<limit>\d+)(?:\D+(?P<asked>\d+))?",
    # Mistral: Prompt contains 40000 tokens …, too large for model with 32768 maximum context
    r"contains (?P<asked>\d+) tokens.*?with (?P<limit>\d+) maximum context",
    # TGI: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens
    r"must be <= (?P<limit>\d+)\. Given: (?P<asked>\d+)",
    # Anthropic behind a compatible door: prompt is too long: 210000 tokens > 200000 maximum
    r"(?P<asked>\d+) tokens > (?P<limit>\d+)",
)
_PATTERNS = tuple(re.compile(sentence, re.IGNORECASE | re.DOTALL) for sentence in _SENTENCES)


def overflow_numbers(payload: Any, message: str) -> tuple[int | None, int | None]:
    """Tokens of the prompt and of the context; None where the server does not say it."""
    error = payload.get("error", payload) if isinstance(payload, dict) else None
    if isinstance(error, dict):
        asked, limit = error.get("n_prompt_tokens"), error.get("n_ctx")
        if isinstance(asked, int) and isinstance(limit, int):
            return asked, limit
    for pattern in _PATTERNS:
        if found := pattern.search(message):
            return _number(found["asked"]), _number(found["limit"])
    return None, None


def _number(digits: str | None) -> int | None:
    return int(digits) if digits else None
