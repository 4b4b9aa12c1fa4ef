from typing import Any

from django import forms
from django.contrib.auth.forms import UserChangeForm
from django.utils.translation import gettext_lazy as _

from accounts.models import Grant, User


class EmailForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.exclude(pk=self.instance.pk).filter(email__iexact=email).exists():
            raise forms.ValidationError(_("Somebody signs in with this address already."))
        return email


class UserForm(EmailForm, UserChangeForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = "__all__"  # noqa: DJ007 - the admin's fieldsets choose


class NewUserForm(EmailForm):
    """How a person gets in for the first time is chosen here; nobody types another's password."""

    GENERATE, EMAIL = "generate", "email"
    entrance = forms.ChoiceField(
        label=_("First sign-in"),
        choices=[
            (GENERATE, _("generate a password and show it here once")),
            (EMAIL, _("send a link by e-mail to choose a password")),
        ],
        initial=GENERATE,
        widget=forms.RadioSelect,
    )

    class Meta:
        model = User
        fields = ("email", "name", "language", "is_staff", "is_superuser")

    def save(self, commit: bool = True) -> Any:
        self.instance.set_unusable_password()
        return super().save(commit)


class GrantForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Grant
        fields = ("kind", "object_id", "role", "user", "team")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if bool(data.get("user")) == bool(data.get("team")):
            raise forms.ValidationError(_("Choose either a person or a team."))
        return data
