"""Whose dialect a server speaks, and what each calls the fields that differ.

"Test connection" finds it and `Route.server` carries it; hosts that everybody knows need no test.
"""

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlsplit

from gateway.types import Route


class Server(StrEnum):
    UNKNOWN = ""
    OPENAI = "openai"
    VLLM = "vllm"
    VLLM_GUIDED = "vllm-guided"  # before 0.12: guided_… instead of structured_outputs
    LLAMA_CPP = "llama.cpp"
    SGLANG = "sglang"
    TGI = "tgi"
    OLLAMA = "ollama"
    MISTRAL = "mistral"
    DEEPSEEK = "deepseek"


HOSTS = {
    "api.openai.com": Server.OPENAI,
    "api.mistral.ai": Server.MISTRAL,
    "api.deepseek.com": Server.DEEPSEEK,
}
VLLMS = frozenset({Server.VLLM, Server.VLLM_GUIDED})

_ONLY_OPENAI = {"top_k": "", "min_p": "", "repetition_penalty": ""}
# Our name of a field to theirs; "" says that the server does not know it and would drop it.
_NAMES: Mapping[Server, Mapping[str, str]] = {
    Server.OPENAI: _ONLY_OPENAI,
    Server.TGI: _ONLY_OPENAI,
    Server.OLLAMA: _ONLY_OPENAI,
    Server.MISTRAL: _ONLY_OPENAI | {"seed": "random_seed"},
    Server.DEEPSEEK: _ONLY_OPENAI | {"seed": ""},
    Server.LLAMA_CPP: {"repetition_penalty": "repeat_penalty"},
}


def server_of(route: Route) -> Server:
    """What the test found, else what the host's name says."""
    known = Server(route.server) if route.server in set(Server) else Server.UNKNOWN
    return known or HOSTS.get(urlsplit(route.base_url).hostname or "", Server.UNKNOWN)


def name_at(server: Server, field: str) -> str:
    """What the server calls a field of ours; "" if it does not have it."""
    return _NAMES.get(server, {}).get(field, field)


def root_url(route: Route) -> str:
    """The address above /v1, where servers keep what is not of the protocol."""
    return route.base_url.rstrip("/").removesuffix("/v1")
