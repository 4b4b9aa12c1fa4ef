"""All trials of a deployment at once, within a limit of time, and what was found in a sentence."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gateway.controls import Capability
from gateway.errors import (
    BadCredentials,
    EndpointTimeout,
    EndpointUnreachable,
    GatewayError,
    RateLimited,
    UnsupportedControl,
)
from gateway.types import CallRecord, Route
from gateway.upstream.probing.identity import Identity, identify
from gateway.upstream.probing.trials import (
    CHAT_TRIALS,
    Subject,
    Trial,
    token_ratios,
    tries_choices,
    tries_embeddings,
    tries_rerank,
    tries_tokens,
)
from gateway.upstream.servers import Server
from gateway.upstream.session import Pool, close_pool, current_pool

TOTAL_SECONDS = 20.0
AT_ONCE = 4
TRIALS_OF_KIND: Mapping[str, Mapping[Capability, Trial]] = {
    "chat": CHAT_TRIALS,
    "embedding": {Capability.EMBEDDINGS: tries_embeddings},
    "rerank": {Capability.RERANK: tries_rerank},
}
NAMES: Mapping[Capability, str | Promise] = {
    Capability.VISION: gettext_lazy("images"),
    Capability.TOOLS: gettext_lazy("tools"),
    Capability.JSON_SCHEMA: gettext_lazy("JSON Schema"),
    Capability.GRAMMAR: gettext_lazy("grammars"),
    Capability.REGEX: gettext_lazy("regular expressions"),
    Capability.CHOICES: gettext_lazy("choices"),
    Capability.REASONING: gettext_lazy("reasoning"),
    Capability.LOGPROBS: gettext_lazy("log-probabilities"),
    Capability.LOGIT_BIAS: gettext_lazy("biased words"),
    Capability.TOKENIZE: gettext_lazy("its tokenizer"),
    Capability.PREDICTION: gettext_lazy("predictions"),
    Capability.LORA: gettext_lazy("adapters"),
    Capability.PREFIX: gettext_lazy("going on behind a beginning"),
    Capability.CACHE_KEY: gettext_lazy("keys of its prompt cache"),
    Capability.CACHE_MARKS: gettext_lazy("marks of its prompt cache"),
    Capability.CACHE_SALT: gettext_lazy("a prompt cache for each account"),
    Capability.EMBEDDINGS: gettext_lazy("embeddings"),
    Capability.RERANK: gettext_lazy("reranking"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What goes into `Deployment.probed`: abilities by name, `server` and `context_length`.

    An ability that could not be tried (a time-out, a pause that was asked for) is left out.
    """

    abilities: Mapping[Capability, bool]
    identity: Identity
    token_ratios: Mapping[str, float] = field(default_factory=dict)
    calls: Sequence[CallRecord] = ()  # that this took

    def as_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {name.value: can for name, can in self.abilities.items()}
        if self.identity.server:
            row["server"] = self.identity.server.value
        if self.identity.context_length:
            row["context_length"] = self.identity.context_length
        if self.token_ratios:
            row["token_ratios"] = self.token_ratios
        return row

    def sentence(self, name: str) -> str:
        """“tiny (llama.cpp, 2048 tokens): tools, JSON Schema.”"""
        about = [self.identity.server.value] if self.identity.server else []
        if self.identity.context_length:
            tokens = str(_("{count} tokens")).format(count=self.identity.context_length)
            about.append(tokens)
        can = [str(NAMES[one]) for one in Capability if self.abilities.get(one)]
        text = f"{name} ({', '.join(about)})" if about else name
        return f"{text}: {', '.join(can) or _('words only')}."


def find_abilities(routes: Sequence[tuple[Route, str]]) -> list[Found]:
    """What each of an endpoint's deployments, with its kind of model, can do. Waits up to 20 s.

    For code without a running loop; opens and closes connections of its own.
    """

    async def probe() -> list[Found]:
        pool = current_pool()
        subjects: list[tuple[Subject, dict[Capability, bool]]] = []
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(TOTAL_SECONDS):
                    places = asyncio.Semaphore(AT_ONCE)
                    runs = (_try_all(pool, route, kind, places, subjects) for route, kind in routes)
                    return await asyncio.gather(*runs)
        finally:
            await close_pool()
        found = {
            id_of(subject.route): Found(can, subject.identity, calls=subject.meter.calls)
            for subject, can in subjects
        }
        nothing = Found({}, Identity())
        return [found.get(id_of(route), nothing) for route, _kind in routes]

    return asyncio.run(probe())


def id_of(route: Route) -> tuple[object, str]:
    return route.deployment_id, route.upstream_name


async def _try_all(
    pool: Pool,
    route: Route,
    kind: str,
    places: asyncio.Semaphore,
    subjects: list[tuple[Subject, dict[Capability, bool]]],
) -> Found:
    found: dict[Capability, bool] = {}
    subject = Subject(pool, route, await identify(pool, route), set())
    if subject.identity.server is Server.VLLM and kind == "chat":
        subject = await _with_its_age(subject)
    subjects.append((subject, found))
    if (can_tell := await _outcome(tries_tokens, subject, places)) is not None:
        found[Capability.TOKENIZE] = can_tell
        told = {Capability.TOKENIZE} if can_tell else set()
        subject = replace(subject, route=replace(route, capabilities=frozenset(told)))

    async def run(capability: Capability, trial: Trial) -> None:
        outcome = await _outcome(trial, subject, places)
        if outcome is not None:
            found[capability] = outcome

    ratios: Mapping[str, float] = await token_ratios(subject) if can_tell else {}
    trials = TRIALS_OF_KIND.get(kind, {})
    await asyncio.gather(*(run(capability, trial) for capability, trial in trials.items()))
    return Found(found, subject.identity, ratios, subject.meter.calls)


async def _with_its_age(subject: Subject) -> Subject:
    """vLLM says nothing about fields that it drops: which of the two it obeys has to be seen."""
    for server in (Server.VLLM, Server.VLLM_GUIDED):
        aged = replace(subject, identity=replace(subject.identity, server=server))
        with suppress(GatewayError):
            if await tries_choices(aged):
                return aged
    return subject


async def _outcome(trial: Trial, subject: Subject, places: asyncio.Semaphore) -> bool | None:
    """None when nothing was learned."""
    async with places:
        try:
            return await trial(subject)
        except (BadCredentials, RateLimited, EndpointTimeout, EndpointUnreachable):
            return None
        except UnsupportedControl as error:  # our own dialect has no words for it
            return None if error.control == "word_bias" else False
        except (GatewayError, LookupError, TypeError, AttributeError):
            return False
