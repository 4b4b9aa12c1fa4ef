from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Status

from accounts.access import require_visible
from accounts.callers import CHAT, READ_OR_CHAT, caller
from chat import selectors
from chat.models import Conversation, Folder
from chat.schemas import ConversationOut, FolderIn, FolderOut, FolderPlace
from chat.sidebar import folders

router = Router()


@router.get(
    "/folders", response=list[FolderOut], auth=READ_OR_CHAT, tags=["Folders"],
    summary="List folders", operation_id="list_folders",
)  # fmt: skip
def list_folders(request: HttpRequest) -> Any:
    """Yours, by name: nobody else sees them, also not on conversations that you share."""
    return Folder.objects.visible_to(caller(request))


@router.post(
    "/folders", response={201: FolderOut}, auth=CHAT, tags=["Folders"],
    summary="Make a folder", operation_id="create_folder",
)  # fmt: skip
def create_folder(request: HttpRequest, body: FolderIn) -> Any:
    return Status(201, folders.create_folder(caller(request), body.name))


@router.patch(
    "/folders/{uuid:folder_id}", response=FolderOut, auth=CHAT, tags=["Folders"],
    summary="Rename a folder", operation_id="rename_folder",
)  # fmt: skip
def rename_folder(request: HttpRequest, folder_id: UUID, body: FolderIn) -> Any:
    return folders.rename_folder(caller(request), folder_id, body.name)


@router.delete(
    "/folders/{uuid:folder_id}", response={204: None}, auth=CHAT, tags=["Folders"],
    summary="Delete a folder", operation_id="delete_folder",
)  # fmt: skip
def delete_folder(request: HttpRequest, folder_id: UUID) -> Any:
    """The conversations in it are kept."""
    folders.delete_folder(caller(request), folder_id)
    return Status(204, None)


@router.put(
    "/conversations/{uuid:conversation_id}/folder", response=ConversationOut, auth=CHAT,
    tags=["Folders"], summary="Move a conversation", operation_id="move_conversation",
)  # fmt: skip
def move_conversation(request: HttpRequest, conversation_id: UUID, body: FolderPlace) -> Any:
    """Into one of your folders, or with null out of it. Everyone files for themselves: the role
    reader is enough."""
    user = caller(request)
    require_visible(Conversation.objects, user, conversation_id)
    folders.move_conversation(user, conversation_id, body.folder)
    return selectors.find_conversation(user, conversation_id)
