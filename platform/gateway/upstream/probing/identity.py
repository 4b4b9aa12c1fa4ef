"""Who serves a model, and how much it reads: from what servers tell without being asked a word."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gateway.errors import GatewayError
from gateway.types import Route
from gateway.upstream.asking import ask
from gateway.upstream.servers import Server, root_url, server_of
from gateway.upstream.session import Pool

SECONDS = 5.0  # for each small question
_OWNERS = {
    "vllm": Server.VLLM,
    "llamacpp": Server.LLAMA_CPP,
    "sglang": Server.SGLANG,
    "library": Server.OLLAMA,
}
# Where lists of models say how many tokens fit: vLLM, Mistral, OpenRouter, Groq.
_LENGTHS = ("max_model_len", "max_context_length", "context_length", "context_window")


@dataclass(frozen=True, slots=True)
class Identity:
    server: Server = Server.UNKNOWN
    context_length: int = 0  # tokens, 0 = not told
    has_adapters: bool = False


async def identify(pool: Pool, route: Route) -> Identity:
    """Never raises: a server that tells nothing is unknown."""
    entries = await _entries(pool, route)
    entry = next((one for one in entries if one.get("id") == route.upstream_name), {})
    server = server_of(route) or _OWNERS.get(str(entry.get("owned_by")), Server.UNKNOWN)
    if not server:
        server = await _by_its_own_pages(pool, route)
    length = next((n for name in _LENGTHS if (n := _count(entry.get(name)))), 0)
    if server is Server.LLAMA_CPP:
        length = await _slot_length(pool, route) or length
    has_adapters = any(one.get("parent") == route.upstream_name for one in entries)
    return Identity(server, length, has_adapters)


async def _entries(pool: Pool, route: Route) -> list[dict[str, Any]]:
    with suppress(GatewayError, AttributeError):
        found = (await ask(pool, route, route.url("models"), seconds=SECONDS)).get("data")
        if isinstance(found, list):
            return [one for one in found if isinstance(one, dict)]
    return []


async def _by_its_own_pages(pool: Pool, route: Route) -> Server:
    for path, name, server in (
        ("api/version", "version", Server.OLLAMA),
        ("info", "router", Server.TGI),
    ):
        with suppress(GatewayError):
            found = await ask(pool, route, f"{root_url(route)}/{path}", seconds=SECONDS)
            if isinstance(found, dict) and name in found:
                return server
    return Server.UNKNOWN


async def _slot_length(pool: Pool, route: Route) -> int:
    """What fits into one of llama.cpp's slots, which share its context."""
    with suppress(GatewayError):
        found = await ask(pool, route, f"{root_url(route)}/props", seconds=SECONDS)
        settings = found.get("default_generation_settings") if isinstance(found, dict) else None
        if isinstance(settings, Mapping):
            return _count(settings.get("n_ctx"))
    return 0


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0
