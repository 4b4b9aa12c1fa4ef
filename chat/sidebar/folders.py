"""A person's folders, and which conversation is in which; each person files for themselves."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import Http404

from accounts.models import User
from chat.errors import FolderNameTaken
from chat.models import Conversation, Filing, Folder
from events.notices import What, announce
from security.text import storable


def create_folder(user: User, name: str) -> Folder:
    """Raises FolderNameTaken."""
    return _named(Folder(owner=user), name)


def rename_folder(user: User, folder_id: UUID, name: str) -> Folder:
    """Raises FolderNameTaken and Http404."""
    return _named(_find(user, folder_id), name)


def delete_folder(user: User, folder_id: UUID) -> None:
    """Its conversations are kept and stand in the list again. Raises Http404."""
    _find(user, folder_id).delete()
    announce(What.FOLDERS, people=[user.pk])


def move_conversation(user: User, conversation_id: UUID, folder_id: UUID | None) -> None:
    """Into one of the person's own folders, or out of it; a reader may too. Raises Http404."""
    if not Conversation.objects.visible_to(user).filter(pk=conversation_id).exists():
        raise Http404
    if folder_id is None:
        Filing.objects.filter(owner=user, conversation=conversation_id).delete()
    else:
        Filing.objects.update_or_create(
            owner=user,
            conversation_id=conversation_id,
            defaults={"folder": _find(user, folder_id)},
        )
    announce(What.PLACED, conversation_id, people=[user.pk])


def _find(user: User, folder_id: UUID) -> Folder:
    found = Folder.objects.editable_by(user).filter(pk=folder_id).first()
    if found is None:
        raise Http404
    return found


def _named(folder: Folder, name: str) -> Folder:
    folder.name = " ".join(storable(name).split())[:80]
    try:
        with transaction.atomic():
            folder.save()
    except IntegrityError:
        raise FolderNameTaken(folder.name) from None
    announce(What.FOLDERS, people=[folder.owner_id])
    return folder
