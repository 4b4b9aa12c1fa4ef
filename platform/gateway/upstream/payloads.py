"""What the JSON of a chat completion says, whatever is missing or odd in it."""

from typing import Any

from gateway.types import TokenUsage

MOST_TOKENS = 2**31 - 1  # that a usage row can hold; who counts more does not count


def delta_text(delta: Any) -> tuple[str, str]:
    """Content and reasoning of a delta or of a whole message."""
    if not isinstance(delta, dict):
        return "", ""
    content = delta.get("content")
    reasoning = delta.get("reasoning_content") or delta.get("reasoning")
    return (
        content if isinstance(content, str) else "",
        reasoning if isinstance(reasoning, str) else "",
    )


def token_usage(usage: Any) -> TokenUsage:
    """Counts of an OpenAI usage object; what is missing or odd is None."""
    if not isinstance(usage, dict):
        return TokenUsage()
    prompt = usage.get("prompt_tokens_details")
    completion = usage.get("completion_tokens_details")
    return TokenUsage(
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        cached_tokens=_first(prompt, "cached_tokens", usage, *_READ),
        reasoning_tokens=_count(completion, "reasoning_tokens"),
        cache_write_tokens=_first(prompt, "cache_write_tokens", usage, *_WRITTEN),
        accepted_prediction_tokens=_count(completion, "accepted_prediction_tokens"),
        rejected_prediction_tokens=_count(completion, "rejected_prediction_tokens"),
    )


def input_usage(usage: Any) -> TokenUsage:
    """Of an answer that has no words: some servers tell the total alone."""
    told = token_usage(usage)
    if told.prompt_tokens is None:
        return TokenUsage(prompt_tokens=_count(usage, "total_tokens"))
    return told


# What is not in the protocol's place: DeepSeek, and Anthropic's names as proxies pass them on.
_READ = ("prompt_cache_hit_tokens", "cache_read_input_tokens")
_WRITTEN = ("cache_creation_input_tokens",)


def _first(details: Any, name: str, usage: Any, *others: str) -> int | None:
    counts = (_count(details, name), *(_count(usage, other) for other in others))
    return next((count for count in counts if count is not None), None)


def _count(counts: Any, name: str) -> int | None:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else None
