"""Which chat models can be chosen: those that somebody serves at the moment."""

from django.db.models import Q, QuerySet

from gateway.complexity.score import TIERS
from gateway.models import Model


def list_chat_models() -> QuerySet[Model]:
    """Chat models with a deployment that is on, and aliases of one; the default one first."""
    served = _is_served("deployments")
    for tier in TIERS:
        served |= _is_served(f"complexity__{tier}__deployments")
    found = Model.objects.filter(served, kind=Model.Kind.CHAT)
    return found.order_by("-is_default", "name").distinct()


def _is_served(deployments: str) -> Q:
    return Q(**{f"{deployments}__is_enabled": True, f"{deployments}__endpoint__is_enabled": True})


def is_chat_model(name: str) -> bool:
    """Whether a question may ask for the model of this name; one small query."""
    return list_chat_models().filter(name=name).order_by().exists()
