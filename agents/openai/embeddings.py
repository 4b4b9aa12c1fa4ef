"""`POST /v1/embeddings`: vectors of unit length, as numbers or packed as base64."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from django.http import HttpRequest, HttpResponse

from accounts.tokens import Scope
from agents.openai import fields
from agents.openai.callers import Body, Call, admit, endpoint, in_thread
from agents.openai.catalogue import name_of
from agents.openai.demands import demands_on
from agents.openai.errors import invalid, no_such_model, unsupported
from agents.tokens import estimate_tokens
from gateway.embedding.embedder import (
    LOCAL_NAME,
    Embedder,
    EmbedderUnavailable,
    RemoteEmbedder,
    Vectors,
    get_embedder,
)
from gateway.embedding.local import count_pieces
from gateway.upstream.vocabulary import text_of
from security.rate_limits import Action

MOST_TEXTS = 2048
AT_ONCE = 64  # of the embedded model; between two such parts it is seen that the client has gone


@endpoint("POST")
async def embeddings(request: HttpRequest) -> HttpResponse:
    call = await admit(request, Action.SEARCHES, Scope.CHAT)
    name, inputs = name_of(call.body), _inputs(call.body)
    wanted = call.body.get("encoding_format") or "float"
    if wanted not in ("float", "base64"):
        raise invalid("Send 'float' or 'base64'.", "encoding_format", "invalid_value")
    embedder = await in_thread(find_embedder, call, name)
    texts = await asyncio.to_thread(lambda: list(map(_as_text, inputs)))
    vectors = await embed(embedder, texts)
    _check_size(call.body, vectors.shape[1])
    told = await asyncio.to_thread(_written, name, texts, vectors, wanted)
    return HttpResponse(told, content_type="application/json")


def _written(name: str, texts: Sequence[str], vectors: Vectors, wanted: str) -> bytes:
    """The answer; many vectors are millions of numbers, which no event loop has time for."""
    data = [
        {"object": "embedding", "index": n, "embedding": _told(vector, wanted)}
        for n, vector in enumerate(np.ascontiguousarray(vectors))
    ]
    tokens = count_tokens(name, texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    answer = {"object": "list", "data": data, "model": name, "usage": usage}
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def find_embedder(call: Call, name: str) -> Embedder:
    try:
        return get_embedder(name, demands_on(call.user), payer=call.payer())
    except EmbedderUnavailable as error:
        raise no_such_model(name) from error


async def embed(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    if isinstance(embedder, RemoteEmbedder):
        return await embedder.embed_async(texts)
    parts = [
        await asyncio.to_thread(embedder.embed, texts[start : start + AT_ONCE])
        for start in range(0, len(texts), AT_ONCE)
    ]
    return np.concatenate(parts)


def count_tokens(name: str, texts: Sequence[str]) -> int:
    """Counted for the embedded model, estimated for others."""
    return sum(map(count_pieces if name == LOCAL_NAME else estimate_tokens, texts))


def _inputs(body: Body) -> list[str | list[int]]:
    """Texts, or texts in numbers: one or several of them."""
    given = body.get("input")
    is_one = isinstance(given, str) or (isinstance(given, list) and _are_tokens(given))
    inputs = [given] if is_one else given
    if not isinstance(inputs, list) or not inputs:
        raise invalid("Send `input`: a string or an array of strings.", "input")
    if not all(isinstance(one, str) or _are_tokens(one) for one in inputs):
        raise invalid("Each input is a string or an array of tokens.", "input", "invalid_type")
    if len(inputs) > MOST_TEXTS:
        message = f"At most {MOST_TEXTS} texts in one request."
        raise invalid(message, "input", "array_above_max_length")
    if not all(inputs):
        raise invalid("'input' cannot contain an empty string.", "input", "invalid_value")
    return inputs


def _are_tokens(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(type(one) is int for one in value)


def _as_text(one: str | list[int]) -> str:
    """Clients that count tokens themselves send them by number, usually those of cl100k_base."""
    if isinstance(one, str):
        return one
    try:
        return text_of(one)
    except KeyError as error:
        message = f"{error} is no token of cl100k_base; send the text."
        raise invalid(message, "input", "invalid_value") from error


def _check_size(body: Body, size: int) -> None:
    wanted = fields.whole_number(body, "dimensions")
    if wanted not in {None, size}:
        raise unsupported("dimensions", f"Vectors of this model have {size}.")


def _told(vector: Vectors, wanted: str) -> Any:
    if wanted == "base64":
        return base64.b64encode(vector.astype("<f4").tobytes()).decode()
    return vector
