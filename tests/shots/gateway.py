"""Believable models and endpoints for the screenshots of the administration."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from agents.models import Agent
from chat.models import Turn
from gateway.models import (
    Deployment,
    Endpoint,
    Model,
    RoutingAlias,
    RoutingChoice,
    RoutingRule,
    Usage,
)
from tests.shots import used

FOUND = {"tools": True, "vision": False, "json_schema": True, "logprobs": True, "prefix": False}
SEEN: list[tuple[dict[str, int], str, float]] = [  # features, tier, points
    ({"lookup": 1, "tokens": 9, "passages": 6}, "simple", 0.4),
    ({"comparison": 1, "tokens": 41, "passages": 2}, "medium", 2.8),
    ({"code": 1, "reasoning": 1, "tokens": 520, "history": 4}, "hard", 6.1),
    ({"lookup": 1, "tokens": 12, "passages": 4}, "simple", 0.9),
]


def make() -> None:
    """Beside the endpoint that answers: one that nobody hears, and one that is being emptied."""
    house = Endpoint.objects.get()
    Endpoint.objects.filter(pk=house.pk).update(labels=["eu", "confidential"])
    dead = Endpoint.objects.create(
        name="night-shift", base_url="http://127.0.0.1:9/v1", labels=["eu"], max_concurrency=8
    )
    leaving = Endpoint.objects.create(
        name="old-cluster", base_url="http://127.0.0.1:10/v1", is_draining=True
    )
    reasoner = _model("reasoner", house, context_length=128_000)
    for priority, endpoint in ((1, dead), (30, leaving)):
        Deployment.objects.create(
            model=reasoner, endpoint=endpoint, upstream_name="reasoner-70b", priority=priority
        )
    Deployment.objects.filter(endpoint=house).update(
        prompt_price="0.15", completion_price="0.60", probed=FOUND, capabilities={"vision": True}
    )
    Agent.objects.filter(slug="operations").update(model_name=reasoner.name)
    _routing(house)


def _model(name: str, endpoint: Endpoint, **options: Any) -> Model:
    model = Model.objects.create(name=name, **options)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="house-model")
    return model


def _routing(endpoint: Endpoint) -> None:
    small, middle, large = (_model(f"{size}-model", endpoint) for size in ("small", "mid", "large"))
    alias = RoutingAlias.objects.create(
        model=Model.objects.create(name="auto"), simple=small, medium=middle, hard=large,
        judge=small,
    )  # fmt: skip
    RoutingRule.objects.create(alias=alias, conditions="code\ntokens > 400", tier="hard")
    RoutingRule.objects.create(
        alias=alias, conditions="lookup", tier="simple", position=20, is_enabled=False
    )
    names = {"simple": small, "medium": middle, "hard": large}
    for hours, (features, tier, points) in enumerate(SEEN):
        choice = RoutingChoice.objects.create(
            alias=alias, tier=tier, target=names[tier].name, features=features, score=points,
            voted_by="rule" if tier == "hard" else "score",
            corrected_tier="medium" if hours == 3 else "",
        )  # fmt: skip
        RoutingChoice.objects.filter(pk=choice.pk).update(
            created_at=timezone.now() - timedelta(hours=hours * 7),
            corrected_at=timezone.now() if hours == 3 else None,
        )


def rows() -> dict[str, str]:
    """The ids that addresses of the administration need."""
    fallen = Usage.objects.filter(attempt__gt=1, turn_id__isnull=False).order_by("id").first()
    found = {
        "house": Deployment.objects.get(model__name="house-model").endpoint,
        "dead": Endpoint.objects.get(name="night-shift"),
        "model": Model.objects.get(name="reasoner"),
        "deployment": Deployment.objects.get(model__name="house-model"),
        "alias": RoutingAlias.objects.get(),
        "rule": RoutingRule.objects.order_by("position").first(),
        "turn": Turn.objects.filter(pk=fallen.turn_id).first() if fallen else None,
        "call": fallen,
        "agent": Agent.objects.get(slug="operations"),
    }
    return {name: str(row.pk) for name, row in found.items() if row is not None} | used.rows()
