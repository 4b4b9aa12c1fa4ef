"""The settings page of chats: who answers in a new one, and what answers and keys show and do."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.callers import caller
from accounts.models import User
from accounts.services import change_preferences
from agents.models import Agent


class ChatSettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    default_agent = forms.ModelChoiceField(
        label=_("Agent of a new chat"),
        queryset=Agent.objects.none(),
        required=False,
        empty_label=_("The first one"),
        help_text=_("You can choose another one in each chat."),
    )

    class Meta:
        model = User
        fields = ["marks_unsupported", "has_key_shortcuts"]
        labels = {
            "marks_unsupported": _("Mark sentences without a source"),
            "has_key_shortcuts": _("Shortcuts of a single key"),
        }
        help_texts = {
            "marks_unsupported": _("A dotted line below what no passage supports."),
            "has_key_shortcuts": _(
                "Such as ? for the list of shortcuts. Ctrl+K and its like stay."
            ),
        }

    def __init__(self, user: User, data: object = None) -> None:
        super().__init__(data, instance=user, initial={"default_agent": user.default_agent})  # type: ignore[arg-type]
        choice = self.fields["default_agent"]
        assert isinstance(choice, forms.ModelChoiceField)
        choice.queryset = Agent.objects.visible_to(user)


@require_http_methods(["GET", "POST"])
@login_required
def page(request: HttpRequest) -> HttpResponse:
    user = User.objects.get(pk=caller(request).pk)
    form = ChatSettingsForm(user, request.POST or None)
    if request.method == "GET" or not form.is_valid():
        return render(request, "agents/chat_settings.html", {"form": form})
    chosen = form.cleaned_data
    agent = chosen.pop("default_agent")
    change_preferences(user, **chosen, default_agent=agent.pk if agent else None)
    messages.success(request, gettext("Saved."))
    return redirect("chat_settings:page")


app_name = "chat_settings"
urlpatterns = [path("", page, name="page")]
