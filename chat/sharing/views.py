"""The dialog in which a conversation is shared, as a fragment, and the list of one's links."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.callers import caller
from accounts.errors import SharingRefused
from accounts.limits import spend_for
from chat.errors import ChatError
from chat.models import Conversation, SharedLink
from chat.sharing import links
from chat.sharing import services as sharing
from chat.sharing.forms import LinkForm
from knowledge.forms import GrantForm
from security.rate_limits import Action


@require_GET
@login_required
def show(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    return _dialog(request, _find(request, conversation_id))


@require_POST
@login_required
def give(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """A grant for a person or a team, or another role for one that has it."""
    conversation = _find(request, conversation_id)
    user = caller(request)
    form = GrantForm(user, request.POST)
    if not form.is_valid():
        return _dialog(request, conversation, form=form)
    given = form.cleaned_data
    try:
        sharing.share_conversation(user, conversation.pk, given["grantee"], given["role"])
    except SharingRefused as refusal:
        form.add_error(None, str(refusal))
        return _dialog(request, conversation, form=form)
    return _dialog(request, conversation)


@require_POST
@login_required
def take(request: HttpRequest, conversation_id: UUID, access_id: UUID) -> HttpResponse:
    conversation = _find(request, conversation_id)
    sharing.unshare_conversation(caller(request), conversation.pk, access_id)
    return _dialog(request, conversation)


@require_POST
@never_cache
@login_required
def make_link(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Answers the dialog with the new link's address in it, this once."""
    conversation = _find(request, conversation_id)
    spend_for(request, Action.LINKS)
    form = LinkForm(request.POST)
    if not form.is_valid():
        return _dialog(request, conversation, link_form=form)
    try:
        made, token = links.make_link(caller(request), conversation.pk, **form.cleaned_data)
    except ChatError as refusal:
        return _dialog(request, conversation, problem=str(refusal))
    address = request.build_absolute_uri(reverse("chat:shared", args=[token]))
    return _dialog(request, conversation, made=made, address=address)


@require_POST
@login_required
def update_link(request: HttpRequest, link_id: UUID) -> HttpResponse:
    updated = links.update_link(caller(request), link_id)
    return _dialog(request, _find(request, updated.conversation_id), updated=updated)


@require_POST
@login_required
def revoke_link(request: HttpRequest, link_id: UUID) -> HttpResponse:
    """Answers the dialog, or with `list` the list in the settings."""
    user = caller(request)
    link = get_object_or_404(SharedLink.objects.editable_by(user), pk=link_id)
    links.revoke_link(user, link.pk)
    if "list" in request.POST:
        return render(request, "chat/_links.html", {"links": sharing.list_links(user)})
    return _dialog(request, _find(request, link.conversation_id))


@require_GET
@login_required
def list_links(request: HttpRequest) -> HttpResponse:
    are_off = settings.PARLEY_LINKS == "off"
    context = {"links": sharing.list_links(caller(request)), "are_off": are_off}
    return render(request, "chat/links.html", context)


def _find(request: HttpRequest, conversation_id: UUID) -> Conversation:
    """Who may not share it has no dialog."""
    try:
        return sharing.find_shareable(caller(request), conversation_id)
    except (PermissionDenied, ChatError):
        raise Http404 from None


def _dialog(request: HttpRequest, conversation: Conversation, **more: Any) -> HttpResponse:
    user = caller(request)
    context = {
        "conversation": conversation,
        "people": sharing.list_people(conversation),
        "links": sharing.list_links(user, conversation.pk),
        "may_link": settings.PARLEY_LINKS != "off",
        "form": GrantForm(user),
        "link_form": LinkForm(),
        **more,
    }
    return render(request, "chat/_sharing.html", context)
