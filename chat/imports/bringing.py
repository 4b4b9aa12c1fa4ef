"""One conversation of an export becomes one of ours, in a transaction of its own."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from chat.answers.copying import store_messages
from chat.imports.growing import marks_of
from chat.imports.tree import grow
from chat.imports.types import Foreign
from chat.models import Conversation, Filing, Folder, Import, ImportedConversation
from chat.turns.titles import title_from


def is_known(user: User, foreign: Foreign) -> ImportedConversation | Conversation | None:
    """Where it is already: brought before, or, of our own export, never away."""
    mine = ImportedConversation.objects.filter(owner=user, conversation__deleted_at=None)
    found = mine.filter(source=foreign.source, external_id=foreign.external_id).first()
    if found is None and foreign.source == "parley":
        own = Conversation.objects.owned_by(user).filter(pk=_id_of(foreign))
        conversation: Conversation | None = own.first()
        return conversation
    return found


def bring(user: User, foreign: Foreign, into: Import, folder: Folder) -> bool:
    """Store it with its times, filed in `folder`; False when it is there already. Raises
    Unreadable."""
    grown = grow(foreign)
    said = [message.created_at for message in grown.messages if message.created_at]
    begun: datetime | None = foreign.created_at or min(said, default=None)
    last: datetime | None = foreign.updated_at or max(said, default=None)
    title = foreign.title or title_from(grown.messages[0].text)
    try:
        with transaction.atomic():
            _forget_deleted(user, foreign)
            made = Conversation.objects.create(
                owner=user, title=title, is_named=True, leaf_id=grown.leaf_id
            )
            ImportedConversation.objects.create(
                conversation=made, owner=user, source=foreign.source,
                external_id=foreign.external_id, brought_by=into,
                messages=marks_of(grown), leaf_id=grown.leaf_id,
            )  # fmt: skip
            store_messages(made.pk, grown.messages)
            Filing.objects.create(folder=folder, conversation=made, owner=user)
            # Both fields set themselves when a row is saved.
            Conversation.objects.filter(pk=made.pk).update(
                created_at=begun or made.created_at, updated_at=last or begun or made.updated_at
            )
    except IntegrityError:
        if is_known(user, foreign) is None:
            raise
        return False
    return True


def folder_of(user: User) -> Folder:
    """The person's folder for what comes from elsewhere, made when it is first needed."""
    name = _("Imported")
    found = Folder.objects.filter(owner=user, name__iexact=name).first()
    return found or Folder.objects.create(owner=user, name=name)


def _id_of(foreign: Foreign) -> UUID | None:
    try:
        return UUID(foreign.external_id)
    except ValueError:
        return None


def _forget_deleted(user: User, foreign: Foreign) -> None:
    """What was deleted a moment ago may be brought again."""
    gone = ImportedConversation.objects.filter(owner=user, source=foreign.source)
    gone.filter(external_id=foreign.external_id, conversation__deleted_at__isnull=False).delete()
