"""Saved prompts: who has which, what is in them, and every change to them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.access import require_owned
from accounts.errors import SharingRefused
from accounts.models import Grant, Team, User
from accounts.selectors import find_user
from accounts.services import forget_grants, share, unshare
from agents.errors import TooManyPrompts
from agents.models import SavedPrompt
from security import audit
from security.acts import Act
from security.text import storable

MOST = 1000  # prompts of one person
GRACE = timedelta(minutes=10)
VARIABLE = re.compile(r"\{\{[ \t]*([^{}\s](?:[^{}\n]{0,38}[^{}\s])?)[ \t]*\}\}")


@dataclass(frozen=True, slots=True)
class Words:
    """A prompt without a place: an example, or one that was exported."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Readers:
    """With whom a prompt is shared to use it."""

    teams: list[Team]
    people: list[User]


def variables_of(text: str) -> list[str]:
    """What has to be filled in, each name once, in the order of the text."""
    return list(dict.fromkeys(VARIABLE.findall(text)))


def list_prompts(user: User) -> QuerySet[SavedPrompt]:
    """Prompts `user` may use, with `role` (theirs) and `is_shared`."""
    grants = Grant.objects.filter(kind=Grant.Kind.SAVED_PROMPT, object_id=OuterRef("pk"))
    visible: QuerySet[SavedPrompt] = SavedPrompt.objects.visible_to(user).annotate_role(user)
    return visible.annotate(is_shared=Exists(grants))


def find_prompt(user: User, prompt_id: UUID) -> SavedPrompt:
    """The prompt as `list_prompts` has it; raises Http404."""
    found = list_prompts(user).filter(pk=prompt_id).first()
    if found is None:
        raise Http404
    return found


def matching(query: str) -> Q:
    """A condition: every word of `query` stands in the name or in the text."""
    condition = Q()
    for word in storable(query).split():
        condition &= Q(name__icontains=word) | Q(text__icontains=word)
    return condition


def create_prompt(user: User, name: str, text: str) -> SavedPrompt:
    """The one that the person has already where it is the same word for word: twice is once.

    Raises TooManyPrompts.
    """
    words = Words(name, text)
    if made := add_prompts(user, [words]):
        return made[0]
    known: SavedPrompt = SavedPrompt.objects.filter(
        owner=user, deleted_at=None, **asdict(_stored(words))
    ).earliest("created_at")
    return known


@transaction.atomic
def add_prompts(user: User, words: Iterable[Words]) -> list[SavedPrompt]:
    """Those that the person does not have yet word for word, all or none. Raises TooManyPrompts."""
    own = SavedPrompt.objects.filter(owner=user, deleted_at=None)
    known = dict.fromkeys(Words(*pair) for pair in own.values_list("name", "text"))
    fresh = [one for one in dict.fromkeys(map(_stored, words)) if one not in known]
    if len(known) + len(fresh) > MOST:
        raise TooManyPrompts(MOST)
    made: list[SavedPrompt] = SavedPrompt.objects.bulk_create(
        SavedPrompt(owner=user, name=one.name, text=one.text) for one in fresh
    )
    return made


def change_prompt(user: User, prompt_id: UUID, **changes: str) -> None:
    """Raises Http404."""
    found = SavedPrompt.objects.editable_by(user).filter(pk=prompt_id).first()
    if found is None:
        raise Http404
    for name, value in changes.items():
        setattr(found, name, storable(value))
    found.save(update_fields=[*changes, "updated_at"])


@transaction.atomic
def delete_prompt(user: User, prompt_id: UUID) -> None:
    """Out of sight at once, for everyone; kept for ten minutes. Raises Http404."""
    if not SavedPrompt.objects.owned_by(user).filter(pk=prompt_id).update(deleted_at=Now()):
        raise Http404
    audit.record(Act.PROMPT_DELETED, SavedPrompt(pk=prompt_id), by=user, title="")


@transaction.atomic
def restore_prompt(user: User, prompt_id: UUID) -> None:
    """Back as it was, shared with the same people; twice is once. Raises Http404."""
    deleted = SavedPrompt.objects.restorable_by(user).filter(pk=prompt_id)
    if deleted.update(deleted_at=None):
        audit.record(Act.PROMPT_RESTORED, SavedPrompt(pk=prompt_id), by=user, title="")
    elif not SavedPrompt.objects.owned_by(user).filter(pk=prompt_id).exists():
        raise Http404


@transaction.atomic
def purge_deleted() -> int:
    """Remove what was deleted longer ago than GRACE; how many. The clock calls this."""
    due = SavedPrompt.objects.filter(deleted_at__lt=Now() - GRACE)
    gone = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True))
    forget_grants(Grant.Kind.SAVED_PROMPT, *gone)
    SavedPrompt.objects.filter(pk__in=gone).delete()
    return len(gone)


def list_teams(user: User) -> QuerySet[Team]:
    """Teams that `user` may share with."""
    mine = Q(is_everyone=True) | Q(memberships__user=user)
    return Team.objects.all() if user.is_staff else Team.objects.filter(mine).distinct()


def find_readers(user: User, prompt_id: UUID) -> Readers:
    """Raises Http404 and PermissionDenied: with whom it is shared is the owner's to know."""
    require_owned(SavedPrompt.objects, user, prompt_id)
    grants = list(_reading(prompt_id).select_related("team", "user").order_by("created_at"))
    return Readers(
        teams=[grant.team for grant in grants if grant.team],
        people=[grant.user for grant in grants if grant.user],
    )


@transaction.atomic
def set_readers(
    user: User, prompt_id: UUID, teams: Sequence[UUID], emails: Sequence[str]
) -> Readers:
    """Shares with exactly these; whoever may edit it still does. Raises Http404,
    PermissionDenied and SharingRefused."""
    prompt = require_owned(SavedPrompt.objects, user, prompt_id)
    wanted: list[User | Team] = list(list_teams(user).filter(pk__in=teams))
    if len(wanted) != len(set(teams)):
        raise Http404
    wanted += [_person(email) for email in emails]
    readers = find_readers(user, prompt_id)
    before: list[User | Team] = [*readers.teams, *readers.people]
    for gone in before:
        if gone not in wanted:
            unshare(prompt, gone, by=user)
    stronger = _grants(prompt_id).exclude(role=Grant.Role.READER)
    kept = {*stronger.values_list("team", flat=True), *stronger.values_list("user", flat=True)}
    for reader in wanted:
        if reader.pk not in kept and reader not in before:
            share(prompt, reader, Grant.Role.READER, by=user)
    return find_readers(user, prompt_id)


def _person(email: str) -> User:
    person = find_user(email)
    if person is None or not person.is_active:
        raise SharingRefused(_("Nobody here has the address %(email)s.") % {"email": email})
    return person


def _grants(prompt_id: UUID) -> QuerySet[Grant, Any]:
    return Grant.objects.filter(kind=Grant.Kind.SAVED_PROMPT, object_id=prompt_id)


def _reading(prompt_id: UUID) -> QuerySet[Grant, Any]:
    return _grants(prompt_id).filter(role=Grant.Role.READER)


def _stored(words: Words) -> Words:
    return Words(" ".join(storable(words.name).split())[:80], storable(words.text).strip())
