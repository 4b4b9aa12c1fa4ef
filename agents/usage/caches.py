"""What caches spare, for administrators: how often, how much of it, and forgetting it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import User
from agents.models import Agent
from agents.reuse import answers, programs, similar  # noqa: F401 - every process knows their caches
from agents.usage.audience import may_see_all
from caching.cache import caches
from caching.figures import Figures, read_figures
from caching.flushing import flush
from security import audit
from security.acts import Act

FLUSH = "agents.change_agent"  # whoever may switch reuse off may also empty what it keeps


@dataclass(frozen=True, slots=True)
class Held:
    """A cache with the words for it."""

    title: str
    figures: Figures


def require_caches(user: User) -> None:
    """Raises Http404."""
    if not may_see_all(user):
        raise Http404


def may_flush(user: Any) -> bool:
    return may_see_all(user) and bool(user.has_perm(FLUSH))


def list_caches(user: User, days: int) -> list[Held]:
    """By name; empty while Redis is away. Raises Http404."""
    require_caches(user)
    return [Held(title_of(figures.name), figures) for figures in read_figures(days)]


def flush_cache(user: User, name: str) -> bool:
    """Forget all that a cache holds; False when Redis could not be told. Raises Http404."""
    if not may_flush(user) or name not in caches:
        raise Http404
    audit.record(Act.CACHE_FLUSHED, cache=name)
    return flush(name)


def flush_agent(user: User, agent_id: UUID) -> bool:
    """Forget the answers of an agent, in every cache. Raises Http404."""
    if not may_flush(user):
        raise Http404
    agent = Agent.objects.filter(pk=agent_id).first()
    if agent is None:
        raise Http404
    audit.record(Act.CACHE_FLUSHED, agent)
    return _flush_scope(f"agent:{agent.pk}")


def flush_person(user: User, person_id: UUID) -> bool:
    """Forget the answers that were kept for one person alone. Raises Http404."""
    if not may_flush(user):
        raise Http404
    person = User.objects.filter(pk=person_id).first()
    if person is None:
        raise Http404
    audit.record(Act.CACHE_FLUSHED, person)
    return _flush_scope(f"person:{person.pk}")


def title_of(name: str) -> str:
    known = {
        "answers.hour": _("Answers, kept for an hour"),
        "answers.day": _("Answers, kept for a day"),
        "answers.week": _("Answers, kept for a week"),
        "answers.similar": _("Similar questions"),
        "answers.programs": _("Answers to programs"),
        "vectors": _("Vectors of questions"),
    }
    return known.get(name, name)


def _flush_scope(scope: str) -> bool:
    told = [flush(name, scope) for name in sorted(caches)]
    return all(told)
