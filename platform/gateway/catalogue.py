"""Which chat models can be chosen: those that somebody serves at the moment."""

from django.db.models import QuerySet

from gateway.models import Model


def list_chat_models() -> QuerySet[Model]:
    """Chat models with a deployment that is on, the default one first."""
    served = Model.objects.filter(
        kind=Model.Kind.CHAT,
        deployments__is_enabled=True,
        deployments__endpoint__is_enabled=True,
    )
    return served.order_by("-is_default", "name").distinct()


def is_chat_model(name: str) -> bool:
    """Whether a question may ask for the model of this name; one small query."""
    return list_chat_models().filter(name=name).order_by().exists()
