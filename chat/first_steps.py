"""What an administrator does to a new Parley, each step computed from what is there."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from chat.models import Turn
from gateway.models import Deployment, Endpoint, Model
from knowledge.models import Collection
from knowledge.services import SAMPLE_COLLECTION


@dataclass(frozen=True, slots=True)
class Step:
    title: str
    detail: str
    url: str
    is_done: bool


def list_first_steps(user: User | AnonymousUser) -> list[Step]:
    """The five steps; none for members, and none when all are done. Five short queries."""
    if not isinstance(user, User) or not user.is_superuser:
        return []
    endpoints = list(Endpoint.objects.filter(is_enabled=True).only("last_checked_at", "last_error"))
    steps = [_connect(endpoints), _test(endpoints), _invite(user), _collect(), _ask(user)]
    return [] if all(step.is_done for step in steps) else steps


def _connect(endpoints: Sequence[Endpoint]) -> Step:
    served = Deployment.objects.filter(is_enabled=True, endpoint__is_enabled=True)
    detail = _("Any server that speaks the OpenAI API. Until then answers quote your documents.")
    if endpoints:
        detail = _("The endpoint is there. Add a model and say which endpoint serves it.")
    return Step(
        _("Connect a model"),
        detail,
        reverse("admin:gateway_model_add" if endpoints else "admin:gateway_endpoint_add"),
        served.filter(model__kind=Model.Kind.CHAT).exists(),
    )


def _test(endpoints: Sequence[Endpoint]) -> Step:
    return Step(
        _("Test it"),
        _("Choose the endpoint in the list, then “Test connection”."),
        reverse("admin:gateway_endpoint_changelist"),
        any(one.last_checked_at and not one.last_error for one in endpoints),
    )


def _invite(user: User) -> Step:
    return Step(
        _("Invite people"),
        _("They get a link by e-mail, or a first password from you."),
        reverse("admin:accounts_user_add"),
        User.objects.filter(is_active=True).exclude(pk=user.pk).exists(),
    )


def _collect() -> Step:
    own = Collection.objects.filter(is_shelf=False).exclude(name=SAMPLE_COLLECTION)
    return Step(
        _("Make the first collection"),
        _("Documents that belong together: a handbook, a project, a course."),
        reverse("knowledge:home"),
        own.exists(),
    )


def _ask(user: User) -> Step:
    return Step(
        _("Ask the first question"),
        _("The sample collection has answers already."),
        "#message",
        Turn.objects.filter(requested_by=user).exists(),
    )
