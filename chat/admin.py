"""Conversations are private: lists show what happened, never what was said.

A superuser may open one row; that is a look that leaves an entry in the admin's log.
"""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce, Length
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from chat.answers.admin import FeedbackAdmin, ModelFilter, PreferenceAdmin
from chat.changes import stop_as_operator
from chat.models import Citation, Conversation, Message, SharedLink, Turn
from chat.sharing.links import revoke_as_operator
from security import audit
from security.acts import Act
from security.lists import AgeFilter
from security.records import LogAdmin

__all__ = ["FeedbackAdmin", "PreferenceAdmin"]


class PrivateAdmin(LogAdmin):
    """Rows with people's words in them: pages of single rows are for superusers, and logged."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if not super().has_view_permission(request, obj):
            return False
        return obj is None or bool(getattr(request.user, "is_superuser", False))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        response = super().change_view(request, object_id, form_url, extra_context)
        if response.status_code == HTTPStatus.OK:
            self._log_look(request, object_id)
        return response

    def _log_look(self, request: HttpRequest, object_id: str) -> None:
        """The entry names the row by its id: titles are people's words too."""
        audit.record(Act.ADMIN_READ, self.model(pk=object_id), title="")
        LogEntry.objects.create(
            user_id=str(request.user.pk),
            content_type=ContentType.objects.get_for_model(self.model),
            object_id=object_id,
            object_repr=object_id,
            action_flag=CHANGE,
            change_message=gettext("Opened to read."),
        )


@admin.register(Conversation)
class ConversationAdmin(PrivateAdmin):
    list_display = ("id", "owner", "agent", "message_count", "is_pinned", "archived_at",
        "created_at", "updated_at")  # fmt: skip
    list_filter = ("agent", "is_pinned", AgeFilter)
    list_select_related = ("owner", "agent")
    exact_fields = ("id",)
    search_fields = ("owner__email",)
    search_help_text = _("The id of a conversation, or its owner's e-mail address.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        conversations: QuerySet[Conversation] = super().get_queryset(request)
        counted: Any = Message.objects.filter(conversation=OuterRef("pk")).order_by()
        counted = counted.values("conversation").annotate(n=Count("pk")).values("n")
        return conversations.annotate(message_count=Coalesce(Subquery(counted), 0))

    @admin.display(description=_("messages"))
    def message_count(self, conversation: Any) -> int:
        count: int = conversation.message_count
        return count


@admin.register(Message)
class MessageAdmin(PrivateAdmin):
    list_display = ("id", "conversation_id", "role", "status", "model_name", "characters",
        "created_at")  # fmt: skip
    list_filter = ("role", "status", ModelFilter, AgeFilter)
    exact_fields = ("id", "conversation")
    search_help_text = _("The id of a message or of its conversation.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        rows: QuerySet[Message] = super().get_queryset(request)
        return rows.annotate(characters=Length("text"))

    @admin.display(description=_("characters"))
    def characters(self, message: Any) -> int:
        count: int = message.characters
        return count


@admin.register(Citation)
class CitationAdmin(PrivateAdmin):
    list_display = ("id", "message_id", "document_id", "n", "start", "end", "page")
    exact_fields = ("id", "message", "document")
    search_help_text = _("The id of a citation, a message or a document.")


@admin.register(Turn)
class TurnAdmin(PrivateAdmin):
    list_display = ("id", "requested_by", "agent", "status", "stop_requested_at", "created_at",
        "finished_at")  # fmt: skip
    list_filter = ("status", "agent", AgeFilter)
    list_select_related = ("requested_by", "agent")
    exact_fields = ("id", "conversation")
    search_fields = ("requested_by__email",)
    search_help_text = _("The id of a turn or conversation, or an e-mail address.")
    actions = ("stop",)

    def has_stop_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.change_turn")

    @admin.action(description=_("Stop"), permissions=["stop"])
    def stop(self, request: HttpRequest, queryset: QuerySet[Turn]) -> None:
        count = sum(stop_as_operator(turn) for turn in queryset)
        text = _("%(count)s asked to stop.") % {"count": count}
        self.message_user(request, text, messages.SUCCESS)


@admin.register(SharedLink)
class SharedLinkAdmin(LogAdmin):
    """Who shows what to whom, by ids: the title under which it is shown is people's words."""

    list_display = ("id", "owner", "conversation_key", "is_public", "taken_at", "expires_at")
    list_filter = ("is_public", AgeFilter)
    list_select_related = ("owner",)
    exact_fields = ("id", "conversation")
    search_fields = ("owner__email",)
    search_help_text = _("The id of a link or conversation, or its owner's e-mail address.")
    fields = list_display
    readonly_fields = list_display
    actions = ("take_back",)

    @admin.display(description=pgettext_lazy("field", "conversation"))
    def conversation_key(self, link: SharedLink) -> UUID | None:
        return link.conversation_id

    def has_take_back_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("chat.delete_sharedlink")

    @admin.action(description=_("Take back"), permissions=["take_back"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[SharedLink]) -> None:
        count = sum(revoke_as_operator(link) for link in queryset)
        text = _("%(count)s taken back.") % {"count": count}
        self.message_user(request, text, messages.SUCCESS)
