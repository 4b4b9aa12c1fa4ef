"""What a request needs to know from the server before it can be written: token ids, adapters."""

from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from gateway.controls import Capability, Controls
from gateway.errors import error_for_exception
from gateway.types import Route
from gateway.upstream.asking import ask
from gateway.upstream.decoding import NOTHING, Resolved, demand, refusal
from gateway.upstream.servers import Server, root_url, server_of
from gateway.upstream.session import Pool
from gateway.upstream.tokenizer import bias_of_words


async def resolve(pool: Pool, route: Route, controls: Controls) -> Resolved:
    """Asks the server only for words and adapters that the controls name."""
    if not controls.word_bias and not controls.lora:
        return NOTHING
    bias: dict[str, float] = {}
    if controls.word_bias:
        demand(route, Capability.LOGIT_BIAS, "word_bias")
        bias = await bias_of_words(pool, route, controls.word_bias)
    lora = await _lora_fields(pool, route, controls.lora) if controls.lora else {}
    return Resolved(bias, lora)


async def _lora_fields(pool: Pool, route: Route, name: str) -> dict[str, Any]:
    """llama.cpp numbers its adapters; vLLM, SGLang and TGI have them as models of their own."""
    demand(route, Capability.LORA, "lora")
    match server_of(route):
        case Server.LLAMA_CPP:
            adapters = await list_adapters(pool, route)
            if name not in adapters:
                known = ", ".join(adapters) or "–"
                text = str(_("It has no adapter “{name}”, but: {known}."))
                raise refusal(route, "lora", text.format(name=name, known=known))
            return {"lora": [{"id": adapters[name], "scale": 1.0}]}
        case Server.VLLM | Server.VLLM_GUIDED | Server.TGI | Server.UNKNOWN:
            return {"model": name}
        case Server.SGLANG:
            return {"lora_path": name}
        case _:
            raise refusal(route, "lora")


async def list_adapters(pool: Pool, route: Route) -> dict[str, int]:
    """llama.cpp's adapters: the name of the file without its ending, and its number."""
    found = await ask(pool, route, f"{root_url(route)}/lora-adapters")
    try:
        return {PurePosixPath(str(one["path"])).stem: int(one["id"]) for one in found}
    except (LookupError, TypeError, ValueError) as error:
        raise error_for_exception(error) from error
