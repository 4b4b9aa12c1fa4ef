from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

DAYS = [("", _("never")), (1, _("after a day")), (7, _("after a week")), (30, _("after a month")),
    (365, _("after a year"))]  # fmt: skip


class LinkForm(forms.Form):
    """How long a link shows its conversation, and to whom."""

    days = forms.TypedChoiceField(
        label=_("It ends"), choices=DAYS, coerce=int, empty_value=None, required=False
    )
    is_public = forms.TypedChoiceField(
        label=_("For"),
        choices=[("", _("people signed in here")), ("yes", _("anyone with the link"))],
        coerce=bool,
        empty_value=None,
        required=False,
    )

    @property
    def may_be_public(self) -> bool:
        return bool(settings.PARLEY_LINKS == "anyone")

    def clean_is_public(self) -> bool:
        return bool(self.cleaned_data["is_public"])
