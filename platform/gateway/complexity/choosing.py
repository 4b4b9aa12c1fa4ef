"""Which of an alias's three models answers: rules, corrections, the score, a judge's vote."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.complexity.aliases import Alias, find_alias, fingerprint
from gateway.complexity.features import Features, features_of, question_of
from gateway.complexity.judging import ask_judge
from gateway.complexity.models import RoutingChoice
from gateway.complexity.recording import record_choice
from gateway.complexity.rules import Rule, first_that_holds
from gateway.complexity.score import TIERS, Score, Tier, score
from gateway.complexity.wording import strongest
from gateway.routing.needs import Needs, allowed_routes, needs_of
from gateway.types import Chat, ChatRequest, FindRoutes, Route
from security.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    """How hard a question is, and who says so."""

    tier: Tier
    score: Score
    voted_by: str  # rule, correction, score or judge
    rule: Rule | None = None


async def narrow(
    request: ChatRequest, routes: Sequence[Route], *, chat: Chat, find_routes: FindRoutes
) -> tuple[tuple[Route, ...], str]:
    """The alias's routes in the order of its choice, and why the first.

    The model for the tier is first, then the harder ones, then the simpler: when it fails, somebody
    else of them answers. Raises NoEndpointAllowed when none of them may.
    """
    needs = needs_of(request)
    allowed = allowed_routes(routes, needs)
    alias = await find_alias(routes[0].alias)
    if alias is None or _is_own(request):
        return ordered(allowed, "simple", needs), ""
    question = question_of(request)
    features = features_of(request, question, needs)
    mark = fingerprint(question)
    verdict = judge(alias, features, mark)
    if wants_vote(alias, verdict):
        vote = await ask_judge(alias.judge, request, question, chat=chat, routes=find_routes)
        verdict = Verdict(vote, verdict.score, "judge") if vote else verdict
    found = ordered(allowed, verdict.tier, needs)
    record_choice(
        RoutingChoice(
            alias_id=alias.id,
            turn_id=request.turn_id,
            account_id=request.account_id,
            tier=verdict.tier,
            target=found[0].model,
            features={name: value for name, value in features.items() if value},
            score=round(verdict.score.points, 3),
            voted_by=verdict.voted_by,
            fingerprint=mark,
        )
    )
    return found, why(verdict, found[0])


def judge(alias: Alias, features: Features, mark: str) -> Verdict:
    """Without a vote: rules first, then what a person said of the same question, then the score."""
    found = score(features, alias.settings)
    if rule := first_that_holds(alias.rules, features):
        return Verdict(rule.tier, found, "rule", rule)
    if corrected := (alias.corrected or {}).get(mark):
        return Verdict(corrected, found, "correction")
    return Verdict(found.tier, found, "score")


def wants_vote(alias: Alias, verdict: Verdict) -> bool:
    """A judge is asked where the score is in doubt; never against a rule."""
    if not alias.judge or verdict.voted_by != "score":
        return False
    return alias.settings.distance(verdict.score.points) <= alias.judge_margin


def ordered(routes: Sequence[Route], tier: Tier, needs: Needs) -> tuple[Route, ...]:
    """The tier's routes, those of harder tiers, those of simpler ones; each deployment once.

    A tier whose every context is too short for the prompt comes last.
    """
    place = TIERS.index(tier)
    order = [*TIERS[place:], *reversed(TIERS[:place])]
    fits = {route.tier for route in routes if _is_long_enough(route, needs)}
    order.sort(key=lambda name: name not in fits)
    seen: dict[object, Route] = {}
    for name in order:
        for route in routes:
            if route.tier == name:
                seen.setdefault(route.deployment_id or id(route), route)
    return tuple(seen.values())


def why(verdict: Verdict, route: Route) -> str:
    """The sentence of the answer: tier, the two strongest features, the model."""
    tier, features = Sentence(f"tier_{verdict.tier}"), strongest(verdict.score.shares)
    return Sentence(
        f"chosen_by_{verdict.voted_by}", tier=tier, features=features, model=route.model
    )


def _is_long_enough(route: Route, needs: Needs) -> bool:
    return not route.context_length or route.context_length >= needs.tokens


def _is_own(request: ChatRequest) -> bool:
    """Titles and the like: what Parley asks for itself is small."""
    return not (request.turn_id or request.question or request.wants_chunks)
