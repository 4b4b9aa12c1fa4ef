from datetime import datetime, timedelta

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiToken, Membership, User
from accounts.time_zones import list_time_zones
from accounts.tokens import Scope

SCOPE_LABELS = {
    Scope.READ: _("Read: search, documents, conversations"),
    Scope.WRITE: _("Write: collections and documents"),
    Scope.CHAT: _("Chat: ask questions and read the answers"),
    Scope.ADMIN: _("Administer"),
}


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """How a person is addressed, in which language, and how pages look."""

    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("The browser's language")), *settings.LANGUAGES],
    )

    theme = forms.ChoiceField(
        label=_("Theme"),
        choices=[("system", _("System")), ("light", _("Light")), ("dark", _("Dark"))],
        widget=forms.RadioSelect,
    )

    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        choices=lambda: [("", _("The server's")), *((zone, zone) for zone in list_time_zones())],
        help_text=_("In which times are shown."),
    )

    class Meta:
        model = User
        fields = ["name", "language", "theme", "time_zone"]
        labels = {"name": _("Name")}
        help_texts = {"name": _("How you are addressed, and what people see when you share.")}


class TokenForm(forms.Form):
    """What a new API token is called, may do, and when it ends."""

    name = forms.CharField(
        label=_("Name"),
        max_length=ApiToken._meta.get_field("name").max_length,
        help_text=_("Where it will be used, so that you know later which one to revoke."),
    )
    days = forms.TypedChoiceField(
        label=_("Expires"),
        coerce=int,
        initial=90,
        choices=[
            (30, _("in 30 days")),
            (90, _("in 90 days")),
            (365, _("in a year")),
            (0, _("never")),
        ],
    )
    scopes = forms.MultipleChoiceField(
        label=_("Rights"),
        required=False,
        choices=[(scope.value, label) for scope, label in SCOPE_LABELS.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: everything that you may do."),
    )

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not user.is_staff:
            scopes = self.fields["scopes"]
            assert isinstance(scopes, forms.MultipleChoiceField)
            scopes.choices = [
                (scope.value, label)
                for scope, label in SCOPE_LABELS.items()
                if scope != Scope.ADMIN
            ]

    def expires_at(self) -> datetime | None:
        days: int = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=days) if days else None


class MemberForm(forms.Form):
    """Who joins a team, and as what."""

    email = forms.EmailField(label=_("E-mail address"), max_length=254)
    role = forms.ChoiceField(
        label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.MEMBER
    )
