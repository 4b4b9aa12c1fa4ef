"""Words as tokens, by the deployment's own tokenizer: `/tokenize` of vLLM and llama.cpp, a
bundled vocabulary for OpenAI's models."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.controls import Capability
from gateway.errors import BadRequest, UpstreamFailed
from gateway.types import Route
from gateway.upstream.asking import ask
from gateway.upstream.decoding import refusal
from gateway.upstream.servers import VLLMS, Server, root_url, server_of
from gateway.upstream.session import Pool
from gateway.upstream.vocabulary import bundled_tokens, has_vocabulary
from security.sentences import Sentence

MOST_WORDS = 100
AT_ONCE = 8  # requests for tokens
REMEMBERED_WORDS = 5_000  # of all deployments together, per process and loop


@dataclass(frozen=True, slots=True)
class Token:
    id: int
    text: str  # as well as it can be told; only its length is used


Tokens = tuple[Token, ...]


async def bias_of_words(pool: Pool, route: Route, words: Mapping[str, float]) -> dict[str, float]:
    """Token ids with their bias, for each word alone and behind a space.

    A word that is one token gets its bias there. Of one that is several, all are encouraged but
    only the longest is discouraged: without it the word cannot be said, and the others stay free.
    """
    if len(words) > MOST_WORDS:
        raise BadRequest(Sentence("most_words", count=MOST_WORDS))
    forms = [(form, bias) for word, bias in words.items() for form in forms_of(word)]
    places = asyncio.Semaphore(AT_ONCE)

    async def tokens_of(form: str) -> Tokens:
        async with places:
            return await tokenize(pool, route, form)

    found = await asyncio.gather(*(tokens_of(form) for form, _bias in forms))
    biased: dict[str, float] = {}
    for tokens, (_form, bias) in zip(found, forms, strict=True):
        biased |= {str(token.id): bias for token in _touched(tokens, bias)}
    return biased


def forms_of(word: str) -> tuple[str, ...]:
    """A word begins an answer without a space and follows others with one."""
    bare = word.strip()
    return (bare, f" {bare}") if bare else ()


def _touched(tokens: Tokens, bias: float) -> Iterable[Token]:
    if bias >= 0 or len(tokens) < 2:
        return tokens
    return (max(tokens, key=lambda token: len(token.text)),)


async def tokenize(pool: Pool, route: Route, text: str) -> Tokens:
    """The tokens of a text; raises GatewayError, UnsupportedControl if nobody can tell."""
    key = (route.base_url, route.upstream_name, text)
    known: Tokens | None = pool.tokens.get(key)
    if known is not None:
        return known
    if has_vocabulary(route.upstream_name) and server_of(route) is Server.OPENAI:
        found = await asyncio.to_thread(bundled_tokens, route.upstream_name, text)
        tokens = tuple(Token(number, piece) for number, piece in found)
    elif Capability.TOKENIZE in route.capabilities:
        tokens = await _tell(pool, route, text)
    else:
        raise refusal(route, "word_bias", Sentence("no_tokenizer"))
    if len(pool.tokens) >= REMEMBERED_WORDS:
        pool.tokens.clear()
    pool.tokens[key] = tokens
    return tokens


async def _tell(pool: Pool, route: Route, text: str) -> Tokens:
    body: dict[str, Any] = {"content": text, "add_special": False, "with_pieces": True}
    if server_of(route) in VLLMS:
        body = {
            "model": route.upstream_name,
            "prompt": text,
            "add_special_tokens": False,
            "return_token_strs": True,
        }
    return _read(await ask(pool, route, f"{root_url(route)}/tokenize", body))


def _read(payload: Any) -> Tokens:
    """llama.cpp: `[{"id", "piece"}]` or ids; vLLM: ids, and `token_strs` beside them."""
    try:
        found = payload["tokens"]
        texts = payload.get("token_strs") or [""] * len(found)
        return tuple(
            Token(int(token["id"]), str(token["piece"]))
            if isinstance(token, dict)
            else Token(int(token), str(text))
            for token, text in zip(found, texts, strict=True)
        )
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UpstreamFailed(Sentence("no_tokens")) from error
