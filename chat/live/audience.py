"""Who is told that a conversation changed: whoever may see it, or saw it until it was deleted."""

from collections.abc import Iterable
from uuid import UUID

from accounts.models import Grant, Membership
from chat.models import Conversation


def readers_of(conversation_ids: Iterable[UUID], among: set[UUID]) -> dict[UUID, set[UUID]]:
    """For each conversation those of the people `among` who own it or have a grant on it.

    Three queries at most, however many conversations there are. Nobody learns a thing from an id:
    what it stands for is looked up under the rights of whoever asks.
    """
    ids = set(conversation_ids)
    owners = Conversation.objects.filter(pk__in=ids).values_list("pk", "owner_id")
    readers = {pk: {owner} & among for pk, owner in owners}
    grants = Grant.objects.filter(kind=Grant.Kind.CONVERSATION, object_id__in=readers)
    given = list(grants.values_list("object_id", "user_id", "team_id", "team__is_everyone"))
    members = _members({team for _pk, _user, team, is_all in given if team and not is_all})
    for pk, user, team, is_all in given:
        new = among if is_all else {user} if user else members.get(team, set())
        readers[pk] |= new & among
    return readers


def _members(teams: set[UUID]) -> dict[UUID, set[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    if teams:
        for team, user in Membership.objects.filter(team__in=teams).values_list("team", "user"):
            found.setdefault(team, set()).add(user)
    return found
