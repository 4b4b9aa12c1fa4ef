"""What becomes of conversations, and of what the assistant remembers, when a person leaves."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.leaving import Fate
from accounts.models import User
from agents.models import Agent, Memory
from chat.models import Conversation, Turn


def tell_fates(user: User) -> list[Fate]:
    fates = []
    if count := Conversation.objects.visible_to(user).filter(owner=user).count():
        text = ngettext(
            "%(n)s conversation of yours is deleted, also for those you shared it with, and every "
            "link to it ends.",
            "%(n)s conversations of yours are deleted, also for those you shared them with, and "
            "every link to them ends.",
            count,
        )
        fates.append(Fate(text % {"n": count}))
    guest = Turn.objects.filter(requested_by=user).exclude(conversation__owner=user)
    if guest.exists():
        text = _("Questions that you asked in conversations of others stay in them.")
        fates.append(Fate(text, is_lost=False))
    if Memory.objects.filter(owner=user).exists():
        fates.append(Fate(_("What the assistant remembers about you is deleted.")))
    if count := Agent.objects.filter(owner=user, is_builtin=False).count():
        text = ngettext(
            "%(n)s agent of yours is deleted.", "%(n)s agents of yours are deleted.", count
        )
        fates.append(Fate(text % {"n": count}))
    return fates
