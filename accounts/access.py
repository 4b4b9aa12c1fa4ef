"""Who may see and change what: the one place every permission query comes from."""

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, Self, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.http import Http404

from accounts.models import Grant, Membership, Team, User
from security.ids import new_id

Row = TypeVar("Row", bound=models.Model)
READ = (Grant.Role.READER, Grant.Role.EDITOR, Grant.Role.OWNER)
EDIT = (Grant.Role.EDITOR, Grant.Role.OWNER)
OWN = (Grant.Role.OWNER,)


class OneOf(Func):
    """Whether a column is among the values of a subquery: `column = any (array(select …))`.

    With it each branch of an OR is found by an index of its own. Of `in (select …)` Postgres makes
    a hash table there, and asks it about every row there is.
    """

    arg_joiner = " = any ("
    template = "%(expressions)s)"
    output_field = models.BooleanField()

    def __init__(self, column: str, values: models.QuerySet[Any, Any]) -> None:
        # The first so many of a list are those that its order says.
        found = values if values.query.is_sliced else values.order_by()
        super().__init__(F(column), ArraySubquery(found))


def in_teams_of(user: User, team: str = "team") -> Q:
    """Whether `team` is one that the person is in, or everyone."""
    own = Membership.objects.filter(user=user).values("team")
    return Q(OneOf(team, own)) | Q(OneOf(team, Team.objects.filter(is_everyone=True).values("pk")))


def granted_ids(user: User, kind: str, roles: tuple[str, ...]) -> models.QuerySet[Grant, Any]:
    """Ids of the objects of `kind` on which `user` has one of `roles`, directly or by a team."""
    mine = Q(user=user) | in_teams_of(user)
    return Grant.objects.filter(mine, kind=kind, role__in=roles).values("object_id")


def has_grant(user: User, kind: str, roles: tuple[str, ...], pk: str = "pk") -> OneOf:
    return OneOf(pk, granted_ids(user, kind, roles))


class OwnedQuerySet(models.QuerySet[Any]):
    """Limits to what a person may see or change; all else looks as if it did not exist."""

    def _with_role(self, user: User | AnonymousUser, roles: tuple[str, ...]) -> Self:
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        kind = self.model.grant_kind
        return self.filter(Q(owner=user) | Q(has_grant(user, kind, roles)))

    def visible_to(self, user: User | AnonymousUser) -> Self:
        return self._with_role(user, READ)

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self._with_role(user, EDIT)

    def owned_by(self, user: User | AnonymousUser) -> Self:
        return self._with_role(user, OWN)

    def annotate_role(self, user: User) -> Self:
        """Adds `role`, the strongest that `user` has; meant for rows visible to them."""
        kind = self.model.grant_kind
        owned = Q(owner=user) | Q(has_grant(user, kind, OWN))
        return self.annotate(
            role=Case(
                When(owned, then=Value(Grant.Role.OWNER.value)),
                When(has_grant(user, kind, EDIT), then=Value(Grant.Role.EDITOR.value)),
                default=Value(Grant.Role.READER.value),
                output_field=models.CharField(),
            )
        )


class PrivateQuerySet(models.QuerySet[Row]):
    """Rows for their owner alone, which nobody can share."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        return self.filter(owner=user)

    def editable_by(self, user: User | AnonymousUser) -> Self:
        return self.visible_to(user)


class OwnedModel(models.Model):
    """Something a person owns and may share by grants of `grant_kind`."""

    grant_kind: ClassVar[str]

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    objects = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True


class Guarded(Protocol):
    """A manager or queryset whose rows know who may see and change them."""

    def visible_to(self, user: Any) -> models.QuerySet[Any]: ...
    def editable_by(self, user: Any) -> models.QuerySet[Any]: ...


class Owned(Guarded, Protocol):
    def owned_by(self, user: Any) -> models.QuerySet[Any]: ...


def require_visible(rows: Guarded, user: User | AnonymousUser, pk: UUID) -> Any:
    """The row, if `user` may see it; raises Http404."""
    found = rows.visible_to(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def require_all(allowed: models.QuerySet[Any], ids: Sequence[UUID] | None) -> None:
    """That every one of these is among the `allowed`; raises Http404. None names nothing."""
    if ids and allowed.filter(pk__in=ids).count() != len(set(ids)):
        raise Http404


def require_editable(rows: Guarded, user: User | AnonymousUser, pk: UUID) -> Any:
    """The row, if `user` may change it; PermissionDenied if they may only see it, or Http404."""
    return _require(rows.editable_by(user), rows, user, pk)


def require_owned(rows: Owned, user: User | AnonymousUser, pk: UUID) -> Any:
    """The row, if `user` has the owner's rights; raises PermissionDenied or Http404."""
    return _require(rows.owned_by(user), rows, user, pk)


def _require(
    allowed: models.QuerySet[Any], rows: Guarded, user: User | AnonymousUser, pk: UUID
) -> Any:
    found = allowed.filter(pk=pk).first()
    if found is None:
        require_visible(rows, user, pk)
        raise PermissionDenied
    return found
