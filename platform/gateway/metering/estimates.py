"""How many tokens a prompt will cost, before anybody has counted them.

By the model's own vocabulary where it is one of OpenAI's; else by the tokens that a character of
this script usually costs at this deployment, as its finished calls have shown (`learn`) or, before
there were enough, its `/tokenize` when the connection was tested; else by length alone. What was
estimated and what the server counted stand on the same usage row.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from gateway.models import Deployment
from gateway.routing.needs import Needs, texts_of
from gateway.types import ChatRequest, Estimate, Route
from gateway.upstream.vocabulary import count_tokens, has_vocabulary, is_ready
from security.ids import first_id_at

LONGEST = 200_000  # characters that are counted one by one; longer texts are as dense as these
ENOUGH_CHARACTERS = 20_000  # of a script, for a ratio of it
LEARNED_FROM = timedelta(days=7)
USUAL_BOUNDS = 0.02, 4.0  # tokens a character; a server that tells others counts something else


def script_of(needs: Needs) -> str:
    """`wide` where most characters are Chinese and the like, else `latin`."""
    return "wide" if needs.octets > needs.characters * 2 else "latin"


async def estimate_prompt(route: Route, request: ChatRequest, needs: Needs) -> Estimate:
    """Of the whole prompt. In microseconds, but where a vocabulary counts: that is in a thread.

    Nobody waits until a vocabulary is loaded. Where there are images, ratios learn nothing.
    """
    script, name = script_of(needs), route.upstream_name
    seen = (0, "") if needs.has_images else (needs.characters, script)
    if has_vocabulary(name) and is_ready(name):
        counted = await asyncio.to_thread(_count, name, request, needs)
        return Estimate(counted + needs.fixed_tokens, "vocabulary", *seen)
    if ratio := route.token_ratios.get(script):
        tokens = round(needs.characters * ratio) + needs.fixed_tokens
        return Estimate(tokens, "measured", *seen)
    return Estimate(needs.prompt_tokens, "length", *seen)


def _count(model: str, request: ChatRequest, needs: Needs) -> int:
    left, texts = LONGEST, []
    for text in texts_of(request):
        texts.append(text[:left])
        left -= len(texts[-1])
        if left <= 0:
            break
    counted = count_tokens(model, texts)
    return counted if left > 0 else counted * needs.characters // LONGEST


def learn() -> None:
    """For the clock: tokens a character of each deployment, by script, from its late calls.

    Only calls without images, whose tokens are not those of characters, count; what a template
    puts around messages is in the ratio.
    """
    found: dict[UUID, dict[str, float]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select deployment_id, script, sum(prompt_tokens)::float / sum(prompt_characters)
            from gateway_usage
            where id >= %s and deployment_id is not null and prompt_tokens > 0
              and prompt_characters > 0 and script <> ''
            group by deployment_id, script having sum(prompt_characters) >= %s
            """,
            [first_id_at(timezone.now() - LEARNED_FROM), ENOUGH_CHARACTERS],
        )
        for deployment_id, script, ratio in cursor.fetchall():
            if USUAL_BOUNDS[0] < ratio < USUAL_BOUNDS[1]:
                found.setdefault(deployment_id, {})[script] = round(ratio, 4)
    for deployment in Deployment.objects.filter(pk__in=list(found)):
        known = deployment.token_ratios | found[deployment.pk]
        if known != deployment.token_ratios:
            Deployment.objects.filter(pk=deployment.pk).update(token_ratios=known)
