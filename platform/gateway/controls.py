"""How a model is told to decode, and what a deployment can do. No Django here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Capability(StrEnum):
    """What an endpoint can do with a model: probed by "Test connection", corrected by hand."""

    VISION = "vision"
    TOOLS = "tools"
    JSON_SCHEMA = "json_schema"
    GRAMMAR = "grammar"
    REGEX = "regex"
    CHOICES = "choices"
    REASONING = "reasoning"
    LOGPROBS = "logprobs"
    LOGIT_BIAS = "logit_bias"
    TOKENIZE = "tokenize"
    PREDICTION = "prediction"
    LORA = "lora"
    PREFIX = "prefix"  # continues an assistant message that it is given unfinished
    CACHE_KEY = "cache_key"  # `prompt_cache_key`
    CACHE_MARKS = "cache_marks"  # `cache_control` in messages
    CACHE_SALT = "cache_salt"  # what is read for one account is not reused for another
    EMBEDDINGS = "embeddings"
    RERANK = "rerank"


@dataclass(frozen=True, slots=True)
class Controls:
    """Decoding controls of one request; what is None or empty is not sent.

    At most one of `choices`, `json_schema`, `regex` and `grammar` (GBNF) is set. `word_bias` maps
    words to -100 … 100 and goes through the deployment's own tokenizer; `logit_bias` has token ids.
    """

    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    word_bias: Mapping[str, float] = field(default_factory=dict)
    logit_bias: Mapping[str, float] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    json_schema: Mapping[str, Any] | None = None
    regex: str = ""
    grammar: str = ""
    prediction: str = ""
    draft: Mapping[str, Any] = field(default_factory=dict)  # draft-model options of the server
    lora: str = ""
    reasoning_effort: str = ""
    logprobs: bool = False
    top_logprobs: int | None = None
