"""What a request needs to know from the server before it can be written: token ids, adapters."""

import asyncio
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from gateway.controls import Capability, Controls
from gateway.types import Route
from gateway.upstream.asking import ask
from gateway.upstream.decoding import NOTHING, Resolved, demand, refusal
from gateway.upstream.failures import error_for_exception
from gateway.upstream.servers import VLLMS, Server, root_url, server_of
from gateway.upstream.session import Pool
from gateway.upstream.tokenizer import bias_of_words
from security.sentences import Sentence

REMEMBERED_SECONDS = 60.0  # a list of adapters


@dataclass(frozen=True, slots=True)
class Adapter:
    id: int
    name: str
    scale: float  # for requests that name none


_NONE: tuple[Adapter, ...] = ()


async def resolve(pool: Pool, route: Route, controls: Controls) -> Resolved:
    """Asks the server only where the controls name words, or where there are adapters."""
    is_numbered = Capability.LORA in route.capabilities and server_of(route) is Server.LLAMA_CPP
    if not (controls.word_bias or controls.lora or is_numbered):
        return NOTHING
    bias: dict[str, float] = {}
    if controls.word_bias:
        demand(route, Capability.LOGIT_BIAS, "word_bias")
        bias = await bias_of_words(pool, route, controls.word_bias)
    if is_numbered:
        lora = await _scales(pool, route, controls.lora)
    else:
        lora = _named(route, controls.lora) if controls.lora else {}
    return Resolved(bias, lora)


def _named(route: Route, name: str) -> dict[str, Any]:
    """vLLM and TGI have adapters as models of their own, SGLang by their path. Where none are known
    to be, a name could be that of quite another model."""
    demand(route, Capability.LORA, "lora")
    server = server_of(route)
    if server is Server.SGLANG:
        return {"lora_path": name}
    if server in {*VLLMS, Server.TGI} and Capability.LORA in route.capabilities:
        return {"model": name}
    raise refusal(route, "lora")


async def _scales(pool: Pool, route: Route, name: str) -> dict[str, Any]:
    """llama.cpp numbers its adapters. Every request names them all: without that it goes on with
    what it remembers of the same prompt under another adapter (seen in build 11549)."""
    adapters = await _known_adapters(pool, route)
    if name and name not in {adapter.name for adapter in adapters}:
        known = [adapter.name for adapter in adapters] or "–"
        raise refusal(route, "lora", Sentence("no_adapter", name=name, known=known))
    return {
        "lora": [
            {"id": one.id, "scale": one.scale if not name else float(one.name == name)}
            for one in adapters
        ]
    }


async def _known_adapters(pool: Pool, route: Route) -> tuple[Adapter, ...]:
    now = asyncio.get_running_loop().time()
    until, adapters = pool.adapters.get(route.base_url, (0.0, _NONE))
    if until < now:
        adapters = await list_adapters(pool, route)
        pool.adapters[route.base_url] = (now + REMEMBERED_SECONDS, adapters)
    return adapters


async def list_adapters(pool: Pool, route: Route) -> tuple[Adapter, ...]:
    """llama.cpp's adapters, named like their files without the ending."""
    found = await ask(pool, route, f"{root_url(route)}/lora-adapters")
    try:
        return tuple(
            Adapter(int(one["id"]), PurePosixPath(str(one["path"])).stem, float(one["scale"]))
            for one in found
        )
    except (LookupError, TypeError, ValueError) as error:
        raise error_for_exception(error) from error
